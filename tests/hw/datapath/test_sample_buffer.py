"""Compact lists of words: filled, replayed, double-buffered."""

import random

import pytest
from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Out

from tritgrad.hw.datapath.sample_buffer import ListReader, SampleBuffer
from tritgrad.model.config import CoreConfig

from ..link.harness import put, simulate, stalls, wait


@pytest.mark.parametrize("seed, lanes, planes, pipelined", [
    (1, 4, 3, False), (2, 5, 1, False), (3, 16, 4, False), (4, 4, 3, True), (5, 5, 1, True)])
def test_a_sample_without_its_zero_words_comes_back(seed, lanes, planes, pipelined):
    rng = random.Random(seed)
    config = CoreConfig(lanes=lanes, update_lanes=lanes, input_planes=planes,
                        max_inputs=lanes * 9, pipelined=pipelined)
    dut = SampleBuffer(config)
    idle = stalls(rng, 3)
    bits = lanes * planes
    samples = [([rng.choice([0, rng.getrandbits(bits), 1 << rng.randrange(bits)])
                 for _ in range(rng.randint(1, 9))], rng.randrange(256)) for _ in range(30)]

    async def feed(ctx):
        for words, label in samples:
            for n, word in enumerate(words):
                await put(ctx, dut.i, {"planes": word, "label": label,
                                       "last": n == len(words) - 1}, idle())

    async def take(ctx):
        for words, label in samples:
            while not ctx.get(dut.filled):
                await ctx.tick()
            await wait(ctx, idle())
            ctx.set(dut.take, 1)
            await ctx.tick()
            ctx.set(dut.take, 0)
            nonzero = [(n, word) for n, word in enumerate(words) if word]
            assert (ctx.get(dut.count), ctx.get(dut.label)) == (len(nonzero), label)
            ctx.set(dut.enable, 1)
            for address, (n, word) in enumerate(nonzero):
                ctx.set(dut.address, address)
                await ctx.tick()
                entry = ctx.get(dut.entry)
                mask = sum(bool(word >> p * lanes & ((1 << lanes) - 1)) << p
                           for p in range(planes))
                assert (entry.index, entry.planes, entry.mask) == (n, word, mask)

    simulate(dut, feed, take)


@pytest.mark.parametrize("pipelined", [False, True])
@pytest.mark.parametrize("whole", [False, True])
def test_clear_forgets_both_buffers(whole, pipelined):
    dut = SampleBuffer(CoreConfig(lanes=4, update_lanes=4, input_planes=2, max_inputs=20,
                                  pipelined=pipelined))

    async def send(ctx, words, last=True):
        for n, word in enumerate(words, 1):
            await put(ctx, dut.i, {"planes": word, "label": 3, "last": last and n == len(words)})

    async def take(ctx):
        await wait(ctx, int(pipelined))
        ctx.set(dut.take, 1)
        await ctx.tick()
        ctx.set(dut.take, 0)

    rest = int(pipelined and whole)  # without, the word in the register is forgotten, too

    async def testbench(ctx):
        await send(ctx, [1, 2])
        await take(ctx)
        await send(ctx, [7, 0, 5], last=whole)
        await wait(ctx, rest)
        assert (ctx.get(dut.filled), ctx.get(dut.i.ready)) == (whole, not whole or pipelined)
        ctx.set(dut.clear, 1)
        await ctx.tick()
        ctx.set(dut.clear, 0)
        assert (ctx.get(dut.filled), ctx.get(dut.i.ready), ctx.get(dut.count)) == (0, 1, 0)
        await send(ctx, [0, 9])
        await take(ctx)
        ctx.set(dut.enable, 1)
        ctx.set(dut.address, 0)
        await ctx.tick()
        assert ctx.get(dut.count) == 1
        assert (ctx.get(dut.entry).index, ctx.get(dut.entry).planes) == (1, 9)

    simulate(dut, testbench)


class Replay(wiring.Component):
    """A list in a memory behind its reader; item n is 7n + 1."""

    DEPTH = 20

    def __init__(self):
        super().__init__({"item": Out(8)})
        self.reader = ListReader(self.DEPTH)

    def elaborate(self, platform):
        m = Module()
        m.submodules.reader = self.reader
        m.submodules.memory = memory = Memory(
            shape=8, depth=self.DEPTH, init=[7 * n + 1 for n in range(self.DEPTH)])
        read = memory.read_port()
        m.d.comb += [read.addr.eq(self.reader.address), read.en.eq(self.reader.enable),
                     self.item.eq(read.data)]
        return m


@pytest.mark.parametrize("seed", range(6))
def test_passes_over_a_list_that_grows(seed):
    rng = random.Random(seed)
    dut = Replay()
    reader = dut.reader
    size, passes = rng.randint(0, Replay.DEPTH), 4
    slow = rng.choice([0, 3])

    async def grow(ctx):
        ctx.set(reader.start, 1)
        await ctx.tick()
        ctx.set(reader.start, 0)
        for count in range(size + 1):
            ctx.set(reader.count, count)
            await wait(ctx, rng.randint(0, slow))
        ctx.set(reader.final, 1)

    async def consume(ctx):
        await ctx.tick()
        for _ in range(passes):
            items, over = [], False
            while not over:
                ctx.set(reader.take, 0)
                valid, ended = ctx.get(reader.valid), ctx.get(reader.ended)
                if (valid or ended) and rng.random() < 0.7:
                    if valid:
                        items.append(ctx.get(dut.item))
                    over = bool(ctx.get(reader.last) or ended)
                    ctx.set(reader.take, 1)
                await ctx.tick()
            assert items == [7 * n + 1 for n in range(size)]

    simulate(dut, grow, consume)


def test_a_full_list_gives_an_item_a_cycle():
    dut = Replay()
    reader = dut.reader

    async def testbench(ctx):
        ctx.set(reader.count, 10)
        ctx.set(reader.final, 1)
        ctx.set(reader.start, 1)
        await ctx.tick()
        ctx.set(reader.start, 0)
        ctx.set(reader.take, 1)
        await ctx.tick()
        for n in range(35):
            assert ctx.get(reader.valid)
            assert ctx.get(dut.item) == 7 * (n % 10) + 1
            assert ctx.get(reader.last) == (n % 10 == 9)
            await ctx.tick()

    simulate(dut, testbench)
