"""The compiled model against the reference, on random networks of every kind."""

import re

import numpy as np
import pytest

from tritgrad.errors import BadInput
from tritgrad.model.fast import FastNetwork, TrainStats
from tritgrad.model.margin import MarginNetwork
from tritgrad.model.recipe import Recipe
from tritgrad.model.rng import epoch_order, shift_image, shift_offsets

from .mnist_runs import RUNS


def random_recipe(rng, depth):
    """A recipe with `depth` layers; every number in it is drawn from all that is allowed."""
    bits = int(rng.integers(6, 15))
    sizes = [int(n) for n in rng.integers(1, 71, depth)]
    middle = rng.integers(-6, 3, depth).tolist()
    extreme = rng.choice([-15, -1, 0, bits - 2], depth).tolist()
    gains = middle if rng.integers(4) else extreme
    return Recipe(
        layers=(*sizes, int(rng.integers(2, 20))), counter_bits=bits,
        activation_bits=int(rng.integers(1, 9)), planes=int(rng.integers(1, 9)),
        gains=tuple(gains), shifts=tuple(rng.integers(0, 7, depth - 1).tolist()),
        margin=int(rng.choice([1, 10, 100, 2**23 - 1])), epochs=3,
        seed=int(rng.integers(0, 2**63)), conserve=bool(rng.integers(3) == 0))


def random_samples(rng, recipe, n):
    """Inputs, a quarter of them all zero in some columns, and labels."""
    x = rng.integers(0, 1 << recipe.planes, (n, recipe.layers[0])).astype(np.uint8)
    x[:n // 4, recipe.layers[0] // 2:] = 0
    x[rng.integers(n)] = 0
    return x, rng.integers(0, recipe.layers[-1], n)


def assert_same(fast, slow, x):
    """The whole state, and the scores of all samples."""
    for found, expected in zip(fast.counters, slow.counters, strict=True):
        assert found.dtype == np.int16
        assert (found == expected).all()
    assert fast.prng.state == slow.prng.state
    assert fast.state_sha256() == slow.state_sha256()
    scores = fast.scores(x)
    assert scores.dtype == np.int32
    assert (scores == [slow.scores(row) for row in x]).all()
    assert (fast.predict(x) == [slow.predict(row) for row in x]).all()


def train_both(fast, slow, x, y, epoch, augment=0, columns=None):
    """One epoch, the compiled model in three chunks; asserts equal statistics."""
    n, seed, gains = len(x), slow.recipe.seed, slow.recipe.gains_in(epoch)
    order = epoch_order(seed, epoch, n)
    dy, dx = shift_offsets(seed, epoch, n, augment)
    offsets = (dy, dx) if columns else None
    expected = TrainStats()
    for i, down, right in zip(order, dy, dx, strict=True):
        image = x[i].reshape(-1, columns or x.shape[1])
        done = slow.train_sample(shift_image(image, int(down), int(right)).ravel(), int(y[i]),
                                 gains)
        expected += TrainStats(1, done.correct, done.updated, done.flips)
    found = TrainStats()
    for start, stop in ((0, 1), (1, n // 2), (n // 2, None)):
        found += fast.train(x, y, order, gains, offsets=offsets, columns=columns, start=start,
                            stop=stop)
    assert found == expected


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_equals_reference(depth):
    for seed in range(30):
        print("depth", depth, "seed", seed)
        rng = np.random.default_rng([depth, seed])
        recipe = random_recipe(rng, depth)
        print(recipe)
        x, y = random_samples(rng, recipe, 24)
        fast, slow = FastNetwork(recipe), MarginNetwork(recipe)
        assert_same(fast, slow, x)
        for epoch in range(recipe.epochs):
            train_both(fast, slow, x, y, epoch)
            assert_same(fast, slow, x)


def test_equals_reference_on_shifted_images():
    for seed in range(20):
        print("seed", seed)
        rng = np.random.default_rng(seed)
        rows, columns = (int(n) for n in rng.integers(1, 9, 2))
        recipe = Recipe.default((rows * columns, 7, 3), 3, epochs=2, seed=seed)
        x, y = random_samples(rng, recipe, 24)
        fast, slow = FastNetwork(recipe), MarginNetwork(recipe)
        for epoch in range(recipe.epochs):
            train_both(fast, slow, x, y, epoch, int(rng.integers(0, 12)), columns)
        assert_same(fast, slow, x)


@pytest.mark.parametrize("bits", range(6, 15))
def test_loaded_extremes(bits):
    half, cell = 1 << (bits - 1), 1 << (bits - 2)
    edges = [-half, -half + 1, -cell - 1, -cell, -1, 0, cell - 1, cell, half - 1]
    recipe = Recipe.default((65, 9, 3), 8, counter_bits=bits, margin=2**23 - 1, shifts=[8],
                            activation_bits=8, gain=-7, output_gain=bits - 2)
    rng = np.random.default_rng(bits)
    counters = [rng.choice(edges, shape) for shape in recipe.shapes]
    fast, slow = FastNetwork(recipe), MarginNetwork(recipe)
    slow.counters, slow.prng.state = [c.copy() for c in counters], 99
    fast.load(counters, 99)
    x, y = random_samples(rng, recipe, 16)
    x[3] = 255
    assert_same(fast, slow, x)
    train_both(fast, slow, x, y, 0)
    assert_same(fast, slow, x)


def test_saved_and_loaded_goes_on_as_if_nothing_happened():
    recipe = Recipe.default((20, 9, 4), 4, epochs=1)
    x, y = random_samples(np.random.default_rng(2), recipe, 50)
    order, gains = epoch_order(1, 0, 50), recipe.gains_in(0)
    whole, first, second = (FastNetwork(recipe) for _ in range(3))
    whole.train(x, y, order, gains)
    first.train(x, y, order, gains, stop=20)
    second.load(first.counters, first.prng.state)
    second.train(x, y, order, gains, start=20)
    assert second.state_sha256() == whole.state_sha256()
    assert second.prng.state == whole.prng.state


def test_counters_are_a_copy():
    net = FastNetwork(Recipe.default((5, 3), 1))
    before = net.state_sha256()
    net.counters[0][:] = 0
    assert net.state_sha256() == before


def test_nothing_to_train_changes_nothing():
    net = FastNetwork(Recipe.default((5, 3), 1))
    before = net.state_sha256()
    empty = np.zeros((0, 5), np.uint8)
    assert net.train(empty, np.zeros(0, int), np.zeros(0, int), (0,)) == TrainStats()
    assert net.scores(empty).shape == (0, 3)
    assert net.state_sha256() == before


X, Y, ORDER = np.zeros((4, 6), np.uint8), np.array([0, 1, 2, 0]), np.arange(4)


@pytest.mark.parametrize(("change", "message"), [
    ({"x": X.astype(int)}, "inputs must be uint8 (rows, 6), not int64 (4, 6)"),
    ({"x": X[:, :5]}, "inputs must be uint8 (rows, 6), not uint8 (4, 5)"),
    ({"x": X + np.uint8(8)}, "inputs must be below 2^3, not 8"),
    ({"y": Y[:3]}, "labels must be as many as the 4 rows, not 3"),
    ({"y": Y + 1}, "labels must be from 0 to 2, not 1 to 3"),
    ({"y": Y - 1}, "labels must be from 0 to 2, not -1 to 1"),
    ({"order": ORDER + 1}, "order must hold row numbers from 0 to 3, not 1 to 4"),
    ({"order": ORDER - 1}, "order must hold row numbers from 0 to 3, not -1 to 2"),
    ({"gains": (0, 0)}, "gains must be 1 exponents from -15 to 6, not (0, 0)"),
    ({"gains": (7,)}, "gains must be 1 exponents from -15 to 6, not (7,)"),
    ({"gains": (-16,)}, "gains must be 1 exponents from -15 to 6, not (-16,)"),
    ({"offsets": (ORDER, ORDER)}, "columns must divide the 6 inputs, not None"),
    ({"offsets": (ORDER, ORDER), "columns": 4}, "columns must divide the 6 inputs, not 4"),
    ({"offsets": (ORDER, ORDER[1:]), "columns": 3},
     "offsets must be two arrays of 4 integers, not of 4 and 3"),
])
def test_train_refused(change, message):
    net = FastNetwork(Recipe.default((6, 3), 3))
    with pytest.raises(BadInput, match=f"^{re.escape(message)}$"):
        net.train(**{"x": X, "y": Y, "order": ORDER, "gains": (0,), **change})


@pytest.mark.parametrize(("counters", "prng", "message"), [
    ([np.zeros((3, 5), int)], 1, "counters must have shapes [(3, 6)], not [(3, 5)]"),
    ([], 1, "counters must have shapes [(3, 6)], not []"),
    ([np.full((3, 6), 128)], 1, "counters of layer 1 must be from -128 to 127, not 128 to 128"),
    ([np.zeros((3, 6), int)], 2**64, f"prng must be from 0 to 2^64 - 1, not {2**64}"),
])
def test_load_refused(counters, prng, message):
    net = FastNetwork(Recipe.default((6, 3), 3))
    before = net.state_sha256()
    with pytest.raises(BadInput, match=f"^{re.escape(message)}$"):
        net.load(counters, prng)
    assert net.state_sha256() == before


@pytest.mark.parametrize("run", RUNS, ids=[str(r.recipe.layers) for r in RUNS])
def test_published_hashes(run):
    x, y = run.data()
    net = FastNetwork(run.recipe)
    stats = TrainStats()
    for order, offsets, gains in run.epochs():
        stats += net.train(x, y, order, gains, offsets=offsets, columns=28)
    assert (stats.updates, net.state_sha256()) == (run.updates, run.state_sha256)
