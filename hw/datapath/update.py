"""The update unit: U lanes that update counters, and run the backward pass over the same words."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...model.config import CoreConfig
from ...units.scales.rtl import score_shape
from ...units.signature.rtl import Signature
from ...units.trace.events import StepEvent
from ..parts.arith import add_mod3, canonical_mod3, popcount, select, sum_mod3, times
from ..parts.entry import Entry
from ..parts.pipeline import delayed, read_delay, write_delay
from ..parts.ports import LayerRecord
from .row_list import RowEntry
from .update_lanes import BackwardLane, DebtLane, StepLane, StepPlan, UpdateLane

__all__ = ["UpdateUnit"]


class UpdateUnit(wiring.Component):
    """Pairs rows that have an error with words, U lanes a cycle.

    Update (`backward` = 0): rows outer, the layer's non-zero input words inner; a cycle for each U
    inputs. Backward: words of the layer's inputs outer, rows inner; a cycle for each row and U
    inputs. Both are a pipeline of four stages without stalls: address, memory, bank, write; in a
    pipelined core the memory takes `read_delay` more. Where the memories have a single port, an
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
    hold : begin no step of an update; those begun go on. event : what the step did that is written
        in this cycle; without a step, nothing flips or saturates. Of a core with a trace unit.
    sum_step, sum_new, sum_old, sum_ends, sum_row : with row sums: U codes of a row that are
        written, and those before, see `RowSums`.
    score_valid, score_row, score : where rows have scales: strobe after a row's last word, the
        row's word of S, and its error times the sum of its trits that meet an input.
    above_address, above : with skip connections: word of the errors of the record's own layer to
        read; one cycle later.
    along : of a core with resident samples: an update along a direction, which takes no draws; of
        each lane of L, `nonzero` and `negative`, one cycle after `trit_address`, say whether and
        how its counter moves, and
    magnitude : by how much.

    Of a core with a support:

    rest : counters outside the support stay as they are.
    support_address, support_word : word of SUPPORT to read; one cycle later.
    visit, visit_group, visit_index, alive : see `SupportStore`; not while `rest` is set.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        trit_address, bank = range(config.trit_depth), range(config.banks)
        residual_address = range(config.residual_depth)
        trit_bits = 2 * config.lanes
        residual_bits = config.update_lanes * config.residual_bits
        traced = {"hold": In(1), "event": Out(StepEvent(config))} if config.trace else {}
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
            **traced,
            **({
                "sum_step": Out(1),
                "sum_new": Out(2 * config.update_lanes),
                "sum_old": Out(2 * config.update_lanes),
                "sum_ends": Out(1),
                "sum_row": Out(range(config.sum_depth)),
            } if config.row_sums else {}),
            **({
                "score_valid": Out(1),
                "score_row": Out(range(config.sum_depth)),
                "score": Out(score_shape(config)),
            } if config.scales else {}),
            **({
                "above_address": Out(range(config.output_words * config.steps)),
                "above": In(2 * config.update_lanes),
            } if config.skip else {}),
            **({
                "along": In(1),
                "nonzero": In(config.lanes),
                "negative": In(config.lanes),
                "magnitude": In(config.counter_bits - 2),
            } if config.resident else {}),
            **({
                "rest": In(1),
                "support_address": Out(range(config.support_depth)),
                "support_word": In(config.max_words),
                "visit": Out(1),
                "visit_group": Out(range(config.support_depth)),
                "visit_index": Out(range(config.max_words)),
                "alive": Out(1),
            } if config.support else {}),
        })
        self.signing = Signature(config) if config.signature else None

    def elaborate(self, platform):
        m = Module()
        config = self.config
        lanes, bits = config.update_lanes, config.residual_bits

        # Stage 0: pair a row with a word and set the addresses.
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
        first_pass = counting if config.conserve else Const(1)
        along = self.along if config.resident else Const(0)
        turn_to_write = Signal()
        if config.single_port:
            m.d.sync += turn_to_write.eq(active & ~backward & ~turn_to_write)
        may_read = active & ~turn_to_write & ~between
        if config.trace:
            may_read &= ~self.hold
        m.d.comb += [
            step_ends.eq(step == config.steps - 1),
            word.eq(Mux(backward, tile, self.entry.index)),
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
                issue.eq(self.row_valid & self.entry_valid),
                ends.eq((self.entry_last & step_ends) | self.entry_ended),
                self.entry_take.eq(issue & step_ends),
                self.row_take.eq(self.row_valid & (self.entry_ended | (self.entry_valid & ends
                                                                       & ~counting))),
                self.draw.eq(self.row_valid & (self.entry_valid | self.entry_ended) & beginning
                             & (gain < 0) & first_pass & ~along),
            ]
            with m.If(issue):
                m.d.sync += [
                    step.eq(Mux(step_ends, 0, step + 1)),
                    beginning.eq(ends),
                ]
                if config.conserve:
                    m.d.sync += [counting.eq(counting ^ ends), between.eq(counting & ends)]
            with m.If((self.row_take & self.row_last) | self.row_ended):
                m.d.sync += active.eq(0)

        with m.If(self.start):
            m.d.sync += [
                active.eq(1),
                backward.eq(self.backward),
                gain.eq(self.record.gain),
                base.eq(self.record.input_base),
                words_left.eq(self.record.words),
                tile.eq(0),
                step.eq(0),
                beginning.eq(1),
            ]
            if config.conserve:
                m.d.sync += counting.eq(~self.backward)
        if config.conserve:
            with m.If(between):
                m.d.sync += between.eq(0)

        # What the memories' words meet comes as much later as those do.
        late = read_delay(config)

        def stages(value, name, count):
            return delayed(m, value, late + count, name)[late + 1:]

        issues = delayed(m, issue, late + 3 + write_delay(config), "issue")
        _, issue_2, issue_3 = issues[late + 1:late + 4]
        _, row_2 = stages(self.row_valid, "row", 2)
        _, negative_2 = stages(self.row.negative, "negative", 2)
        _, first_2 = stages(beginning, "first", 2)
        _, _, ends_3 = stages(ends, "ends", 3)
        steps = delayed(m, step, late + 3, "step")
        step_1, step_2, step_3 = steps[late + 1:]
        words = delayed(m, word, late + 3, "word")
        word_3 = words[-1]
        (planes_1,) = stages(self.entry.planes, "planes", 1)
        _, gates_3 = stages(self.gates, "gates", 2)
        m.d.comb += self.busy.eq(active | Cat(issues).any())

        blocked_2 = blocked_3 = Const(0)
        if config.support:
            outside = Signal()
            m.d.comb += [
                self.support_address.eq(delayed(m, self.row.group, late, "group")[-1]),
                outside.eq(self.rest & ~select(self.support_word, words[late + 1], 1)),
            ]
            _, blocked_2, blocked_3 = delayed(m, outside, 2, "outside")

        if config.skip:
            skip, above_base = Signal.like(self.record.skip), Signal.like(self.record.output_base)
            with m.If(self.start):
                m.d.sync += [skip.eq(self.record.skip), above_base.eq(self.record.output_base)]
            m.d.comb += self.above_address.eq(
                times(above_base + words[late + 1], config.steps) + step_1)

        # Stage 1: the memories answer; the step of each of U inputs.
        plan = self._plan(m, gain, words, steps)
        residuals_2 = Signal.like(self.residual_word)
        m.d.sync += residuals_2.eq(self.residual_word)
        m.d.comb += self.residual_read.eq(residuals_2)
        steps_2 = [Signal(config.counter_bits, name=f"step{n}_2") for n in range(lanes)]
        plane_words = [select(planes_1[p * config.lanes:(p + 1) * config.lanes], step_1, lanes)
                       for p in range(config.word_bits)]
        for n in range(lanes):
            m.submodules[f"step{n}"] = lane = StepLane(config)
            m.d.comb += [
                lane.x.eq(Cat(plane[n] for plane in plane_words)),
                lane.places.eq(plan["places"]),
                lane.low.eq(plan["low"][n * config.word_bits:][:config.word_bits]),
                lane.carry.eq(plan["carry"][n]),
            ]
            m.d.sync += steps_2[n].eq(lane.step)
        down_2 = negative_2.replicate(lanes)
        if config.resident:
            (negative_1_row,) = stages(self.row.negative, "down", 1)
            nonzero_1 = select(delayed(m, self.nonzero, late, "nonzero")[-1], step_1, lanes)
            negative_1 = select(delayed(m, self.negative, late, "lanes_down")[-1], step_1, lanes)
            lane_down_2 = Signal(lanes)
            with m.If(along):
                m.d.sync += [signal.eq(Mux(nonzero_1[n], self.magnitude, 0))
                             for n, signal in enumerate(steps_2)]
                m.d.sync += lane_down_2.eq(negative_1)
            with m.Else():
                m.d.sync += lane_down_2.eq(negative_1_row.replicate(lanes))
            down_2 = lane_down_2

        # Stage 2: counters move, the backward pass sums.
        trits_2, flips = Signal(2 * lanes), Signal(lanes)
        saturated = Signal(lanes)
        new_trits, new_residuals = Signal(2 * lanes), Signal.like(self.residual_word)
        errors = Signal(2 * lanes)
        m.d.comb += trits_2.eq(select(self.trit_word, step_2, 2 * lanes))
        debt_2 = Signal(2)  # a bit for 1, a bit for 2
        debt = debt_2
        for n in range(lanes):
            trit, residual = slice(2 * n, 2 * n + 2), slice(bits * n, bits * (n + 1))
            m.submodules[f"update{n}"] = lane = UpdateLane(config)
            m.d.comb += [
                lane.trit.eq(trits_2[trit]),
                lane.residual.eq(residuals_2[residual]),
                lane.step.eq(steps_2[n]),
                lane.negative.eq(down_2[n]),
                new_trits[trit].eq(lane.new_trit),
                new_residuals[residual].eq(lane.new_residual),
                flips[n].eq(lane.flip & ~debt.any()),
            ]
            if config.conserve:
                m.submodules[f"debt{n}"] = payer = DebtLane(config)
                m.d.comb += [
                    payer.debt.eq(debt),
                    payer.flip.eq(lane.flip),
                    payer.negative.eq(negative_2),
                    payer.trit.eq(trits_2[trit]),
                    payer.new_trit.eq(lane.new_trit),
                    payer.new_residual.eq(lane.new_residual),
                    new_trits[trit].eq(payer.held_trit),
                    new_residuals[residual].eq(payer.held_residual),
                ]
                debt = payer.rest
            if config.trace:
                m.d.comb += saturated[n].eq(lane.saturated)
            m.submodules[f"backward{n}"] = sum_lane = BackwardLane(config)
            m.d.comb += [
                sum_lane.trit.eq(Mux(row_2, trits_2[trit], 0)),
                sum_lane.active.eq(issue_2 & backward),
                sum_lane.first.eq(first_2),
                sum_lane.negative.eq(negative_2),
                sum_lane.gate.eq(select(gates_3, step_3, lanes)[n]),
                errors[trit].eq(sum_lane.error),
            ]
            if config.skip:
                m.d.comb += [sum_lane.above.eq(self.above[trit]), sum_lane.skip.eq(skip)]

        # Stage 3: write; a T word once its last U trits are there.
        # With one port a row's next word comes two cycles later, so addresses move at every other.
        moves = ~turn_to_write
        depth = 2 if config.single_port else 3 + late
        *_, bank_3 = delayed(m, self.row.bank, depth, "bank", enable=moves)
        *_, trit_3 = delayed(m, self.trit_address, depth, "trit", enable=moves)
        if config.banks > 1:
            *_, residual_3 = delayed(m, self.residual_address, depth, "residual", enable=moves)
        else:
            residual_3 = self._word_of_residuals(trit_3, step_3)
        writes_2 = writes_3 = ~backward
        if config.conserve:
            _, counting_2, counting_3 = stages(counting, "counting", 3)
            _, _, first_3 = stages(beginning, "first", 3)
            writes_2, writes_3 = ~backward & ~counting_2, ~backward & ~counting_3
            total, change = Signal(2), Signal(2)
            m.d.comb += [
                change.eq(add_mod3(Mux(first_3, 0, total),
                                   sum_mod3(Cat(self.sum_new, ~self.sum_old)))),
                debt_2.eq(Mux(counting_2, 0, canonical_mod3(total))),
            ]
            with m.If(issue_3 & counting_3):
                m.d.sync += total.eq(change)
            with m.Elif(issue_2 & writes_2):
                m.d.sync += total.eq(debt)
        gathered = Signal(2 * config.lanes)
        changed = Signal(lanes)
        m.d.sync += [
            select(gathered, step_2, 2 * lanes).eq(new_trits),
            self.residual_write_data.eq(new_residuals),
            changed.eq(Mux(issue_2 & writes_2 & ~blocked_2, flips, 0)),
        ]
        update_3 = issue_3 & writes_3 & ~blocked_3
        if config.trace:
            m.d.sync += [
                self.event.saturated.eq(saturated & (issue_2 & writes_2).replicate(lanes)),
                self.event.negative.eq(negative_2),
            ]
            m.d.comb += [
                self.event.flips.eq(changed),
                self.event.bank.eq(bank_3),
                self.event.address.eq(trit_3),
                self.event.step.eq(step_3),
            ]
        m.d.comb += [
            self.trit_write.eq(update_3 & (step_3 == config.steps - 1)),
            self.trit_write_bank.eq(bank_3),
            self.trit_write_address.eq(trit_3),
            self.trit_write_data.eq(gathered),
            self.residual_write.eq(update_3),
            self.residual_write_address.eq(residual_3),
            self.error_write.eq(issue_3 & backward & ends_3),
            self.error_write_address.eq(times(base + word_3, config.steps) + step_3),
            self.error_write_data.eq(errors),
            self.flips.eq(popcount(changed)),
        ]
        if config.signature:
            m.submodules.signing = self.signing
            m.d.sync += [
                self.signing.new_trits.eq(new_trits),
                self.signing.old_trits.eq(trits_2),
                self.signing.old_residuals.eq(residuals_2),
            ]
            m.d.comb += [
                self.signing.step.eq(update_3),
                self.signing.new_residuals.eq(self.residual_write_data),
            ]
        if config.support:
            low, high = gathered[::2], gathered[1::2]
            m.d.comb += [
                self.visit.eq(self.trit_write & ~self.rest),
                self.visit_group.eq(stages(self.row.group, "group", 3)[-1]),
                self.visit_index.eq(word_3),
                self.alive.eq((low ^ high).any()),
            ]
        if config.row_sums or config.scales:
            *_, number_3 = stages(self.row.number, "number", 3)
        if config.row_sums:
            m.d.sync += [self.sum_new.eq(new_trits), self.sum_old.eq(trits_2)]
            m.d.comb += [
                self.sum_step.eq(update_3),
                self.sum_ends.eq(ends_3),
                self.sum_row.eq(number_3),
            ]
        if config.scales:
            used = Cat(Cat(plane[n] for plane in plane_words).any() for n in range(lanes))
            ended = delayed(m, self.row_take & ~backward, late + 3, "row_end")
            _, negative_3 = delayed(m, negative_2, 1, "negative_2")
            self._score(m, used, trits_2, update_3, ended, negative_3, number_3)
        return m

    def _plan(self, m, gain, words, steps):
        """What stage 1 needs of the step plan; in a pipelined core from a register."""
        config = self.config
        m.submodules.plan = plan = StepPlan(config)
        at = read_delay(config) + 1 - config.pipelined
        m.d.comb += [
            plan.gain.eq(gain),
            plan.draw.eq(delayed(m, self.dither, at - 1, "dither")[-1]),
            plan.position.eq(
                times(times(words[at], config.steps) + steps[at], config.update_lanes)),
        ]
        return {name: delayed(m, getattr(plan, name), int(config.pipelined), f"plan_{name}",
                              reset_less=True)[-1] for name in ("places", "low", "carry")}

    def _score(self, m, used, trits_2, update_3, ended, negative_3, number_3):
        """Sums the trits of a row that meet an input; the score of the row that ends in stage 3."""
        used_2 = Signal(self.config.update_lanes)
        part_3 = Signal(signed(len(used_2).bit_length() + 1))
        pairs = [trits_2[2 * n:2 * n + 2] for n in range(len(used_2))]
        total, sum_3 = Signal.like(self.score), Signal.like(self.score)
        m.d.sync += [
            used_2.eq(used),
            part_3.eq(popcount(Cat(pair == 0b01 for pair in pairs) & used_2)
                      - popcount(Cat(pair == 0b10 for pair in pairs) & used_2)),
            total.eq(Mux(ended[-1], 0, sum_3)),
            self.score_valid.eq(ended[-1]),
            self.score_row.eq(number_3),
            self.score.eq(Mux(negative_3, -sum_3, sum_3)),
        ]
        m.d.comb += sum_3.eq(total + Mux(update_3, part_3, 0))
        with m.If(Cat(ended).any() | self.score_valid):
            m.d.comb += self.busy.eq(1)

    def _word_of_residuals(self, trit_address, step):
        """Address in R of a step of a T word, where there is one bank (see `RowEntry`)."""
        steps = self.config.steps
        if steps & (steps - 1) == 0:
            return Cat(step, trit_address)
        return times(trit_address, steps) + step
