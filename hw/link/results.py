"""The packets that SEND gives."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ...firmware.frames import RESULT
from ...model.config import CoreConfig
from ..arith import select
from .stuffing import PACKET_BYTE

__all__ = ["ResultSender"]


class ResultSender(wiring.Component):
    """Sends the prediction and all scores as a packet of type `firmware.frames.RESULT`.

    A packet takes 9 cycles and 5 a class, and what `o` stalls.

    Members
    -------
    start : strobe, while not `busy`: send a result, with
    index, prediction, classes : results since RUN, first maximum, number of scores, at least 1.
    busy : the packet is not out yet; from the cycle after `start`. The scores must stay till then.
    score_index : score to read.
    score : that score, one cycle after `score_index` was set.
    o : header and payload of the packet.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        super().__init__({
            "start": In(1),
            "index": In(32),
            "prediction": In(range(config.max_classes)),
            "classes": In(range(config.max_classes + 1)),
            "busy": Out(1),
            "score_index": Out(range(config.max_classes)),
            "score": In(signed(config.score_bits)),
            "o": Out(stream.Signature(PACKET_BYTE)),
        })

    def elaborate(self, platform):
        m = Module()
        head = Signal(32 + 8)
        place = Signal(range(4 + 5))
        left = Signal.like(self.classes)
        length = Signal(16)
        sent = Signal()
        m.d.comb += [
            length.eq(5 + Cat(Const(0, 2), left)),
            sent.eq(self.o.valid & self.o.ready),
        ]
        with m.FSM() as fsm:
            m.d.comb += self.busy.eq(~fsm.ongoing("IDLE"))
            with m.State("IDLE"):
                m.d.sync += [
                    head.eq(Cat(self.index, self.prediction)),
                    left.eq(self.classes),
                    self.score_index.eq(0),
                    place.eq(0),
                ]
                with m.If(self.start):
                    m.next = "HEAD"

            with m.State("HEAD"):
                m.d.comb += self.o.valid.eq(1)
                with m.Switch(place):
                    with m.Case(0):
                        m.d.comb += self.o.p.data.eq(RESULT)
                    with m.Case(2):
                        m.d.comb += self.o.p.data.eq(length[:8])
                    with m.Case(3):
                        m.d.comb += self.o.p.data.eq(length[8:])
                    with m.Default():  # 1, the sequence number, is the index's low byte
                        m.d.comb += self.o.p.data.eq(head[:8])
                with m.If(sent):
                    m.d.sync += place.eq(place + 1)
                    with m.If(place >= 4):
                        m.d.sync += head.eq(head >> 8)
                    with m.If(place == 8):
                        m.d.sync += place.eq(0)
                        m.next = "SCORE"

            with m.State("SCORE"):
                wide = Signal(signed(32))
                m.d.comb += [
                    wide.eq(self.score),
                    self.o.p.data.eq(select(wide, place[:2], 8)),
                    self.o.p.last.eq((place[:2] == 3) & (left == 1)),
                    self.o.valid.eq(1),
                ]
                with m.If(sent):
                    m.d.sync += place.eq(place + 1)
                    with m.If(place[:2] == 3):
                        m.d.sync += [
                            place.eq(0),
                            left.eq(left - 1),
                            self.score_index.eq(self.score_index + 1),
                        ]
                        with m.If(self.o.p.last):
                            m.next = "IDLE"
                        with m.Else():
                            m.next = "FETCH"

            with m.State("FETCH"):
                m.next = "SCORE"
        return m
