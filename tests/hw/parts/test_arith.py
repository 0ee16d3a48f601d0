"""Sums, counts and slices without a product."""

import random

import pytest
from amaranth import *
from amaranth.sim import Simulator

from tritgrad.hw.parts.arith import (
    add_mod3,
    canonical_mod3,
    exceeds,
    exceeds_each,
    popcount,
    select,
    sum_mod3,
    times,
)


def evaluate(make, width, values):
    """The value of an expression of one signal for each of the signal's values."""
    source = Signal(width)
    m = Module()
    result = Signal(40)
    m.d.comb += result.eq(make(source))
    found = []

    async def testbench(ctx):
        for value in values:
            ctx.set(source, value)
            found.append(ctx.get(result))

    sim = Simulator(m)
    sim.add_testbench(testbench)
    sim.run()
    return found


@pytest.mark.parametrize("width", [1, 2, 3, 7, 9])
def test_popcount_counts(width):
    values = range(1 << width)
    assert evaluate(popcount, width, values) == [value.bit_count() for value in values]


@pytest.mark.parametrize("factor", [0, 1, 2, 3, 7, 12, 36, 49])
def test_times_multiplies(factor):
    values = range(64)
    assert evaluate(lambda s: times(s, factor), 6, values) == [v * factor for v in values]


@pytest.mark.parametrize("width, slices", [(1, 5), (3, 4), (8, 2), (6, 1)])
def test_select_slices(width, slices):
    rng = random.Random(width)
    word = rng.getrandbits(width * slices)
    got = evaluate(lambda s: select(Const(word, width * slices), s, width), 3, range(slices))
    assert got == [word >> (width * n) & ((1 << width) - 1) for n in range(slices)]


@pytest.mark.parametrize("limit", range(35))
def test_comparison_with_a_constant(limit):
    assert evaluate(lambda value: exceeds(value, limit), 5, range(32)) == [
        n > limit for n in range(32)]


@pytest.mark.parametrize("width", range(6))
def test_comparison_with_each_constant(width):
    values = range(1 << width)
    assert evaluate(lambda value: exceeds_each(value, 37), width, values) == [
        sum((n > limit) << limit for limit in range(37)) for n in values]


@pytest.mark.parametrize("digits", range(1, 6))
def test_sums_mod_3(digits):
    values = range(1 << 2 * digits)
    assert evaluate(lambda s: canonical_mod3(sum_mod3(s)), 2 * digits, values) == [
        sum(value >> 2 * n & 3 for n in range(digits)) % 3 for value in values]


def test_two_digits_mod_3():
    values = range(16)
    got = evaluate(lambda s: add_mod3(s[:2], s[2:]), 4, values)
    assert [value % 3 for value in got] == [((v & 3) + (v >> 2)) % 3 for v in values]
    assert evaluate(canonical_mod3, 2, range(4)) == [0, 1, 2, 0]
