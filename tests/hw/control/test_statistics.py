"""The statistics against plain counters: pictures, carries from byte to byte, restarts."""

import random

import pytest
from amaranth import *

from tritgrad.hw.control.statistics import COUNTERS, ROUND, Statistics
from tritgrad.model.config import CoreConfig

from ..link.harness import simulate


class Counters:
    """What the unit must hold, event by event."""

    def __init__(self):
        self.values = dict.fromkeys(COUNTERS, 0)

    def clear(self):
        self.values = dict.fromkeys(COUNTERS, 0) | {"total_cycles": self.values["total_cycles"]}

    def count(self, **events):
        for name, more in events.items():
            self.values[name] = (self.values[name] + more) % (1 << 8 * len(COUNTERS[name]))


async def read(ctx, report, tick):
    """The bytes of a picture that is ready."""
    found = {}
    for name, places in COUNTERS.items():
        data = bytearray()
        for place in places:
            ctx.set(report.place, place)
            await tick(ctx)
            data.append(ctx.get(report.byte))
        found[name] = int.from_bytes(data, "little")
    return found


@pytest.mark.parametrize("update_lanes", [1, 8, 256])
def test_pictures_show_all_events_up_to_one_cycle(update_lanes, fresh_seed):
    seed = fresh_seed
    rng = random.Random(seed)
    dut = Statistics(CoreConfig(lanes=256, update_lanes=update_lanes))
    model = Counters()
    pictures = []
    rate = 0.5

    async def tick(ctx):
        clear = rng.random() < 0.002
        judged = not clear and ctx.get(dut.room) and rng.random() < rate
        events = dict.fromkeys(("correct", "updates", "flips", "cycles", "forward_cycles"), 0)
        if not clear:
            events = {
                "correct": rng.randrange(2), "updates": rng.randrange(2),
                "flips": rng.choice([0, update_lanes, rng.randint(0, update_lanes)])
                if rng.random() < rate else 0,
                "cycles": rng.random() < rate, "forward_cycles": rng.random() < rate}
        for name, value in {
                "clear": clear, "judged": judged, "correct": events["correct"],
                "updated": events["updates"], "flips": events["flips"],
                "working": events["cycles"], "forwarding": events["forward_cycles"]}.items():
            ctx.set(getattr(dut, name), value)
        model.count(total_cycles=1)
        if ctx.get(dut.report.taken):
            pictures.append(dict(model.values))
        if clear:
            model.clear()
        if not judged:
            events |= {"correct": 0, "updates": 0}
        model.count(samples=judged, **events)
        await ctx.tick()

    async def testbench(ctx):
        nonlocal rate
        for ram in dut.memory, dut.picture:  # LUT RAM holds anything at power-up
            for place in range(ram.data.depth):
                ctx.set(ram.data[place], rng.randrange(256))
        for number in range(12):
            rate = rng.choice([0, 0.1, 0.5, 1])
            for _ in range(rng.randint(0, 3 * ROUND)):
                await tick(ctx)
            ctx.set(dut.report.take, 1)
            ready = False
            cycles = 0
            while not ready:
                ready = ctx.get(dut.report.ready)
                await tick(ctx)
                cycles += 1
            assert cycles <= 2 * ROUND
            ctx.set(dut.report.take, 0)
            assert len(pictures) == number + 1
            for _ in range(rng.choice([0, 5 * ROUND])):
                await tick(ctx)
            assert await read(ctx, dut.report, tick) == pictures[-1]

    simulate(dut, testbench)
    assert max(picture["total_cycles"] for picture in pictures) > 1 << 8


@pytest.mark.parametrize("name", COUNTERS)
def test_a_carry_goes_through_all_bytes_and_ends_with_the_counter(name):
    dut = Statistics(CoreConfig())
    places = COUNTERS[name]

    async def testbench(ctx):
        for _ in range(ROUND):
            await ctx.tick()
        for place in places:
            ctx.set(dut.memory.data[place], 0xFF)
        for other in ("judged", "correct", "updated", "working", "forwarding"):
            ctx.set(getattr(dut, other), 1)
        ctx.set(dut.flips, 1)
        ctx.set(dut.report.take, 1)
        while not ctx.get(dut.report.taken):
            await ctx.tick()
        for other in ("judged", "working", "forwarding", "flips"):
            ctx.set(getattr(dut, other), 0)
        while not ctx.get(dut.report.ready):
            await ctx.tick()
        await ctx.tick()
        found = await read(ctx, dut.report, lambda ctx: ctx.tick())
        once = {"samples": 1, "correct": 1, "updates": 1}
        expected = dict.fromkeys(COUNTERS, ROUND - 1) | once | {"total_cycles": 2 * ROUND}
        expected[name] -= 1
        assert found == expected

    simulate(dut, testbench)


def test_a_reset_restarts_all_counters():
    dut = Statistics(CoreConfig())
    reset = Signal()
    after = []

    async def testbench(ctx):
        for name in ("judged", "correct", "updated", "working", "forwarding", "flips"):
            ctx.set(getattr(dut, name), 1)
        for _ in range(5 * ROUND + 7):
            await ctx.tick()
        ctx.set(reset, 1)
        await ctx.tick()
        ctx.set(reset, 0)
        for name in ("judged", "working", "forwarding", "flips"):
            ctx.set(getattr(dut, name), 0)
        ctx.set(dut.report.take, 1)
        while not ctx.get(dut.report.ready):
            await ctx.tick()
        await ctx.tick()
        after.append(await read(ctx, dut.report, lambda ctx: ctx.tick()))

    simulate(ResetInserter(reset)(dut), testbench)
    assert after == [dict.fromkeys(COUNTERS, 0) | {"total_cycles": ROUND}]
