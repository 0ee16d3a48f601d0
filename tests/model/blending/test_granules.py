"""Support of a ternary layer by granules, its cycles and its purge."""

import numpy as np
import pytest

from tritgrad.errors import BadInput
from tritgrad.model.blending.granules import changes, forward_cycles, purge, support


@pytest.mark.parametrize("seed", range(5))
def test_support_and_cycles_one_by_one(seed):
    rng = np.random.default_rng(seed)
    trits = rng.integers(-1, 2, (7, 21)) * (rng.random((7, 21)) < 0.05)
    x = rng.integers(0, 4, 21) * (rng.random(21) < 0.2)
    inside, cycles = support(trits, 2, 4), 0
    assert inside.shape == (4, 6)
    for g in range(4):
        issued = 0
        for w in range(6):
            assert inside[g, w] == np.any(trits[2 * g:2 * g + 2, 4 * w:4 * w + 4])
            for p in range(2):
                issued += bool(inside[g, w] and np.any(x[4 * w:4 * w + 4] >> p & 1))
        cycles += issued or 1
    assert forward_cycles(inside, x, 2, 4) == cycles
    assert forward_cycles(np.zeros((3, 6), bool), x, 2, 4) == 3


def test_purge_and_births_and_deaths():
    counters = np.array([[-128, -9, -8, 0], [7, 8, 1, 127]], np.int16)
    assert purge(counters, 0) == 0
    assert purge(counters, 3) == 3
    assert counters.tolist() == [[-128, -9, 0, 0], [0, 8, 0, 127]]
    assert changes(np.array([[True, False, True]]), np.array([[False, True, True]])) == (1, 1)


def test_bad_input_is_refused():
    with pytest.raises(BadInput, match="not 0 x 4"):
        support(np.zeros((1, 1), np.int8), 0, 4)
    with pytest.raises(BadInput, match="x must fill 2 words of 4"):
        forward_cycles(np.ones((1, 2), bool), np.zeros(3, np.int64), 1, 4)
    with pytest.raises(BadInput, match="k must be from 0 to 15, not 16"):
        purge(np.zeros(1, np.int16), 16)
