"""The reader of a pipelined core, whose `at_end` is a register, beside the other one."""

import random
from dataclasses import replace

from amaranth import *

from tritgrad.hw.link.reader import FIXED_MOST, PAYLOAD, FrameReader
from tritgrad.model.config import CoreConfig

from .harness import simulate

STROBES = ("rewind", "take", "mark", "swap", "gather", "load")
OUTPUTS = ("offset", "following", "behind", "at_end", "word", "nonzero")


def test_a_pipelined_core_reads_the_same(fresh_seed):
    rng = random.Random(fresh_seed)
    config = CoreConfig(lanes=4, update_lanes=4, slot_bytes=64)
    plain, pipelined = FrameReader(config), FrameReader(replace(config, pipelined=True))
    m = Module()
    m.submodules.plain, m.submodules.pipelined = plain, pipelined
    ends = set()

    def drive(ctx, name, value):
        for reader in plain, pipelined:
            ctx.set(getattr(reader, name), value)

    async def testbench(ctx):
        for _ in range(60):
            drive(ctx, "restart", 1)
            await ctx.tick()
            drive(ctx, "restart", 0)
            drive(ctx, "end", rng.randint(PAYLOAD, 16))
            for _ in range(rng.randint(1, 40)):
                drive(ctx, "first", rng.randint(0, FIXED_MOST))
                drive(ctx, "byte", rng.randint(0, 3) * 85)
                often = rng.choice([0.5, 0.95])
                for name in STROBES:
                    likely = often if name in ("take", "gather") else 0.1
                    drive(ctx, name, rng.random() < likely)
                for name in OUTPUTS:
                    assert ctx.get(getattr(pipelined, name)) == ctx.get(getattr(plain, name)), name
                ends.add(ctx.get(plain.at_end))
                await ctx.tick()
            for name in STROBES:
                drive(ctx, name, 0)

    simulate(m, testbench)
    assert ends == {0, 1}
