"""The score scan: prediction, rival and gap in one pass while the scores arrive."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...model.config import CoreConfig
from ..memory.block_ram import BlockRam

__all__ = ["ScoreScan"]


class ScoreScan(wiring.Component):
    """Scores of the last layer in, one a cycle; keeps them, the first maximum and the rival.

    Latency: results are valid the cycle after `busy` fell, one cycle after the last score.

    Members
    -------
    start, classes, label : strobe, number of scores that come next, label of the sample.
    z, z_valid : scores in ascending order of class.
    busy : from `start` until the last score.
    prediction : first maximum of all scores.
    target : the label given with `start`.
    rival : first maximum of all scores but the label's.
    gap : score of the label less that of the rival, one bit wider than a score.
    clear : strobe: all results 0.
    index : score to read; `score` one cycle after.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        classes = range(config.max_classes)
        score = signed(config.score_bits)
        super().__init__({
            "start": In(1),
            "classes": In(range(config.max_classes + 1)),
            "label": In(classes),
            "z": In(score),
            "z_valid": In(1),
            "clear": In(1),
            "busy": Out(1),
            "prediction": Out(classes),
            "target": Out(classes),
            "rival": Out(classes),
            "gap": Out(signed(config.score_bits + 1)),
            "index": In(classes),
            "score": Out(score),
        })
        self.memory = BlockRam(score, config.max_classes)

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = self.memory
        # Kept inverted: what is subtracted from another score or compared with it is added so.
        below_best, below_rival = (Signal.like(self.z, name=name, init=-1)
                                   for name in ("below_best", "below_rival"))
        own = Signal.like(self.z)
        above_best, above_rival = Signal(), Signal()
        any_best, any_rival = Signal(), Signal()
        index = Signal.like(self.index)
        classes = Signal.like(self.classes)
        m.d.comb += [
            memory.address.eq(self.index),
            self.score.eq(memory.word),
            memory.write_address.eq(index),
            memory.write_data.eq(self.z),
            memory.write.eq(self.busy & self.z_valid),
            self.gap.eq((Cat(1, own, own[-1]) + Cat(1, below_rival, below_rival[-1]))[1:]),
            above_best.eq(self.z + below_best >= 0),
            above_rival.eq(self.z + below_rival >= 0),
        ]
        with m.If(self.busy & self.z_valid):
            m.d.sync += index.eq(index + 1)
            with m.If(~any_best | above_best):
                m.d.sync += [any_best.eq(1), below_best.eq(~self.z), self.prediction.eq(index)]
            with m.If(index == self.target):
                m.d.sync += own.eq(self.z)
            with m.Elif(~any_rival | above_rival):
                m.d.sync += [any_rival.eq(1), below_rival.eq(~self.z), self.rival.eq(index)]
            with m.If(index == classes - 1):
                m.d.sync += self.busy.eq(0)
        with m.If(self.start):
            m.d.sync += [
                self.busy.eq(1),
                index.eq(0),
                any_best.eq(0),
                any_rival.eq(0),
                classes.eq(self.classes),
                self.target.eq(self.label),
            ]
        with m.If(self.clear):
            m.d.sync += [
                self.prediction.eq(0), self.target.eq(0), self.rival.eq(0),
                own.eq(0), below_rival.eq(-1),
            ]
        return m
