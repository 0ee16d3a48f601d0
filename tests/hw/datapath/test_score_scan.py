"""The score scan and the error unit against `model.arithmetic`."""

import random

import numpy as np
import pytest
from amaranth.sim import Simulator

from tritgrad.hw.datapath.error import ErrorUnit
from tritgrad.hw.datapath.score_scan import ScoreScan
from tritgrad.model import arithmetic
from tritgrad.model.config import CoreConfig


@pytest.mark.parametrize("seed", range(4))
def test_first_maxima_and_gap(seed):
    rng = random.Random(seed)
    config = CoreConfig(max_classes=12)
    dut = ScoreScan(config)

    async def testbench(ctx):
        for _ in range(60):
            classes = rng.randint(2, 12)
            spread = rng.choice([1, 3, 1 << (config.score_bits - 1)])
            scores = [rng.randrange(-spread, spread) for _ in range(classes)]
            label = rng.randrange(classes)
            ctx.set(dut.start, 1)
            ctx.set(dut.classes, classes)
            ctx.set(dut.label, label)
            await ctx.tick()
            ctx.set(dut.start, 0)
            for score in scores:
                while rng.random() < 0.3:
                    await ctx.tick()
                assert ctx.get(dut.busy)
                ctx.set(dut.z, score)
                ctx.set(dut.z_valid, 1)
                await ctx.tick()
                ctx.set(dut.z_valid, 0)
            assert not ctx.get(dut.busy)
            want = arithmetic.scan_scores(np.array(scores), label)
            assert (ctx.get(dut.prediction), ctx.get(dut.rival), ctx.get(dut.gap),
                    ctx.get(dut.target)) == (want.prediction, want.rival, want.gap, label)
            for k, score in enumerate(scores):
                ctx.set(dut.index, k)
                await ctx.tick()
                assert ctx.get(dut.score) == score

    sim = Simulator(dut)
    sim.add_clock(1e-6)
    sim.add_testbench(testbench)
    sim.run()


@pytest.mark.parametrize("lanes", [1, 3, 4, 16])
def test_errors_are_written_only_where_the_margin_is_violated(lanes):
    rng = random.Random(lanes)
    config = CoreConfig(lanes=lanes, update_lanes=lanes, max_classes=12, hidden_depth=4)
    dut = ErrorUnit(config)

    async def testbench(ctx):
        for _ in range(40):
            classes, base = rng.randint(2, 12), rng.randrange(3)
            target, rival = rng.sample(range(classes), 2)
            gap, margin = rng.randint(-5, 5), rng.randint(1, 5)
            ctx.set(dut.record, {"outputs": classes, "output_base": base})
            for name, value in (("gap", gap), ("margin", margin), ("target", target),
                                ("rival", rival), ("start", 1)):
                ctx.set(getattr(dut, name), value)
            await ctx.tick()
            ctx.set(dut.start, 0)
            assert ctx.get(dut.flag) == (gap < margin)
            written = {}
            while ctx.get(dut.busy):
                written[ctx.get(dut.write_address)] = ctx.get(dut.write_data)
                await ctx.tick()
            words = -(-classes // lanes)
            assert sorted(written) == ([base + n for n in range(words)] if gap < margin else [])
            for address, word in written.items():
                for n in range(lanes):
                    k = (address - base) * lanes + n
                    error = -1 if k == rival else int(k == target)
                    assert word >> 2 * n & 3 == error & 3

    sim = Simulator(dut)
    sim.add_clock(1e-6)
    sim.add_testbench(testbench)
    sim.run()
