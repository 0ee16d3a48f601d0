"""The reference of the margin rule: hand-made samples, a pinned run, published hashes."""

import hashlib
import struct

import numpy as np
import pytest

from tritgrad.model.margin import MarginNetwork, SampleStats, state_sha256
from tritgrad.model.recipe import Recipe
from tritgrad.model.rng import XorShift64, shift_image, splitmix64

from .mnist_runs import RUNS


def network(layers, counters, planes=4, **options):
    """A network with the given counters of 8 bits and the PRNG state 1."""
    net = MarginNetwork(Recipe.default(layers, planes, **options))
    net.counters = [np.array(c) for c in counters]
    net.prng = XorShift64(1)
    return net


def test_state_sha256():
    counters = [np.array([[1, -2], [300, -400]]), np.array([[5, 6]])]
    packed = struct.pack("<6h", 1, -2, 300, -400, 5, 6)
    assert state_sha256(counters) == hashlib.sha256(packed).hexdigest()


def test_scores_and_first_maximum():
    # Trits: [+1, 0], [0, +1], [-1, -1].
    net = network((2, 3), [[[64, -64], [63, 127], [-65, -128]]])
    assert net.scores(np.array([5, 5])).tolist() == [5, 5, -10]
    assert net.predict(np.array([5, 5])) == 0
    assert net.predict(np.array([0, 0])) == 0
    assert net.predict(np.array([2, 5])) == 1


def test_enough_margin_changes_nothing():
    net = network((2, 3), [[[64, 0], [0, 0], [0, 0]]], margin=5)
    before = net.counters[0].copy()
    assert net.train_sample(np.array([5, 9]), 0, (0,)) == SampleStats(True, False, 0)
    assert (net.counters[0] == before).all()
    assert net.train_sample(np.array([4, 9]), 0, (0,)) == SampleStats(True, True, 0)


def test_update_moves_label_up_and_rival_down():
    net = network((2, 3), [[[60, -128], [-70, 3], [1, 1]]], margin=1)
    # Scores -7, -5, 0: the rival is class 2.
    assert net.train_sample(np.array([5, 7]), 0, (1,)) == SampleStats(False, True, 1)
    # 60 + 10 enters the cell of +1: 64 and three quarters of 64. 1 - 10 stays trit 0.
    assert net.counters[0].tolist() == [[112, -114], [-70, 3], [-9, -13]]


def test_move_by_two_saturates_and_reloads():
    net = network((1, 2), [[[-128], [127]]], margin=200)
    assert net.train_sample(np.array([15]), 0, (6,)) == SampleStats(False, True, 2)
    assert net.counters[0].tolist() == [[64 + 48], [-128 + 15]]


def test_hidden_layer_learns_from_old_weights():
    # One input; hidden trits +1, +1, 0; the output rows of label and rival agree on neuron 1.
    net = network((1, 3, 2), [[[100], [100], [0]], [[64, 64, 64], [-64, 64, -65]]],
                  margin=300, shifts=[0])
    net.train_sample(np.array([3]), 0, (2, 2))
    # Backward: +1 - 0, +1 - +1, +1 - -1; the gate of neuron 2 (z = 0) is open.
    assert net.counters[0].tolist() == [[112], [100], [12]]
    assert net.counters[1].tolist() == [[76, 76, 64], [-128 + 15, 0 + 15, -65]]


def test_gate_is_closed_below_zero_and_above_the_clip():
    net = network((1, 3, 2), [[[-65], [64], [64]], [[64, 64, 64], [0, 0, 0]]],
                  margin=300, shifts=[0], activation_bits=2)
    assert net.train_sample(np.array([4]), 0, (0, 0)).updated
    assert net.counters[0].tolist() == [[-65], [64], [64]]


def test_draws_only_for_rows_with_an_error_of_a_negative_gain():
    x = np.zeros(2, np.int64)
    net = network((2, 3), [np.zeros((3, 2), np.int64)])
    expected = XorShift64(1)
    net.train_sample(x, 1, (0,))
    assert net.prng.state == expected.state
    net.train_sample(x, 1, (-1,))  # label and rival: two rows, though every input is 0
    expected.draw()
    expected.draw()
    assert net.prng.state == expected.state


def test_dither_is_spread_by_the_position():
    net = network((4, 2), [np.zeros((2, 4), np.int64)])
    draws = XorShift64(1)
    first, second = draws.draw(), draws.draw()
    net.train_sample(np.array([1, 1, 0, 1]), 0, (-2,))
    up = [(1 + ((first ^ i) & 3)) >> 2 for i in (0, 1, 3)]
    down = [(1 + ((second ^ i) & 3)) >> 2 for i in (0, 1, 3)]
    assert net.counters[0].tolist() == [[up[0], up[1], 0, up[2]],
                                        [-down[0], -down[1], 0, -down[2]]]


def test_pinned_run():
    recipe = Recipe.default((6, 5, 4, 3), 2, epochs=3, seed=11)
    net = MarginNetwork(recipe)
    x = (splitmix64(1, np.arange(120)) >> np.uint64(62)).reshape(20, 6)
    for epoch in range(recipe.epochs):
        for i in range(20):
            net.train_sample(x[i], i % 3, recipe.gains_in(epoch))
    assert net.state_sha256() == (
        "8a011186e79786946923fe66112e05ea1d38790ed768cff634306de261893cff")


@pytest.mark.parametrize("run", RUNS, ids=[str(r.recipe.layers) for r in RUNS])
def test_published_hashes(run):
    x, y = run.data()
    net = MarginNetwork(run.recipe)
    updates = 0
    for order, (dy, dx), gains in run.epochs():
        for i, down, right in zip(order, dy, dx, strict=True):
            image = shift_image(x[i].reshape(28, 28), int(down), int(right))
            updates += net.train_sample(image.ravel(), int(y[i]), gains).updated
    assert (updates, net.state_sha256()) == (run.updates, run.state_sha256)
