"""Byte stuffing: frames in a byte stream, as `firmware.frames` defines them."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...firmware.frames import ESC, ESC_XOR, FLAG
from ..parts.ports import PACKET_BYTE

__all__ = ["UNSTUFFED", "Stuffer", "Unstuffer"]

#: A byte of a frame, or with `end` its end, `data` then meaning nothing.
UNSTUFFED = data.StructLayout({"data": 8, "end": 1})


class Unstuffer(wiring.Component):
    """Wire bytes to frames: removes the escapes, turns the flags that end a frame into an item.

    A flag ends a frame if any byte, be it a lone escape, came after the flag before it. An escape
    directly before a flag is dropped.

    Latency 0 (combinational), throughput one wire byte a cycle. Flags and escapes that give no
    item are taken whatever `o` does.

    Members
    -------
    i : wire bytes.
    o : bytes and ends of frames.
    """

    i: In(stream.Signature(8))
    o: Out(stream.Signature(UNSTUFFED))

    def elaborate(self, platform):
        m = Module()
        started, escaped = Signal(), Signal()
        flag, escape = Signal(), Signal()
        m.d.comb += [
            flag.eq(self.i.p == FLAG),
            escape.eq((self.i.p == ESC) & ~escaped),
            self.o.p.data.eq(self.i.p ^ Mux(escaped, ESC_XOR, 0)),
            self.o.p.end.eq(flag),
            self.o.valid.eq(self.i.valid & Mux(flag, started, ~escape)),
            self.i.ready.eq(self.o.ready | ~self.o.valid),
        ]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [
                started.eq(~flag),
                escaped.eq(escape),
            ]
        return m


class Stuffer(wiring.Component):
    """Packets to wire bytes: a flag, the bytes with escapes, a flag.

    Latency 0 (combinational). A packet of n bytes, of which e are flags or escapes, takes
    n + e + 2 cycles.

    Members
    -------
    i : bytes of packets.
    o : wire bytes.
    """

    i: In(stream.Signature(PACKET_BYTE))
    o: Out(stream.Signature(8))

    def elaborate(self, platform):
        m = Module()
        sent = Signal()
        m.d.comb += sent.eq(self.o.valid & self.o.ready)

        def take():
            m.d.comb += self.i.ready.eq(self.o.ready)
            with m.If(sent):
                with m.If(self.i.p.last):
                    m.next = "CLOSE"
                with m.Else():
                    m.next = "BODY"

        with m.FSM():
            with m.State("OPEN"):
                m.d.comb += [self.o.p.eq(FLAG), self.o.valid.eq(self.i.valid)]
                with m.If(sent):
                    m.next = "BODY"

            with m.State("BODY"):
                m.d.comb += self.o.valid.eq(self.i.valid)
                with m.If((self.i.p.data == FLAG) | (self.i.p.data == ESC)):
                    m.d.comb += self.o.p.eq(ESC)
                    with m.If(sent):
                        m.next = "ESCAPED"
                with m.Else():
                    m.d.comb += self.o.p.eq(self.i.p.data)
                    take()

            with m.State("ESCAPED"):
                m.d.comb += [self.o.p.eq(self.i.p.data ^ ESC_XOR), self.o.valid.eq(self.i.valid)]
                take()

            with m.State("CLOSE"):
                m.d.comb += [self.o.p.eq(FLAG), self.o.valid.eq(1)]
                with m.If(sent):
                    m.next = "OPEN"

        return m
