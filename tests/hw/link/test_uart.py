# amaranth: UnusedElaboratable=no

"""The receiver and the transmitter of a UART, bytes on a line against bytes on a stream."""

import random

import pytest

from tritgrad.firmware.rates import BREAK_BITS, SAFE_RATE, Divider, supported_rates
from tritgrad.hw.link.uart import UartReceiver, UartTransmitter

from .harness import put, simulate, stalls, wait
from .serial_line import CYCLE_S, bit_time, listen, send, take

EVERY_RATE = [*((24e6, rate) for rate in supported_rates(24e6)),
              *((clock, supported_rates(clock)[-1]) for clock in (16e6, 20e6, 25e6, 27e6))]


@pytest.mark.parametrize("clock_hz, rate", EVERY_RATE)
def test_receiver_at_every_rate_two_per_cent_off(clock_hz, rate, fresh_seed):
    seed = fresh_seed
    rng = random.Random(seed)
    divider = Divider(clock_hz, tuple(r for r in (SAFE_RATE, rate) if r <= rate)[-2:]
                      if rate != SAFE_RATE else (SAFE_RATE,))
    dut = UartReceiver(divider.bits)
    received, sent = [], []
    count = 20 if clock_hz / rate < 20 else 2

    async def testbench(ctx):
        ctx.set(dut.step, divider.steps[-1])
        await ctx.delay(rng.random() * 40 * CYCLE_S)
        for error in (-0.02, 0.02, 0.0):
            data = [0x00, 0xFF, 0x55, *(rng.randrange(256) for _ in range(count))]
            sent.extend(data)
            await send(ctx, dut.rx, data, bit_time(clock_hz, rate, error),
                       rng.choice([lambda: 0.0, lambda: rng.random() * 3]))
        await wait(ctx, 10)

    async def strict(ctx):
        async for *_, error in ctx.tick().sample(dut.error):
            assert not error, f"seed {seed}"

    simulate(dut, testbench, background=[
        strict, take(dut.o, received)], limit=2_000_000)
    assert received == sent, f"seed {seed}"


@pytest.mark.parametrize("clock_hz, rate", EVERY_RATE)
def test_transmitter_at_every_rate_two_per_cent_off(clock_hz, rate, fresh_seed):
    seed = fresh_seed
    rng = random.Random(seed)
    divider = Divider(clock_hz, tuple(sorted({SAFE_RATE, rate})))
    count = 20 if clock_hz / rate < 20 else 2
    data = [0x00, 0xFF, 0x55, *(rng.randrange(256) for _ in range(count))]
    for error in (-0.02, 0.02):
        dut = UartTransmitter(divider.bits)
        received = []

        async def testbench(ctx, dut=dut):
            ctx.set(dut.step, divider.steps[-1])
            for byte in data:
                await put(ctx, dut.i, byte)
            while not ctx.get(dut.done):
                await ctx.tick()
            await ctx.tick()

        simulate(dut, testbench, background=[
            listen(dut.tx, bit_time(clock_hz, rate, error), received)], limit=1_000_000)
        assert received == data, f"seed {seed}"


def test_transmitter_leaves_no_gap():
    divider = Divider(24e6, (SAFE_RATE, 3_000_000))
    dut = UartTransmitter(divider.bits)
    times = []

    async def testbench(ctx):
        ctx.set(dut.step, divider.steps[-1])
        for _ in range(20):
            await put(ctx, dut.i, 0xFF)
        ctx.set(dut.i.valid, 0)
        await wait(ctx, 200)

    async def edges(ctx):
        cycle = 0
        before = 1
        while True:
            *_, tx = await ctx.tick().sample(dut.tx)
            cycle += 1
            if before and not tx:
                times.append(cycle)
            before = tx

    simulate(dut, testbench, background=[edges])
    assert [b - a for a, b in zip(times, times[1:], strict=False)] == [80] * 19


def test_a_byte_waits_until_it_is_taken_and_the_next_is_lost():
    divider = Divider(24e6, (SAFE_RATE, 3_000_000))
    dut = UartReceiver(divider.bits)
    bit_s = bit_time(24e6, 3_000_000)
    received = []

    async def testbench(ctx):
        ctx.set(dut.step, divider.steps[-1])
        await send(ctx, dut.rx, [1, 2], bit_s)
        await wait(ctx, 30)
        assert ctx.get(dut.o.valid) and ctx.get(dut.o.payload) == 1
        ctx.set(dut.o.ready, 1)
        await ctx.tick()
        ctx.set(dut.o.ready, 0)
        await ctx.tick()
        assert not ctx.get(dut.o.valid)
        await send(ctx, dut.rx, [3], bit_s)
        await wait(ctx, 30)
        received.append(ctx.get(dut.o.payload))

    simulate(dut, testbench)
    assert received == [3]


def test_receiver_with_a_sink_that_stalls(fresh_seed):
    seed = fresh_seed
    rng = random.Random(seed)
    divider = Divider(24e6, (SAFE_RATE, 3_000_000))
    dut = UartReceiver(divider.bits)
    data = [rng.randrange(256) for _ in range(100)]
    received = []

    async def testbench(ctx):
        ctx.set(dut.step, divider.steps[-1])
        await send(ctx, dut.rx, data, bit_time(24e6, 3_000_000, rng.uniform(-0.02, 0.02)))
        await wait(ctx, 100)

    simulate(dut, testbench, background=[
        take(dut.o, received, stalls(rng, 30))])
    assert received == data, f"seed {seed}"


def test_glitches_and_noise(fresh_seed):
    """Glitches of an idle line are nothing; after any noise and a pause bytes are right again."""
    seed = fresh_seed
    rng = random.Random(seed)
    divider = Divider(24e6, (SAFE_RATE, 3_000_000))
    dut = UartReceiver(divider.bits)
    bit_s = bit_time(24e6, 3_000_000)
    received = []

    async def testbench(ctx):
        ctx.set(dut.step, divider.steps[-1])
        for _ in range(20):
            ctx.set(dut.rx, 0)
            await ctx.delay(bit_s * rng.uniform(0.01, 0.3))
            ctx.set(dut.rx, 1)
            await ctx.delay(bit_s * rng.uniform(1, 3))
        assert received == [], f"seed {seed}"
        for _ in range(10):
            for _ in range(rng.randrange(60)):
                ctx.set(dut.rx, rng.randrange(2))
                await ctx.delay(bit_s * rng.uniform(0.05, 2))
            ctx.set(dut.rx, 1)
            await ctx.delay(12 * bit_s)
            received.clear()
            data = [rng.randrange(256) for _ in range(5)]
            await send(ctx, dut.rx, data, bit_s)
            await ctx.delay(bit_s)
            assert received == data, f"seed {seed}"

    simulate(dut, testbench, background=[take(dut.o, received)])


@pytest.mark.parametrize("bits, error, broken", [
    (9.4, 0, 0), (9.6, 1, 0), (BREAK_BITS - 0.6, 1, 0), (BREAK_BITS - 0.3, 1, 1), (40, 1, 1),
    (500, 1, 1)])
def test_a_break_is_told_from_a_byte(bits, error, broken):
    divider = Divider(24e6, (SAFE_RATE, 3_000_000))
    dut = UartReceiver(divider.bits)
    bit_s = bit_time(24e6, 3_000_000)
    counts = {"good": 0, "error": 0, "broken": 0}

    async def testbench(ctx):
        ctx.set(dut.step, divider.steps[-1])
        for _ in range(2):
            ctx.set(dut.rx, 0)
            await ctx.delay(bits * bit_s)
            ctx.set(dut.rx, 1)
            await ctx.delay(2 * bit_s)
        await send(ctx, dut.rx, [0xA5], bit_s)
        await wait(ctx, 5)
        assert ctx.get(dut.o.payload) == 0xA5

    async def count(ctx):
        async for *_, good, bad, low in ctx.tick().sample(dut.good, dut.error, dut.broken):
            counts["good"] += good
            counts["error"] += bad
            counts["broken"] += low

    async def drain(ctx):
        ctx.set(dut.o.ready, 1)

    simulate(dut, testbench, background=[count, drain])
    assert counts == {"good": 1 if error else 3, "error": 2 * error, "broken": 2 * broken}
