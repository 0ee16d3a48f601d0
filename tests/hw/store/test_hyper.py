"""The PSRAMs' controller at the pins of two models, which stop it where it breaks a rule."""

import random
from dataclasses import replace

import pytest

from tests.hw.link.harness import get, put, stalls
from tests.hw.store.beside import simulate_beside
from tritgrad.errors import ConfigError
from tritgrad.hw.store.hyper import HyperController, HyperTiming
from tritgrad.sim.memories import HYPERS, Hyper, Hypers, MemoryViolation

NS, US = 1_000, 1_000_000
#: Power comes up fast, so that a simulation is short.
TIMING = HyperTiming(54e6, power_up=1)
PART = replace(HYPERS["W955D8MBYA"], power_up=US)
SIZE = 1 << 22


def word(parts, at):
    """A word, past the pins."""
    low, high = parts.halves
    return int(low[at]) | int(high[at]) << 8


async def serve(ctx, dut, parts):
    """Half a cycle at a time; what the pins show is taken shortly before the clock's edges."""
    period, now = round(1e12 / dut.timing.clock_hz), 0
    while True:
        control = (Hyper.SELECT_N * ctx.get(dut.cs_n) | Hyper.DRIVE_DATA * ctx.get(dut.dq_oe)
                   | Hyper.DRIVE_STROBE * ctx.get(dut.rwds_oe) | Hyper.STROBE * ctx.get(dut.rwds_o))
        clock, dq = ctx.get(dut.ck), ctx.get(dut.dq_o)
        seen = []
        for n in range(2):
            at = now + n * period // 2
            parts.step(at, control | Hyper.CLOCK * (clock >> n & 1), dq)
            seen.append(parts.step(now + (n + 1) * period // 2 - 1,
                                  control | Hyper.CLOCK * (clock >> n & 1), dq))
        now += period
        await ctx.tick()
        ctx.set(dut.dq_fall, seen[0])
        ctx.set(dut.dq_rise, seen[1])


def run(bench, *, mhz=54, part=PART, limit=20_000):
    """A controller and its parts under a testbench of `ctx`, the controller and the parts."""
    dut, parts = HyperController(replace(TIMING, clock_hz=mhz * 1e6)), Hypers(part, seed=7)

    async def pins(ctx):
        await serve(ctx, dut, parts)

    async def testbench(ctx):
        while not ctx.get(dut.ready):
            await ctx.tick()
        await bench(ctx, dut, parts)

    simulate_beside(dut, parts, testbench, pins, limit)


async def begin(ctx, dut, write, address, words):
    while not ctx.get(dut.idle):
        await ctx.tick()
    for name, value in {"start": 1, "write": write, "address": address, "words": words}.items():
        ctx.set(getattr(dut, name), value)
    await ctx.tick()
    ctx.set(dut.start, 0)


async def write(ctx, dut, address, words, idle=lambda: 0):
    await begin(ctx, dut, 1, address, len(words))
    for word in words:
        await put(ctx, dut.i, word, idle())


async def read(ctx, dut, address, count, idle=lambda: 0):
    await begin(ctx, dut, 0, address, count)
    return [await get(ctx, dut.o, idle()) for _ in range(count)]


@pytest.mark.parametrize("mhz", [20, 54, 100])
def test_reads_what_it_wrote(fresh_seed, mhz):
    """Anywhere, over the ends of bursts, with stalls on both sides."""
    rng = random.Random(fresh_seed + mhz)

    async def bench(ctx, dut, parts):
        assert not ctx.get(dut.failed)
        kept = {}
        for _ in range(3):
            address = rng.choice([rng.randrange(SIZE - 80), 32 * rng.randrange(1, 99) - 9])
            words = [rng.randrange(1 << 16) for _ in range(rng.randint(1, 40))]
            beyond = word(parts, address - 1 & SIZE - 1), word(parts, address + len(words))
            await write(ctx, dut, address, words, stalls(rng, rng.choice([0, 9])))
            kept.update(zip(range(address, address + len(words)), words, strict=True))
            for _ in range(2):
                start = rng.choice(list(kept))
                count = next(n for n in range(1, 60) if start + n not in kept)
                assert await read(ctx, dut, start, count, stalls(rng, rng.choice([0, 9]))) \
                    == [kept[start + n] for n in range(count)]
            # The other byte of a pair is masked.
            for at, before in zip((address - 1, address + len(words)), beyond, strict=True):
                assert at in kept or word(parts, at & SIZE - 1) == before

    run(bench, mhz=mhz)


def test_cycles(fresh_seed):
    """From the start to the last word, taken at once: 22 between bursts, 1 where one begins odd."""
    async def taken(ctx, dut, address, count):
        while not ctx.get(dut.idle):
            await ctx.tick()
        for name, value in {"start": 1, "write": 0, "address": address, "words": count}.items():
            ctx.set(getattr(dut, name), value)
        ctx.set(dut.o.ready, 1)
        cycles = 0
        while count:
            *_, valid = await ctx.tick().sample(dut.o.valid)
            ctx.set(dut.start, 0)
            cycles += 1
            count -= valid
        ctx.set(dut.o.ready, 0)
        return cycles

    async def bench(ctx, dut, parts):
        block = 32 * random.Random(fresh_seed).randrange(1 << 17)
        one = await taken(ctx, dut, block, 1)
        more = [await taken(ctx, dut, *at) - one for at in (
            (block + 31, 1), (block, 32), (block, 33), (block + 13, 51))]
        assert more == [1, 31, 32 + 22, 50 + 22 + 1]
        assert one == 24

    run(bench)


@pytest.mark.parametrize("trip", [0, 4, 9, 14])
def test_the_phase_is_found(trip, fresh_seed):
    """However long the ways are, as far as the phases reach."""
    rng = random.Random(fresh_seed)

    async def bench(ctx, dut, parts):
        assert not ctx.get(dut.failed)
        words = [rng.randrange(1 << 16) for _ in range(20)]
        await write(ctx, dut, 77, words)
        assert await read(ctx, dut, 77, 20) == words

    run(bench, part=replace(PART, trip=trip * NS))


def test_a_part_that_is_too_slow_fails_the_test():
    async def bench(ctx, dut, parts):
        assert ctx.get(dut.failed)

    run(bench, part=replace(PART, trip=40 * NS))


@pytest.mark.parametrize("fault, words", [
    ({"access": 400 * NS}, "access time"), ({"power_up": 2 * US}, "of power-up"),
    ({"select_most": US // 2}, "chip select is low"), ({"setup": 12 * NS}, "setup time")])
def test_a_rule_that_is_broken_stops_the_run(fault, words):
    """Parts that ask for more than the controller gives."""
    async def bench(ctx, dut, parts):
        await read(ctx, dut, 0, 32)

    with pytest.raises(MemoryViolation, match=words):
        run(bench, part=replace(PART, **fault))


def test_a_clock_that_is_too_slow_or_too_fast():
    for mhz in 19, 101:
        with pytest.raises(ConfigError, match="a PSRAM's clock must be 20 to 100 MHz, not"):
            HyperTiming(mhz * 1e6)
