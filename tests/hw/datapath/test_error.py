"""The error unit: the comparison at its extremes, words of U errors in layers that lie behind."""

import random

import pytest

from tritgrad.hw.datapath.error import ErrorUnit
from tritgrad.model.config import CoreConfig, ceil_div

from ..link.harness import simulate


@pytest.mark.parametrize("seed, lanes, update_lanes", [
    (0, 4, 2), (1, 6, 3), (2, 5, 1), (3, 12, 4), (4, 7, 7)])
def test_words_of_errors_lie_where_the_layer_does(seed, lanes, update_lanes):
    rng = random.Random(seed)
    config = CoreConfig(lanes=lanes, update_lanes=update_lanes, max_classes=20, hidden_depth=6)
    dut = ErrorUnit(config)
    edge = 1 << config.score_bits

    async def testbench(ctx):
        for _ in range(60):
            classes, base = rng.randint(2, 20), rng.randrange(7)
            target, rival = rng.sample(range(classes), 2)
            margin = rng.choice([1, 100, (1 << 23) - 1, rng.randrange(1, 1 << 23)])
            gap = rng.choice([-edge, edge - 1, 0, -1, min(margin, edge - 1), margin - 1])
            gap = min(gap, edge - 1)
            ctx.set(dut.record, {"outputs": classes, "output_base": base})
            for name, value in (("gap", gap), ("margin", margin), ("target", target),
                                ("rival", rival), ("start", 1)):
                ctx.set(getattr(dut, name), value)
            violated = gap < margin
            assert ctx.get(dut.violated) == violated, (gap, margin)
            await ctx.tick()
            ctx.set(dut.start, 0)
            assert ctx.get(dut.flag) == violated
            written = []
            while ctx.get(dut.busy):
                assert ctx.get(dut.write)
                written.append((ctx.get(dut.write_address), ctx.get(dut.write_data)))
                await ctx.tick()
            assert not ctx.get(dut.write)
            errors = [0] * (ceil_div(classes, update_lanes) * update_lanes)
            errors[target], errors[rival] = 1, -1
            want = [(base * config.steps + n // update_lanes,
                     sum((error & 3) << 2 * k
                         for k, error in enumerate(errors[n:n + update_lanes])))
                    for n in range(0, len(errors), update_lanes)]
            assert written == (want if violated else [])

    simulate(dut, testbench)


def test_clear_resets_the_flag():
    dut = ErrorUnit(CoreConfig())

    async def testbench(ctx):
        ctx.set(dut.margin, 1)
        ctx.set(dut.start, 1)
        await ctx.tick()
        ctx.set(dut.start, 0)
        assert ctx.get(dut.flag)
        ctx.set(dut.clear, 1)
        await ctx.tick()
        assert not ctx.get(dut.flag)

    simulate(dut, testbench)
