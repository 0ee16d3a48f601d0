"""The UART of the harness, on a wire and on a UART of ours."""

import random

import pytest
from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect

from tritgrad.errors import DeviceError
from tritgrad.firmware.frames import FLAG
from tritgrad.firmware.rates import SAFE_RATE, rate_request, supported_rates
from tritgrad.hw.link.uart import Uart
from tritgrad.sim.board import CompiledBoard

CLOCK_HZ = 24e6
RATES = supported_rates(CLOCK_HZ)


class Echo(wiring.Component):
    """A board that sends what it receives."""

    clk: In(1)
    rx: In(1, init=1)
    tx: Out(1, init=1)

    def elaborate(self, platform):
        m = Module()
        m.domains.sync = ClockDomain(reset_less=True)
        m.submodules.uart = uart = Uart(CLOCK_HZ, RATES)
        connect(m, uart.o, uart.i)
        m.d.comb += [ClockSignal().eq(self.clk), uart.rx.eq(self.rx), self.tx.eq(uart.tx)]
        return m


@pytest.fixture
def board():
    with CompiledBoard(Echo, "echo", CLOCK_HZ) as made:
        yield made


def talk(board, data, rate, cycles=None):
    """Send bytes and return all that comes back."""
    out = b""
    while data:
        consumed, answer = board.run(data, rate, 1000, stop_at_frame=False)
        data, out = data[consumed:], out + answer
    for _ in range(int(cycles or 40 * CLOCK_HZ / rate) // 1000 + 1):
        out += board.run(b"", rate, 1000, stop_at_frame=False)[1]
    return out


# The seed's bytes at 1.5 Mbaud have a frame's end shortly before the end of a pile.
@pytest.mark.parametrize("seed", [843495822, None])
@pytest.mark.parametrize("rate", RATES[1:])
def test_bytes_at_every_rate(board, rate, seed, fresh_seed):
    seed = fresh_seed if seed is None else seed
    data = random.Random(seed).randbytes(200)
    request = rate_request(rate)
    assert talk(board, request, SAFE_RATE) == request
    sent = board.sent
    for off in (0.98, 1.0, 1.02):
        # Few at a time: what comes in faster than it goes out piles up.
        for piece in (data[n:n + 20] for n in range(0, len(data), 20)):
            assert talk(board, piece, rate * off) == piece, f"seed {seed}"
    assert board.sent == sent + 3 * len(data)


def test_the_line_is_never_idle_between_bytes(board):
    talk(board, rate_request(3_000_000), SAFE_RATE)
    before = board.cycles
    assert board.run(bytes(1001), 3_000_000, 80_000)[0] == 1000
    assert board.cycles - before == 80_000


def test_a_break_brings_the_safe_rate_back(board):
    talk(board, rate_request(3_000_000), SAFE_RATE)
    assert talk(board, bytes([0x12, 0x34]), 3_000_000) == bytes([0x12, 0x34])
    talk(board, bytes(1), SAFE_RATE)
    assert talk(board, bytes([0x12, 0x34]), SAFE_RATE) == bytes([0x12, 0x34])


def test_a_reset_brings_the_safe_rate_back(board):
    talk(board, rate_request(3_000_000), SAFE_RATE)
    board.reset()
    assert board.cycles == 0
    assert talk(board, bytes([0x12, 0x34]), SAFE_RATE) == bytes([0x12, 0x34])


def test_exchange_carries_on_where_it_stopped(board):
    data = bytes(range(1, 101))
    talk(board, rate_request(3_000_000), SAFE_RATE)
    out = board.exchange(data, 3_000_000)
    assert board.busy
    while len(out) < 100:
        out += board.exchange(b"", 3_000_000)
    assert out == data
    assert board.exchange(b"", 0) == b""
    while board.busy:
        assert board.exchange(b"", 3_000_000) == b""


def test_exchange_stops_at_the_end_of_a_frame(board):
    talk(board, rate_request(3_000_000), SAFE_RATE)
    board.exchange(bytes([FLAG, 1, FLAG, 2, 3]), 3_000_000)
    assert board.cycles % board.BURST != 0


def test_a_closed_board_raises(board):
    board.close()
    with pytest.raises(DeviceError, match="^the compiled core is closed$"):
        board.run(b"", 3_000_000, 10)
