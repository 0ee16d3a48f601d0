"""The units of row scales against `model.scales`."""

import random

import numpy as np
import pytest
from amaranth.sim import Simulator

from tritgrad.model.config import CoreConfig
from tritgrad.model.scales.chip import (
    CORR_BITS,
    FRACTION_BITS,
    apply_codes,
    encode_factor,
    factor,
    refreshed,
    size_exponent,
)
from tritgrad.units.scales.rtl import FactorDivider, ScaleMultiplier, ScaleUnit


def simulate(dut, testbench):
    sim = Simulator(dut)
    sim.add_clock(1e-6)
    sim.add_testbench(testbench)
    sim.run()


def code_of(value):
    return {"upper": int(value) & 15, "lower": int(value) >> 4}


def test_every_code_multiplies_as_the_model_says():
    rng = random.Random(1)
    config = CoreConfig(max_inputs=100, max_neurons=60, trainable=True, scales=True)
    dut = ScaleMultiplier(config)
    half = 1 << config.score_bits - 2
    cases = [(rng.choice([-half, half - 1, -1, 0, rng.randrange(-half, half)]), code)
             for code in range(256) for _ in range(3)]

    async def testbench(ctx):
        for n in range(len(cases) + 1):
            if n < len(cases):
                ctx.set(dut.z, cases[n][0])
                ctx.set(dut.code, code_of(cases[n][1]))
            await ctx.tick()
            if n >= 1:
                z, code = cases[n - 1]
                want = apply_codes(np.array([z]), np.array([code], np.uint8))[0]
                assert ctx.get(dut.o) == want, (z, code)

    simulate(dut, testbench)


def divide_all(cases):
    dut = FactorDivider()

    async def testbench(ctx):
        for corr, d, want in cases:
            ctx.set(dut.corr, corr)
            ctx.set(dut.d, d)
            ctx.set(dut.start, 1)
            await ctx.tick()
            ctx.set(dut.start, 0)
            cycles = 1
            while not ctx.get(dut.done):
                await ctx.tick()
                cycles += 1
            assert cycles <= 11
            code = ctx.get(dut.code)
            assert code.upper | code.lower << 4 == want, (corr, d)

    simulate(dut, testbench)


def test_all_quotients_are_rounded_as_the_model_says():
    d = 1 << FRACTION_BITS
    divide_all([(q - d, d, refreshed(q - d, 1, FRACTION_BITS)) for q in range(2 * d + 1)])


@pytest.mark.parametrize("seed", range(2))
def test_division_of_any_size(seed):
    rng = random.Random(seed)
    cases = [(rng.randrange(-9, 9), 0, encode_factor(256))]
    for _ in range(150):
        step, exponent = rng.randrange(1, 1 << rng.randint(1, 31)), rng.randint(0, 16)
        d = step << exponent
        corr = rng.choice([-d, d, rng.randint(-d, d), rng.randint(-2 * d, 2 * d)])
        corr = max(-(1 << CORR_BITS - 1), min((1 << CORR_BITS - 1) - 1, corr))
        cases.append((corr, d, refreshed(corr, step, exponent)))
    divide_all(cases)


@pytest.mark.parametrize("seed", range(3))
def test_memory_scores_steps_and_refresh(seed):
    rng = random.Random(seed)
    lanes = rng.randint(1, 5)
    config = CoreConfig(lanes=lanes, update_lanes=lanes, max_inputs=40, max_neurons=20,
                        max_classes=9, hidden_depth=8, scales=True)
    dut = ScaleUnit(config)
    depth = config.scale_depth
    base = rng.randrange(3)
    inputs, outputs = rng.randint(1, 40), rng.randint(1, 9)
    rows = range(base * lanes, base * lanes + outputs)
    corr = [0] * depth
    codes = [rng.randrange(256) for _ in range(depth)]
    record = {"outputs": outputs, "output_base": base, "size": size_exponent(inputs)}

    async def quiet(ctx):
        while ctx.get(dut.dispatch.busy):
            await ctx.tick()

    async def strobe(ctx, signal):
        ctx.set(signal, 1)
        await ctx.tick()
        ctx.set(signal, 0)

    async def vote(ctx, row):
        """A row's update in some steps; the score that it leads to."""
        total, changes, steps = 0, dut.changes, rng.randint(1, 12)
        negative = rng.random() < 0.2
        for step in range(steps + 1):
            ctx.set(changes.step, step > 0)
            ctx.set(changes.ends, step == steps)
            ctx.set(changes.row, {"number": row, "negative": negative})
            codes = [rng.choice([0, 1, 2, 3, 1 + row % 2]) for _ in range(lanes)]
            meets = rng.randrange(1 << lanes)
            ctx.set(changes.reads, sum(code << 2 * n for n, code in enumerate(codes)))
            ctx.set(changes.meets, meets)
            if step < steps:
                total += sum((0, 1, -1, 0)[code] for n, code in enumerate(codes) if meets >> n & 1)
            await ctx.tick()
        ctx.set(changes.step, 0)
        return -total if negative else total

    async def compare(ctx):
        ctx.set(dut.dispatch.linked, 1)
        for n in range(depth):
            ctx.set(dut.window.address, n)
            await ctx.tick()
            word = ctx.get(dut.window.word)
            assert (word.corr, word.code.upper | word.code.lower << 4) == (corr[n], codes[n]), n
        ctx.set(dut.dispatch.linked, 0)

    async def testbench(ctx):
        ctx.set(dut.dispatch.linked, 1)
        ctx.set(dut.window.write, 1)
        for n in range(depth):
            ctx.set(dut.window.address, n)
            ctx.set(dut.window.write_data, {"corr": corr[n], "code": code_of(codes[n])})
            await ctx.tick()
        ctx.set(dut.window.write, 0)
        ctx.set(dut.dispatch.linked, 0)
        ctx.set(dut.dispatch.record, record)
        ctx.set(dut.stage.record, record)
        flags = []
        for number in range(1, 13):
            for row in range(outputs):
                if rng.random() < 0.7:
                    corr[rows[row]] += await vote(ctx, rows[row])
            await quiet(ctx)
            ctx.set(dut.dispatch.operand, 2)
            await strobe(ctx, dut.dispatch.refresh)
            corr[-1] += 1
            while ctx.get(dut.dispatch.busy):
                if ctx.get(dut.decision.settle):
                    flags.append(ctx.get(dut.decision.settled))
                await ctx.tick()
            if number % 4 == 0:
                await strobe(ctx, dut.dispatch.scale)
                cycles = 1
                while ctx.get(dut.dispatch.busy):
                    await ctx.tick()
                    cycles += 1
                assert cycles <= 3 + size_exponent(inputs) + 14 * outputs
                for n in rows:
                    codes[n] = refreshed(corr[n], corr[-1], size_exponent(inputs))
            await compare(ctx)
        assert flags == [n % 4 == 0 for n in range(1, 13)]
        assert len({factor(codes[n]) for n in rows}) > 1 or outputs == 1

        z = [rng.randrange(-999, 1000) for _ in rows]
        want = apply_codes(np.array(z), np.array([codes[n] for n in rows], np.uint8)).tolist()
        await strobe(ctx, dut.stage.start)
        found, pending = [], list(z)
        while len(found) < len(z):
            valid = bool(pending) and rng.random() < 0.7
            ctx.set(dut.stage.z_valid, valid)
            ctx.set(dut.stage.z, pending.pop(0) if valid else 77)
            await ctx.tick()
            if ctx.get(dut.stage.o_z_valid):
                found.append(ctx.get(dut.stage.o_z))
        assert found == want

    simulate(dut, testbench)
