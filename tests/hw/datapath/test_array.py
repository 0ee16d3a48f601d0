"""The MAC array: sums, their order, and the timing that it states."""

import random

import numpy as np
import pytest
from amaranth import *

from tritgrad.hw.datapath.array import MacArray
from tritgrad.hw.parts.pipeline import words_delay
from tritgrad.model import arithmetic
from tritgrad.model.config import CoreConfig

from ..link.harness import simulate

CODES = np.array([0, 1, 2, 3])


def number(values, bits):
    return sum(int(value) << (bits * n) for n, value in enumerate(values))


@pytest.mark.parametrize("lanes, banks, bits, options", [
    (4, 3, 5, {}), (7, 2, 5, {}), (16, 5, 3, {}), (1, 1, 5, {}), (5, 1, 8, {}), (8, 1, 1, {}),
    (18, 2, 1, {}), (36, 2, 2, {}), (64, 1, 4, {}), (128, 2, 1, {}),
    (5, 1, 3, {"pipelined": True}), (7, 9, 2, {"pipelined": True}), (6, 2, 3, {"drain": 2}),
    (4, 8, 5, {"drain": 2}), (2, 10, 2, {"drain": 2, "pipelined": True}),
    (8, 12, 1, {"drain": 2, "pipelined": True})])
def test_groups_of_random_planes(lanes, banks, bits, options):
    rng = np.random.default_rng(lanes)
    pick = random.Random(lanes)
    config = CoreConfig(lanes=lanes, banks=banks, update_lanes=lanes, input_planes=bits,
                        activation_bits=min(bits, 4), max_inputs=1024, **options)
    dut = MacArray(config)
    expected, got, groups = [], [], []
    given = [np.zeros((banks, lanes), int)] * 99

    async def tick(ctx, codes=given[0]):
        """A cycle; the words of each bank come as late as it works."""
        given.append(codes)
        for bank in range(banks):
            word = given[-1 - words_delay(config, bank)][bank]
            ctx.set(dut.words[bank], number(word, 2))
        await ctx.tick()

    async def feed(ctx):
        for _ in range(40):
            planes, rows = pick.randint(1, 6), pick.randint(1, banks)
            total = np.zeros(banks, np.int64)
            for n in range(planes):
                last = n == planes - 1
                # `room` speaks of a plane that is addressed one cycle before it is here.
                while last and not ctx.get(dut.room):
                    ctx.set(dut.active, 0)
                    await tick(ctx)
                if last:
                    ctx.set(dut.active, 0)
                    await tick(ctx)
                plane = pick.randrange(bits)
                # Some with one value in all lanes: the largest sums.
                x = rng.integers(pick.choice([0, 0, 1]), 2, lanes)
                some = [CODES, CODES, *CODES[:, None]]
                codes = rng.choice(pick.choice(some), (banks, lanes))
                signed = np.where(codes >= 2, codes - 4, codes)
                total += arithmetic.forward(arithmetic.trits(signed << 6, 8), x << plane)
                ctx.set(dut.x, number(x, 1))
                for name, value in (("active", 1), ("last", last),
                                    ("plane", plane), ("rows", rows)):
                    ctx.set(getattr(dut, name), value)
                if last:
                    single = config.drain == 1 or pick.random() < 0.5
                    groups.append((rows, single))
                    if config.drain == 2:
                        ctx.set(dut.single, single)
                await tick(ctx, codes)
                ctx.set(dut.active, 0)
            expected.extend(total[:rows].tolist())
        while ctx.get(dut.busy):
            await tick(ctx)

    async def collect(ctx):
        while True:
            ports = dut.z_valid, dut.z, dut.z_next if config.drain == 2 else Const(0)
            *_, valid, z, z_next = await ctx.tick().sample(*ports)
            if valid:
                rows, single = groups.pop(0)
                got.extend([z] if single or rows == 1 else [z, z_next])
                left = rows - (1 if single else 2)
                if left > 0:
                    groups.insert(0, (left, single))

    simulate(dut, feed, background=[collect])
    assert got == expected


def test_the_stated_latency():
    config = CoreConfig(lanes=2, banks=2, update_lanes=2)
    dut = MacArray(config)

    async def testbench(ctx):
        ctx.set(dut.x, 0b11)
        ctx.set(dut.words[0], 0b0101)
        for name in ("active", "last"):
            ctx.set(getattr(dut, name), 1)
        ctx.set(dut.rows, 1)
        await ctx.tick()
        ctx.set(dut.active, 0)
        for _ in range(dut.latency - 1):
            assert not ctx.get(dut.z_valid)
            await ctx.tick()
        assert ctx.get(dut.z_valid)
        assert ctx.get(dut.z) == 2
        await ctx.tick()
        assert not ctx.get(dut.busy)

    simulate(dut, testbench)
