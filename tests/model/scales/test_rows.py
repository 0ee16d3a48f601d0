"""Scales of the margin rule's rows: codes, the reference network, the compiled one."""

from fractions import Fraction as F

import numpy as np
import pytest

from tritgrad.errors import BadInput
from tritgrad.model import compiled_rule
from tritgrad.model.fast import FastNetwork
from tritgrad.model.margin import MarginNetwork
from tritgrad.model.recipe import Recipe
from tritgrad.model.scales.chip import (
    FRACTION_BITS,
    ChipScales,
    apply_codes,
    encode_factor,
    factor,
    nearest_two_powers,
    refreshed,
    size_exponent,
)
from tritgrad.model.scales.groups import GroupScales
from tritgrad.model.scales.rows import RowScales, row_scores

FACTORS = sorted({nearest_two_powers(n) for n in range((2 << FRACTION_BITS) + 1)})


def test_codes_of_all_factors():
    assert [factor(encode_factor(f)) for f in FACTORS] == FACTORS
    assert factor(0) == encode_factor(256) + 256 == 256
    z = np.arange(-300, 301)
    for f in FACTORS:
        powers = [1 << n for n in range(10) if f >> n & 1]
        want = [sum((int(v) * p) >> FRACTION_BITS for p in powers) for v in z]
        assert apply_codes(z, np.full(len(z), encode_factor(f), np.uint8)).tolist() == want


def test_no_code_exceeds_twice_the_value():
    codes = np.arange(256).astype(np.uint8)
    for z in (-1000, 1000):
        found = apply_codes(np.full(256, z), codes)
        assert np.abs(found).max() == 2 * abs(z)
        assert np.abs(found - [z * factor(int(c)) / 256 for c in codes]).max() < 2
        compiled = np.full(256, z)
        compiled_rule.apply_codes(compiled, codes)
        assert compiled.tolist() == found.tolist()


def test_refresh_reaches_the_ends_and_stays_there():
    assert factor(refreshed(0, 0, 3)) == factor(refreshed(0, 9, 3)) == 256
    for step in (1, 7, 1 << 30):
        for corr, want in ((-8 * step, 0), (8 * step, 512), (-99 * step, 0), (99 * step, 512)):
            assert factor(refreshed(corr, step, 3)) == want


@pytest.mark.parametrize("seed", range(3))
def test_compiled_refresh(seed):
    rng = np.random.default_rng(seed)
    for _ in range(2000):
        step, exponent = int(rng.integers(1, 1 << rng.integers(1, 31))), int(rng.integers(17))
        reach = (step << exponent) * 9 // 8
        corr = int(rng.integers(-reach, reach + 1))
        assert compiled_rule.refreshed(corr, step, exponent) == refreshed(corr, step, exponent)


def test_size_of_a_group_is_a_power_of_two():
    for inputs in (1, 2, 3, 4, 5, 784, 1024, 65535):
        size = 1 << size_exponent(inputs)
        assert size // 2 < inputs <= size


@pytest.mark.parametrize("seed", range(4))
def test_a_row_is_a_short_group_of_the_exact_rule(seed):
    """While no trit flips, a row's scale is that of `GroupScales`, quantised as `ChipScales`."""
    rng = np.random.default_rng(seed)
    inputs, outputs, refresh = int(rng.integers(3, 20)), 5, int(rng.integers(3))
    trits = rng.integers(-1, 2, (outputs, inputs))
    size = 1 << size_exponent(inputs)
    groups = [ChipScales(GroupScales(row, [0], size), refresh) for row in trits]
    rows = RowScales.initial([outputs])
    for _ in range(13):
        x, errors = rng.integers(0, 3, inputs), rng.integers(-1, 2, outputs)
        rows.corr[0] += row_scores(trits, x, errors)
        rows.end_step([inputs], refresh)
        for group, e in zip(groups, errors, strict=True):
            group.update(-e * x)  # the gradient of a loss that falls where the row's sum rises
        assert rows.exact([inputs])[0] == [g.exact.scales()[0] for g in groups]
        assert rows.applied()[0] == [g.scales()[0] for g in groups]


def recipe(rng, refresh):
    sizes = [int(n) for n in rng.integers(2, 40, rng.integers(1, 4))]
    return Recipe.default((*sizes, int(rng.integers(2, 9))), 3, epochs=2, margin=200,
                          seed=int(rng.integers(1 << 40)), scale_refresh=refresh)


@pytest.mark.parametrize("seed", range(8))
def test_compiled_training_with_scales(seed):
    rng = np.random.default_rng(seed)
    plan = recipe(rng, int(rng.integers(4)))
    fast, slow = FastNetwork(plan), MarginNetwork(plan)
    slow.scales.step = 999  # as if the votes had agreed so far: factors far from 1
    for corr, codes, f in zip(slow.scales.corr, slow.scales.codes, plan.layers, strict=False):
        reach = slow.scales.step << size_exponent(f)
        corr[:] = rng.integers(-reach, reach + 1, len(corr))
        codes[:] = [encode_factor(int(rng.choice(FACTORS))) for _ in corr]
    fast.load(fast.counters, fast.prng.state, slow.scales)
    x = rng.integers(0, 8, (60, plan.layers[0])).astype(np.uint8)
    y = rng.integers(0, plan.layers[-1], 60)
    gains = plan.gains_in(0)
    for start in range(0, 60, 20):
        fast.train(x, y, np.arange(60), gains, start=start, stop=start + 20)
        for row, label in zip(x[start:start + 20], y[start:start + 20], strict=True):
            slow.train_sample(row, int(label), gains)
        assert fast.state_sha256() == slow.state_sha256()
        again = FastNetwork(plan)
        again.load(fast.counters, fast.prng.state, fast.scales)
        fast = again
    assert (fast.scores(x) == [slow.scores(row) for row in x]).all()
    assert len({f for layer in slow.scales.applied() for f in layer}) > 1


def test_without_scales_nothing_changes():
    rng = np.random.default_rng(1)
    plan = recipe(rng, None)
    net = FastNetwork(plan)
    x = rng.integers(0, 8, (40, plan.layers[0])).astype(np.uint8)
    net.train(x, rng.integers(0, plan.layers[-1], 40), np.arange(40), plan.gains_in(0))
    assert net.scales is None and MarginNetwork(plan).scales is None


def test_scales_of_another_network_are_refused():
    net = FastNetwork(Recipe.default((4, 3), 1, scale_refresh=0))
    with pytest.raises(BadInput, match=r"corr of scales must have \[3\] rows"):
        net.load(net.counters, 1, RowScales.initial([2]))
    with pytest.raises(BadInput, match="scale_refresh must be an integer from 0 to 31, not 32"):
        Recipe.default((4, 3), 1, scale_refresh=32)
    with pytest.raises(BadInput, match="a factor must be at most two powers of two"):
        encode_factor(7)


def test_exact_and_applied_start_at_one():
    rows = RowScales.initial([2, 3])
    assert rows.exact([5, 2]) == rows.applied() == [[F(1)] * 2, [F(1)] * 3]
