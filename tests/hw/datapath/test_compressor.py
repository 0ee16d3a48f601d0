"""Sums of columns of bits: chains, levels, and values with and without registers."""

import random

import pytest
from amaranth import *
from amaranth.sim import Simulator

from tritgrad.hw.datapath.compressor import (
    LONGEST_CHAIN,
    chains,
    cuts,
    heights_after,
    levels,
    pipelined_sum,
    reduce_level,
)

SHAPES = [[1], [2], [3], [7], [0, 3], [3, 0, 5], [13, 64], [1, 2, 3, 4, 5], [40, 1, 20], [0, 0, 63],
          [60, 60, 60]]


def split(bits, heights):
    """Columns of the bits of a signal."""
    bits = iter(bits)
    return [[next(bits) for _ in range(height)] for height in heights]


def value(bits, heights):
    """What the bits of columns are worth."""
    return sum(sum(column) << weight for weight, column in enumerate(split(bits, heights)))


def test_a_chain_takes_a_carry_and_pairs_of_ascending_weight():
    assert chains([3]) == [(0, 1)]
    assert chains([7]) == [(0, 1), (0, 1)]
    assert chains([3, 2, 2]) == [(0, 3)]
    assert chains([2, 5, 3]) == [(1, 2)]
    assert heights_after([2, 5, 3]) == [2, 3, 2, 1]


@pytest.mark.parametrize("heights", SHAPES)
def test_a_level_loses_a_bit_for_each_position_and_no_value(heights):
    taken = sum(length for _, length in chains(heights))
    after = heights_after(heights)
    assert sum(after) == sum(heights) - taken
    assert (taken > 0) == (max(heights) > 2)
    m = Module()
    source = Signal(sum(heights))
    columns = reduce_level(m, split(source, heights))
    assert [len(column) for column in columns] == after
    total = Signal(32)
    m.d.comb += total.eq(sum(bit << w for w, column in enumerate(columns) for bit in column))
    rng = random.Random(str(heights))

    async def testbench(ctx):
        for word in [0, (1 << len(source)) - 1, *(rng.getrandbits(len(source)) for _ in range(50))]:
            ctx.set(source, word)
            bits = [word >> n & 1 for n in range(len(source))]
            assert ctx.get(total) == value(bits, heights)

    sim = Simulator(m)
    sim.add_testbench(testbench)
    sim.run()


def test_a_shape_has_more_positions_than_an_addition():
    assert max(sum(length + 1 for _, length in chains(heights)) for heights in SHAPES) \
        > 3 * LONGEST_CHAIN


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("heights", SHAPES)
def test_a_pipelined_sum_comes_after_its_cuts(heights, depth):
    m = Module()
    source = Signal(sum(heights))
    total = Signal(32)
    m.d.comb += total.eq(pipelined_sum(m, split(source, heights), depth))
    delay = len(cuts(heights, depth))
    assert delay == max(1, -(-levels(heights) // depth))
    rng = random.Random(depth)
    expected = []

    async def testbench(ctx):
        for n in range(40):
            word = rng.getrandbits(len(source))
            expected.append(value([word >> k & 1 for k in range(len(source))], heights))
            ctx.set(source, word)
            await ctx.tick()
            if n + 1 >= delay:
                assert ctx.get(total) == expected[n + 1 - delay]

    sim = Simulator(m)
    sim.add_clock(1e-6)
    sim.add_testbench(testbench)
    sim.run()
