"""The row lists of a core that updates several rows at once, a list for each part."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...model.config import CoreConfig
from ..memory.block_ram import BlockRam
from ..parts.arith import times
from ..parts.entry import RowEntry
from ..parts.ports import LayerRecord

__all__ = ["RowLists"]


class RowLists(wiring.Component):
    """Scans a layer's errors, a row a cycle, and appends rows with an error to their part's list.

    Row j is of part j mod Q, so rows in the same place of two lists never share a part of T or R.
    Which rows that are is not known in their order; so a row takes its draw of the PRNG as it is
    listed, which is in the order of rows. Latency: as `RowLister`, an entry a cycle later.

    Members
    -------
    start, record : strobe and table row of the layer.
    draws : with `start`: rows take a draw each.
    draw, dither : strobe to the PRNG, and its draw, from the next cycle on.
    error_address, error_word : to the error store.
    count, final : entries of each list so far; whether the scan is over.
    address, enable : of each list the entry to read; `entry` one cycle after, held while not
        enabled.
    """

    def __init__(self, config: CoreConfig):
        self.config, self.parts = config, config.update_rows
        self.layout = RowEntry(config)
        #: Rows that a list may have, of the largest layer.
        self.depth = -(-config.max_neurons // self.parts)
        super().__init__({
            "start": In(1),
            "record": In(LayerRecord(config)),
            "draws": In(1),
            "draw": Out(1),
            "dither": In(16),
            "error_address": Out(range(config.output_words * config.steps)),
            "error_word": In(2 * config.update_lanes),
            "count": Out(range(self.depth + 1)).array(self.parts),
            "final": Out(1, init=1),
            "address": In(range(self.depth)).array(self.parts),
            "enable": In(self.parts),
            "entry": Out(self.layout).array(self.parts),
        })
        self.memories = [BlockRam(self.layout, self.depth) for _ in range(self.parts)]

    def elaborate(self, platform):
        m = Module()
        config = self.config
        row = Signal(self.layout)                    # the row in hand
        listed = Signal(self.layout)                 # the one before, if it has an error
        following = Signal.like(self.error_address)  # the word of errors after the one in hand
        reload = Signal()
        errors = Signal(2 * config.update_lanes)     # the rest of the word in hand, lowest first
        lane = Signal(range(config.update_lanes))
        left = Signal.like(self.record.outputs)
        words = Signal.like(self.record.words)
        part = Signal(range(self.parts))
        drawing, found, over = Signal(), Signal(), Signal()
        write = Signal(self.parts)
        self._append(m, listed, write)
        m.d.comb += [
            self.error_address.eq(following + reload),
            self.draw.eq(found & drawing),
        ]
        m.d.sync += [
            listed.eq(row),
            listed.negative.eq(errors[1]),
            write.eq(Mux(found, 1 << part, 0)),
            over.eq(0),
        ]
        with m.If(over):
            m.d.sync += self.final.eq(1)

        with m.FSM():
            with m.State("Idle"):
                with m.If(self.start):
                    m.d.sync += [
                        *(count.eq(0) for count in self.count),
                        self.final.eq(0),
                        drawing.eq(self.draws),
                        words.eq(self.record.words),
                        left.eq(self.record.outputs),
                        following.eq(times(self.record.output_base, config.steps)),
                        part.eq(0),
                        row.bank.eq(0),
                        row.trit.eq(self.record.trit_base),
                        row.residual.eq(self.record.residual_base >> len(part)),
                    ]
                    m.next = "Fetch"
            with m.State("Fetch"):
                m.next = "Load"
            with m.State("Load"):
                m.d.comb += reload.eq(1)
                m.next = "Scan"
            with m.State("Scan"):
                m.d.comb += found.eq(errors[0])
                m.d.sync += [errors.eq(errors >> 2), lane.eq(lane + 1)]
                self._next_row(m, row, part, left, words)
                with m.If(left == 1):
                    m.d.sync += over.eq(1)
                    m.next = "Idle"
                with m.Elif(lane == config.update_lanes - 1):
                    m.d.comb += reload.eq(1)
        with m.If(reload):
            m.d.sync += [errors.eq(self.error_word), lane.eq(0), following.eq(following + 1)]
        return m

    def _append(self, m, listed, write):
        """The row and its draw to the list of its part."""
        for n, memory in enumerate(self.memories):
            m.submodules[f"memory{n}"] = memory
            m.d.comb += [
                memory.address.eq(self.address[n]),
                memory.enable.eq(self.enable[n]),
                self.entry[n].eq(memory.word),
                memory.write_address.eq(self.count[n]),
                memory.write_data.eq(listed),
                memory.write_data.draw.eq(self.dither),
                memory.write.eq(write[n]),
            ]
            with m.If(write[n]):
                m.d.sync += self.count[n].eq(self.count[n] + 1)

    def _next_row(self, m, row, part, left, words):
        config = self.config
        m.d.sync += [left.eq(left - 1), part.eq(part + 1)]
        with m.If(part == self.parts - 1):
            m.d.sync += row.residual.eq(row.residual + times(words, config.steps))
            with m.If(row.bank == config.banks // self.parts - 1):
                m.d.sync += [row.bank.eq(0), row.trit.eq(row.trit + words)]
            with m.Else():
                m.d.sync += row.bank.eq(row.bank + 1)
