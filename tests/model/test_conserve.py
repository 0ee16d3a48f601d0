"""Updates that leave the sum of each row's trits as it is mod 3."""

import numpy as np
import pytest

from tritgrad.errors import BadInput
from tritgrad.model.arithmetic import trits, update
from tritgrad.model.margin import MarginNetwork
from tritgrad.model.recipe import Recipe

BITS, CELL = 6, 16
TOP = {1: 31, 0: 15, -1: -17}      # the largest counter of a trit
BOTTOM = {1: 16, 0: -16, -1: -32}  # and the least


def row(*counters):
    return np.array(counters, np.int64)


def step(*steps):
    return np.array(steps, np.int64)


def test_one_flip_is_held_at_the_edge_of_its_trit():
    for trit, error in ((0, 1), (-1, 1), (0, -1), (1, -1)):
        edge = (TOP if error > 0 else BOTTOM)[trit]
        for start in (edge, edge - 2 * error):
            after, flips = update(row(start, 3), error, step(3, 1), BITS, conserve=True)
            assert after.tolist() == [edge, 3 + error]
            assert flips == 0


def test_three_alike_pass_and_of_four_the_first_is_held():
    after, flips = update(row(15, 15, 15), 1, step(1, 1, 1), BITS, conserve=True)
    assert after.tolist() == [28, 28, 28] and flips == 3
    after, flips = update(row(15, 15, 15, 15), 1, step(1, 1, 1, 1), BITS, conserve=True)
    assert after.tolist() == [15, 28, 28, 28] and flips == 3


def test_a_change_by_two_and_one_by_one_pass_together():
    after, flips = update(row(15, -20), 1, step(1, 63), BITS, conserve=True)
    assert after.tolist() == [28, 28] and flips == 2


def test_what_does_not_flip_moves_as_ever():
    assert update(row(0, -1, 5), -1, step(2, 1, 0), BITS, conserve=True)[0].tolist() == [-2, -2, 5]


@pytest.mark.parametrize("seed", range(20))
def test_every_update_conserves_each_row(seed):
    rng = np.random.default_rng(seed)
    bits = int(rng.integers(6, 15))
    half, n = 1 << (bits - 1), int(rng.integers(1, 30))
    counters = rng.integers(-half, half, n)
    for _ in range(50):
        error, moves = int(rng.choice([-1, 1])), rng.integers(0, half, n)
        after, flips = update(counters, error, moves, bits, conserve=True)
        free, possible = update(counters, error, moves, bits)
        assert (trits(after, bits).sum() - trits(counters, bits).sum()) % 3 == 0
        moved = trits(after, bits) != trits(counters, bits)
        assert flips == moved.sum() <= possible
        same = moved == (trits(free, bits) != trits(counters, bits))
        assert (after[same] == free[same]).all()
        counters = after


def test_the_sum_over_three_groups_stays_0_at_every_step():
    """Any three groups of rows: each group keeps its sum, so a sum of 0 stays 0."""
    recipe = Recipe.default((20, 9, 3), 3, seed=4, conserve=True)
    network = MarginNetwork(recipe)
    network.counters[0][0] = 0
    groups = [slice(0, 3), slice(3, 6), slice(6, 9)]
    others = sum(int(network.weights()[0][g].sum()) for g in groups) % 3
    network.counters[0][0, :-others % 3] = 96
    rng, flips = np.random.default_rng(1), 0
    for _ in range(200):
        x = rng.integers(0, 8, 20)
        flips += network.train_sample(x, int(rng.integers(3)), (2, 2)).flips
        assert sum(int(network.weights()[0][g].sum()) for g in groups) % 3 == 0
    assert flips > 20


def test_conserve_is_a_bool():
    with pytest.raises(BadInput, match="conserve must be a bool, not 1"):
        Recipe.default((4, 2), 1, conserve=1)
