"""Activation words: compact lists of the non-zero words of a sample or of hidden layers.

While words arrive, those with any bit set are appended to a list; forward pass and update replay
the list, so a zero word costs no cycle.
"""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ...model.config import CoreConfig
from ...units.registry import takes
from ..memory.block_ram import BlockRam
from ..parts.entry import Entry, plane_mask
from ..parts.ports import sample_word

__all__ = ["ListReader", "SampleBuffer"]


class SampleBuffer(wiring.Component):
    """Two sample buffers: one in hand, one that fills from the link.

    A word a cycle goes in, of a `pipelined` core by a register. Words with no bit set are dropped
    on the way.

    Members
    -------
    i : sample words; ready while the receiving buffer, and the register before it, is not full.
    clear : strobe: forget both buffers.
    take : strobe, only while `filled`: the received sample becomes the one in hand.
    filled : a whole sample has been received.
    label, count : of the sample in hand: its label and the entries of its list.
    address, enable : entry of the sample in hand to read; `entry` one cycle after, held while not
        enabled.
    active : where lists are masks, the words of the sample in hand that are not zero. An entry
        then lies at the address that is its word's number.
    pending : of a pipelined core: a word is in the register.
    """

    def __init__(self, config: CoreConfig):
        self.config, self.masks = config, takes(config, "masks")
        words = config.max_input_words
        self.layout = Entry(config, config.input_planes, words)
        super().__init__({
            "i": In(stream.Signature(sample_word(config))),
            "clear": In(1),
            "take": In(1),
            "filled": Out(1),
            "label": Out(8),
            "count": Out(range(words + 1)),
            "address": In(range(words)),
            "enable": In(1),
            "entry": Out(self.layout),
            **({"active": Out(words)} if self.masks else {}),
            **({"pending": Out(1)} if config.pipelined else {}),
        })
        self.memory = BlockRam(self.layout, 2 << (words - 1).bit_length())
        self.hand = Signal()  # the buffer in hand

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = self.memory

        index = Signal.like(self.address)
        appended = Signal.like(self.count)
        label = Signal(8)
        word, arrives = self.i.p, self.i.valid & self.i.ready
        if self.config.pipelined:
            word, arrives = self._one_later(m)
        mask = plane_mask(word.planes, self.config.lanes)

        place = index if self.masks else appended[:len(self.address)]
        m.d.comb += [
            memory.address.eq(Cat(self.address, self.hand)),
            memory.enable.eq(self.enable),
            self.entry.eq(memory.word),
            *([] if self.config.pipelined else [self.i.ready.eq(~self.filled)]),
            memory.write_address.eq(Cat(place, ~self.hand)),
            memory.write_data.index.eq(index),
            memory.write_data.mask.eq(mask),
            memory.write_data.planes.eq(word.planes),
        ]
        with m.If(arrives):
            m.d.comb += memory.write.eq(mask.any())
            m.d.sync += [
                index.eq(index + 1),
                appended.eq(appended + mask.any()),
            ]
            with m.If(word.last):
                m.d.sync += [self.filled.eq(1), index.eq(0), label.eq(word.label)]
        with m.If(self.take):
            m.d.sync += [
                self.hand.eq(~self.hand),
                self.filled.eq(0),
                self.count.eq(appended),
                self.label.eq(label),
                appended.eq(0),
            ]
        with m.If(self.clear):
            m.d.sync += [
                self.filled.eq(0),
                self.count.eq(0),
                self.label.eq(0),
                appended.eq(0),
                index.eq(0),
            ]
        if self.masks:
            arriving = Signal.like(self.active)
            with m.If(arrives):
                for n in range(len(arriving)):
                    with m.If(mask.any() & (index == n)):
                        m.d.sync += arriving[n].eq(1)
            with m.If(self.take):
                m.d.sync += [self.active.eq(arriving), arriving.eq(0)]
            with m.If(self.clear):
                m.d.sync += [self.active.eq(0), arriving.eq(0)]
        return m

    def _one_later(self, m):
        """The word of the cycle before, and whether it goes in: a short way to the memory."""
        word = Signal.like(self.i.p)
        m.d.comb += self.i.ready.eq(~self.filled | ~self.pending)
        with m.If(self.i.ready):
            m.d.sync += [word.eq(self.i.p), self.pending.eq(self.i.valid)]
        with m.If(self.clear):
            m.d.sync += self.pending.eq(0)
        return word, self.pending & ~self.filled


class ListReader(wiring.Component):
    """Replays a list from a memory with a registered read, an item a cycle, pass after pass.

    The list may still grow: the reader stalls at its end until `final`. The next pass starts in the
    cycle after the last item was taken.

    Members
    -------
    start : strobe: begin with the first pass.
    count : items in the list; `final` if it will not grow.
    address, enable : to the memory's read port; its data is the item while `valid`.
    valid : an item is there; `take` consumes it.
    last : it is the pass's last, known to be so one cycle after `final` at the latest.
    ended : no item is left of the pass, though none was marked last; `take` starts the next pass.
    """

    def __init__(self, depth: int):
        self.depth = depth
        super().__init__({
            "start": In(1),
            "count": In(range(depth + 1)),
            "final": In(1),
            "address": Out(range(depth)),
            "enable": Out(1),
            "valid": Out(1),
            "last": Out(1),
            "ended": Out(1),
            "take": In(1),
        })

    def elaborate(self, platform):
        m = Module()
        following = Signal(range(self.depth + 1))  # item to read next
        end = Signal()  # the pass has no item beyond the one in hand; `following` is 0 again
        reads, more, ends = Signal(), Signal(), Signal()
        m.d.comb += [
            self.last.eq(self.valid & end),
            self.ended.eq(~self.valid & end),
            reads.eq(Mux(end, self.take, ~self.valid | self.take)),
            more.eq(following != self.count),
            ends.eq(self.final & (~more | (reads & (following + 1 == self.count)))),
            # A read beyond the list does no harm: so the memory need not wait for `more`.
            self.address.eq(following),
            self.enable.eq(reads),
        ]
        with m.If(reads):
            m.d.sync += [self.valid.eq(more), following.eq(following + more)]
        with m.If(reads | ~end):
            m.d.sync += end.eq(ends)
            with m.If(ends):
                m.d.sync += following.eq(0)
        with m.If(self.start):
            m.d.sync += [following.eq(0), self.valid.eq(0), end.eq(0)]
        return m
