"""The error unit: compares the margin and writes the last layer's errors."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..model.config import CoreConfig
from .arith import times
from .ports import LayerRecord

__all__ = ["ErrorUnit"]


class ErrorUnit(wiring.Component):
    """On ``ERR margin``: violated where gap < margin; then +1 for the target, -1 for the rival.

    Latency: `flag` the cycle after `start`; the errors take ceil(classes / U) cycles more.

    Members
    -------
    start, margin, record : strobe, operand, table row of the last layer.
    gap, target, rival : from the score scan.
    violated : combinational, valid with `start`.
    flag : the last comparison's result; `clear` resets it.
    busy : errors are being written.
    write, write_address, write_data : to the error store.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        classes = range(config.max_classes)
        super().__init__({
            "start": In(1),
            "margin": In(23),
            "record": In(LayerRecord(config)),
            "gap": In(signed(config.score_bits + 1)),
            "target": In(classes),
            "rival": In(classes),
            "clear": In(1),
            "violated": Out(1),
            "flag": Out(1),
            "busy": Out(1),
            "write": Out(1),
            "write_address": Out(range(config.output_words * config.steps)),
            "write_data": Out(2 * config.update_lanes),
        })

    def elaborate(self, platform):
        m = Module()
        lanes = self.config.update_lanes
        first = Signal(range(self.config.max_classes + lanes))  # class in lane 0
        left = Signal.like(self.record.outputs)
        m.d.comb += [
            self.violated.eq(self.gap < self.margin),
            self.write.eq(self.busy),
        ]
        for n in range(lanes):
            is_target, is_rival = first + n == self.target, first + n == self.rival
            m.d.comb += self.write_data[2 * n:2 * n + 2].eq(Cat(is_target | is_rival, is_rival))
        with m.If(self.busy):
            m.d.sync += [
                first.eq(first + lanes),
                left.eq(left - lanes),
                self.write_address.eq(self.write_address + 1),
                self.busy.eq(left > lanes),
            ]
        with m.If(self.start):
            m.d.sync += [
                self.flag.eq(self.violated),
                self.busy.eq(self.violated),
                first.eq(0),
                left.eq(self.record.outputs),
                self.write_address.eq(times(self.record.output_base, self.config.steps)),
            ]
        with m.If(self.clear):
            m.d.sync += self.flag.eq(0)
        return m
