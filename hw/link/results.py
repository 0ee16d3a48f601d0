"""The packets that SEND gives."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ...firmware.frames import RESULT
from ...model.config import CoreConfig
from ..parts.arith import select
from ..parts.ports import PACKET_BYTE

__all__ = ["ResultSender"]


class ResultSender(wiring.Component):
    """Sends the prediction and all scores as a packet of type `firmware.frames.RESULT`.

    A packet takes 9 cycles and 5 a class, and what `o` stalls.

    Members
    -------
    clear : strobe, while not `busy`: the next result is the first.
    start, classes : strobe, while not `busy`: send a result, with as many scores, at least 1.
    prediction : first maximum. It and the scores must stay as they are while `busy`.
    busy : the packet is not out yet; from the cycle after `start`.
    score_index : score to read.
    score : that score, one cycle after `score_index` was set.
    o : header and payload of the packet.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        super().__init__({
            "clear": In(1),
            "start": In(1),
            "prediction": In(range(config.max_classes)),
            "classes": In(range(config.max_classes + 1)),
            "busy": Out(1),
            "score_index": Out(range(config.max_classes)),
            "score": In(signed(config.score_bits)),
            "o": Out(stream.Signature(PACKET_BYTE)),
        })
        self.index = Signal(32)

    def elaborate(self, platform):
        m = Module()
        index = self.index  # turns as it goes out, and is counted up byte by byte
        carry = Signal()
        counted = Signal(9)
        place = Signal(range(4 + 5))
        left = Signal.like(self.classes)
        length = Signal(16)
        sent = Signal()
        m.d.comb += [
            length.eq(5 + Cat(Const(0, 2), left)),
            sent.eq(self.o.valid & self.o.ready),
            counted.eq(index[:8] + carry),
        ]
        with m.If(self.clear):
            m.d.sync += index.eq(0)
        with m.FSM() as fsm:
            m.d.comb += self.busy.eq(~fsm.ongoing("IDLE"))
            with m.State("IDLE"):
                m.d.sync += [
                    carry.eq(1),
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
                    with m.Case(8):
                        m.d.comb += self.o.p.data.eq(self.prediction)
                    with m.Default():  # 1, the sequence number, is the index's low byte
                        m.d.comb += self.o.p.data.eq(index[:8])
                with m.If(sent):
                    m.d.sync += place.eq(place + 1)
                    with m.If(place.matches(4, 5, 6, 7)):
                        m.d.sync += [index.eq(Cat(index[8:], counted[:8])), carry.eq(counted[8])]
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
