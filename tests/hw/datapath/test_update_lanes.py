"""Lanes of the update unit and of the backward pass against `model.arithmetic`."""

import random

import numpy as np
import pytest
from amaranth import *
from amaranth.lib import wiring
from amaranth.sim import Simulator

from tritgrad.hw.datapath.update_lanes import BackwardLane, StepLane, StepPlan, UpdateLane
from tritgrad.model import arithmetic
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
                    after, flips = arithmetic.update(np.array([counter]), error,
                                                     np.array([step]), bits)
                    found = (ctx.get(dut.new_trit), ctx.get(dut.new_residual), ctx.get(dut.flip))
                    assert found == ((int(after[0]) >> low) & 3, int(after[0]) & ((1 << low) - 1),
                                     flips), (counter, step, error)

    simulate(dut, testbench)


class Steps(wiring.Component):
    """The step lanes of an update unit with the plan they share."""

    def __init__(self, config):
        self.config = config
        self.plan = StepPlan(config)
        self.lanes = [StepLane(config) for _ in range(config.update_lanes)]
        super().__init__({})

    def elaborate(self, platform):
        m = Module()
        m.submodules.plan = plan = self.plan
        m.submodules += self.lanes
        for n, lane in enumerate(self.lanes):
            m.d.comb += [lane.places.eq(plan.places), lane.low.eq(plan.low[n]),
                         lane.carry.eq(plan.carry[n])]
        return m


@pytest.mark.parametrize("bits, lanes, planes", [
    (6, 1, 8), (8, 8, 4), (8, 36, 4), (8, 18, 1), (14, 16, 8), (7, 5, 2), (8, 64, 4)])
def test_step_is_shifted_or_dithered(bits, lanes, planes):
    config = CoreConfig(counter_bits=bits, lanes=lanes, update_lanes=lanes, input_planes=planes,
                        activation_bits=planes, max_inputs=3000)
    dut = Steps(config)
    rng = random.Random(bits + lanes)

    async def testbench(ctx):
        for gain in range(-15, bits - 1):
            for _ in range(4):
                draw = rng.randrange(1 << 16)
                position = rng.randrange(config.max_words) * lanes
                if rng.random() < 0.5 and gain < 0:  # so that carries run far
                    ones = (1 << -gain) - 1
                    draw ^= (draw ^ position ^ ones) & ones & -(1 << rng.randrange(6))
                inputs = np.zeros(position + lanes, np.int64)
                inputs[position:] = [rng.randrange(1 << planes) for _ in range(lanes)]
                ctx.set(dut.plan.gain, gain)
                ctx.set(dut.plan.draw, draw)
                ctx.set(dut.plan.position, position)
                for lane, x in zip(dut.lanes, inputs[position:], strict=True):
                    ctx.set(lane.x, int(x))
                found = [ctx.get(lane.step) for lane in dut.lanes]
                expected = np.minimum(arithmetic.steps(inputs, gain, draw)[position:], 2**bits - 1)
                assert found == expected.tolist(), (gain, draw, position, inputs[position:])

    simulate(dut, testbench)


@pytest.mark.parametrize("planes", [1, 3, 8])
def test_every_step_of_the_narrowest_counters(planes):
    bits = 6
    dut = Steps(CoreConfig(counter_bits=bits, input_planes=planes, activation_bits=planes,
                           update_lanes=1))

    async def testbench(ctx):
        for gain in [*range(-5, bits - 1), -15]:
            ctx.set(dut.plan.gain, gain)
            for draw in range(32) if gain < 0 else [0]:
                draw |= -32 & 0x7FFF  # so that the widest shift rounds up
                ctx.set(dut.plan.draw, draw)
                for x in range(1 << planes):
                    ctx.set(dut.lanes[0].x, x)
                    step = int(arithmetic.steps(np.array([x]), gain, draw)[0])
                    assert ctx.get(dut.lanes[0].step) == min(step, 2**bits - 1), (x, gain, draw)

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
