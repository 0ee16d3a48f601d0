"""The row list: which rows of a layer have an error, and where they live."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...model.config import CoreConfig
from ...units.registry import takes
from ..memory.block_ram import BlockRam
from ..parts.arith import times
from ..parts.entry import RowEntry
from ..parts.ports import LayerRecord

__all__ = ["RowLister"]


class RowLister(wiring.Component):
    """Scans a layer's errors, a row a cycle, and appends the rows with an error to a list.

    The scan runs ahead of whoever reads the list (see `ListReader`). Latency: the first row is
    looked at two cycles after `start`.

    Members
    -------
    start, record : strobe and table row of the layer.
    error_address, error_word : to the error store.
    every : list the rows without an error too; where a unit has socket `along`.
    count, final : entries so far; whether the scan is over.
    address, enable : entry to read; `entry` one cycle after, held while not enabled.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        self.layout = RowEntry(config)
        errors = range(config.output_words * config.steps)
        super().__init__({
            "start": In(1),
            "record": In(LayerRecord(config)),
            "error_address": Out(errors),
            "error_word": In(2 * config.update_lanes),
            "count": Out(range(config.max_neurons + 1)),
            "final": Out(1, init=1),
            "address": In(range(config.max_neurons)),
            "enable": In(1),
            "entry": Out(self.layout),
            **({"every": In(1)} if takes(config, "along") else {}),
        })
        self.memory = BlockRam(self.layout, config.max_neurons)

    def elaborate(self, platform):
        m = Module()
        config = self.config
        m.submodules.memory = memory = self.memory

        following = Signal.like(self.error_address)  # the word of errors after the one in hand
        reload = Signal()
        errors = Signal(2 * config.update_lanes)     # the rest of the word in hand, lowest first
        lane = Signal(range(config.update_lanes))
        left = Signal.like(self.record.outputs)
        row = Signal(self.layout)
        fields = self.layout.members
        words = Signal.like(self.record.words)
        stride = Signal(range(config.max_words * config.steps + 1))
        found = Signal()

        m.d.comb += [
            memory.address.eq(self.address),
            memory.enable.eq(self.enable),
            self.entry.eq(memory.word),
            memory.write_address.eq(self.count),
            memory.write_data.eq(row),
            memory.write_data.negative.eq(errors[1]),
            memory.write.eq(found),
            stride.eq(times(words, config.steps)),
            self.error_address.eq(following + reload),
        ]

        with m.FSM():
            with m.State("Idle"):
                with m.If(self.start):
                    m.d.sync += [
                        self.count.eq(0),
                        self.final.eq(0),
                        words.eq(self.record.words),
                        left.eq(self.record.outputs),
                        following.eq(times(self.record.output_base, config.steps)),
                        row.bank.eq(0),
                        row.trit.eq(self.record.trit_base),
                    ]
                    if config.banks > 1:
                        m.d.sync += row.residual.eq(self.record.residual_base)
                    if "group" in fields:
                        m.d.sync += row.group.eq(self.record.group_base)
                    if "number" in fields:
                        m.d.sync += row.number.eq(times(self.record.output_base, config.lanes))
                    m.next = "Fetch"
            with m.State("Fetch"):
                m.next = "Load"
            with m.State("Load"):
                m.d.comb += reload.eq(1)
                m.next = "Scan"
            with m.State("Scan"):
                m.d.comb += found.eq(errors[0])
                if takes(config, "along"):
                    m.d.comb += found.eq(errors[0] | self.every)
                m.d.sync += [
                    self.count.eq(self.count + found),
                    errors.eq(errors >> 2),
                    lane.eq(lane + 1),
                ]
                self._next_row(m, row, left, words, stride)
                with m.If(left == 1):
                    m.d.sync += self.final.eq(1)
                    m.next = "Idle"
                with m.Elif(lane == config.update_lanes - 1):
                    m.d.comb += reload.eq(1)
        with m.If(reload):
            m.d.sync += [errors.eq(self.error_word), lane.eq(0), following.eq(following + 1)]
        return m

    def _next_row(self, m, row, left, words, stride):
        with m.If(row.bank == self.config.banks - 1):
            m.d.sync += [row.bank.eq(0), row.trit.eq(row.trit + words)]
            if "group" in self.layout.members:
                m.d.sync += row.group.eq(row.group + 1)
        with m.Else():
            m.d.sync += row.bank.eq(row.bank + 1)
        m.d.sync += left.eq(left - 1)
        if self.config.banks > 1:
            m.d.sync += row.residual.eq(row.residual + stride)
        if "number" in self.layout.members:
            m.d.sync += row.number.eq(row.number + 1)
