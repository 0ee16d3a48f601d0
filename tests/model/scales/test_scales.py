"""The capabilities of ScaledOptum, the vectors of its rule, and the form of a core."""

from fractions import Fraction as F

import numpy as np
import pytest

from tritgrad.errors import BadInput
from tritgrad.model.scales.chip import FRACTION_BITS, ChipScales, divide, nearest_two_powers
from tritgrad.model.scales.groups import GroupScales, pack_trits, unpack_trits
from tritgrad.model.scales.optimizer import Parameter, ParamGroup, ScaledOptum, SparseGradient

TRITS = [1, -1, 0, 1, -1, 1, 0, -1]
GRADIENTS = np.array([[3, -2, 5, -1, 1, 1, -7, 0], [-1, -1, 0, 2, -4, 4, 1, -4],
                      [2, -2, 1, 1, 0, 0, 0, 0]])


def example(**options):
    return GroupScales(TRITS, [0, -2], 4, **options)


def test_pure_integer_state_no_float():
    scales = example(track=True)
    scales.update(GRADIENTS[0])
    saved = scales.state()
    assert all(np.issubdtype(a.dtype, np.integer) for a in saved.values())
    again = GroupScales(np.zeros(8), [0, 0], 4, track=True)
    again.load(saved)
    for g in GRADIENTS[1:]:
        scales.update(g)
        again.update(g)
    assert all(np.array_equal(a, again.state()[k]) for k, a in scales.state().items())


def test_packed_trits():
    for trits, packed, pad in (([1, -1, 0, 1, -1], [65], 0),
                               ([1, -1, 0, 1, -1, 1, 0, -1], [65, 5], 2), ([0] * 5, [121], 0),
                               ([1] * 5, [242], 0), ([-1] * 5, [0], 0)):
        found = pack_trits(trits)
        assert (found[0].tolist(), found[1]) == (packed, pad)
        assert unpack_trits(*found).tolist() == trits


def test_score_per_group_int16():
    scales = example()
    assert [scales.scores(-g).tolist() for g in GRADIENTS] == [[1, 0], [1, 3], [3, 0]]
    assert scales.scores(GRADIENTS[0]).dtype == np.int16
    assert scales.scores([0, 0, 9, 0, 0, 0, -9, 0]).tolist() == [0, 0]
    assert scales.scores(-np.array(TRITS)).tolist() == [3, 3]
    widest = GroupScales(np.ones(32767), [0], 32767)
    assert widest.scores(-np.ones(32767)).tolist() == [32767]  # |score| <= size fits int16


def test_corr_accum_never_resets_or_clips():
    """10^6 updates of a group equal Python's integers, also across 2^31, -2^31, 2^42 and 2^62."""
    starts = [0, (1 << 31) - 9, 9 - (1 << 31), (1 << 42) - 9, (1 << 62) - 9] * 10
    scales = GroupScales(np.ones(32 * len(starts)), np.zeros(len(starts)), 32)
    scales.corr[:] = starts
    expected = list(starts)
    rng = np.random.default_rng(7)
    lowest, highest = expected.copy(), expected.copy()
    for g in rng.integers(-1, 2, (20000, len(starts), 1), np.int8):
        scales.update(np.broadcast_to(g, (len(starts), 32)).reshape(-1))
        expected = [e - 32 * int(n) for e, n in zip(expected, g[:, 0], strict=True)]
        lowest = [min(pair) for pair in zip(lowest, expected, strict=True)]
        highest = [max(pair) for pair in zip(highest, expected, strict=True)]
    assert scales.corr.tolist() == expected and scales.corr.dtype == np.int64
    assert highest[1] > 1 << 31 > lowest[1] and lowest[2] < -(1 << 31) < highest[2]
    assert highest[3] > 1 << 42 and highest[4] > 1 << 62


def test_scale_in_forward():
    scales, found = example(), []
    assert scales.scales() == [1, F(1, 4)]
    for g in GRADIENTS:
        scales.update(g)
        found.append(scales.scales())
    assert found == [[F(3, 4), F(1, 4)], [F(3, 4), F(5, 32)], [F(7, 12), F(3, 16)]]
    for sign, top in ((1, 0), (-1, 2)):
        one = GroupScales(np.ones(4), [3], 4)
        one.update(np.full(4, sign))
        assert one.scales() == [8 * top]


def test_exponential_form():
    scales, found = example(), []
    for g in GRADIENTS:  # the source's vectors have the sign that climbs
        scales.update(-g)
        found.append(scales.exponential_scales().tolist())
    assert np.allclose(found, [[2, .25], [2, 2 ** -.5], [3.174802103936399, .5]], rtol=1e-15)
    assert example().exponential_scales().tolist() == [1, .25]


@pytest.mark.parametrize("seed", range(4))
def test_forward_is_the_sum_of_scaled_trits(seed):
    rng = np.random.default_rng(seed)
    scales = GroupScales(rng.integers(-1, 2, (3, 10)), rng.integers(-3, 4, 8), 4)
    x = rng.integers(-9, 10, 10)
    for _ in range(3):
        s = scales.scales()
        assert scales.forward(x) == [
            sum((s[(10 * o + i) // 4] * int(scales.trits[o, i]) * int(x[i]) for i in range(10)),
                F(0)) for o in range(3)]
        scales.update(rng.normal(size=(3, 10)))


def test_e_not_updated_by_the_optimizer():
    scales = example()
    for g in np.tile(GRADIENTS, (20, 1)):
        scales.update(g)
    assert scales.exponents.tolist() == [0, -2] and scales.trits.tolist() == TRITS


def test_optional_slow_e_tracking():
    scales, found = GroupScales(np.ones(5), [0], 5, track=True), []
    for score in (3, 3, -1, 2, 5, 0, 1, 1, -2):
        g = np.zeros(5)
        g[:abs(score)] = -np.sign(score)
        assert scales.update(g).tolist() == [score]
        found.append((int(scales.residual[0]), int(scales.exponents[0])))
    assert [r for r, _ in found] == [-1, -2, -1, -2, -3, -3, 0, -1, 0]
    assert [e for _, e in found] == [0, 0, 0, 0, 0, 0, -1, -1, -1]


def test_sign_sgd_for_other_params():
    p, q = Parameter(np.ones(3), np.array([5.0, 0, -2])), Parameter(np.ones(3))
    q.grad = SparseGradient(np.array([2, 2, 0]), np.array([1.0, 1.0, -3.0]))
    ScaledOptum([p, q, Parameter(np.ones(1))]).step()
    assert p.value.tolist() == [0.7, 1, 1.3] and q.value.tolist() == [1.3, 1, 0.7]


def test_registration_of_ternary_modules():
    module = example()
    module.grad = GRADIENTS[0]
    one = ScaledOptum([Parameter(np.ones(1))])
    one.add_ternary_modules([module, module])
    one.add_ternary_modules([module])
    one.step()
    assert module.step == 1
    two = ScaledOptum([ParamGroup([], 0.1), ParamGroup([], 0.2)])
    two.add_ternary_modules([module])
    two.step()
    assert module.step == 3


def test_closure_support():
    p = Parameter(np.ones(1))

    def closure():
        p.grad = 2 * p.value
        return 4.5

    optimizer = ScaledOptum([p])
    assert optimizer.step() is None and p.value[0] == 1
    assert optimizer.step(closure) == 4.5 and p.value[0] == 0.7


def test_learning_happens():
    def run(sign):
        rng = np.random.default_rng(3)
        scales = GroupScales(np.where(rng.random(32) < .5, -1, 1), [0], 32)
        for _ in range(2000):
            s = float(scales.scales()[0])
            scales.update(sign * (s - 0.4) * scales.trits)
        return float(scales.scales()[0])

    assert abs(run(1) - 0.4) < 0.01 and run(-1) == 2


def test_divide_is_the_floor():
    for d in (1, 3, 32, 1000, 12345):
        for n in {0, 1, d // 3, d, 2 * d - 1, 2 * d}:
            assert divide(n, d) == (n << FRACTION_BITS) // d


def test_nearest_two_powers_exhaustively():
    sums = sorted({0, 1, *(2 ** a + 2 ** b for a in range(12) for b in range(a + 1))})
    for value in range(2 << FRACTION_BITS):
        assert nearest_two_powers(value) == min(sums, key=lambda s: (abs(s - value), s))


@pytest.mark.parametrize("refresh", [0, 3])
def test_chip_scales_refresh_and_stay_near(refresh):
    rng = np.random.default_rng(refresh)
    chip = ChipScales(GroupScales(rng.integers(-1, 2, 64), np.zeros(2), 32), refresh)
    for step in range(1, 65):
        before = chip.factors.copy()
        chip.update(rng.normal(size=64) - 0.5)
        if step % (1 << refresh):
            assert np.array_equal(before, chip.factors)
        else:
            assert chip.distance() <= F(1, 8) + F(1, 1 << FRACTION_BITS)


def test_bad_input_is_refused():
    with pytest.raises(BadInput, match="trits must be"):
        GroupScales([2], [0], 1)
    with pytest.raises(BadInput, match=r"exponents must have shape \(2,\)"):
        GroupScales(TRITS, [0], 4)
    with pytest.raises(BadInput, match="gradient must have shape"):
        example().update([1])
    with pytest.raises(BadInput, match="lr must be above 0, not -1"):
        ScaledOptum([], -1)
