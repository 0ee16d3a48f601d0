"""Memory SUPPORT alone: births, one after the other and across a program's beginning."""

import random

import pytest

from tritgrad.model.config import CoreConfig
from tritgrad.units.support.rtl import SupportStore

from ...hw.link.harness import simulate

CONFIG = CoreConfig(lanes=4, banks=2, update_lanes=2, max_inputs=24, max_neurons=8,
                    max_classes=8, support=True)


async def visit(ctx, dut, group, index, alive=1):
    for name, value in {"visit": 1, "visit_group": group, "visit_index": index,
                        "alive": alive}.items():
        ctx.set(getattr(dut, name), value)
    await ctx.tick()
    ctx.set(dut.visit, 0)


async def read(ctx, dut, group):
    while ctx.get(dut.busy):
        await ctx.tick()
    ctx.set(dut.address, group)
    ctx.set(dut.enable, 1)
    await ctx.tick()
    return ctx.get(dut.word)


async def write(ctx, dut, group, word):
    while ctx.get(dut.busy):
        await ctx.tick()
    for name, value in {"write": 1, "write_address": group, "write_data": word}.items():
        ctx.set(getattr(dut, name), value)
    await ctx.tick()
    ctx.set(dut.write, 0)


@pytest.mark.parametrize("seed", range(3))
def test_births_add_to_what_is_there(seed):
    rng, dut = random.Random(seed), SupportStore(CONFIG)
    words = [0] * 4

    async def testbench(ctx):
        for _ in range(200):
            group, index, alive = rng.randrange(4), rng.randrange(6), rng.random() < 0.7
            await visit(ctx, dut, group, index, alive)
            words[group] |= alive << index
            if rng.random() < 0.1:
                assert await read(ctx, dut, group) == words[group]
        for group, word in enumerate(words):
            assert await read(ctx, dut, group) == word

    simulate(dut, testbench)


def test_a_program_that_begins_takes_no_word_of_the_one_before():
    """A word that the link or PURGE wrote meanwhile is as it was written."""
    dut = SupportStore(CONFIG)

    async def testbench(ctx):
        await visit(ctx, dut, 1, 5)
        await write(ctx, dut, 1, 0b0010)
        ctx.set(dut.clear, 1)
        await ctx.tick()
        ctx.set(dut.clear, 0)
        await visit(ctx, dut, 1, 0)
        assert await read(ctx, dut, 1) == 0b0011

    simulate(dut, testbench)
