"""Serial flash: raw transactions of bytes, and records read from any address on."""

from math import ceil

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .ports import FlashSignature

__all__ = ["FLASH_PINS", "FlashPort", "FlashStore"]

#: Of a flash, by the data lines that it is read by: one each way, or both to the FPGA, `copi_i`
#: while `copi_oe` is low.
FLASH_PINS: dict[int, dict[str, wiring.Member]] = {
    1: {"cs_n": Out(1, init=1), "sck": Out(1), "copi": Out(1), "cipo": In(1)},
}
FLASH_PINS[2] = FLASH_PINS[1] | {"copi_oe": Out(1, init=1), "copi_i": In(1)}

#: The commands that `FlashStore` sends.
READ, READ_TWO_LINES, WAKE = 0x03, 0x3B, 0xAB


class FlashPort(wiring.Component):
    """Sends bytes to a flash and takes bytes from it, in mode 0 at half the clock.

    A byte takes 17 cycles; on two lines one that comes takes 8. One that has come stands still
    until it is taken, and the flash's clock with it.

    Parameters
    ----------
    gap
        Cycles between two transactions, at least 1.
    lines
        By which bytes may come: 1, or 2 where the bytes sent ask for that.

    Members
    -------
    i : bytes to send; the first one begins a transaction. `last`: no more are sent.
    receive : with `last`, whether bytes are wanted behind it; else the transaction ends.
    wide : with `last`, where there are two lines: whether they come on both, the upper bits on
        `cipo`. The last byte is not driven then.
    stop : strobe that ends a transaction, wherever it is.
    idle : none is under way.
    o : bytes received.
    cs_n, sck, copi, cipo : pins; `cipo` is read as it is where `sck` falls.
    copi_oe, copi_i : of two lines.
    """

    def __init__(self, gap: int, lines: int = 1):
        self.gap, self.lines = max(1, gap), lines
        super().__init__({
            "i": In(stream.Signature(data.StructLayout({"data": 8, "last": 1}))),
            "receive": In(1), "stop": In(1), "idle": Out(1),
            **({"wide": In(1)} if lines == 2 else {}),
            "o": Out(stream.Signature(8)),
            **FLASH_PINS[lines],
        })

    def elaborate(self, platform):
        m = Module()
        shift = Signal(8)
        bit = Signal(3)
        wait = Signal(range(self.gap + 1))
        reading, more, ending = Signal(), Signal(), Signal()
        m.d.comb += [self.copi.eq(shift[-1]), self.o.p.eq(shift)]
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)

        def ends():
            with m.If(self.stop):  # the clock falls, or stays low, before the deselection
                m.d.sync += [self.sck.eq(0), self.o.valid.eq(0)]
                m.next = "END"

        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += self.idle.eq(wait == 0)
                m.d.sync += [wait.eq(wait - (wait != 0)), reading.eq(0)]
                with m.If(self.i.valid & (wait == 0)):
                    m.d.sync += self.cs_n.eq(0)
                    m.next = "BYTE"
            with m.State("BYTE"):
                m.d.comb += self.i.ready.eq(~reading)
                with m.If(reading):
                    with m.If(~self.o.valid | self.o.ready):
                        m.next = "LOW"
                with m.Elif(self.i.valid):
                    m.d.sync += [shift.eq(self.i.p.data), ending.eq(self.i.p.last),
                                 more.eq(self.receive)]
                    m.next = "LOW"
                ends()
            with m.State("LOW"):
                m.d.sync += self.sck.eq(1)
                m.next = "HIGH"
                self._hold(m, reading)
                ends()
            with m.State("HIGH"):
                m.d.sync += [self.sck.eq(0), shift.eq(Cat(self.cipo, shift)), bit.eq(bit + 1)]
                m.next = "LOW"
                with m.If(bit == 7):
                    m.next = "BYTE"
                    with m.If(reading):
                        m.d.sync += self.o.valid.eq(1)
                    with m.Elif(ending):
                        m.d.sync += reading.eq(more)
                        with m.If(~more):
                            m.next = "END"
                self._two_bits(m, reading, shift, bit)
                ends()
            with m.State("END"):
                m.d.sync += [self.cs_n.eq(1), bit.eq(0), wait.eq(self.gap)]
                m.next = "IDLE"
        if self.lines == 2:
            with m.If(self.cs_n):
                m.d.sync += self.copi_oe.eq(1)
            with m.Elif(self.i.valid & self.i.ready):
                m.d.sync += self.copi_oe.eq(~(self.i.p.last & self.receive & self.wide))
        return m

    def _hold(self, m, reading):
        """On two lines bytes come without a gap: one that has come holds the next one's clock."""
        if self.lines == 2:
            with m.If(reading & ~self.copi_oe & self.o.valid & ~self.o.ready):
                m.d.sync += self.sck.eq(0)
                m.next = "LOW"

    def _two_bits(self, m, reading, shift, bit):
        if self.lines == 2:
            with m.If(reading & ~self.copi_oe):
                m.d.sync += [shift.eq(Cat(self.copi_i, self.cipo, shift)), bit.eq(bit + 2),
                             self.o.valid.eq(bit == 6)]
                m.next = "LOW"


class FlashStore(wiring.Component):
    """Reads bytes from any address on: the first 88 cycles behind the request, then one each 17.

    On two lines, by 0x3B, it is 97 cycles and 8; no bit of the flash's status matters for either.
    Wakes the flash first, which an iCE40 that has configured itself leaves asleep. Raw transactions
    go as they come to a `FlashPort`.

    Parameters
    ----------
    clock_hz
        Of `sync`, at most twice what the flash allows for its reading: 0x03 mostly 50 MHz, 0x3B
        mostly 104.
    lines
        By which records are read.

    Members
    -------
    port : the link.
    cs_n, sck, copi, cipo, copi_oe, copi_i : see `FlashPort`.
    """

    #: What flashes take to wake, and between two transactions, at the slowest.
    WAKE_S, GAP_S = 30e-6, 50e-9

    def __init__(self, clock_hz: float, lines: int = 1):
        self.clock_hz, self.lines = clock_hz, lines
        self.wake = ceil(self.WAKE_S * clock_hz)
        self.pins = FlashPort(ceil(self.GAP_S * clock_hz), lines)
        super().__init__({
            "port": In(FlashSignature()),
            **FLASH_PINS[lines],
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.pins = pins = self.pins
        port = self.port
        # What is left to send, its next byte on top: on two lines 0x3B wants a byte more.
        sent = Cat(port.address, C(READ, 8))
        if self.lines == 2:
            sent = Cat(C(0, 8), port.address, C(READ_TWO_LINES, 8))
            m.d.comb += [self.copi_oe.eq(pins.copi_oe), pins.copi_i.eq(self.copi_i)]
        command = Signal(len(sent))
        left = Signal(range(len(sent) // 8))
        wait = Signal(range(self.wake + 1), init=self.wake)
        reading = Signal()    # bytes come
        m.d.comb += [
            self.cs_n.eq(pins.cs_n), self.sck.eq(pins.sck), self.copi.eq(pins.copi),
            pins.cipo.eq(self.cipo), port.o.p.eq(pins.o.p),
            port.o.valid.eq(pins.o.valid & reading), pins.o.ready.eq(port.o.ready & reading),
            pins.stop.eq(port.stop & reading),
            pins.i.p.data.eq(command[-8:]), pins.i.p.last.eq(left == 0), pins.receive.eq(1),
        ]
        with m.FSM():
            with m.State("ASLEEP"):
                m.d.comb += [pins.i.valid.eq(1), pins.i.p.data.eq(WAKE), pins.i.p.last.eq(1),
                             pins.receive.eq(0)]
                with m.If(pins.i.ready):
                    m.next = "WAKES"
            with m.State("WAKES"):
                with m.If(pins.idle):
                    m.d.sync += wait.eq(wait - 1)
                    with m.If(wait == 0):
                        m.next = "IDLE"
            with m.State("IDLE"):
                m.d.comb += port.idle.eq(pins.idle)
                m.d.sync += [command.eq(sent), left.eq(len(sent) // 8 - 1)]
                with m.If(port.start & pins.idle):
                    m.next = "COMMAND"
                with m.Elif(port.i.valid & pins.idle):
                    m.next = "RAW"
            with m.State("COMMAND"):
                m.d.comb += pins.i.valid.eq(1)
                if self.lines == 2:
                    m.d.comb += pins.wide.eq(1)
                with m.If(pins.i.ready):
                    m.d.sync += [command.eq(command << 8), left.eq(left - 1)]
                    with m.If(left == 0):
                        m.next = "READ"
            with m.State("READ"):
                m.d.comb += reading.eq(1)
                with m.If(port.stop):
                    m.next = "IDLE"
            with m.State("RAW"):
                m.d.comb += [reading.eq(1), pins.i.valid.eq(port.i.valid), pins.i.p.eq(port.i.p),
                             pins.receive.eq(port.receive), port.i.ready.eq(pins.i.ready)]
                with m.If(pins.idle & ~port.i.valid):
                    m.next = "IDLE"
        return m
