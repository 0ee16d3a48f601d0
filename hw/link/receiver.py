"""Receive side of the link: whole, checked frames in a memory of slots."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.crc.catalog import CRC32_ISO_HDLC
from amaranth.lib.wiring import In, Out, connect, flipped
from amaranth.utils import exact_log2

from ...firmware.frames import Status
from ..memory.block_ram import BlockRam
from .stuffing import Unstuffer

__all__ = ["Receiver"]


class Receiver(wiring.Component):
    """Wire bytes to frames: unstuffs and checks them; one is kept in hand while the next arrives.

    Every frame, good or bad, is announced once, in order, by an item of `o_frame`. Its transfer
    puts the frame in hand: from the next cycle on, `i_offset` addresses it, until `i_release`.
    Meanwhile the frame after it arrives in the other slot; the bytes of a third wait outside.

    Takes a wire byte a cycle. The item comes in the cycle after the frame's closing flag or, if a
    frame is in hand, in the cycle after its release.

    Parameters
    ----------
    slot_bytes
        Bytes of a slot: header and payload of a frame. A power of two, at least 8.

    Members
    -------
    i : wire bytes.
    o_frame : `status`, as `firmware.frames.FrameDecoder` finds it with this limit: OK, CRC, LENGTH
        or OVERFLOW. `length`, of the payload; means nothing unless the status is OK.
    i_offset : byte of the frame in hand to read: header at 0 to 3, payload from 4.
    o_byte : that byte, one cycle after.
    i_release : strobe: the frame in hand is done with; no effect if none is.
    o_pending : a whole frame waits to be taken, whether or not one is in hand.
    """

    #: Frames kept.
    SLOTS = 2

    def __init__(self, slot_bytes: int):
        if slot_bytes < 8 or slot_bytes & (slot_bytes - 1):
            raise ValueError(
                f"slot_bytes must be a power of two of at least 8, not {slot_bytes!r}")
        self.slot_bytes = slot_bytes
        self.memory = BlockRam(8, self.SLOTS * slot_bytes)
        super().__init__({
            "i": In(stream.Signature(8)),
            "o_frame": Out(stream.Signature(data.StructLayout({
                "status": 4, "length": range(slot_bytes - 3)}))),
            "i_offset": In(range(slot_bytes)),
            "o_byte": Out(8),
            "i_release": In(1),
            "o_pending": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.unstuffer = unstuffer = Unstuffer()
        m.submodules.memory = memory = self.memory
        crc = CRC32_ISO_HDLC().create()
        taken = Signal()
        m.submodules.crc = ResetInserter(taken)(crc)

        offset_bits = exact_log2(self.slot_bytes)
        slot = Signal()
        in_hand = Signal()
        received = Signal(offset_bits + 1)
        length = Signal(16)
        overflow = Signal()
        byte = Signal()
        item = unstuffer.o
        connect(m, flipped(self.i), unstuffer.i)
        m.d.comb += [
            item.ready.eq(~self.o_pending),
            byte.eq(item.valid & item.ready & ~item.p.end),
            crc.data.eq(item.p.data),
            crc.valid.eq(byte),
            memory.write_address.eq(Cat(received[:offset_bits], slot)),
            memory.write_data.eq(item.p.data),
            memory.write.eq(byte & ~received[offset_bits]),
            memory.address.eq(Cat(self.i_offset, ~slot)),
            self.o_byte.eq(memory.word),
            # Counting stops here, five bytes past the slot.
            overflow.eq(received[offset_bits] & received[2] & received[0]),
            self.o_frame.valid.eq(self.o_pending & ~in_hand),
            self.o_frame.p.length.eq(length),
            taken.eq(self.o_frame.valid & self.o_frame.ready),
        ]

        header, payload = Signal(), Signal.like(length)
        m.d.comb += [header.eq(received[3:].any()), payload.eq(received - 8)]
        with m.If(overflow):
            m.d.comb += self.o_frame.p.status.eq(Status.OVERFLOW)
        with m.Elif(~header):
            m.d.comb += self.o_frame.p.status.eq(Status.LENGTH)
        with m.Elif(~crc.match_detected):
            m.d.comb += self.o_frame.p.status.eq(Status.CRC)
        with m.Elif(length != payload):
            m.d.comb += self.o_frame.p.status.eq(Status.LENGTH)

        with m.If(byte):
            m.d.sync += received.eq(received + ~overflow)
            with m.If(received[1] & ~received[2:].any()):
                m.d.sync += length.eq(Cat(length[8:], item.p.data))
        with m.If(item.valid & item.p.end):
            m.d.sync += self.o_pending.eq(1)
        with m.If(self.i_release):
            m.d.sync += in_hand.eq(0)
        with m.If(taken):
            m.d.sync += [
                self.o_pending.eq(0),
                in_hand.eq(1),
                slot.eq(~slot),
                received.eq(0),
            ]
        return m
