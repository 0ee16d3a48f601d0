"""Lanes of the update unit and of the backward pass against `model.units`."""

import random

import numpy as np
import pytest
from amaranth.sim import Simulator
from tritgrad.hw.lanes import BackwardLane, StepLane, UpdateLane
from tritgrad.model import units
from tritgrad.model.config import CoreConfig


def simulate(dut, testbench, clocked=False):
    sim = Simulator(dut)
    if clocked:
        sim.add_clock(1e-6)
    sim.add_testbench(testbench)
    sim.run()


@pytest.mark.parametrize("bits", [6, 7, 9, 14])
def test_update_moves_saturates_and_reloads(bits):
    half = 1 << (bits - 1)
    dut = UpdateLane(CoreConfig(counter_bits=bits))
    low = bits - 2
    sizes = range(2 * half) if bits == 6 else [0, 1, half // 2, half, 2 * half - 1]
    edges = [-half, -half // 2, 0, half // 2, half - 1]
    rng = random.Random(bits)
    counters = range(-half, half) if bits < 10 else [
        *edges, *(edge - 1 for edge in edges[1:]), *(rng.randrange(-half, half) for _ in range(99))]

    async def testbench(ctx):
        for counter in counters:
            ctx.set(dut.trit, (counter >> low) & 3)
            ctx.set(dut.residual, counter & ((1 << low) - 1))
            for step in sizes:
                for error in (1, -1):
                    ctx.set(dut.step, step)
                    ctx.set(dut.negative, error < 0)
                    after, flips = units.update(np.array([counter]), error, np.array([step]), bits)
                    found = (ctx.get(dut.new_trit), ctx.get(dut.new_residual), ctx.get(dut.flip))
                    assert found == ((int(after[0]) >> low) & 3, int(after[0]) & ((1 << low) - 1),
                                     flips), (counter, step, error)

    simulate(dut, testbench)


@pytest.mark.parametrize("bits", [6, 8, 14])
def test_step_is_shifted_or_dithered(bits):
    config = CoreConfig(counter_bits=bits, input_planes=8)
    dut = StepLane(config)
    rng = random.Random(bits)

    async def testbench(ctx):
        for gain in range(-15, bits - 1):
            for _ in range(60):
                x, draw, position = rng.randrange(256), rng.randrange(1 << 16), rng.randrange(2000)
                inputs = np.zeros(position + 1, np.int64)
                inputs[position] = x
                ctx.set(dut.x, x)
                ctx.set(dut.gain, gain)
                ctx.set(dut.dither, (draw ^ position) & 0x7FFF)
                step = int(units.steps(inputs, gain, draw)[position])
                assert ctx.get(dut.step) == min(step, 2**bits - 1), (x, gain, draw, position)

    simulate(dut, testbench)


@pytest.mark.parametrize("planes", [1, 3, 8])
def test_every_step_of_the_narrowest_counters(planes):
    bits = 6
    dut = StepLane(CoreConfig(counter_bits=bits, input_planes=planes, activation_bits=planes))

    async def testbench(ctx):
        for gain in [*range(-5, bits - 1), -15]:
            ctx.set(dut.gain, gain)
            for draw in range(32) if gain < 0 else [0]:
                draw |= -32 & 0x7FFF  # so that the widest shift rounds up
                ctx.set(dut.dither, draw)
                for x in range(1 << planes):
                    ctx.set(dut.x, x)
                    step = int(units.steps(np.array([x]), gain, draw)[0])
                    assert ctx.get(dut.step) == min(step, 2**bits - 1), (x, gain, draw)

    simulate(dut, testbench)


def test_backward_sums_and_gates():
    dut = BackwardLane(CoreConfig())
    rng = random.Random(1)

    async def testbench(ctx):
        for _ in range(200):
            rows = [(rng.choice([-1, 0, 1]), rng.choice([-1, 1])) for _ in range(rng.randint(1, 9))]
            for n, (trit, error) in enumerate(rows):
                # 00 and 11 are both a trit of 0.
                ctx.set(dut.trit, {1: 0b01, -1: 0b10}.get(trit, rng.choice([0b00, 0b11])))
                ctx.set(dut.negative, error < 0)
                ctx.set(dut.first, n == 0)
                ctx.set(dut.active, 1)
                await ctx.tick()
            ctx.set(dut.active, 0)
            total = int(np.sign(sum(trit * error for trit, error in rows)))
            for gate in (0, 1):
                ctx.set(dut.gate, gate)
                assert ctx.get(dut.error) == (total * gate) & 3
            if rng.random() < 0.3:
                await ctx.tick()

    simulate(dut, testbench, clocked=True)
