"""Feeds the samples of a DATA request to the core."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ...model.config import CoreConfig
from ..parts.ports import sample_word
from .unpack import Unpacker

__all__ = ["SampleFeeder"]


class SampleFeeder(wiring.Component):
    """Checks all labels of a payload, then unpacks its samples, one after the other.

    A label takes 1 cycle, a sample 3 more than `Unpacker` needs.

    Members
    -------
    start : strobe, while the place is behind the payload's first byte: begin with
    count : labels and samples; their number fits the payload.
    classes, inputs, planes : a label is below the first; of a sample.
    byte : at the place in the payload, where the strobes go in the next cycle:
    rewind, take, mark, swap : see `FrameReader`.
    at_end : the place is behind the payload.
    drop : nobody takes samples: throw away what is left.
    done, fault : strobe, and whether the samples were refused: none, or a label too large.
    o : the words of the samples.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        super().__init__({
            "start": In(1),
            "count": In(8),
            "classes": In(range(config.max_classes + 1)),
            "inputs": In(range(config.max_inputs + 1)),
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
            "o": Out(stream.Signature(sample_word(config))),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.unpacker = unpacker = Unpacker(self.config)
        left = Signal(8)
        too_large = Signal()  # a label so far; decides once all are read, as the byte comes late
        m.d.comb += [
            unpacker.inputs.eq(self.inputs),
            unpacker.planes.eq(self.planes),
            unpacker.label.eq(self.byte),
            unpacker.i.p.eq(self.byte),
            self.o.p.eq(unpacker.o.p),
            self.o.valid.eq(unpacker.o.valid & ~self.drop),
            unpacker.o.ready.eq(self.o.ready | self.drop),
        ]
        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += [left.eq(self.count), too_large.eq(0)]
                with m.If(self.start):
                    m.next = "CHECK"

            with m.State("CHECK"):
                m.d.comb += self.take.eq(1)
                m.d.sync += [left.eq(left - 1),
                             too_large.eq(too_large | (self.byte >= self.classes))]
                with m.If(left == 0):
                    m.d.comb += [self.done.eq(1), self.fault.eq(1)]
                    m.next = "IDLE"
                with m.Elif(left == 1):
                    m.d.comb += [self.mark.eq(1), self.rewind.eq(1)]
                    m.next = "BACK"

            with m.State("BACK"):
                m.d.comb += self.take.eq(1)
                m.next = "LABEL"
                with m.If(too_large):
                    m.d.comb += [self.done.eq(1), self.fault.eq(1)]
                    m.next = "IDLE"

            # From here on the place is in the labels or in the samples, the other one remembered.
            with m.State("LABEL"):
                m.d.comb += [self.take.eq(1), self.swap.eq(1), unpacker.start.eq(1)]
                m.next = "SAMPLE"

            with m.State("SAMPLE"):
                m.d.comb += [unpacker.i.valid.eq(1), self.take.eq(unpacker.i.ready)]
                with m.If(unpacker.o.valid & unpacker.o.ready & unpacker.o.p.last):
                    with m.If(self.at_end):
                        m.d.comb += self.done.eq(1)
                        m.next = "IDLE"
                    with m.Else():
                        m.d.comb += self.swap.eq(1)
                        m.next = "LABEL"
        return m
