"""Samples to records of a RAM and back: words of L inputs, words of 16 bits (`firmware.store`)."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...model.config import CoreConfig
from ..parts.ports import sample_word

__all__ = ["Gather", "RecordSize", "Scatter"]

#: Bits of a word's place in a record, and of a record's size.
PLACE_BITS = 14


def split(config: CoreConfig) -> tuple[int, int, int]:
    """Words that a plane word has alone, bits that are left of it, and how many share a word."""
    own, rest = divmod(config.lanes, 16)
    return own, rest, 16 // rest if rest else 1


class RecordSize(wiring.Component):
    """Counts the words of a record, a plane word a cycle, anew whenever a sample's shape changes.

    Members
    -------
    inputs, planes : of a sample.
    words : of its record; `known` if it is so.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        super().__init__({
            "inputs": In(range(config.max_stored_inputs + 1)),
            "planes": In(range(config.input_planes + 1)),
            "words": Out(PLACE_BITS),
            "known": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        own, rest, sharing = split(self.config)
        inputs, planes = Signal.like(self.inputs), Signal.like(self.planes)
        left, plane, share = Signal.like(inputs), Signal.like(planes), Signal(range(sharing))
        same, done = Signal(), Signal()
        m.d.comb += [same.eq((inputs == self.inputs) & (planes == self.planes)),
                     self.known.eq(same & done)]
        with m.If(~same):
            m.d.sync += [inputs.eq(self.inputs), planes.eq(self.planes), left.eq(self.inputs),
                         plane.eq(1), share.eq(0), self.words.eq(1), done.eq(0)]
        with m.Elif(~done & (planes != 0)):
            m.d.sync += [
                self.words.eq(self.words + own + ((share == 0) if rest else 0)),
                share.eq(Mux(share == sharing - 1, 0, share + 1)),
                plane.eq(plane + 1),
            ]
            with m.If(plane == planes):
                m.d.sync += [plane.eq(1), left.eq(left - self.config.lanes),
                             done.eq(left <= self.config.lanes)]
        return m


class Gather(wiring.Component):
    """Words of 16 bits behind a record's label to words of L inputs; takes a word a cycle.

    A word of L inputs comes the cycle after its last one.

    Members
    -------
    start : strobe, while no sample is under way: one begins.
    label : its label, valid with `start`.
    inputs, planes : of a sample; static while one is under way.
    i : its record's words behind the label.
    o : its words.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        super().__init__({
            "start": In(1),
            "label": In(8),
            "inputs": In(range(config.max_stored_inputs + 1)),
            "planes": In(range(config.input_planes + 1)),
            "i": In(stream.Signature(16)),
            "o": Out(stream.Signature(sample_word(config))),
        })

    def elaborate(self, platform):
        m = Module()
        config, lanes = self.config, self.config.lanes
        own, rest, sharing = split(config)
        left = Signal.like(self.inputs)
        busy, has_high, room, ends = Signal(), Signal(), Signal(), Signal()
        high, low = Signal(16), Signal(max(16 * own, 1))
        part, share = Signal(range(own + 1)), Signal(range(sharing))
        plane = Signal(range(config.input_planes))
        planes = [Signal(lanes, name=f"plane{p}") for p in range(config.input_planes)]
        word = Signal(lanes)
        takes = self.i.valid & self.i.ready
        m.d.comb += [
            self.o.p.planes.eq(Cat(planes)),
            room.eq(busy & (~self.o.valid | self.o.ready)),
            word.eq(Cat(low[16:], self.i.p, high[:rest]) if own else high[:rest]),
            # Of the plane words alone in theirs, the last part ends one; else what is shared does.
            ends.eq(takes & (has_high | (not rest)) & (part == own - 1) if own
                    else room & has_high),
            self.i.ready.eq(room & (1 if own else ~has_high)),
        ]
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(takes):
            if rest:
                with m.If(~has_high):
                    m.d.sync += [high.eq(self.i.p), has_high.eq(1)]
            if own:
                with m.If(has_high | (not rest)):
                    m.d.sync += [low.eq(Cat(low[16:], self.i.p)),
                                 part.eq(Mux(part == own - 1, 0, part + 1))]
        with m.If(ends):
            m.d.sync += [high.eq(high >> rest), share.eq(share + 1), plane.eq(plane + 1)]
            with m.If(share == sharing - 1):
                m.d.sync += [share.eq(0), has_high.eq(0)]
            with m.Switch(plane):
                for p, register in enumerate(planes):
                    with m.Case(p):
                        m.d.sync += register.eq(word)
            with m.If(plane + 1 == self.planes):
                final = left <= lanes
                m.d.sync += [plane.eq(0), left.eq(left - lanes), self.o.valid.eq(1),
                             self.o.p.last.eq(final), busy.eq(~final)]
        with m.If(self.start):
            m.d.sync += [self.o.p.label.eq(self.label), left.eq(self.inputs), busy.eq(1),
                         share.eq(0), has_high.eq(0)]
            m.d.sync += [register.eq(0) for register in planes[1:]]
        return m


class Scatter(wiring.Component):
    """Words of L inputs to a record's words of 16 bits, each with its place in the record.

    Members
    -------
    start : strobe, while no sample is under way: one begins.
    planes : of a sample; static while one is under way.
    i : its words; the label is valid with all of them.
    o : the words, in no order; `last` with the last one.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        super().__init__({
            "start": In(1),
            "planes": In(range(config.input_planes + 1)),
            "i": In(stream.Signature(sample_word(config))),
            "o": Out(stream.Signature(data.StructLayout(
                {"data": 16, "place": PLACE_BITS, "last": 1}))),
        })

    def elaborate(self, platform):
        m = Module()
        config, lanes = self.config, self.config.lanes
        own, rest, sharing = split(config)
        place, shared = Signal(PLACE_BITS), Signal(PLACE_BITS)
        high, share = Signal(16), Signal(range(sharing))
        plane, part = Signal(range(config.input_planes)), Signal(range(max(own, 2)))
        word = Signal(lanes)
        ending = Signal()  # the sample has no plane word behind this one
        m.d.comb += self.o.p.place.eq(place)
        with m.Switch(plane):
            for p in range(config.input_planes):
                with m.Case(p):
                    m.d.comb += word.eq(self.i.p.planes[p * lanes:(p + 1) * lanes])
        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += [plane.eq(0), part.eq(0), share.eq(0), place.eq(0)]
                with m.If(self.start):
                    m.next = "LABEL"
            with m.State("LABEL"):
                m.d.comb += [self.o.valid.eq(self.i.valid), self.o.p.data.eq(self.i.p.label)]
                with m.If(self.o.valid & self.o.ready):
                    m.d.sync += place.eq(1)
                    m.next = "OPEN"
            with m.State("OPEN"):  # a plane word, and with the first that share a word, that one
                m.next = "PARTS" if own else "CLOSE"
                if rest:
                    with m.If(share == 0):
                        m.d.sync += [shared.eq(place), place.eq(place + 1), high.eq(0)]
            with m.State("PARTS"):
                last_part = part == own - 1
                m.d.comb += [
                    self.o.valid.eq(self.i.valid),
                    self.o.p.data.eq(word.word_select(part, 16)),
                    self.o.p.last.eq(last_part & self.i.p.last & (plane + 1 == self.planes)
                                     & (not rest)),
                ]
                with m.If(self.o.valid & self.o.ready):
                    m.d.sync += [place.eq(place + 1), part.eq(Mux(last_part, 0, part + 1))]
                    with m.If(last_part):
                        m.next = "CLOSE"
            with m.State("CLOSE"):
                with m.If(self.i.valid):
                    ends = plane + 1 == self.planes
                    m.d.comb += self.i.ready.eq(ends)
                    m.d.sync += [plane.eq(Mux(ends, 0, plane + 1)), share.eq(share + 1)]
                    m.d.sync += ending.eq(ends & self.i.p.last)
                    m.next = "OPEN"
                    if rest:
                        for n in range(sharing):
                            with m.If(share == n):
                                m.d.sync += high[n * rest:(n + 1) * rest].eq(word[16 * own:])
                        with m.If((share == sharing - 1) | (ends & self.i.p.last)):
                            m.next = "SHARED"
                    else:
                        with m.If(ends & self.i.p.last):
                            m.next = "IDLE"
            if rest:
                with m.State("SHARED"):
                    m.d.comb += [self.o.valid.eq(1), self.o.p.data.eq(high),
                                 self.o.p.place.eq(shared), self.o.p.last.eq(ending)]
                    with m.If(self.o.ready):
                        m.d.sync += share.eq(0)
                        m.next = "OPEN"
                        with m.If(ending):
                            m.next = "IDLE"
        return m
