"""The stage of a stream: no item is lost, doubled or out of order, and none waits without need."""

import random

from amaranth.sim import Simulator

from tritgrad.hw.parts.skid import Skid


def passed(count, rng, most):
    """Items through a stage, with stalls of up to `most` cycles on both sides; and the cycles."""
    dut, found, cycles = Skid(8), [], 0
    items = [rng.randrange(256) for _ in range(count)]
    sim = Simulator(dut)
    sim.add_clock(1e-6)

    async def give(ctx):
        for item in items:
            for _ in range(rng.randint(0, most)):
                await ctx.tick()
            ctx.set(dut.i.valid, 1)
            ctx.set(dut.i.p, item)
            ready = False
            while not ready:
                *_, ready = await ctx.tick().sample(dut.i.ready)
            ctx.set(dut.i.valid, 0)

    async def take(ctx):
        nonlocal cycles
        while len(found) < count:
            for _ in range(rng.randint(0, most)):
                await ctx.tick()
                cycles += 1
            ctx.set(dut.o.ready, 1)
            valid = False
            while not valid:
                *_, item, valid = await ctx.tick().sample(dut.o.p, dut.o.valid)
                cycles += 1
            found.append(item)
            ctx.set(dut.o.ready, 0)

    sim.add_testbench(give)
    sim.add_testbench(take)
    sim.run()
    return items, found, cycles


def test_passes_items_in_order(fresh_seed):
    rng = random.Random(fresh_seed)
    for most in (0, 1, 3):
        items, found, _ = passed(100, rng, most)
        assert found == items


def test_an_item_a_cycle_one_later():
    assert passed(50, random.Random(1), 0)[2] == 51
