"""Records of a RAM through its store, against `firmware.store`."""

import random
from dataclasses import replace

import numpy as np
import pytest
from amaranth import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, connect, flipped

from tests.hw.link.harness import get, put, simulate, stalls, wait
from tests.hw.lockstep import sample_words
from tests.hw.store.beside import simulate_beside
from tests.hw.store.sdram_pins import serve
from tritgrad.firmware.store import pack_ram_records
from tritgrad.hw.store.block import BlockWords
from tritgrad.hw.store.ports import RamSignature, Task
from tritgrad.hw.store.ram import RamStore, SdramStore
from tritgrad.hw.store.sdram import SdramTiming
from tritgrad.model.config import CoreConfig
from tritgrad.model.layout import Layer
from tritgrad.model.machine import Sample
from tritgrad.sim.memories import SDRAMS, Sdram


def core(lanes, inputs=90, planes=4):
    return CoreConfig(lanes=lanes, banks=1, update_lanes=lanes, counter_bits=8, max_layers=2,
                      max_inputs=inputs, max_neurons=4, max_classes=4, trit_depth=256,
                      residual_depth=256, hidden_depth=4, input_planes=planes, program_depth=8,
                      slot_bytes=64, seeder=False)


class BlockStore(wiring.Component):
    """A store in words on the chip."""

    def __init__(self, config, address_bits=12):
        self.config = config
        self.store, self.words = RamStore(config, address_bits), BlockWords(address_bits)
        super().__init__({"port": In(RamSignature(config))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.store, m.submodules.words = self.store, self.words
        connect(m, flipped(self.port), self.store.port)
        connect(m, self.store.memory, self.words.words)
        return m


class Driver:
    """Asks a store as the link does."""

    def __init__(self, ctx, dut, config, idle):
        self.ctx, self.port, self.config, self.idle = ctx, dut.port, config, idle

    async def shape(self, inputs, planes):
        self.ctx.set(self.port.inputs, inputs)
        self.ctx.set(self.port.planes, planes)
        self.layer = Layer(inputs, 2, planes, 0, 0)
        await self.ctx.tick()

    async def start(self, task, number):
        ctx, port = self.ctx, self.port
        while not (ctx.get(port.idle) and ctx.get(port.ready)):
            await ctx.tick()
        ctx.set(port.task, task)
        ctx.set(port.number, number)
        ctx.set(port.start, 1)
        await ctx.tick()
        ctx.set(port.start, 0)
        ctx.set(port.number, 0)

    def words(self, x, label):
        return [{name: int(value) for name, value in word.items()}
                for word in sample_words(self.config, self.layer, Sample(x.astype(int), label))]

    async def fill(self, number, x, label):
        await self.start(Task.FILL, number)
        for word in self.words(x, label):
            await put(self.ctx, self.port.i, word, self.idle())

    async def play(self, number):
        await self.start(Task.PLAY, number)
        found = []
        while not found or not found[-1]["last"]:
            item = await get(self.ctx, self.port.o, self.idle())
            found.append({name: int(getattr(item, name)) for name in ("planes", "label", "last")})
        return found

    async def raw(self, number):
        await self.start(Task.RAW, number)
        found, last = [], False
        while not last:
            item = await get(self.ctx, self.port.raw, self.idle())
            found.append(item.data)
            last = item.last
        return found


async def keeps_records(rng, driver, config, numbers):
    """Records of a shape, then of another one, filled in some order, played and read in others."""
    for _ in range(2):
        inputs, planes = rng.randint(1, config.max_inputs), rng.randint(1, config.input_planes)
        x = np.array([[rng.randrange(1 << planes) for _ in range(inputs)] for _ in numbers],
                     np.uint8)
        labels = np.array([rng.randrange(256) for _ in numbers])
        records = pack_ram_records(x, labels, config.lanes, planes)
        await driver.shape(inputs, planes)
        for n in rng.sample(range(len(numbers)), len(numbers)):
            await driver.fill(numbers[n], x[n], int(labels[n]))
        for n in [*range(len(numbers)), *rng.choices(range(len(numbers)), k=4)]:
            assert await driver.play(numbers[n]) == driver.words(x[n], int(labels[n]))
            if rng.random() < 0.4:
                assert await driver.raw(numbers[n]) == records[n].tolist()


@pytest.mark.parametrize("lanes", [1, 4, 8, 16, 18, 20, 32, 36])
def test_any_lanes(fresh_seed, lanes):
    rng = random.Random(fresh_seed + lanes)
    config = core(lanes, inputs=min(90, 3 * lanes))
    dut = BlockStore(config)

    async def bench(ctx):
        driver = Driver(ctx, dut, config, stalls(rng, rng.choice([0, 3])))
        await keeps_records(rng, driver, config, rng.sample(range(20), 3) + [20, 21, 22])

    simulate(dut, bench)


def sdram(bench, config, *, timing, part, limit=60_000):
    """A store in an SDRAM under a testbench of `ctx` and the unit; no rule is broken."""
    dut, model = SdramStore(config, timing), Sdram(part, seed=5)
    dut.timing = timing

    async def pins(ctx):
        await serve(ctx, dut, model)

    async def testbench(ctx):
        await bench(ctx, dut)
        assert model.unwritten == 0

    simulate_beside(dut, model, testbench, pins, limit)


TIMING = SdramTiming(65e6, power_up=2)
PART = replace(SDRAMS["32M"], power_up=2_000_000)


def test_in_an_sdram(fresh_seed):
    """Numbers small and large, over the ends of rows and of the memory."""
    rng = random.Random(fresh_seed)
    config = core(36)

    async def bench(ctx, dut):
        driver = Driver(ctx, dut, config, stalls(rng, rng.choice([0, 3])))
        first = rng.randrange(1 << 16)
        await keeps_records(rng, driver, config,
                            [first, first + 1, rng.randrange(1 << 15), rng.randrange(40)])

    sdram(bench, config, timing=TIMING, part=PART)


def test_cycles():
    """MNIST's record at one bit, from the start to the last word: behind the one before it, and
    elsewhere. A sample may be played each so many cycles. Then to fill one."""
    config = core(36, inputs=784)

    async def bench(ctx, dut):
        driver = Driver(ctx, dut, config, lambda: 0)
        x = np.zeros(784, np.uint8)
        await driver.shape(784, 1)
        for number in (0, 1, 2, 70_000):
            await driver.fill(number, x, 1)
        ctx.set(dut.port.o.ready, 1)
        found = []
        for number in (0, 1, 2, 70_000):
            await wait(ctx, 600 if number == 0 else 1)
            await driver.start(Task.PLAY, number)
            cycles, last = 0, False
            while not last:
                *_, item, valid = await ctx.tick().sample(dut.port.o.payload, dut.port.o.valid)
                cycles, last = cycles + 1, valid and item.last
            found.append(cycles)
        assert found == [73, 59, 59, 82]
        await driver.start(Task.FILL, 3)
        words, cycles = iter(driver.words(x, 1)), 0
        ctx.set(dut.port.i.valid, 1)
        ready = True
        while not ctx.get(dut.port.idle):
            if ready:
                ctx.set(dut.port.i.payload, next(words, {}))
            *_, ready = await ctx.tick().sample(dut.port.i.ready)
            cycles += 1
        assert cycles == 177

    sdram(bench, config, timing=TIMING, part=PART)
