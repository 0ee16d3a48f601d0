"""Walks through the frame in hand."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...model.config import CoreConfig
from ...units.registry import windows

__all__ = ["PAYLOAD", "FrameReader"]

#: Byte n of a payload is byte PAYLOAD + n of its frame.
PAYLOAD = 4
#: Most bytes of a payload that are no items of DATA or FILL.
FIXED_MOST = 5


class FrameReader(wiring.Component):
    """A place in the frame in hand, a second one to come back to, and the bytes taken last.

    The strobes act at the clock edge; `byte` is the new place's in the next cycle.

    Members
    -------
    offset, byte : to a `Receiver`: its `i_offset` and `o_byte`. `byte` is the one at the place.
    restart : strobe: go to the header's first byte; `byte` is valid one cycle later.
    rewind, first : strobe: go to the payload's byte of this number.
    take : strobe: go on by one.
    mark : strobe: remember the place, after `take`.
    swap : strobe: go to the remembered place and remember this one, after `take`.
    following : the place after `take`; behind : the one after this one, taken or not.
    end : byte behind the payload; `at_end` if the place is there.
    gather : strobe: `take`, and shift the byte into `word`.
    word : the last bytes, the very last one on top.
    nonzero : a byte gathered since `restart` was not 0.
    load, value : strobe: put this into `word`, at the bottom.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        place = range(config.slot_bytes + 1)
        word_bytes = max(8, config.trit_word_bytes, config.residual_word_bytes,
                         *(window.word_bytes(config) for window in windows(config).values()))
        super().__init__({
            "offset": Out(range(config.slot_bytes)),
            "byte": In(8),
            "restart": In(1),
            "rewind": In(1),
            "first": In(range(FIXED_MOST + 1)),
            "take": In(1),
            "mark": In(1),
            "swap": In(1),
            "following": Out(place),
            "behind": Out(place),
            "end": In(place),
            "at_end": Out(1),
            "gather": In(1),
            "word": Out(8 * word_bytes),
            "nonzero": Out(1),
            "load": In(1),
            "value": In(64),
        })

    def elaborate(self, platform):
        m = Module()
        place, other, to = (Signal.like(self.end, name=name) for name in ("place", "other", "to"))
        m.d.comb += [
            self.behind.eq(place + 1),
            self.following.eq(Mux(self.take | self.gather, self.behind, place)),
        ]
        if self.config.pipelined:
            self._at_end(m, other)
        else:
            m.d.comb += self.at_end.eq(place == self.end)
        m.d.comb += [to.eq(Mux(self.swap, other, self.following)), self.offset.eq(to)]
        with m.If(self.restart):
            m.d.comb += to.eq(0)
            m.d.sync += self.nonzero.eq(0)
        with m.Elif(self.rewind):
            m.d.comb += to.eq(PAYLOAD + self.first)
        m.d.sync += place.eq(to)
        with m.If(self.mark | self.swap):
            m.d.sync += other.eq(self.following)
        with m.If(self.gather):
            m.d.sync += self.nonzero.eq(self.nonzero | (self.byte != 0))
        with m.If(self.gather | self.load):
            m.d.sync += self.word.eq(Mux(self.load, self.value, Cat(self.word[8:], self.byte)))
        return m

    def _at_end(self, m, other):
        """Keeps `at_end` in a register: no comparison before what follows from it in its cycle."""
        to = Signal()
        m.d.comb += to.eq(Mux(self.swap, other == self.end, Mux(
            self.take | self.gather, self.behind == self.end, self.at_end)))
        with m.If(self.restart):
            m.d.comb += to.eq(0)
        with m.Elif(self.rewind):
            m.d.comb += to.eq(self.end == PAYLOAD + self.first)
        m.d.sync += self.at_end.eq(to)
