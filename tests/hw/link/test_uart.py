# amaranth: UnusedElaboratable=no
import random
import re

import pytest
from amaranth import Signal

from tritgrad.errors import ConfigError
from tritgrad.firmware.frames import ESC, FLAG
from tritgrad.firmware.rates import (
    BREAK_BITS,
    MAX_ERROR,
    MAX_FRAMING_ERRORS,
    RATES,
    SAFE_RATE,
    Divider,
    rate_request,
    supported_rates,
)
from tritgrad.hw.link.uart import Uart, UartReceiver, UartTransmitter

from .harness import put, simulate, stalls, wait

#: `simulate` has a clock of 1 MHz; all rates scale with it.
CYCLE_S = 1e-6
EVERY_RATE = [*((24e6, rate) for rate in supported_rates(24e6)),
              *((clock, supported_rates(clock)[-1]) for clock in (16e6, 20e6, 25e6, 27e6))]


def bit_time(clock_hz, rate, error=0.0):
    return CYCLE_S * clock_hz / rate / (1 + error)


async def send(ctx, line, data, bit_s, gap=lambda: 0.0):
    """Put bytes on a line, each followed by a gap in bits."""
    for byte in data:
        for bit in (0, *(byte >> n & 1 for n in range(8)), 1):
            ctx.set(line, bit)
            await ctx.delay(bit_s)
        if idle := gap():
            await ctx.delay(idle * bit_s)


def listen(line, bit_s, received):
    """A testbench that takes bytes off a line for ever; None for one without a stop bit."""
    async def testbench(ctx):
        while True:
            await ctx.negedge(line)
            await ctx.delay(bit_s / 2)
            assert ctx.get(line) == 0, "glitch"
            byte = 0
            for n in range(8):
                await ctx.delay(bit_s)
                byte |= ctx.get(line) << n
            await ctx.delay(bit_s)
            received.append(byte if ctx.get(line) else None)
    return testbench


def take(stream, received, idle=lambda: 0):
    """A testbench that takes bytes off a stream for ever; a byte that is offered must stay."""
    async def testbench(ctx):
        while True:
            for _ in range(idle()):
                *_, valid, offered = await ctx.tick().sample(stream.valid, stream.payload)
                assert not valid or (ctx.get(stream.valid) and ctx.get(stream.payload) == offered)
            ctx.set(stream.ready, 1)
            *_, valid, byte = await ctx.tick().sample(stream.valid, stream.payload)
            ctx.set(stream.ready, 0)
            if valid:
                received.append(byte)
    return testbench


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


class Host:
    """The other end of a `Uart`'s line in a test; what comes from the line is kept in `got`."""

    def __init__(self, rates=(SAFE_RATE, 230_400, 460_800), clock_hz=4e6):
        self.clock_hz, self.rates = clock_hz, rates
        self.dut = Uart(clock_hz, rates)
        self.got: list[int] = []

    async def send(self, ctx, data, rate):
        await send(ctx, self.dut.rx, data, bit_time(self.clock_hz, rate))
        await ctx.delay(bit_time(self.clock_hz, rate))

    async def answer(self, ctx, data):
        """The core sends bytes, and they leave."""
        for byte in data:
            await put(ctx, self.dut.i, byte)
        await ctx.delay(12 * bit_time(self.clock_hz, self.rate(ctx)))

    async def raise_to(self, ctx, rate):
        await self.send(ctx, rate_request(rate), SAFE_RATE)
        await self.answer(ctx, [FLAG, FLAG])
        assert self.rate(ctx) == rate

    def rate(self, ctx):
        return self.rates[ctx.get(self.dut.rate)]

    def simulate(self, testbench):
        simulate(self.dut, testbench, background=[
            take(self.dut.o, self.got)], limit=300_000)


@pytest.mark.parametrize("rate", [230_400, 460_800])
def test_a_request_takes_effect_when_its_answer_has_left(rate):
    host = Host()
    answer: list[int] = []

    async def testbench(ctx):
        await host.send(ctx, rate_request(rate), SAFE_RATE)
        assert host.rate(ctx) == SAFE_RATE
        assert host.got == [*rate_request(rate)]
        for byte in (1, 2, 3):
            await put(ctx, host.dut.i, byte)
            assert host.rate(ctx) == SAFE_RATE
        await ctx.delay(12 * bit_time(host.clock_hz, SAFE_RATE))
        assert answer == [1, 2, 3]
        assert host.rate(ctx) == rate
        host.got.clear()
        await host.send(ctx, [0xA5, 0x00, 0xFF], rate)
        assert host.got == [0xA5, 0x00, 0xFF]

    simulate(host.dut, testbench, background=[
        take(host.dut.o, host.got),
        listen(host.dut.tx, bit_time(host.clock_hz, SAFE_RATE), answer)])


@pytest.mark.parametrize("data", [
    rate_request(3_000_000), bytes([ESC, 0x0F, FLAG]), bytes([ESC, 0x17, FLAG]),
    bytes([ESC, FLAG ^ 0x20, FLAG]), bytes([ESC, ESC ^ 0x20, FLAG]), bytes([FLAG, 7, FLAG]),
    bytes([ESC, 7, 1, FLAG])], ids=lambda data: data.hex())
def test_no_request_for_a_rate_it_has(data):
    host = Host()

    async def testbench(ctx):
        await host.send(ctx, data, SAFE_RATE)
        await host.answer(ctx, [1, 2])
        assert host.rate(ctx) == SAFE_RATE

    host.simulate(testbench)


def test_no_request_is_taken_at_a_raised_rate():
    host = Host()

    async def testbench(ctx):
        await host.raise_to(ctx, 230_400)
        await host.send(ctx, rate_request(460_800), 230_400)
        await host.answer(ctx, [1, 2])
        assert host.rate(ctx) == 230_400

    host.simulate(testbench)


@pytest.mark.parametrize("rate", [230_400, 460_800])
@pytest.mark.parametrize("error", [-0.02, 0.02])
def test_a_zero_byte_at_the_safe_rate_brings_it_back(rate, error):
    host = Host()

    async def testbench(ctx):
        await host.raise_to(ctx, rate)
        await host.send(ctx, bytes(10) + bytes(range(256))[::7], rate)  # no break in any bytes
        assert host.rate(ctx) == rate
        await send(ctx, host.dut.rx, [0], bit_time(host.clock_hz, SAFE_RATE, error))
        assert host.rate(ctx) == SAFE_RATE
        host.got.clear()
        await host.send(ctx, [1, 2, 3], SAFE_RATE)
        assert host.got == [1, 2, 3]

    host.simulate(testbench)


def test_framing_errors_in_a_row_bring_the_safe_rate_back():
    host = Host()
    bit_s = bit_time(host.clock_hz, 460_800)

    async def bad(ctx, times):
        for _ in range(times):
            ctx.set(host.dut.rx, 0)
            await ctx.delay(10.2 * bit_s)
            ctx.set(host.dut.rx, 1)
            await ctx.delay(2 * bit_s)

    async def testbench(ctx):
        await host.raise_to(ctx, 460_800)
        await bad(ctx, MAX_FRAMING_ERRORS - 1)
        await host.send(ctx, [0x33], 460_800)
        await bad(ctx, MAX_FRAMING_ERRORS - 1)
        assert host.rate(ctx) == 460_800
        await bad(ctx, 1)
        assert host.rate(ctx) == SAFE_RATE

    host.simulate(testbench)


def test_a_break_in_the_middle_of_traffic(fresh_seed):
    """Both ways are busy; the break ends the raised rate, and bytes after it are right."""
    seed = fresh_seed
    rng = random.Random(seed)
    host = Host()
    quiet = Signal()

    async def testbench(ctx):
        for rate in rng.sample((230_400, 460_800), 2):
            await host.send(ctx, rate_request(rate), SAFE_RATE)
            ctx.set(quiet, 1)
            while host.rate(ctx) != rate:
                await ctx.tick()
            ctx.set(quiet, 0)
            host.got.clear()
            data = [rng.randrange(256) for _ in range(20)]
            await host.send(ctx, data, rate)
            assert host.got == data, f"seed {seed}"
            cut = data[:rng.randrange(1, 20)]
            await send(ctx, host.dut.rx, cut, bit_time(host.clock_hz, rate))
            ctx.set(host.dut.rx, 0)
            await ctx.delay(9 * bit_time(host.clock_hz, SAFE_RATE))
            ctx.set(host.dut.rx, 1)
            await ctx.delay(bit_time(host.clock_hz, SAFE_RATE))
            assert host.rate(ctx) == SAFE_RATE, f"seed {seed}"
            host.got.clear()
            await host.send(ctx, data, SAFE_RATE)
            assert host.got == data, f"seed {seed}"

    async def core(ctx):
        while True:
            if ctx.get(quiet):
                await ctx.tick()
            else:
                await put(ctx, host.dut.i, rng.randrange(256), rng.randrange(3))

    simulate(host.dut, testbench, background=[
        core, take(host.dut.o, host.got)], limit=300_000)


@pytest.mark.parametrize("clock_hz", [12e6, 16e6, 20e6, 24e6, 25e6, 27e6, 40e6, 65e6, 100e6])
def test_dividers_keep_their_error(clock_hz):
    divider = Divider(clock_hz, supported_rates(clock_hz))
    assert divider.rates == tuple(r for r in RATES if clock_hz / r > 4.7)
    for rate, step in zip(divider.rates, divider.steps, strict=True):
        assert abs(clock_hz * step / 2**divider.bits / rate - 1) <= MAX_ERROR
    assert any(abs(clock_hz * round(rate * 2**(divider.bits - 1) / clock_hz)
                   / 2**(divider.bits - 1) / rate - 1) > MAX_ERROR for rate in divider.rates)


POSSIBLE = "115200, 230400, 460800, 921600, 1000000, 1500000, 2000000"


@pytest.mark.parametrize("rates, message", [
    ((SAFE_RATE, 3_000_000), f"rates must be some of {POSSIBLE} at 12,000,000 Hz, not 3000000"),
    ((SAFE_RATE, 9600), f"rates must be some of {POSSIBLE} at 12,000,000 Hz, not 9600"),
    ((1_000_000,), "rates must begin with 115200 and ascend, not (1000000,)"),
    ((), "rates must begin with 115200 and ascend, not ()"),
    ((SAFE_RATE, 2_000_000, 1_000_000),
     "rates must begin with 115200 and ascend, not (115200, 2000000, 1000000)"),
])
def test_rates_that_cannot_be(rates, message):
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        Uart(12e6, rates)
