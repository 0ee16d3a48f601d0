"""The error unit: compares the margin and writes the last layer's errors."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...model.config import CoreConfig
from ...units.registry import takes
from ..parts.arith import times
from ..parts.ports import LayerRecord

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
    settle, settled : strobe, and what the flag becomes, where a unit decides too (`Decision`).
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
            **({"settle": In(1), "settled": In(1)} if takes(config, "decision") else {}),
        })

    def elaborate(self, platform):
        m = Module()
        lanes = self.config.update_lanes
        # Of the target and the rival, their places in the word and those after it.
        target, rival = (Signal(range(self.config.max_classes + lanes), name=name)
                         for name in ("target_place", "rival_place"))
        # No gap reaches a margin with one of these bits.
        beyond = self.margin[len(self.gap) - 1:].any()
        margin = self.margin[:len(self.gap) - 1]
        left = Signal.like(self.record.outputs)
        m.d.comb += [
            self.violated.eq(beyond | (self.gap < margin)),
            self.write.eq(self.busy),
        ]
        for n in range(lanes):
            is_target, is_rival = target == n, rival == n
            m.d.comb += self.write_data[2 * n:2 * n + 2].eq(Cat(is_target | is_rival, is_rival))
        with m.If(self.busy):
            m.d.sync += [
                target.eq(target - lanes),
                rival.eq(rival - lanes),
                left.eq(left - lanes),
                self.write_address.eq(self.write_address + 1),
                self.busy.eq(left > lanes),
            ]
        with m.If(self.start):
            m.d.sync += [
                self.flag.eq(self.violated),
                self.busy.eq(self.violated),
                target.eq(self.target),
                rival.eq(self.rival),
                left.eq(self.record.outputs),
                self.write_address.eq(times(self.record.output_base, self.config.steps)),
            ]
        if takes(self.config, "decision"):
            with m.If(self.settle):
                m.d.sync += self.flag.eq(self.settled)
        with m.If(self.clear):
            m.d.sync += self.flag.eq(0)
        return m
