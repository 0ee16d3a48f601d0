"""The forward pass of a layer: replays the list of input words for each row group."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...model.config import CoreConfig
from ...units.registry import takes
from ..parts.arith import select, times
from ..parts.entry import Entry
from ..parts.ports import LayerRecord
from ..parts.sockets import RowWords

__all__ = ["ForwardControl"]


class ForwardControl(wiring.Component):
    """Takes entries, sends one of their planes a cycle to the MAC array, and addresses T.

    A layer takes a cycle for each set plane bit of each entry, times its row groups; at least a
    cycle a group. It waits where the list still grows, and before a group's last plane until the
    drain has room.

    Members
    -------
    start, record : strobe and table row of the layer.
    busy : planes are still to be issued.
    entry, entry_valid, entry_last, entry_ended, entry_take : see `ListReader`.
    allow_last : the unit behind the array is ready for this layer's sums, and the drain has room.
    address : T word of all banks.
    x, active, last, plane, rows : to the array, one cycle after `address`.

    row_words : see `RowWords`, where a unit has such.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        self.entry_layout = Entry(config, config.word_bits, config.max_words)
        super().__init__({
            "start": In(1),
            "record": In(LayerRecord(config)),
            "busy": Out(1),
            "entry": In(self.entry_layout),
            "entry_valid": In(1),
            "entry_last": In(1),
            "entry_ended": In(1),
            "entry_take": Out(1),
            "allow_last": In(1),
            "address": Out(range(config.trit_depth)),
            "x": Out(config.lanes),
            "active": Out(1),
            "last": Out(1),
            "plane": Out(range(config.word_bits)),
            "rows": Out(range(config.banks + 1)),
            **({"row_words": Out(RowWords(config))} if takes(config, "rows") else {}),
        })

    def elaborate(self, platform):
        m = Module()
        config = self.config
        base = Signal.like(self.record.trit_base)
        words = Signal.like(self.record.words)
        rows_left = Signal.like(self.record.outputs)
        done = Signal(config.word_bits)  # planes of the entry in hand that were issued

        waiting = Signal(config.word_bits)
        lowest = Signal(config.word_bits)
        plane = Signal.like(self.plane)
        x = Signal(config.lanes)
        m.d.comb += [
            waiting.eq(self.entry.mask & ~done),
            lowest.eq(waiting & -waiting),
        ]
        for n in reversed(range(config.word_bits)):
            with m.If(waiting[n]):
                m.d.comb += plane.eq(n)
        m.d.comb += x.eq(select(self.entry.planes, plane, config.lanes))

        issue, single, final_group = Signal(), Signal(), Signal()
        group_end = Signal()
        m.d.comb += [
            single.eq(waiting == lowest),
            group_end.eq((self.entry_last & single) | self.entry_ended),
            issue.eq(self.busy & (self.entry_valid | self.entry_ended)
                     & (~group_end | self.allow_last) & self._ready(m, group_end & issue,
                                                                    final_group)),
            final_group.eq(rows_left <= config.banks),
            self.address.eq(base + self.entry.index),
            self.entry_take.eq(issue & (single | self.entry_ended)),
        ]
        m.d.sync += [
            self.x.eq(Mux(self.entry_valid, x, 0)),
            self.active.eq(issue),
            self.last.eq(group_end),
            self.plane.eq(plane),
            self.rows.eq(Mux(final_group, rows_left, config.banks)),
        ]
        with m.If(issue):
            m.d.sync += done.eq(Mux(single, 0, done | lowest))
            with m.If(group_end):
                m.d.sync += [
                    done.eq(0),
                    base.eq(base + words),
                    rows_left.eq(rows_left - config.banks),
                    self.busy.eq(~final_group),
                ]
        with m.If(self.start):
            m.d.sync += [
                self.busy.eq(1),
                done.eq(0),
                base.eq(self.record.trit_base),
                words.eq(self.record.words),
                rows_left.eq(self.record.outputs),
            ]
        return m

    def _ready(self, m, group_ends, final_group):
        """Whether the words of the group's rows are there."""
        if not takes(self.config, "rows"):
            return Const(1)
        port, wanted = self.row_words, Signal()
        left = Signal(range(self.config.banks + 1))  # words to read
        m.d.comb += port.index.eq(self.entry.index)
        m.d.sync += port.shift.eq(left.any())
        with m.If(left.any()):
            m.d.sync += [left.eq(left - 1), port.address.eq(port.address + 1)]
        with m.If(group_ends & ~final_group & wanted):
            m.d.sync += left.eq(self.config.banks)
        with m.If(self.start):
            m.d.sync += [
                wanted.eq(port.wanted),
                left.eq(Mux(port.wanted, self.config.banks, 0)),
                port.address.eq(times(self.record.output_base, self.config.lanes)),
            ]
        return ~left.any()
