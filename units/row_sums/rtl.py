"""Row sums: the trits of each row mod 3, kept while counters move, compared on SCRUB."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...hw.memory.block_ram import BlockRam
from ...hw.parts.arith import add_mod3, canonical_mod3, sum_mod3, times
from ...hw.parts.pipeline import read_delay
from ...hw.parts.ports import LayerRecord
from ...model.config import CoreConfig

__all__ = ["RowSums"]


class RowSums(wiring.Component):
    """Memory SUMS, what the update unit adds to it, and the walk that compares it with T.

    The two-bit code of a trit is congruent to the trit mod 3, so a word of T is summed by adding
    its codes mod 3, in a tree. A change of a word is the sum of the new codes less that of the old,
    that is plus that of the old ones inverted.

    Latency: a row's sum is written three cycles after its last step. SCRUB takes a cycle a T word
    of the layer's rows, three more and `read_delay`.

    Members
    -------
    step, new, old, ends, row : strobe: U codes of a row become others; whether the row's update
        ends with them, and which word of SUMS is the row's.
    start, record : strobe: compare the layer of this row of the table.
    walking, trit_address, trit_bank : the walk reads this word of T.
    trit_word : that word, two cycles and `read_delay` later.
    scrubbing : from the cycle after `start` until all is compared.
    busy : also with `step`, until all is written.
    clear : strobe: the program begins.
    corrupt : a comparison has failed since.
    linked : the memory is the link's.
    address, word : word to read while `linked`; one cycle later.
    write, write_data : written to `address` at the clock edge, 3 as 0, while `linked`.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        codes, row = 2 * config.update_lanes, range(config.sum_depth)
        super().__init__({
            "step": In(1),
            "new": In(codes),
            "old": In(codes),
            "ends": In(1),
            "row": In(row),
            "start": In(1),
            "record": In(LayerRecord(config)),
            "walking": Out(1),
            "trit_address": Out(range(config.trit_depth)),
            "trit_bank": Out(range(config.banks)),
            "trit_word": In(2 * config.lanes),
            "scrubbing": Out(1),
            "busy": Out(1),
            "clear": In(1),
            "corrupt": Out(1),
            "linked": In(1),
            "address": In(row),
            "word": Out(2),
            "write": In(1),
            "write_data": In(2),
        })
        self.memory = BlockRam(2, config.sum_depth)

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = self.memory
        updated_row, update_busy = self._follow_updates(m)
        walked_row = self._walk(m)
        m.d.comb += [
            self.word.eq(memory.word),
            self.busy.eq(update_busy | self.scrubbing),
            memory.address.eq(Mux(self.scrubbing, walked_row, updated_row)),
        ]
        with m.If(self.linked):
            m.d.comb += [
                memory.address.eq(self.address),
                memory.write_address.eq(self.address),
                memory.write_data.eq(canonical_mod3(self.write_data)),
                memory.write.eq(self.write),
            ]
        return m

    def _follow_updates(self, m):
        """Adds each row's change to its sum: what row is looked up, and whether any is left."""
        step_1, ends_1, begins = Signal(), Signal(), Signal(init=1)
        row_1, row_2 = Signal.like(self.row), Signal.like(self.row)
        change, total, ended = Signal(2), Signal(2), Signal()
        m.d.sync += [
            step_1.eq(self.step),
            ends_1.eq(self.ends),
            row_1.eq(self.row),
            row_2.eq(row_1),
            change.eq(sum_mod3(Cat(self.new, ~self.old))),
            ended.eq(step_1 & ends_1),
        ]
        with m.If(step_1):
            m.d.sync += [
                begins.eq(ends_1),
                total.eq(add_mod3(Mux(begins, 0, total), change)),
            ]
        with m.If(~self.linked):
            m.d.comb += [
                self.memory.write_address.eq(row_2),
                self.memory.write_data.eq(canonical_mod3(add_mod3(self.memory.word, total))),
                self.memory.write.eq(ended),
            ]
        return row_1, self.step | step_1 | ended

    def _walk(self, m):
        """Sums the words of each row and compares: what row is looked up."""
        config = self.config
        words, left = Signal.like(self.record.words), Signal.like(self.record.outputs)
        word, first = Signal(range(config.max_words)), Signal.like(self.trit_address)
        number = Signal.like(self.row)
        ends = Signal()
        m.d.comb += [
            ends.eq(word == words - 1),
            self.trit_address.eq(first + word),
        ]
        with m.If(self.start):
            m.d.sync += [
                self.walking.eq(1),
                words.eq(self.record.words),
                left.eq(self.record.outputs),
                word.eq(0),
                first.eq(self.record.trit_base),
                self.trit_bank.eq(0),
                number.eq(times(self.record.output_base, config.lanes)),
            ]
        with m.Elif(self.walking):
            m.d.sync += word.eq(word + 1)
            with m.If(ends):
                m.d.sync += [
                    word.eq(0),
                    number.eq(number + 1),
                    left.eq(left - 1),
                    self.walking.eq(left != 1),
                ]
                with m.If(self.trit_bank == config.banks - 1):
                    m.d.sync += [self.trit_bank.eq(0), first.eq(first + words)]
                with m.Else():
                    m.d.sync += self.trit_bank.eq(self.trit_bank + 1)

        # The word comes two cycles later or more, its sum and the row's kept one another later.
        waiting = Signal()
        active, ended, row = self.walking, ends, number
        for _ in range(2 + read_delay(config)):
            before = active, ended, row
            active, ended, row = (Signal.like(Value.cast(value), name=name) for value, name in zip(
                before, ("active", "ended", "number"), strict=True))
            m.d.sync += [active.eq(before[0]), ended.eq(before[1]), row.eq(before[2])]
            waiting |= active
        summed, last, begins = Signal(), Signal(), Signal(init=1)
        part, rest, total = Signal(2), Signal(2), Signal(2)
        m.d.sync += [summed.eq(active), last.eq(ended), part.eq(sum_mod3(self.trit_word))]
        m.d.comb += total.eq(add_mod3(Mux(begins, 0, rest), part))
        with m.If(summed):
            m.d.sync += [rest.eq(total), begins.eq(last)]
            with m.If(last & (canonical_mod3(total) != self.memory.word)):
                m.d.sync += self.corrupt.eq(1)
        with m.If(self.clear):
            m.d.sync += self.corrupt.eq(0)
        m.d.comb += self.scrubbing.eq(self.walking | waiting | summed)
        return row
