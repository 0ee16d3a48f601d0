# amaranth: UnusedElaboratable=no

"""A whole UART: requests for a rate, and what brings the safe one back."""

import random
import re

import pytest
from amaranth import Signal

from tritgrad.errors import ConfigError
from tritgrad.firmware.frames import ESC, FLAG
from tritgrad.firmware.rates import (
    MAX_FRAMING_ERRORS,
    SAFE_RATE,
    rate_request,
)
from tritgrad.hw.link.uart import Uart

from .harness import put, simulate
from .serial_line import bit_time, listen, send, take


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
