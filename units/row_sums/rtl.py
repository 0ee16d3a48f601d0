"""Row sums: the trits of each row mod 3, kept while counters move, compared on SCRUB."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from ...hw.memory.block_ram import BlockRam
from ...hw.parts.arith import add_mod3, canonical_mod3, sum_mod3, times
from ...hw.parts.pipeline import read_delay
from ...hw.parts.sockets import Changes, Dispatch, TritRead, WindowPort
from ...model.config import CoreConfig
from . import ROW_SUMS

__all__ = ["RowSums"]


class RowSums(wiring.Component):
    """Memory SUMS, what the update unit adds to it, and the walk that compares it with T.

    The two-bit code of a trit is congruent to the trit mod 3, so a word of T is summed by adding
    its codes mod 3, in a tree. A change of a word is the sum of the new codes less that of the old,
    that is plus that of the old ones inverted.

    Latency: a row's sum is written three cycles after its last step. SCRUB takes a cycle a T word
    of the layer's rows, three more and `read_delay`.

    Sockets are dispatch (SCRUB; `hold` from the cycle after it until all is compared, `busy` also
    until changes are written, `corrupt` if a comparison has failed since the program began),
    window (3 is written as 0), changes and trits; see `hw.parts.sockets`.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        super().__init__({
            "dispatch": In(Dispatch(config, ROW_SUMS.ops)),
            "window": In(WindowPort(config.sum_depth, 2)),
            "changes": In(Changes(config)),
            "trits": In(TritRead(config)),
        })
        self.memory = BlockRam(2, config.sum_depth)

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = self.memory
        updated_row, update_busy = self._follow_updates(m)
        walked_row = self._walk(m)
        dispatch, window = self.dispatch, self.window
        m.d.comb += [
            window.word.eq(memory.word),
            dispatch.busy.eq(update_busy | dispatch.hold),
            memory.address.eq(Mux(dispatch.hold, walked_row, updated_row)),
        ]
        with m.If(dispatch.linked):
            m.d.comb += [
                memory.address.eq(window.address),
                memory.write_address.eq(window.address),
                memory.write_data.eq(canonical_mod3(window.write_data)),
                memory.write.eq(window.write),
            ]
        return m

    def _follow_updates(self, m):
        """Adds each row's change to its sum: what row is looked up, and whether any is left."""
        changes, row = self.changes, self.changes.row.number
        step_1, ends_1, begins = Signal(), Signal(), Signal(init=1)
        row_1, row_2 = Signal.like(row), Signal.like(row)
        change, total, ended = Signal(2), Signal(2), Signal()
        m.d.sync += [
            step_1.eq(changes.step),
            ends_1.eq(changes.ends),
            row_1.eq(row),
            row_2.eq(row_1),
            change.eq(sum_mod3(Cat(changes.new, ~changes.old))),
            ended.eq(step_1 & ends_1),
        ]
        with m.If(step_1):
            m.d.sync += [
                begins.eq(ends_1),
                total.eq(add_mod3(Mux(begins, 0, total), change)),
            ]
        with m.If(~self.dispatch.linked):
            m.d.comb += [
                self.memory.write_address.eq(row_2),
                self.memory.write_data.eq(canonical_mod3(add_mod3(self.memory.word, total))),
                self.memory.write.eq(ended),
            ]
        return row_1, changes.step | step_1 | ended

    def _walk(self, m):
        """Sums the words of each row and compares: what row is looked up."""
        config, dispatch, trits = self.config, self.dispatch, self.trits
        record = dispatch.record
        words, left = Signal.like(record.words), Signal.like(record.outputs)
        word, first = Signal(range(config.max_words)), Signal.like(trits.address)
        number = Signal.like(self.changes.row.number)
        ends = Signal()
        m.d.comb += [
            ends.eq(word == words - 1),
            trits.address.eq(first + word),
        ]
        with m.If(dispatch.scrub):
            m.d.sync += [
                trits.active.eq(1),
                words.eq(record.words),
                left.eq(record.outputs),
                word.eq(0),
                first.eq(record.trit_base),
                trits.bank.eq(0),
                number.eq(times(record.output_base, config.lanes)),
            ]
        with m.Elif(trits.active):
            m.d.sync += word.eq(word + 1)
            with m.If(ends):
                m.d.sync += [
                    word.eq(0),
                    number.eq(number + 1),
                    left.eq(left - 1),
                    trits.active.eq(left != 1),
                ]
                with m.If(trits.bank == config.banks - 1):
                    m.d.sync += [trits.bank.eq(0), first.eq(first + words)]
                with m.Else():
                    m.d.sync += trits.bank.eq(trits.bank + 1)

        # The word comes two cycles later or more, its sum and the row's kept one another later.
        waiting = Signal()
        active, ended, row = trits.active, ends, number
        for _ in range(2 + read_delay(config)):
            before = active, ended, row
            active, ended, row = (Signal.like(Value.cast(value), name=name) for value, name in zip(
                before, ("active", "ended", "number"), strict=True))
            m.d.sync += [active.eq(before[0]), ended.eq(before[1]), row.eq(before[2])]
            waiting |= active
        summed, last, begins = Signal(), Signal(), Signal(init=1)
        part, rest, total = Signal(2), Signal(2), Signal(2)
        m.d.sync += [summed.eq(active), last.eq(ended), part.eq(sum_mod3(trits.word))]
        m.d.comb += total.eq(add_mod3(Mux(begins, 0, rest), part))
        with m.If(summed):
            m.d.sync += [rest.eq(total), begins.eq(last)]
            with m.If(last & (canonical_mod3(total) != self.memory.word)):
                m.d.sync += dispatch.corrupt.eq(1)
        with m.If(dispatch.clear):
            m.d.sync += dispatch.corrupt.eq(0)
        m.d.comb += dispatch.hold.eq(trits.active | waiting | summed)
        return row
