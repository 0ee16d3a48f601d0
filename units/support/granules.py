"""Replays activation words without those whose granule is outside the support."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...model.config import CoreConfig

__all__ = ["GranuleReader"]


class GranuleReader(wiring.Component):
    """Replays non-zero words from a memory with a registered read, pass after pass, a word a cycle.

    A masked pass is that of a row group and leaves words outside its support away at no cost: the
    next word is the lowest set bit of activity and support. The groups' words of SUPPORT are read
    ahead. Handshake and stalls are those of `ListReader`; the first word comes a cycle later.

    Members
    -------
    start : strobe: begin with the first pass, with
    masked, group : whether passes are masked; the word of SUPPORT of the first.
    active : words that are not zero so far; `final` if there will be no more.
    support_address, support_enable, support_word : read port of SUPPORT; one cycle later.
    address, enable : to the words' read port; its data is the item while `valid`.
    valid, last, ended, take : see `ListReader`.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        words = config.max_words
        super().__init__({
            "start": In(1),
            "masked": In(1),
            "group": In(range(config.support_depth)),
            "active": In(words),
            "final": In(1),
            "support_address": Out(range(config.support_depth)),
            "support_enable": Out(1),
            "support_word": In(words),
            "address": Out(range(words)),
            "enable": Out(1),
            "valid": Out(1),
            "last": Out(1),
            "ended": Out(1),
            "take": In(1),
        })

    def elaborate(self, platform):
        m = Module()
        words = self.config.max_words
        masked, preparing = Signal(), Signal()
        inside = Signal(words)                 # words of the pass in hand
        left = Signal(words, init=-1)          # those that are not behind the item in hand
        following = Signal.like(self.group)    # word of SUPPORT to read next
        end = Signal()  # the pass has no item beyond the one in hand; the next one is prepared
        waiting, below = Signal(words), Signal(words)
        lowest = Signal(words)
        reads, more, ends, advance = Signal(), Signal(), Signal(), Signal()
        m.d.comb += [
            waiting.eq(self.active & inside & left),
            below.eq(waiting - 1),
            lowest.eq(waiting & ~below),
            more.eq(waiting.any()),
            self.last.eq(self.valid & end),
            self.ended.eq(~self.valid & end),
            reads.eq(~preparing & Mux(end, self.take, ~self.valid | self.take)),
            ends.eq(~preparing & self.final & (~more | (reads & ~(waiting & below).any()))),
            self.address.eq(_encoded(lowest)),
            self.enable.eq(reads),
            advance.eq(preparing | ((reads | ~end) & ends)),
            self.support_address.eq(Mux(self.start, self.group, following)),
            self.support_enable.eq(self.start | advance),
        ]
        with m.If(reads):
            m.d.sync += self.valid.eq(more)
            with m.If(more):
                m.d.sync += left.eq(left & ~(waiting ^ below))
        with m.If((reads | ~end) & ~preparing):
            m.d.sync += end.eq(ends)
        with m.If(advance):
            m.d.sync += [
                preparing.eq(0),
                inside.eq(self.support_word | (~masked).replicate(words)),
                left.eq(-1),
                following.eq(following + 1),
            ]
        with m.If(self.start):
            m.d.sync += [
                preparing.eq(1),
                masked.eq(self.masked),
                following.eq(self.group + 1),
                self.valid.eq(0),
                end.eq(0),
            ]
        return m


def _encoded(lowest: Value) -> Value:
    """The number of the only bit that is set."""
    bits = (len(lowest) - 1).bit_length()
    return Cat(Cat(lowest[n] for n in range(len(lowest)) if n >> place & 1).any()
               for place in range(bits))
