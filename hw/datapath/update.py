"""The update unit: U lanes that update counters, and run the backward pass over the same words."""

from types import SimpleNamespace

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...model.config import CoreConfig
from ...units.registry import takes
from ..parts.arith import add_mod3, canonical_mod3, popcount, select, sum_mod3, times
from ..parts.entry import Entry, RowEntry
from ..parts.pipeline import delayed, read_delay, write_delay
from ..parts.ports import LayerRecord
from ..parts.sockets import Changes, StepSource, Still, SumBegins
from .update_stages import answer, move

__all__ = ["UpdateUnit"]


class UpdateUnit(wiring.Component):
    """Pairs rows that have an error with words, U lanes a cycle.

    Update (`backward` = 0): rows outer, the layer's non-zero input words inner; a cycle for each U
    inputs. Backward: words of the layer's inputs outer, rows inner; a cycle for each row and U
    inputs. Both are a pipeline of four stages without stalls: address, answer, move, write; in a
    pipelined core the answer takes `read_delay` more. Where the memories have a single port, an
    update reads in every other cycle; its writes, three cycles after, fall between.

    A core that conserves goes through a row's words twice. The first pass writes nothing, it sums
    mod 3 how the trits would change. In the second this sum is the debt: as long as there is one, a
    trit that would change is held, and the debt becomes less by its change. The two passes are a
    cycle apart.

    Members
    -------
    start, backward, record : strobe, kind of pass, table row of the layer.
    busy : until everything is written.
    row, row_valid, row_last, row_ended, row_take : the row list's reader.
    entry, entry_valid, entry_last, entry_ended, entry_take : the input words' reader. Its list is
        final before an update starts, so that `entry_ended` is set of an empty list only.
    draw : strobe to the PRNG; `dither` is its draw, from the next cycle on.
    trit_address, trit_bank, trit_word : read port of T; the word comes two cycles and `read_delay`
        later.
    trit_write, trit_write_bank, trit_write_address, trit_write_data : write port of T.
    residual_address, residual_word : read port of R; the word comes one cycle and `read_delay`
        later.
    residual_read : the same word another cycle later, for the link.
    residual_write, residual_write_address, residual_write_data : write port of R.
    gate_address, gates : gate bits of a word of inputs, one cycle later.
    error_write, error_write_address, error_write_data : the errors of the layer below.
    flips : trits that changed, with this cycle's write.

    Where units have such sockets:

    changes, stall : what is written; begin no step of an update, those begun go on.
    still, begins, along : see `Still`, `SumBegins`, `StepSource`.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        self.follows, self.pays = takes(config, "changes"), takes(config, "debt")
        trit_address, bank = range(config.trit_depth), range(config.banks)
        residual_address = range(config.residual_depth)
        trit_bits = 2 * config.lanes
        residual_bits = config.update_lanes * config.residual_bits
        super().__init__({
            "start": In(1),
            "backward": In(1),
            "record": In(LayerRecord(config)),
            "busy": Out(1),
            "row": In(RowEntry(config)),
            "row_valid": In(1),
            "row_last": In(1),
            "row_ended": In(1),
            "row_take": Out(1),
            "entry": In(Entry(config, config.word_bits, config.max_words)),
            "entry_valid": In(1),
            "entry_last": In(1),
            "entry_ended": In(1),
            "entry_take": Out(1),
            "draw": Out(1),
            "dither": In(16),
            "trit_address": Out(trit_address),
            "trit_bank": Out(bank),
            "trit_word": In(trit_bits),
            "trit_write": Out(1),
            "trit_write_bank": Out(bank),
            "trit_write_address": Out(trit_address),
            "trit_write_data": Out(trit_bits),
            "residual_address": Out(residual_address),
            "residual_word": In(residual_bits),
            "residual_read": Out(residual_bits),
            "residual_write": Out(1),
            "residual_write_address": Out(residual_address),
            "residual_write_data": Out(residual_bits),
            "gate_address": Out(range(config.hidden_depth)),
            "gates": In(config.lanes),
            "error_write": Out(1),
            "error_write_address": Out(range(config.output_words * config.steps)),
            "error_write_data": Out(2 * config.update_lanes),
            "flips": Out(range(config.update_lanes + 1)),
            **({"changes": Out(Changes(config)), "stall": In(1)} if self.follows else {}),
            **({"still": Out(Still(config))} if takes(config, "still") else {}),
            **({"begins": Out(SumBegins(config))} if takes(config, "begins") else {}),
            **({"along": Out(StepSource(config))} if takes(config, "along") else {}),
        })

    def elaborate(self, platform):
        m = Module()
        first = self._address(m)
        flow = self._follow(m, first)
        answer(m, self, first.gain, flow)
        move(m, self, flow)
        self._write(m, first, flow)
        return m

    def _address(self, m):
        """Stage 0: pairs a row with a word and sets the addresses."""
        config = self.config
        active, backward = Signal(), Signal()
        gain = Signal.like(self.record.gain)
        base = Signal.like(self.record.input_base)
        words_left = Signal.like(self.record.words)
        tile = Signal(range(config.max_words))
        step = Signal(range(config.steps))
        beginning = Signal()   # of a row's pass (update), of a sum (backward)
        counting = Signal()    # a row's first pass, of two
        between = Signal()     # the debt is not known yet
        issue, step_ends, ends = Signal(), Signal(), Signal()
        word = Signal.like(tile)
        first_pass = counting if self.pays else Const(1)
        words = self._words(m)
        turn_to_write = Signal()
        if config.single_port:
            m.d.sync += turn_to_write.eq(active & ~backward & ~turn_to_write)
        may_read = active & ~turn_to_write & ~between
        if self.follows:
            may_read &= ~self.stall
        m.d.comb += [
            step_ends.eq(step == config.steps - 1),
            word.eq(Mux(backward, tile, words.index)),
            self.trit_address.eq(self.row.trit + word),
            self.trit_bank.eq(self.row.bank),
            self.gate_address.eq(base + tile),
        ]
        if config.banks > 1:
            m.d.comb += self.residual_address.eq(
                self.row.residual + times(word, config.steps) + step)
        else:
            m.d.comb += self.residual_address.eq(self._word_of_residuals(self.trit_address, step))
        with m.If(active & backward):
            m.d.comb += [
                issue.eq(self.row_valid | self.row_ended),
                ends.eq(self.row_last | self.row_ended),
                self.row_take.eq(issue),
            ]
            with m.If(issue):
                m.d.sync += beginning.eq(ends)
                with m.If(ends):
                    m.d.sync += step.eq(Mux(step_ends, 0, step + 1))
                    with m.If(step_ends):
                        m.d.sync += [
                            tile.eq(tile + 1),
                            words_left.eq(words_left - 1),
                            active.eq(words_left != 1),
                        ]
        with m.Elif(may_read):
            # Without a non-zero input a row only takes its draw.
            m.d.comb += [
                issue.eq(self.row_valid & words.valid),
                ends.eq((words.last & step_ends) | words.ended),
                words.take.eq(issue & step_ends),
                self.row_take.eq(self.row_valid & (words.ended | (words.valid & ends
                                                                       & ~counting))),
                self.draw.eq(self.row_valid & (words.valid | words.ended) & beginning
                             & (gain < 0) & first_pass & ~words.along),
            ]
            with m.If(issue):
                m.d.sync += [
                    step.eq(Mux(step_ends, 0, step + 1)),
                    beginning.eq(ends),
                ]
                if self.pays:
                    m.d.sync += [counting.eq(counting ^ ends), between.eq(counting & ends)]
            with m.If((self.row_take & self.row_last) | self.row_ended):
                m.d.sync += active.eq(0)
        first = SimpleNamespace(
            active=active, backward=backward, gain=gain, base=base, step=step, issue=issue,
            ends=ends, word=word, beginning=beginning, counting=counting, along=words.along,
            turn_to_write=turn_to_write)
        self._begin(m, first, words_left, tile, between)
        return first

    def _begin(self, m, first, words_left, tile, between):
        """Of an update or a backward pass; the debt is known a cycle after the first pass."""
        with m.If(self.start):
            m.d.sync += [
                first.active.eq(1),
                first.backward.eq(self.backward),
                first.gain.eq(self.record.gain),
                first.base.eq(self.record.input_base),
                words_left.eq(self.record.words),
                tile.eq(0),
                first.step.eq(0),
                first.beginning.eq(1),
            ]
            if self.pays:
                m.d.sync += first.counting.eq(~self.backward)
        if self.pays:
            with m.If(between):
                m.d.sync += between.eq(0)

    def _words(self, m):
        """The words that an update goes through: the list's, or those of a unit's own."""
        if not takes(self.config, "along"):
            return SimpleNamespace(
                index=self.entry.index, valid=self.entry_valid, last=self.entry_last,
                ended=self.entry_ended, take=self.entry_take, along=Const(0))
        source, take = self.along, Signal()
        along = source.along
        m.d.comb += [
            source.entry_take.eq(take),
            source.row_take.eq(self.row_take),
            self.entry_take.eq(take & ~along),
        ]
        return SimpleNamespace(
            index=Mux(along, source.index, self.entry.index), valid=along | self.entry_valid,
            last=Mux(along, source.last, self.entry_last), ended=~along & self.entry_ended,
            take=take, along=along)

    def _follow(self, m, first):
        """What goes along with a step through the stages; what a word meets comes as much later."""
        late = read_delay(self.config)

        def stages(value, name, count):
            return delayed(m, value, late + count, name)[late + 1:]

        issues = delayed(m, first.issue, late + 3 + write_delay(self.config), "issue")
        issue_1, issue_2, issue_3 = issues[late + 1:late + 4]
        _, row_2 = stages(self.row_valid, "row", 2)
        _, negative_2 = stages(self.row.negative, "negative", 2)
        _, first_2 = stages(first.beginning, "first", 2)
        _, _, ends_3 = stages(first.ends, "ends", 3)
        steps = delayed(m, first.step, late + 3, "step")
        step_1, step_2, step_3 = steps[late + 1:]
        words = delayed(m, first.word, late + 3, "word")
        (planes_1,) = stages(self.entry.planes, "planes", 1)
        _, gates_3 = stages(self.gates, "gates", 2)
        m.d.comb += self.busy.eq(first.active | Cat(issues).any())
        flow = SimpleNamespace(
            late=late, stages=stages, issue_1=issue_1, issue_2=issue_2, issue_3=issue_3,
            row_2=row_2, negative_2=negative_2, first_2=first_2, ends_3=ends_3, steps=steps,
            step_1=step_1, step_2=step_2, step_3=step_3, words=words, word_1=words[late + 1],
            word_3=words[-1], planes_1=planes_1, gates_3=gates_3, backward=first.backward,
            along=first.along)
        flow.still_1 = flow.still_2 = flow.still_3 = Const(0)
        if takes(self.config, "still"):
            rows = delayed(m, self.row, late, "row_to_come")
            m.d.comb += [
                self.still.busy.eq(self.busy),
                self.still.row.eq(rows[-1]),
                self.still.word.eq(flow.word_1),
            ]
            flow.still_1, flow.still_2, flow.still_3 = delayed(m, self.still.still, 2, "still")
        if takes(self.config, "begins"):
            m.d.comb += [
                self.begins.start.eq(self.start),
                self.begins.record.eq(self.record),
                self.begins.word.eq(flow.word_1),
                self.begins.part.eq(step_1),
            ]
        return flow

    def _write(self, m, first, flow):
        """Stage 3: writes; a T word once its last U trits are there."""
        config = self.config
        lanes, backward = config.update_lanes, flow.backward
        # With one port a row's next word comes two cycles later, so addresses move at every other.
        moves = ~first.turn_to_write
        depth = 2 if config.single_port else 3 + flow.late
        *_, bank_3 = delayed(m, self.row.bank, depth, "bank", enable=moves)
        *_, trit_3 = delayed(m, self.trit_address, depth, "trit", enable=moves)
        if config.banks > 1:
            *_, residual_3 = delayed(m, self.residual_address, depth, "residual", enable=moves)
        else:
            residual_3 = self._word_of_residuals(trit_3, flow.step_3)
        writes_2 = writes_3 = ~backward
        if self.pays:
            writes_2, writes_3 = self._count_debt(m, first, flow)
        gathered = Signal(2 * config.lanes)
        changed = Signal(lanes)
        m.d.sync += [
            select(gathered, flow.step_2, 2 * lanes).eq(flow.new_trits),
            self.residual_write_data.eq(flow.new_residuals),
            changed.eq(Mux(flow.issue_2 & writes_2 & ~flow.still_2, flow.flips, 0)),
        ]
        update_3 = flow.issue_3 & writes_3 & ~flow.still_3
        m.d.comb += [
            self.trit_write.eq(update_3 & (flow.step_3 == config.steps - 1)),
            self.trit_write_bank.eq(bank_3),
            self.trit_write_address.eq(trit_3),
            self.trit_write_data.eq(gathered),
            self.residual_write.eq(update_3),
            self.residual_write_address.eq(residual_3),
            self.error_write.eq(flow.issue_3 & backward & flow.ends_3),
            self.error_write_address.eq(
                times(first.base + flow.word_3, config.steps) + flow.step_3),
            self.error_write_data.eq(flow.errors),
            self.flips.eq(popcount(changed)),
        ]
        if self.follows:
            self._tell_changes(m, flow, flow.issue_2 & writes_2, flow.issue_3 & writes_3,
                               changed, trit_3)

    def _count_debt(self, m, first, flow):
        """The sum of a row's changes in its first pass; whether stages 2 and 3 may write."""
        _, counting_2, counting_3 = flow.stages(first.counting, "counting", 3)
        _, _, first_3 = flow.stages(first.beginning, "first", 3)
        writes_2 = ~flow.backward & ~counting_2
        total, change = Signal(2), Signal(2)
        m.d.comb += [
            change.eq(add_mod3(Mux(first_3, 0, total),
                               sum_mod3(Cat(self.changes.new, ~self.changes.old)))),
            flow.debt_2.eq(Mux(counting_2, 0, canonical_mod3(total))),
        ]
        with m.If(flow.issue_3 & counting_3):
            m.d.sync += total.eq(change)
        with m.Elif(flow.issue_2 & writes_2):
            m.d.sync += total.eq(flow.debt_left)
        return writes_2, ~flow.backward & ~counting_3

    def _tell_changes(self, m, flow, updates_2, updates_3, changed, address):
        """To those that follow what is written."""
        changes, lanes = self.changes, self.config.update_lanes
        row = flow.stages(self.row, "listed", 3)[-1]
        m.d.sync += [
            changes.old.eq(flow.trits_2),
            changes.new.eq(flow.new_trits),
            changes.old_residuals.eq(flow.residuals_2),
            changes.saturated.eq(flow.saturated & updates_2.replicate(lanes)),
        ]
        m.d.comb += [
            changes.step.eq(updates_3),
            changes.ends.eq(flow.ends_3),
            changes.row.eq(row),
            changes.word.eq(flow.word_3),
            changes.part.eq(flow.step_3),
            changes.address.eq(address),
            changes.new_residuals.eq(self.residual_write_data),
            changes.flips.eq(changed),
            changes.whole.eq(updates_3 & (flow.step_3 == self.config.steps - 1)),
            changes.trits.eq(self.trit_write_data),
            changes.reads.eq(flow.trits_2),
        ]

    def _word_of_residuals(self, trit_address, step):
        """Address in R of a step of a T word, where there is one bank (see `RowEntry`)."""
        steps = self.config.steps
        if steps & (steps - 1) == 0:
            return Cat(step, trit_address)
        return times(trit_address, steps) + step
