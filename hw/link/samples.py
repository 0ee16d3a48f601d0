"""Feeds the samples of a DATA request to the core."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ...firmware.store import Kind
from ...model.config import CoreConfig
from ..parts.ports import sample_word
from .unpack import Unpacker

__all__ = ["SampleFeeder"]


class SampleFeeder(wiring.Component):
    """Checks all labels of a payload, then unpacks its samples, one after the other.

    A label takes 1 cycle, a sample 3 more than `Unpacker` needs. Sparse samples go through it
    twice: first to see where each ends.

    Members
    -------
    start : strobe, the place is at the payload's first label: begin with
    count : labels and samples; of dense ones their number fits the payload.
    sparse, foul : whether they are sparse; whether they are refused, whatever they are.
    classes, inputs, planes : a label is below the first; of a sample.
    byte : at the place in the payload, where the strobes go in the next cycle:
    rewind : to the first label; take, mark, swap : see `FrameReader`.
    at_end : the place is behind the payload.
    drop : nobody takes samples: throw away what is left.
    done : strobe; with it
    fault, short : the samples were refused: there is none, or a label is too large; the payload is
        longer or shorter than they are.
    o : the words of the samples.
    go, begins : of a core with a RAM: a sample may begin; strobe: it does.
    other_start, other_label, other_sparse, other, other_ends : of a core with a flash, while no
        payload is under way: strobe that a sample begins; its label, valid with that; whether it is
        sparse; its bytes; strobe: its last word is taken.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        ram = {"go": In(1), "begins": Out(1)} if config.store == Kind.RAM else {}
        flash = {"other_start": In(1), "other_label": In(8), "other_sparse": In(1),
                 "other": In(stream.Signature(8)),
                 "other_ends": Out(1)} if config.store == Kind.FLASH else {}
        super().__init__({
            "start": In(1),
            "count": In(8),
            "sparse": In(1),
            "foul": In(1),
            "classes": In(range(config.max_classes + 1)),
            "inputs": In(range(config.max_stored_inputs + 1)),
            "planes": In(range(config.input_planes + 1)),
            "byte": In(8),
            "rewind": Out(1),
            "take": Out(1),
            "mark": Out(1),
            "swap": Out(1),
            "at_end": In(1),
            "drop": In(1),
            "done": Out(1),
            "fault": Out(1),
            "short": Out(1),
            "o": Out(stream.Signature(sample_word(config))),
            **ram, **flash,
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.unpacker = unpacker = Unpacker(self.config)
        left = Signal(8)
        too_large = Signal()  # a label so far; decides once all are read, as the byte comes late
        feeds, ends = Signal(), Signal()
        m.d.comb += [
            unpacker.inputs.eq(self.inputs),
            unpacker.planes.eq(self.planes),
            unpacker.sparse.eq(self.sparse),
            unpacker.label.eq(self.byte),
            unpacker.i.p.eq(self.byte),
            self.o.p.eq(unpacker.o.p),
            self.o.valid.eq(unpacker.o.valid & feeds & ~self.drop),
            unpacker.o.ready.eq(self.o.ready & feeds | self.drop | ~feeds),
            ends.eq(unpacker.o.valid & unpacker.o.ready & unpacker.o.p.last),
        ]
        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += [left.eq(self.count), too_large.eq(self.foul)]
                if self.config.store == Kind.FLASH:
                    self._feed_other(m, unpacker, feeds, ends)
                with m.If(self.start):
                    m.next = "CHECK"

            with m.State("CHECK"):
                m.d.comb += self.take.eq(1)
                m.d.sync += [left.eq(left - 1),
                             too_large.eq(too_large | (self.byte >= self.classes))]
                with m.If((left == 0) | self.at_end):
                    m.d.comb += [self.done.eq(1), self.fault.eq(1),
                                 self.short.eq((left != 0) | ~self.at_end)]
                    m.next = "IDLE"
                with m.Elif(left == 1):
                    m.d.comb += [self.mark.eq(1), self.rewind.eq(~self.sparse)]
                    m.d.sync += left.eq(self.count)
                    m.next = "BACK"
                    with m.If(self.sparse):
                        m.next = "SCAN"

            with m.State("SCAN"):
                m.d.comb += unpacker.start.eq(1)
                m.d.sync += left.eq(left - 1)
                m.next = "SCANNING"

            with m.State("SCANNING"):
                missing = unpacker.i.ready & self.at_end
                m.d.comb += [unpacker.i.valid.eq(~self.at_end),
                             self.take.eq(unpacker.i.ready & ~self.at_end)]
                with m.If(ends & (left != 0)):
                    m.next = "SCAN"
                with m.Elif(ends & self.at_end):
                    m.d.comb += self.rewind.eq(1)
                    m.next = "BACK"
                with m.Elif(ends | missing):
                    m.d.comb += [self.done.eq(1), self.short.eq(1)]
                    m.next = "IDLE"

            with m.State("BACK"):
                m.next = "LABEL"
                with m.If(too_large):
                    m.d.comb += [self.done.eq(1), self.fault.eq(1)]
                    m.next = "IDLE"

            self._play(m, unpacker, feeds, ends)
        return m

    def _play(self, m, unpacker, feeds, ends):
        """The place is in the labels or in the samples, the other one remembered."""
        go = self.go if self.config.store == Kind.RAM else C(1)
        with m.State("LABEL"):
            with m.If(go):
                m.d.comb += [self.take.eq(1), self.swap.eq(1), unpacker.start.eq(1)]
                if self.config.store == Kind.RAM:
                    m.d.comb += self.begins.eq(1)
                m.next = "SAMPLE"

        with m.State("SAMPLE"):
            m.d.comb += [feeds.eq(1), unpacker.i.valid.eq(1), self.take.eq(unpacker.i.ready)]
            with m.If(ends):
                with m.If(self.at_end):
                    m.d.comb += self.done.eq(1)
                    m.next = "IDLE"
                with m.Else():
                    m.d.comb += self.swap.eq(1)
                    m.next = "LABEL"

    def _feed_other(self, m, unpacker, feeds, ends):
        m.d.comb += [
            feeds.eq(1),
            unpacker.start.eq(self.other_start),
            unpacker.label.eq(self.other_label),
            unpacker.sparse.eq(self.other_sparse),
            unpacker.i.p.eq(self.other.p),
            unpacker.i.valid.eq(self.other.valid),
            self.other.ready.eq(unpacker.i.ready),
            self.other_ends.eq(ends),
        ]
