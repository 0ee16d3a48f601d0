"""Cuts the bytes of records into packets."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...firmware.frames import TRACE
from ...firmware.records import PIECE_BYTES
from ..memory.block_ram import BlockRam
from ..parts.ports import PACKET_BYTE

__all__ = ["PieceSender"]

#: Bytes of a packet before the piece's: header and number.
HEAD_BYTES = 8


class PieceSender(wiring.Component):
    """Sends bytes in packets of type `firmware.frames.TRACE`, `PIECE_BYTES` at a time.

    A packet's length stands before its bytes, so a piece is gathered before it is sent; the next
    one is gathered meanwhile. While both halves of the buffer hold whole pieces, `i` waits: no byte
    is ever dropped. A packet of n bytes takes 9 + n cycles, and what `o` stalls.

    Members
    -------
    clear : strobe, while not `busy`: forget what is gathered; the next piece is number 0.
    i : bytes; `last` ends a piece before it is full.
    busy : a whole piece is not out yet; from the cycle after its last byte was taken.
    o : header and payload of the packets.
    """

    def __init__(self) -> None:
        super().__init__({
            "clear": In(1),
            "i": In(stream.Signature(PACKET_BYTE)),
            "busy": Out(1),
            "o": Out(stream.Signature(PACKET_BYTE)),
        })
        self.memory = BlockRam(8, 2 * PIECE_BYTES)
        self.number = Signal(32)

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = self.memory
        place = range(PIECE_BYTES)
        full = Signal(2)
        ends = Signal(data.ArrayLayout(place, 2))  # the last byte of each half

        # Gather.
        half, gathered = Signal(), Signal(place)
        taken, whole = Signal(), Signal()
        m.d.comb += [
            self.i.ready.eq(~full.bit_select(half, 1)),
            taken.eq(self.i.valid & self.i.ready),
            whole.eq(taken & (self.i.p.last | (gathered == PIECE_BYTES - 1))),
            memory.write.eq(taken),
            memory.write_address.eq(Cat(gathered, half)),
            memory.write_data.eq(self.i.p.data),
        ]
        with m.If(taken):
            m.d.sync += gathered.eq(gathered + 1)
        with m.If(whole):
            m.d.sync += [
                gathered.eq(0),
                half.eq(~half),
                full.bit_select(half, 1).eq(1),
                ends[half].eq(gathered),
            ]
        with m.If(self.clear):
            m.d.sync += [gathered.eq(0), self.number.eq(0)]

        # Send.
        sent_half, sending = Signal(), Signal()
        sent, following = Signal(place), Signal(place)
        head, length, go = Signal(range(HEAD_BYTES)), Signal(16), Signal()
        in_head = Signal(init=1)
        m.d.comb += [
            self.busy.eq(full.any()),
            go.eq(self.o.valid & self.o.ready),
            self.o.valid.eq(sending),
            following.eq(Mux(go & ~in_head, sent + 1, sent)),
            memory.address.eq(Cat(following, sent_half)),
            length.eq(ends[sent_half] + 5),
            self.o.p.last.eq(~in_head & (sent == ends[sent_half])),
        ]
        with m.If(in_head):
            with m.Switch(head):
                for n, byte in enumerate([
                        TRACE, self.number[:8], length[:8], length[8:],
                        *(self.number[bit:bit + 8] for bit in range(0, 32, 8))]):
                    with m.Case(n):
                        m.d.comb += self.o.p.data.eq(byte)
        with m.Else():
            m.d.comb += self.o.p.data.eq(memory.word)
        m.d.sync += sent.eq(following)
        with m.If(~sending):
            m.d.sync += [sending.eq(full.bit_select(sent_half, 1)), sent.eq(0)]
        with m.If(go & in_head):
            m.d.sync += head.eq(head + 1)
            with m.If(head == HEAD_BYTES - 1):
                m.d.sync += in_head.eq(0)
        with m.If(go & self.o.p.last):
            m.d.sync += [
                in_head.eq(1),
                sending.eq(0),
                full.bit_select(sent_half, 1).eq(0),
                sent_half.eq(~sent_half),
                self.number.eq(self.number + 1),
            ]
        return m
