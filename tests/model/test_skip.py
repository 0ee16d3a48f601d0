"""The identity term: skip connections in units, kernels, machine and recipe."""

import numpy as np
import pytest

from tritgrad.errors import BadInput
from tritgrad.model.arithmetic import backward, skipped
from tritgrad.model.config import MAX_SKIP, CoreConfig
from tritgrad.model.fast import FastNetwork
from tritgrad.model.layout import Layer, TableError, check_table
from tritgrad.model.margin import MarginNetwork
from tritgrad.model.recipe import Recipe


def test_the_backward_pass_is_the_adjoint():
    rng = np.random.default_rng(1)
    for skip in range(MAX_SKIP + 2):
        w = rng.integers(-1, 2, (5, 5))
        x, e = rng.integers(0, 8, 5), rng.integers(-1, 2, 5)
        z = skipped(w @ x, x, skip)
        assert z.tolist() == (w @ x + (x << skip - 1 if skip else 0)).tolist()
        sums = skipped(e @ w, e, skip)
        assert e @ z == sums @ x
        assert (backward(w, e, np.ones(5, bool), skip) == np.sign(sums)).all()


def test_lanes_beyond_the_neurons_stay_as_they_are():
    assert skipped(np.array([1, 2]), np.array([3, 4, 0, 0]), 2).tolist() == [7, 10]
    assert skipped(np.array([1, 2, 0, 0]), np.array([-1, 1]), 1).tolist() == [0, 3, 0, 0]


@pytest.mark.parametrize("skip", [None, 0, 2, MAX_SKIP])
def test_kernels_learn_as_the_reference_does(skip):
    recipe = Recipe.default((30, 12, 12, 12, 5), 2, epochs=2, seed=4, skip=skip)
    rng = np.random.default_rng(2)
    x, y = rng.integers(0, 4, (60, 30)).astype(np.uint8), rng.integers(0, 5, 60)
    slow, fast = MarginNetwork(recipe), FastNetwork(recipe)
    for gains in recipe.gains_in(0), recipe.gains_in(1):
        for row, label in zip(x, y, strict=True):
            slow.train_sample(row, int(label), gains)
        fast.train(x, y, np.arange(60), gains)
    assert slow.state_sha256() == fast.state_sha256()
    assert (fast.scores(x) == [slow.scores(row) for row in x]).all()


def test_skips_are_those_of_equal_hidden_layers_from_the_second_on():
    def skips(*sizes):
        return Recipe.default(sizes, 1, skip=3).skips

    assert skips(8, 8, 8, 8) == (0, 4, 0)
    assert skips(9, 8, 8, 6, 6, 6) == (0, 4, 0, 4, 0)
    assert Recipe.default((8, 8, 8, 8), 1).skips == (0, 0, 0)


@pytest.mark.parametrize("sizes, options, message", [
    ((9, 8, 7, 7), {"skip": 1}, r"^skip must be left away where no hidden .* \(9, 8, 7, 7\)$"),
    ((9, 8, 8, 7), {"skip": 8}, "^skip must be an integer from 0 to 7, not 8$"),
    ((9, 8, 8, 7), {"skip": -1}, "^skip must be an integer from 0 to 7, not -1$"),
])
def test_refused_recipes(sizes, options, message):
    with pytest.raises(BadInput, match=message):
        Recipe.default(sizes, 1, **options)


@pytest.mark.parametrize("options", [
    {"trace": True}, {"resident": 3}, {"support": True}, {"scales": True}, {"drain": 2}])
def test_what_a_core_with_skips_goes_with(options):
    CoreConfig(skip=True, **options)


def test_pre_activations_never_wrap():
    sizes = {"max_inputs": 1, "max_neurons": 40, "activation_bits": 4, "input_planes": 1}
    largest = 40 * 15 + (15 << MAX_SKIP)
    bits = CoreConfig(skip=True, **sizes, max_classes=2).score_bits
    assert largest < 1 << bits - 1 <= 2 * largest
    assert CoreConfig(**sizes, max_classes=2).score_bits < bits


@pytest.mark.parametrize("flag, row, message", [
    (False, 1, "^layer 2: skip must be from 0 to 0, not 1$"),
    (True, 9, "^layer 2: skip must be from 0 to 8, not 9$"),
    (True, 8, None),
])
def test_the_table_says_where_a_skip_may_be(flag, row, message):
    layers = [Layer(8, 8, 1, 0, 0), Layer(8, 8, 4, 0, 0, row), Layer(8, 8, 4, 0, 0)]
    config = CoreConfig(skip=flag)
    if message is None:
        check_table(config, layers)
        return
    with pytest.raises(TableError, match=message):
        check_table(config, layers)


@pytest.mark.parametrize("number, sizes", [(0, (8, 8, 8, 8)), (2, (8, 8, 8, 8)), (1, (8, 8, 7, 7))])
def test_no_skip_in_first_or_last_layers_nor_between_unequal_ones(number, sizes):
    layers = [Layer(f, n, 4, 0, 0, int(k == number))
              for k, (f, n) in enumerate(zip(sizes, sizes[1:], strict=False))]
    with pytest.raises(TableError, match=f"^layer {number + 1}: skip must be from 0 to 0, not 1$"):
        check_table(CoreConfig(skip=True), layers)
