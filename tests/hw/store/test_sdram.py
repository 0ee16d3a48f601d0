"""The SDRAM's controller at the pins of the model, which stops it where it breaks a rule."""

import random
from dataclasses import replace

import pytest

from tests.hw.link.harness import get, put, stalls, wait
from tests.hw.store.beside import simulate_beside
from tests.hw.store.sdram_pins import serve
from tritgrad.errors import ConfigError
from tritgrad.hw.store.sdram import SdramController, SdramTiming, phases
from tritgrad.sim.memories import SDRAMS, MemoryViolation, Sdram

NS, US = 1_000, 1_000_000
#: Power comes up fast, so that a simulation is short.
TIMING = SdramTiming(65e6, power_up=2)
PART = replace(SDRAMS["32M"], power_up=2 * US)


def run(bench, *, mhz=65, timing=TIMING, part=PART, limit=40_000):
    """A controller and its part under a testbench of `ctx`, the controller and the part."""
    dut, model = SdramController(replace(timing, clock_hz=mhz * 1e6)), Sdram(part, seed=7)

    async def pins(ctx):
        await serve(ctx, dut, model)

    async def testbench(ctx):
        while not ctx.get(dut.ready):
            await ctx.tick()
        await bench(ctx, dut, model)

    simulate_beside(dut, model, testbench, pins, limit)


async def begin(ctx, dut, write, address, words):
    while not ctx.get(dut.idle):
        await ctx.tick()
    ctx.set(dut.start, 1)
    ctx.set(dut.write, write)
    ctx.set(dut.address, address)
    ctx.set(dut.words, words)
    await ctx.tick()
    ctx.set(dut.start, 0)


async def write(ctx, dut, address, words, idle=lambda: 0):
    await begin(ctx, dut, 1, address, len(words))
    for word in words:
        await put(ctx, dut.i, word, idle())


async def read(ctx, dut, address, count, idle=lambda: 0):
    await begin(ctx, dut, 0, address, count)
    return [await get(ctx, dut.o, idle()) for _ in range(count)]


@pytest.mark.parametrize("mhz", [25, 65, 100])
def test_reads_what_it_wrote(fresh_seed, mhz):
    """Anywhere, over the ends of rows, with stalls on both sides."""
    rng = random.Random(fresh_seed + mhz)

    async def bench(ctx, dut, model):
        assert not ctx.get(dut.failed)
        kept = {}
        for _ in range(6):
            address = rng.choice([rng.randrange(1 << 23), 512 * rng.randrange(1, 9) - 20])
            words = [rng.randrange(1 << 16) for _ in range(rng.randint(1, 50))]
            await write(ctx, dut, address, words, stalls(rng, rng.choice([0, 9])))
            kept.update(zip(range(address, address + len(words)), words, strict=True))
            for _ in range(2):
                address = rng.choice(list(kept))
                count = next(n for n in range(1, 60) if address + n not in kept)
                assert await read(ctx, dut, address, count, stalls(rng, rng.choice([0, 9]))) \
                    == [kept[address + n] for n in range(count)]
        assert model.unwritten == 0

    run(bench, mhz=mhz)


def test_idle_and_stalled_it_refreshes():
    async def bench(ctx, dut, model):
        before = model.refreshes
        await wait(ctx, 507 * 12)
        assert model.refreshes - before == 12
        await write(ctx, dut, 0, range(20))
        await begin(ctx, dut, 0, 0, 20)
        before = model.refreshes
        await wait(ctx, 507 * 12)  # nobody takes a word
        assert model.refreshes - before == 12
        assert [await get(ctx, dut.o) for _ in range(20)] == list(range(20))

    run(bench)


async def taken(ctx, dut, address, count):
    """Cycles from the start of a request to its last word, taken at once."""
    while not ctx.get(dut.idle):
        await ctx.tick()
    ctx.set(dut.o.ready, 1)
    ctx.set(dut.start, 1)
    ctx.set(dut.write, 0)
    ctx.set(dut.address, address)
    ctx.set(dut.words, count)
    cycles = 0
    while count:
        *_, valid = await ctx.tick().sample(dut.o.valid)
        ctx.set(dut.start, 0)
        cycles += 1
        count -= valid
    ctx.set(dut.o.ready, 0)
    return cycles


def test_cycles():
    """A record of 51 words: in the open row, in another one, over the end of a row; a long one."""
    async def bench(ctx, dut, model):
        async def quiet():
            before = model.refreshes
            while model.refreshes == before:
                await ctx.tick()

        await quiet()
        await taken(ctx, dut, 0, 1)
        found = [await taken(ctx, dut, at, 51) for at in (0, 51, 512 * 8, 512 * 9 - 20)]
        await quiet()
        found.append(await taken(ctx, dut, 0, 5100))
        assert found == [57, 57, 62, 62, 5255]

    run(bench)


@pytest.mark.parametrize(("trip", "found"), [(0, {5, 4}), (4_000, {5}), (9_000, {5, 6}),
                                              (12_000, {6})])
def test_its_test_finds_a_phase(trip, found):
    async def bench(ctx, dut, model):
        assert not ctx.get(dut.failed)
        assert phases()[ctx.get(dut.phase)] in found
        await write(ctx, dut, 100, [1, 2, 3])
        assert await read(ctx, dut, 100, 3) == [1, 2, 3]

    run(bench, part=replace(PART, trip=trip))


def test_a_part_that_does_not_answer_fails_the_test():
    async def bench(ctx, dut, model):
        assert ctx.get(dut.failed)

    run(bench, part=replace(PART, trip=40 * NS))


async def over_rows(ctx, dut, model):
    """Writes and reads that go over the ends of rows, and a refresh."""
    for n in range(8):
        await write(ctx, dut, 512 * 4 * n + 500, range(20))
        await read(ctx, dut, 512 * 8 * n + 511, 2)
    await wait(ctx, 9_000)


@pytest.mark.parametrize(("timing", "text"), [
    ({"rcd": 10}, "tRCD"), ({"rp": 10}, "tRP"), ({"ras": 25}, "tRAS"), ({"rfc": 50}, "tRFC"),
    ({"power_up": 1}, "the time after power-up"), ({"refresh": 640_000}, "refreshes are late"),
    ({"column_bits": 10}, "column [0-9]+, there are 512"),
])
def test_the_part_finds_a_limit_that_is_wrong(timing, text):
    """As faults planted in the controller would: each limit by itself."""
    with pytest.raises(MemoryViolation, match=text):
        run(over_rows, mhz=100, timing=replace(TIMING, **timing))


def test_a_part_that_writes_slowly():
    """At 15 ns no precharge comes too early anyway."""
    part = replace(PART, wr=80 * NS)
    run(over_rows, mhz=100, timing=replace(TIMING, wr=80), part=part)
    with pytest.raises(MemoryViolation, match="tWR"):
        run(over_rows, mhz=100, part=part)


@pytest.mark.parametrize("hz", [19e6, 101e6])
def test_a_clock_out_of_range_is_refused(hz):
    with pytest.raises(ConfigError, match="20 to 100 MHz, not"):
        replace(TIMING, clock_hz=hz)
