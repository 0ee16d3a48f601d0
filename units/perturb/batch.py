"""Resident samples: a mini-batch that stays on the chip and is taken in hand again and again."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...hw.memory.block_ram import BlockRam
from ...hw.parts.entry import Entry, plane_mask
from ...hw.parts.ports import sample_word
from ...model.config import CoreConfig

__all__ = ["BatchBuffer"]


class BatchBuffer(wiring.Component):
    """A ring of sample buffers in place of `SampleBuffer`: all but one stay, the other fills.

    A word a cycle goes in. Words with no bit set are dropped on the way. Once all are taken, each
    further sample takes the place of the oldest.

    Members
    -------
    i : sample words; ready while the receiving buffer is not full.
    clear : strobe: forget all buffers.
    take : strobe, only while `filled`: the received sample stays and becomes the one in hand.
    filled : a whole sample has been received.
    kept : samples that stay.
    select, position : strobe: the sample so many places after the oldest becomes the one in hand
        two cycles later, if there is one.
    label, count : of the sample in hand: its label and the entries of its list.
    address, enable : entry of the sample in hand to read; `entry` one cycle after, held while not
        enabled.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        words = config.max_input_words
        slots = config.resident + 1
        self.layout = Entry(config, config.input_planes, words)
        super().__init__({
            "i": In(stream.Signature(sample_word(config))),
            "clear": In(1),
            "take": In(1),
            "filled": Out(1),
            "kept": Out(range(slots)),
            "select": In(1),
            "position": In(range(slots)),
            "label": Out(8),
            "count": Out(range(words + 1)),
            "address": In(range(words)),
            "enable": In(1),
            "entry": Out(self.layout),
        })
        self.memory = BlockRam(self.layout, slots << (words - 1).bit_length())
        #: Label and count of each buffer.
        self.heads = BlockRam(data.StructLayout({"label": 8, "count": range(words + 1)}), slots)
        self.hand = Signal(range(slots))  # the buffer in hand

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = self.memory
        m.submodules.heads = heads = self.heads

        tail = Signal.like(self.hand)  # the buffer that fills
        index = Signal.like(self.address)
        appended = Signal.like(self.count)
        label = Signal(8)
        selected = Signal()
        mask = plane_mask(self.i.p.planes, self.config.lanes)

        m.d.comb += [
            memory.address.eq(Cat(self.address, self.hand)),
            memory.enable.eq(self.enable),
            self.entry.eq(memory.word),
            self.i.ready.eq(~self.filled),
            memory.write_address.eq(Cat(appended[:len(self.address)], tail)),
            memory.write_data.index.eq(index),
            memory.write_data.mask.eq(mask),
            memory.write_data.planes.eq(self.i.p.planes),
            heads.address.eq(tail - self.kept + self.position),
            heads.write_address.eq(tail),
            heads.write_data.label.eq(label),
            heads.write_data.count.eq(appended),
            heads.write.eq(self.take),
        ]
        m.d.sync += selected.eq(self.select & self.kept.any())
        with m.If(self.select & self.kept.any()):
            m.d.sync += self.hand.eq(heads.address)
        with m.If(selected):
            m.d.sync += [self.label.eq(heads.word.label), self.count.eq(heads.word.count)]
        with m.If(self.i.valid & self.i.ready):
            m.d.comb += memory.write.eq(mask.any())
            m.d.sync += [
                index.eq(index + 1),
                appended.eq(appended + mask.any()),
            ]
            with m.If(self.i.p.last):
                m.d.sync += [self.filled.eq(1), index.eq(0), label.eq(self.i.p.label)]
        with m.If(self.take):
            m.d.sync += [
                self.hand.eq(tail),
                tail.eq(tail + 1),
                self.kept.eq(Mux(self.kept.all(), self.kept, self.kept + 1)),
                self.filled.eq(0),
                self.count.eq(appended),
                self.label.eq(label),
                appended.eq(0),
            ]
        with m.If(self.clear):
            m.d.sync += [
                self.filled.eq(0),
                self.kept.eq(0),
                self.count.eq(0),
                self.label.eq(0),
                appended.eq(0),
                index.eq(0),
            ]
        return m
