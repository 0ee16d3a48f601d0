"""Send side of the link: packets from several senders, one after the other, as frames."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.crc.catalog import CRC32_ISO_HDLC
from amaranth.lib.wiring import In, Out, connect, flipped

from ..parts.ports import PACKET_BYTE
from .stuffing import Stuffer

__all__ = ["Arbiter", "Transmitter"]


class Arbiter(wiring.Component):
    """Joins packet streams, whole packets at a time, in turn when several have one.

    Passes a byte a cycle with latency 0 (combinational) once a packet is chosen, which takes one
    cycle a packet.

    Parameters
    ----------
    inputs
        Number of streams.

    Members
    -------
    i : the streams, an array.
    o : the packets of all.
    """

    def __init__(self, inputs: int):
        if inputs < 1:
            raise ValueError(f"inputs must be at least 1, not {inputs!r}")
        self.inputs = inputs
        super().__init__({
            "i": In(stream.Signature(PACKET_BYTE)).array(inputs),
            "o": Out(stream.Signature(PACKET_BYTE)),
        })

    def elaborate(self, platform):
        m = Module()
        chosen = Signal(range(self.inputs))
        busy = Signal()
        with m.Switch(chosen):
            for n in range(self.inputs):
                with m.Case(n):
                    with m.If(busy):
                        m.d.comb += [
                            self.o.p.eq(self.i[n].p),
                            self.o.valid.eq(self.i[n].valid),
                            self.i[n].ready.eq(self.o.ready),
                        ]
                    with m.Else():
                        # The last assignment wins: the stream after n comes first, n itself last.
                        for ahead in reversed(range(1, self.inputs + 1)):
                            other = (n + ahead) % self.inputs
                            with m.If(self.i[other].valid):
                                m.d.sync += [chosen.eq(other), busy.eq(1)]
        with m.If(self.o.valid & self.o.ready & self.o.p.last):
            m.d.sync += busy.eq(0)
        return m


class Transmitter(wiring.Component):
    """Packets to wire bytes: appends the CRC and stuffs.

    Latency: a cycle. A packet of n bytes takes n + 6 cycles and one more for each byte of it and
    its CRC that is escaped; the flags and the CRC keep `i` waiting. Two bytes can wait, so that
    `i.ready` comes from a register: what makes packets and what stuffs them are both long paths.

    Members
    -------
    i : header and payload of frames; the sender sees to the length field.
    o : wire bytes.
    """

    i: In(stream.Signature(PACKET_BYTE))
    o: Out(stream.Signature(8))

    def elaborate(self, platform):
        m = Module()
        m.submodules.stuffer = stuffer = Stuffer()
        crc = CRC32_ISO_HDLC().create()
        done = Signal()
        m.submodules.crc = ResetInserter(done)(crc)

        byte, full = Signal(PACKET_BYTE), Signal()
        spare, spare_full = Signal(PACKET_BYTE), Signal()
        in_crc = Signal()
        index = Signal(range(4))
        taken = Signal()
        connect(m, stuffer.o, flipped(self.o))
        m.d.comb += self.i.ready.eq(~spare_full)
        with m.If(~full | (~in_crc & stuffer.i.ready)):
            m.d.sync += [
                byte.eq(Mux(spare_full, spare, self.i.p)),
                full.eq(spare_full | self.i.valid),
                spare_full.eq(0),
            ]
        with m.Elif(self.i.valid & ~spare_full):
            m.d.sync += [spare.eq(self.i.p), spare_full.eq(1)]
        m.d.comb += [
            stuffer.i.p.data.eq(Mux(in_crc, crc.crc[:8], byte.data)),
            stuffer.i.p.last.eq(in_crc & (index == 3)),
            stuffer.i.valid.eq(in_crc | full),
            taken.eq(stuffer.i.valid & stuffer.i.ready),
            done.eq(taken & stuffer.i.p.last),
            crc.valid.eq(taken),
            # A CRC register that is fed its own low byte shifts right by a byte; `crc.crc` is the
            # register inverted.
            crc.data.eq(stuffer.i.p.data ^ in_crc.replicate(8)),
        ]
        with m.If(taken & in_crc):
            m.d.sync += index.eq(index + 1)
        with m.If(taken & ~in_crc & byte.last):
            m.d.sync += in_crc.eq(1)
        with m.If(done):
            m.d.sync += in_crc.eq(0)
        return m
