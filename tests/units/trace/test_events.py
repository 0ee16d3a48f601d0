"""The queue of update steps: an event a cycle, in order, none lost after it is nearly full."""

import random

import pytest

from tritgrad.model.config import CoreConfig
from tritgrad.units.trace.events import EventQueue

from ...hw.link.harness import simulate

CONFIG = CoreConfig(trace=True)


def test_an_event_a_cycle_two_cycles_later():
    dut, found = EventQueue(CONFIG, 16), []

    async def testbench(ctx):
        ctx.set(dut.o.ready, 1)
        for cycle in range(40):
            ctx.set(dut.write, cycle < 30)
            ctx.set(dut.event, {"address": cycle})
            if ctx.get(dut.o.valid):
                found.append((cycle, ctx.get(dut.o.p.address)))
            await ctx.tick()
        assert ctx.get(dut.empty)

    simulate(dut, testbench)
    assert found == [(n + 2, n) for n in range(30)]


@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_lost_or_out_of_order(seed):
    """The writer sees `nearly_full` as late as an update step may."""
    rng, dut = random.Random(seed), EventQueue(CONFIG, 16)
    sent, found, late = 0, [], 0

    async def testbench(ctx):
        nonlocal sent, late
        speed = rng.choice([0.1, 0.5, 0.9])
        for _ in range(600):
            late = late + 1 if ctx.get(dut.nearly_full) else 0
            writes = late <= dut.margin and rng.random() < 0.8
            ctx.set(dut.write, writes)
            ctx.set(dut.event, {"address": sent & 1023})
            sent += writes
            ready = rng.random() < speed
            ctx.set(dut.o.ready, ready)
            if ready and ctx.get(dut.o.valid):
                found.append(ctx.get(dut.o.p.address))
            await ctx.tick()

    simulate(dut, testbench)
    assert found == [n & 1023 for n in range(len(found))]
    assert sent - len(found) <= 17
