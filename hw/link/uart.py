"""The serial line: 8N1, at a rate that starts safe and is raised on request.

After a reset the rate is `firmware.rates.SAFE_RATE`. There, and only there, `ESC` and a byte below
`CODES`, which no frame holds, name another rate of `RATES`. It takes effect when the bytes sent
next have all left, so the answer to what follows the request still comes at the old rate and tells
that the request has arrived. The core sees the two bytes as the beginning of a frame; it answers
that it is none.

A break, the line low for `BREAK_BITS` bits, brings the safe rate back at once, and so do
`MAX_FRAMING_ERRORS` bytes in a row without a stop bit. A byte 0x00 at the safe rate is a break at
every other one, and each HELLO holds such a byte: a new host need not know what the last one did.
"""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out, connect, flipped

from ...firmware.frames import ESC
from ...firmware.rates import BREAK_BITS, CODES, MAX_FRAMING_ERRORS, RATES, Divider

__all__ = ["Uart", "UartReceiver", "UartTransmitter"]


class UartReceiver(wiring.Component):
    """Line to bytes. Each bit is sampled once, in its middle, within a cycle.

    A byte comes a cycle after the middle of its stop bit. One that is not taken by the time the
    next one comes makes that one lost.

    Parameters
    ----------
    phase_bits
        Bits of the phase.

    Members
    -------
    rx : the line, asynchronous.
    step : of the phase, a cycle; 2^phase_bits is a bit. May change while `good`, `error` or
        `broken` is set.
    o : bytes.
    good, byte : strobe: this byte has come, whether or not it is lost.
    error : strobe: a byte has no stop bit; it is dropped.
    broken : strobe: the line has been low for `BREAK_BITS` bits.
    """

    def __init__(self, phase_bits: int):
        self.phase_bits = phase_bits
        super().__init__({
            "rx": In(1, init=1),
            "step": In(phase_bits),
            "o": Out(stream.Signature(8)),
            "good": Out(1),
            "byte": Out(8),
            "error": Out(1),
            "broken": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        line = Signal(init=1)
        m.submodules.synchronizer = FFSynchronizer(self.rx, line, init=1)

        half = 1 << (self.phase_bits - 1)
        phase = Signal(self.phase_bits, init=half)
        following = Signal(self.phase_bits + 1)
        tick = Signal()
        m.d.comb += [
            following.eq(phase + self.step),
            tick.eq(following[-1]),
        ]

        busy, first, late = Signal(), Signal(), Signal()
        bits = Signal(9, init=-1)  # the start bit, 0, comes to its end when all data bits are in
        low = Signal(range(BREAK_BITS + 1))
        stop = Signal()
        m.d.comb += [
            self.byte.eq(bits[1:]),
            stop.eq(busy & tick & ~bits[0] & ~late),
            self.good.eq(stop & line),
            self.error.eq(stop & ~line),
            self.broken.eq(busy & tick & ~line & (low == BREAK_BITS - 1)),
        ]
        # The phase moves in the very cycle that sees the start bit's edge, which is half a cycle
        # old on average. So a sample is as often early as late.
        with m.If(busy | ~line):
            m.d.sync += [busy.eq(1), phase.eq(following)]
        with m.Else():
            m.d.sync += phase.eq(half)
        with m.If(~busy):
            m.d.sync += [first.eq(1), late.eq(0), bits.eq(-1), low.eq(0)]
        with m.If(busy & tick):
            m.d.sync += [
                first.eq(0),
                low.eq(Mux(line, 0, low + (low != BREAK_BITS))),
            ]
            with m.If(bits[0]):
                m.d.sync += bits.eq(Cat(bits[1:], line))
            with m.If(self.error):
                m.d.sync += late.eq(1)
            # A glitch is no start bit. After a byte without a stop bit the line must go high first.
            with m.If((first | ~bits[0]) & line):
                m.d.sync += busy.eq(0)

        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(self.good & (~self.o.valid | self.o.ready)):
            m.d.sync += [self.o.payload.eq(self.byte), self.o.valid.eq(1)]
        return m


class UartTransmitter(wiring.Component):
    """Bytes to line; without a gap while there are bytes. A byte waits for less than a bit.

    Parameters
    ----------
    phase_bits
        Bits of the phase.

    Members
    -------
    step : of the phase, a cycle; 2^phase_bits is a bit.
    i : bytes; ready for a cycle a byte.
    tx : the line.
    done : strobe: the last byte has left, stop bit included, and none follows.
    """

    def __init__(self, phase_bits: int):
        self.phase_bits = phase_bits
        super().__init__({
            "step": In(phase_bits),
            "i": In(stream.Signature(8)),
            "tx": Out(1, init=1),
            "done": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        phase = Signal(self.phase_bits)
        tick, sending = Signal(), Signal()
        bits = Signal(10, init=1)  # the stop bit ends what is to be sent, zeros follow
        m.d.sync += Cat(phase, tick).eq(phase + self.step)
        m.d.comb += [
            self.tx.eq(bits[0]),
            self.i.ready.eq(tick & ~bits[1:].any()),
            self.done.eq(self.i.ready & ~self.i.valid & sending),
        ]
        with m.If(self.i.ready):
            m.d.sync += sending.eq(self.i.valid)
            with m.If(self.i.valid):
                m.d.sync += bits.eq(Cat(Const(0, 1), self.i.payload, Const(1, 1)))
        with m.Elif(tick):
            m.d.sync += bits.eq(bits >> 1)
        return m


class Uart(wiring.Component):
    """Both directions and their common rate.

    Parameters
    ----------
    clock_hz
        Clock of the domain ``sync``.
    rates
        Bits a second that may be asked for, ascending, the safe rate first; some of
        `firmware.rates.supported_rates`.

    Members
    -------
    rx, tx : the line, `rx` asynchronous.
    i : bytes to the line.
    o : bytes from the line.
    rate : the rate in use, an index of `rates`.

    Raises
    ------
    ConfigError
        The clock cannot make such a rate.
    """

    def __init__(self, clock_hz: float, rates: tuple[int, ...]):
        self.divider = Divider(clock_hz, tuple(rates))
        super().__init__({
            "rx": In(1, init=1),
            "tx": Out(1, init=1),
            "i": In(stream.Signature(8)),
            "o": Out(stream.Signature(8)),
            "rate": Out(range(len(self.divider.rates))),
        })

    def elaborate(self, platform):
        m = Module()
        divider = self.divider
        m.submodules.receiver = receiver = UartReceiver(divider.bits)
        m.submodules.transmitter = transmitter = UartTransmitter(divider.bits)
        connect(m, flipped(self.i), transmitter.i)
        connect(m, receiver.o, flipped(self.o))
        step = Signal(divider.bits)
        m.d.comb += [
            receiver.rx.eq(self.rx),
            receiver.step.eq(step),
            transmitter.step.eq(step),
            self.tx.eq(transmitter.tx),
        ]
        with m.Switch(self.rate):
            for n, value in enumerate(divider.steps):
                with m.Case(n):
                    m.d.comb += step.eq(value)

        escaped, asked = Signal(), Signal()
        wanted = Signal.like(self.rate)
        errors = Signal(range(MAX_FRAMING_ERRORS))
        with m.If(receiver.good):
            m.d.sync += [escaped.eq(receiver.byte == ESC), errors.eq(0)]
            with m.If(escaped & (self.rate == 0) & (receiver.byte < CODES)):
                for n, rate in enumerate(divider.rates):
                    with m.If(receiver.byte[:CODES.bit_length() - 1] == RATES.index(rate)):
                        m.d.sync += [asked.eq(1), wanted.eq(n)]
        with m.If(receiver.error):
            m.d.sync += errors.eq(errors + 1)
        with m.If(asked & transmitter.done):
            m.d.sync += [asked.eq(0), self.rate.eq(wanted)]
        with m.If(receiver.broken | (receiver.error & (errors == MAX_FRAMING_ERRORS - 1))):
            m.d.sync += [asked.eq(0), self.rate.eq(0), errors.eq(0)]
        return m
