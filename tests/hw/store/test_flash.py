"""The flash's reader and its raw port at the pins of the model."""

import random
from dataclasses import replace

import pytest

from tests.hw.link.harness import get, put, stalls
from tests.hw.store.beside import simulate_beside
from tritgrad.hw.store.flash import FlashPort, FlashStore
from tritgrad.sim.memories import FlashPart, MemoryViolation, SerialFlash

US = 1_000_000
PART = FlashPart(1 << 18, 0x1240EF, program=5 * US, status=5 * US, sector=9 * US)


def run(dut, bench, *, mhz=24, part=PART, limit=60_000, asleep=False):
    """The unit and a flash under a testbench of `ctx` and the flash; no rule is broken."""
    model = SerialFlash(part, seed=4, asleep=asleep)
    period = round(1e6 / mhz)

    async def pins(ctx):
        now = 0
        while True:
            levels = (ctx.get(dut.cs_n), ctx.get(dut.sck), 0b1110 | ctx.get(dut.copi),
                      0b1100 | (ctx.get(dut.copi_oe) if dut.lines == 2 else 1))
            model.step(now, *levels)
            now += period
            seen = model.step(now - 1, *levels)
            ctx.set(dut.cipo, seen >> 1 & 1)
            if dut.lines == 2:
                ctx.set(dut.copi_i, seen & 1)
            await ctx.tick()

    async def testbench(ctx):
        await bench(ctx, model)

    simulate_beside(dut, model, testbench, pins, limit)


async def read(ctx, dut, address, count, idle=lambda: 0):
    port = dut.port
    while not ctx.get(port.idle):
        await ctx.tick()
    ctx.set(port.address, address)
    ctx.set(port.start, 1)
    await ctx.tick()
    ctx.set(port.start, 0)
    out = bytes([await get(ctx, port.o, idle()) for _ in range(count)])
    ctx.set(port.stop, 1)
    await ctx.tick()
    ctx.set(port.stop, 0)
    return out


@pytest.mark.parametrize(("mhz", "lines"), [(12, 1), (24, 1), (65, 1), (12, 2), (65, 2), (100, 2)])
def test_reads_from_anywhere(fresh_seed, mhz, lines):
    rng = random.Random(fresh_seed + mhz)
    dut = FlashStore(mhz * 1e6, lines)

    async def bench(ctx, model):
        for _ in range(6):
            at, count = rng.randrange(1 << 18), rng.randint(1, 12)
            wanted = (bytes(model.cells) * 2)[at:at + count]
            assert await read(ctx, dut, at, count, stalls(rng, rng.choice([0, 60]))) == wanted

    run(dut, bench, mhz=mhz, asleep=True)


@pytest.mark.parametrize(("lines", "first", "each"), [(1, 88, 17), (2, 97, 8)])
def test_cycles(lines, first, each):
    dut = FlashStore(24e6, lines)

    async def bench(ctx, model):
        port = dut.port
        while not ctx.get(port.idle):
            await ctx.tick()
        ctx.set(port.start, 1)
        ctx.set(port.o.ready, 1)
        found, cycle = [], 0
        while len(found) < 40:
            *_, valid = await ctx.tick().sample(port.o.valid)
            ctx.set(port.start, 0)
            cycle += 1
            if valid:
                found.append(cycle)
        assert found == [first + each * n for n in range(40)]

    run(dut, bench)


def test_a_flash_that_wakes_late_is_not_waited_for_long_enough():
    """The fault is the part's here: the reader waits for 30 us."""
    dut = FlashStore(24e6)

    async def bench(ctx, model):
        await read(ctx, dut, 0, 1)

    with pytest.raises(MemoryViolation, match="before it has woken up"):
        run(dut, bench, asleep=True, part=replace(PART, wake=60 * US))


@pytest.mark.parametrize(("whole", "lines"), [(False, 1), (False, 2), (True, 1), (True, 2)])
def test_the_port_writes(fresh_seed, whole, lines):
    """As a host would by raw transactions: erase, program, poll, read back; through a store too,
    which reads records in between."""
    rng = random.Random(fresh_seed)
    dut = FlashStore(24e6, lines) if whole else FlashPort(2, lines)
    port = dut.port if whole else dut

    async def transaction(ctx, sent, count=0):
        while not ctx.get(port.idle):
            await ctx.tick()
        ctx.set(port.receive, count > 0)
        for n, byte in enumerate(sent):
            await put(ctx, port.i, {"data": byte, "last": n == len(sent) - 1}, rng.randint(0, 3))
        out = bytes([await get(ctx, port.o, rng.randint(0, 20)) for _ in range(count)])
        if count:
            ctx.set(port.stop, 1)
            await ctx.tick()
            ctx.set(port.stop, 0)
        while not ctx.get(port.idle):
            await ctx.tick()
        return out

    async def bench(ctx, model):
        at, page = rng.randrange(0, 1 << 18, 256), rng.randbytes(20)
        for command in (b"\x20", b"\x02"):
            await transaction(ctx, b"\x06")
            await transaction(ctx, command + at.to_bytes(3, "big")
                              + (page if command == b"\x02" else b""))
            while (await transaction(ctx, b"\x05", 1))[0] & 1:
                pass
        assert await transaction(ctx, b"\x03" + at.to_bytes(3, "big"), 22) == page + b"\xff\xff"
        if whole:
            assert await read(ctx, dut, at + 1, 19) == page[1:]
        assert await transaction(ctx, b"\x9f", 3) == b"\xef\x40\x12"
        assert model.erases == model.programs == 1

    run(dut, bench)


def test_a_gap_that_is_too_short_is_found():
    dut = FlashPort(1)

    async def bench(ctx, model):
        for _ in range(2):
            await put(ctx, dut.i, {"data": 0x06, "last": 1})
            while not ctx.get(dut.idle):
                await ctx.tick()

    with pytest.raises(MemoryViolation, match="selected again"):
        run(dut, bench, part=replace(PART, deselect=900_000, deselect_read=900_000))
