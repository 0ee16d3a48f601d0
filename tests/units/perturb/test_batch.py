"""Resident samples: kept in order, selected by place, the oldest replaced."""

import random

import pytest

from tritgrad.model.config import CoreConfig
from tritgrad.units.perturb.batch import BatchBuffer

from ...hw.link.harness import put, simulate, stalls, wait


@pytest.mark.parametrize("seed, lanes, planes, resident", [
    (1, 4, 3, 3), (2, 8, 1, 7), (3, 2, 2, 1)])
def test_the_last_samples_come_back_without_their_zero_words(seed, lanes, planes, resident):
    rng = random.Random(seed)
    config = CoreConfig(lanes=lanes, update_lanes=lanes, input_planes=planes, max_inputs=lanes * 6,
                        resident=resident)
    dut, idle, bits = BatchBuffer(config), stalls(rng, 3), lanes * planes
    samples = [([rng.choice([0, rng.getrandbits(bits), 1 << rng.randrange(bits)])
                 for _ in range(rng.randint(1, 6))], rng.randrange(256)) for _ in range(20)]

    async def feed(ctx):
        for words, label in samples:
            for n, word in enumerate(words):
                await put(ctx, dut.i, {"planes": word, "label": label,
                                       "last": n == len(words) - 1}, idle())

    async def check(ctx, words, label):
        nonzero = [(n, word) for n, word in enumerate(words) if word]
        assert (ctx.get(dut.count), ctx.get(dut.label)) == (len(nonzero), label)
        ctx.set(dut.enable, 1)
        for address, (n, word) in enumerate(nonzero):
            ctx.set(dut.address, address)
            await ctx.tick()
            assert (ctx.get(dut.entry).index, ctx.get(dut.entry).planes) == (n, word)

    async def take(ctx):
        for taken, (words, label) in enumerate(samples, 1):
            while not ctx.get(dut.filled):
                await ctx.tick()
            await wait(ctx, idle())
            ctx.set(dut.take, 1)
            await ctx.tick()
            ctx.set(dut.take, 0)
            await check(ctx, words, label)
            kept = samples[max(0, taken - resident):taken]
            assert ctx.get(dut.kept) == len(kept)
            for position in rng.sample(range(len(kept)), min(3, len(kept))):
                ctx.set(dut.position, position)
                ctx.set(dut.select, 1)
                await ctx.tick()
                ctx.set(dut.select, 0)
                await ctx.tick()
                await check(ctx, *kept[position])

    simulate(dut, feed, take)


def test_clear_forgets_all():
    dut = BatchBuffer(CoreConfig(lanes=4, update_lanes=4, max_inputs=8, resident=1))

    async def testbench(ctx):
        await put(ctx, dut.i, {"planes": 5, "label": 3, "last": 1})
        ctx.set(dut.take, 1)
        await ctx.tick()
        ctx.set(dut.take, 0)
        assert (ctx.get(dut.kept), ctx.get(dut.count), ctx.get(dut.label)) == (1, 1, 3)
        ctx.set(dut.clear, 1)
        await ctx.tick()
        ctx.set(dut.clear, 0)
        assert (ctx.get(dut.kept), ctx.get(dut.count), ctx.get(dut.label)) == (0, 0, 0)

    simulate(dut, testbench)
