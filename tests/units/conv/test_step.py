"""A tap's step is the golden model's: all of 6 bits, and random wider ones."""

import itertools
import random

import numpy as np
import pytest

from tritgrad.model import arithmetic
from tritgrad.units.conv.step import TapStep

from ...hw.link.harness import simulate


def compare(dut, cases, bits):
    """Cases are sum, counter, tap, draw, shift; one a cycle."""
    counts = []

    async def drive(ctx):
        expected = []
        for case in [*cases, *[(0, 0, 0, 0, 0)] * dut.LATENCY]:
            sum, counter, tap, draw, right = case
            for name, value in zip(("sum", "counter", "tap", "draw", "right"), case, strict=True):
                ctx.set(getattr(dut, name), value)
            dither = np.zeros(tap + 1, np.int64)
            dither[tap] = abs(sum)  # as the last of so many taps
            step = arithmetic.steps(dither, -right, draw)[-1:]
            after, flips = arithmetic.update(np.array([counter]), int(np.sign(sum)), step, bits)
            expected.append((int(after[0]), flips))
            await ctx.tick()
            if len(expected) >= dut.LATENCY:
                found = ctx.get(dut.following), ctx.get(dut.flips)
                assert found == expected[-dut.LATENCY]
                counts.append(found)

    simulate(dut, drive, limit=200_000)
    assert len(counts) == len(cases) + 1


@pytest.mark.parametrize("right", [0, 2, 15])
def test_all_counters_of_6_bits_and_sums_of_7(right):
    rng = random.Random(right)
    cases = [(sum, counter, rng.randrange(25), rng.getrandbits(16), right)
             for sum, counter in itertools.product(range(-63, 64), range(-32, 32))]
    compare(TapStep(6, 7, 25), cases, 6)


@pytest.mark.parametrize("bits, sum_bits, taps", [(8, 13, 49), (12, 9, 25), (14, 5, 1)])
def test_wider_ones(bits, sum_bits, taps, fresh_seed):
    rng = random.Random(fresh_seed)
    half, most = 1 << (bits - 1), (1 << (sum_bits - 1)) - 1
    cases = [(rng.choice([0, most, -most, rng.randint(-most, most)]),
              rng.choice([-half, half - 1, rng.randrange(-half, half)]), rng.randrange(taps),
              rng.getrandbits(16), rng.randrange(16)) for _ in range(1000)]
    compare(TapStep(bits, sum_bits, taps), cases, bits)
