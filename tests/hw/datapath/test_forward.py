"""The forward pass: list, plane scheduler, memory T and array give W x in the stated cycles."""

import random

import numpy as np
import pytest
from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from tritgrad.hw.datapath.array import MacArray
from tritgrad.hw.datapath.forward import ForwardControl
from tritgrad.hw.datapath.sample_buffer import ListReader
from tritgrad.hw.memory.stores import TritStore
from tritgrad.model import arithmetic
from tritgrad.model.config import CoreConfig, ceil_div

from ..link.harness import simulate, wait
from ..lockstep import to_int


class Pass(wiring.Component):
    """A list of words behind its reader, and what a forward pass needs of the engine."""

    def __init__(self, config):
        super().__init__({"start": In(1), "ready": In(1, init=1), "z": Out(signed(
            config.score_bits)), "z_valid": Out(1), "busy": Out(1)})
        self.forward, self.array = ForwardControl(config), MacArray(config)
        self.trits, self.reader = TritStore(config), ListReader(config.max_words)
        self.memory = Memory(shape=self.forward.entry_layout, depth=config.max_words, init=[])

    def elaborate(self, platform):
        m = Module()
        forward, array, reader = self.forward, self.array, self.reader
        for name in "forward", "array", "trits", "reader", "memory":
            m.submodules[name] = getattr(self, name)
        read = self.memory.read_port()
        m.d.comb += [
            reader.start.eq(self.start), forward.start.eq(self.start),
            read.addr.eq(reader.address), read.en.eq(reader.enable),
            forward.entry.eq(read.data), forward.entry_valid.eq(reader.valid),
            forward.entry_last.eq(reader.last), forward.entry_ended.eq(reader.ended),
            reader.take.eq(forward.entry_take),
            forward.allow_last.eq(array.room & self.ready),
            self.trits.address.eq(forward.address), array.words.eq(self.trits.words),
            array.x.eq(forward.x), array.active.eq(forward.active),
            array.last.eq(forward.last), array.plane.eq(forward.plane), array.rows.eq(forward.rows),
            self.z.eq(array.z), self.z_valid.eq(array.z_valid),
            self.busy.eq(forward.busy | array.busy),
        ]
        return m


class Layers:
    """Random layers for a pass: inputs with many zeros, any counters, any place in T."""

    def __init__(self, rng, lanes, banks, planes):
        self.rng, self.planes = rng, planes
        self.config = CoreConfig(lanes=lanes, banks=banks, update_lanes=lanes, input_planes=planes,
                                 activation_bits=1, max_inputs=9 * lanes, max_neurons=40,
                                 max_classes=2, trit_depth=512)
        self.dut = Pass(self.config)

    async def load(self, ctx):
        """Fill T and the list. Returns the list's length, planes with a set bit, rows, sums."""
        rng, config, dut = self.rng, self.config, self.dut
        lanes, banks = config.lanes, config.banks
        words, rows, base = rng.randint(1, 9), rng.randint(1, 40), rng.randrange(100)
        density = rng.choice([0, 0.05, 0.4, 1])
        x = np.array([rng.randrange(1 << self.planes) if rng.random() < density else 0
                      for _ in range(words * lanes)])
        padded = ceil_div(rows, banks) * banks
        codes = np.array([[rng.randrange(4) for _ in x] for _ in range(padded)])
        for (row, word), lane in zip(np.ndindex(padded, words),
                                     codes.reshape(-1, lanes), strict=True):
            ctx.set(dut.trits.memories[row % banks].data[base + row // banks * words + word],
                    to_int(lane, 2))
        count = issued = 0
        for index, values in enumerate(x.reshape(words, lanes)):
            bits = [to_int((values >> p) & 1, 1) for p in range(self.planes)]
            if any(bits):
                ctx.set(dut.memory.data[count], {
                    "index": index, "mask": to_int(map(bool, bits), 1),
                    "planes": to_int(bits, lanes)})
                count += 1
                issued += sum(map(bool, bits))
        ctx.set(dut.forward.record, {"words": words, "outputs": rows, "trit_base": base})
        weights = arithmetic.trits(np.where(codes >= 2, codes - 4, codes) << 6, 8)
        return count, issued, rows, arithmetic.forward(weights[:rows], x).tolist()


def collector(dut, got):
    async def collect(ctx):
        while True:
            *_, valid, z = await ctx.tick().sample(dut.z_valid, dut.z)
            if valid:
                got.append(z)
    return collect


async def start(ctx, dut):
    ctx.set(dut.start, 1)
    await ctx.tick()
    ctx.set(dut.start, 0)


SHAPES = [(0, 4, 3, 4), (1, 5, 7, 1), (2, 16, 1, 8), (3, 1, 4, 3), (4, 3, 13, 2)]


@pytest.mark.parametrize("seed, lanes, banks, planes", SHAPES)
def test_a_set_plane_costs_a_cycle_a_group(seed, lanes, banks, planes):
    layers = Layers(random.Random(seed), lanes, banks, planes)
    dut, got = layers.dut, []

    async def testbench(ctx):
        for _ in range(25):
            count, issued, rows, expected = await layers.load(ctx)
            ctx.set(dut.reader.count, count)
            ctx.set(dut.reader.final, 1)
            await start(ctx, dut)
            cycles = active = 0
            while ctx.get(dut.forward.busy):
                await ctx.tick()
                cycles += 1
                active += ctx.get(dut.forward.active)
            groups = ceil_div(rows, banks)
            assert active == max(issued, 1) * groups
            # Groups end as far apart as the array's pipeline, and the drain of a group, need.
            gap = max(issued, banks)
            first_read = 1
            assert cycles == first_read + max(issued, 1) + (groups - 1) * gap
            while ctx.get(dut.busy):
                await ctx.tick()
            await ctx.tick()  # the collector sees the last cycle after this testbench
            assert got == expected
            got.clear()

    simulate(dut, testbench, background=[collector(dut, got)])


@pytest.mark.parametrize("seed, lanes, banks, planes", SHAPES)
def test_the_list_grows_and_the_unit_behind_stalls(seed, lanes, banks, planes):
    rng = random.Random(seed)
    layers = Layers(rng, lanes, banks, planes)
    dut, got = layers.dut, []

    async def testbench(ctx):
        for _ in range(12):
            count, _, _, expected = await layers.load(ctx)
            ctx.set(dut.reader.count, 0)
            ctx.set(dut.reader.final, 0)
            await start(ctx, dut)
            for n in range(count + 1):
                ctx.set(dut.reader.count, n)
                await wait(ctx, rng.randint(0, 6))
            ctx.set(dut.reader.final, 1)
            while ctx.get(dut.busy):
                ctx.set(dut.ready, rng.random() < 0.4)
                await ctx.tick()
            await ctx.tick()  # the collector sees the last cycle after this testbench
            assert got == expected
            got.clear()

    simulate(dut, testbench, background=[collector(dut, got)])
