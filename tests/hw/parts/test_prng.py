import random

import pytest
from amaranth.sim import Simulator

from tritgrad.hw.parts.prng import Seeder, XorShift64
from tritgrad.model import rng as model

MASK = (1 << 64) - 1


def run(dut, testbench) -> None:
    sim = Simulator(dut)
    sim.add_clock(1e-6)
    sim.add_testbench(testbench)
    sim.run()


async def strobe(ctx, *strobes) -> None:
    for signal in strobes:
        ctx.set(signal, 1)
    await ctx.tick()
    for signal in strobes:
        ctx.set(signal, 0)


def test_draws(fresh_seed):
    seed = fresh_seed
    rng = random.Random(seed)
    dut = XorShift64()

    async def testbench(ctx):
        assert ctx.get(dut.o_state) == 1
        for state in (1, MASK, 1 << 63, *(rng.randrange(1, MASK) for _ in range(20))):
            reference = model.XorShift64(state)
            ctx.set(dut.i_state, state)
            await strobe(ctx, dut.i_load, *rng.choice([[], [dut.i_draw]]))
            assert ctx.get(dut.o_state) == state, f"seed {seed}"
            ctx.set(dut.i_state, rng.randrange(MASK))
            for _ in range(20):
                for _ in range(rng.randint(0, 2)):
                    await ctx.tick()
                await strobe(ctx, dut.i_draw)
                assert ctx.get(dut.o_draw) == reference.draw(), f"seed {seed}"
                assert ctx.get(dut.o_state) == reference.state, f"seed {seed}"

    run(dut, testbench)


def test_a_draw_a_cycle():
    dut, reference = XorShift64(), model.XorShift64(1)

    async def testbench(ctx):
        ctx.set(dut.i_draw, 1)
        for _ in range(200):
            await ctx.tick()
            assert ctx.get(dut.o_draw) == reference.draw()

    run(dut, testbench)


def seeds_and_indices():
    rng = random.Random(1)
    yield from [(0, 0), (MASK, MASK), (0, MASK), (MASK, 0), (1, 101770), (0, 1 << 32)]
    # The sum of round 0 is 0, and so is the output.
    for index in (0, 5, rng.randrange(MASK)):
        yield (-(index + 1) * 0x9E3779B97F4A7C15) & MASK, index
    for _ in range(12):
        yield rng.randrange(MASK), rng.randrange(MASK)


def test_seeder():
    """One seeder for all, so that nothing of a run is left to the next."""
    dut = Seeder()

    async def testbench(ctx):
        for seed, index in seeds_and_indices():
            ctx.set(dut.i_word, seed)
            await strobe(ctx, dut.i_seed)
            ctx.set(dut.i_word, 0xDEAD)
            for _ in range(index % 3):
                await ctx.tick()
            ctx.set(dut.i_word, index)
            await strobe(ctx, dut.i_index)
            ctx.set(dut.i_word, 0xDEAD)
            cycles = 1
            while not ctx.get(dut.o_done):
                await ctx.tick()
                cycles += 1
            assert cycles == Seeder.LATENCY == 385
            for _ in range(3):
                assert ctx.get(dut.o_state) == (model.splitmix64(seed, index) or 1)
                await ctx.tick()
                assert not ctx.get(dut.o_done)

    run(dut, testbench)


@pytest.mark.parametrize("seed, index, output", [
    (0, 0, 0xE220A8397B1DCDAF),
    (0, 1, 0x6E789E6AA1B965F4),
    ((-0x9E3779B97F4A7C15) & MASK, 0, 0),
])
def test_reference(seed, index, output):
    """Published outputs of SplitMix64, and the one case that the seeder replaces."""
    assert model.splitmix64(seed, index) == output
