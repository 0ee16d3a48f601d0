"""The update unit of a core that updates several rows at once."""

from types import SimpleNamespace

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...model.config import CoreConfig
from ..parts.arith import popcount, select, times, tree_sum
from ..parts.entry import Entry, RowEntry
from ..parts.pipeline import delayed, read_delay
from ..parts.ports import LayerRecord
from .update_lanes import StepLane, StepPlan, UpdateLane

__all__ = ["RowUpdateUnit", "RowsBackwardLane"]


class RowsBackwardLane(wiring.Component):
    """Sums trits times row errors of Q rows a cycle, and says the sum's sign.

    Latency: a cycle.

    Members
    -------
    trits, negative : two-bit trit of each row, 00 where there is none; whether its error is -1.
    active, first : rows are there; they are the sum's first.
    gate : gate bit of the input, with the cycle after the sum's last rows.
    error : sign of the sum, two bits (01 is +1, 11 is -1), 0 where the gate bit is 0.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        super().__init__({
            "trits": In(2 * config.update_rows),
            "negative": In(config.update_rows),
            "active": In(1),
            "first": In(1),
            "gate": In(1),
            "error": Out(2),
        })

    def elaborate(self, platform):
        m = Module()
        total = Signal(signed(self.config.max_neurons.bit_length() + 1))
        terms = []
        for n in range(self.config.update_rows):
            low, high = self.trits[2 * n], self.trits[2 * n + 1]
            one = low ^ high
            terms.append(Cat(one, one & (high ^ self.negative[n])).as_signed())
        with m.If(self.active):
            m.d.sync += total.eq(Mux(self.first, 0, total) + tree_sum(terms))
        m.d.comb += self.error.eq(Cat(self.gate & total.any(), self.gate & total[-1]))
        return m


class RowUpdateUnit(wiring.Component):
    """`UpdateUnit` with Q sets of lanes: rows of different parts go through the same words at once.

    Update: a round takes the next row of each list that still has one through the layer's non-zero
    input words, a cycle for each U inputs; the rounds are as many as the longest list has rows.
    Backward: words outer, rounds inner; a cycle for each round and U inputs. A round begins once
    each list has a row or is known to have none. Stages and delays are those of `UpdateUnit`.

    Members
    -------
    start, backward, record, busy : see `UpdateUnit`.
    rows, row_valid, row_last, row_ended, row_take : the readers of the row lists, one for each
        part; see `RowLists`.
    entry, entry_valid, entry_last, entry_ended, entry_take : the input words' reader.
    trit_*, residual_* : ports of T and R, one for each part.
    gate_address, gates, error_write, error_write_address, error_write_data : see `UpdateUnit`.
    flips : trits that changed, a cycle after their write.
    """

    def __init__(self, config: CoreConfig):
        self.config, self.parts = config, config.update_rows
        parts, trit_bits = self.parts, 2 * config.lanes
        trit_address, bank = range(config.trit_depth), range(config.banks // parts)
        residual_address = RowEntry(config).members["residual"]
        residual_bits = config.update_lanes * config.residual_bits
        super().__init__({
            "start": In(1),
            "backward": In(1),
            "record": In(LayerRecord(config)),
            "busy": Out(1),
            "rows": In(RowEntry(config)).array(parts),
            "row_valid": In(parts),
            "row_last": In(parts),
            "row_ended": In(parts),
            "row_take": Out(parts),
            "entry": In(Entry(config, config.word_bits, config.max_words)),
            "entry_valid": In(1),
            "entry_last": In(1),
            "entry_ended": In(1),
            "entry_take": Out(1),
            "trit_address": Out(trit_address).array(parts),
            "trit_bank": Out(bank).array(parts),
            "trit_word": In(trit_bits).array(parts),
            "trit_write": Out(parts),
            "trit_write_bank": Out(bank).array(parts),
            "trit_write_address": Out(trit_address).array(parts),
            "trit_write_data": Out(trit_bits).array(parts),
            "residual_address": Out(residual_address).array(parts),
            "residual_word": In(residual_bits).array(parts),
            "residual_read": Out(residual_bits).array(parts),
            "residual_write": Out(parts),
            "residual_write_address": Out(residual_address).array(parts),
            "residual_write_data": Out(residual_bits).array(parts),
            "gate_address": Out(range(config.hidden_depth)),
            "gates": In(config.lanes),
            "error_write": Out(1),
            "error_write_address": Out(range(config.output_words * config.steps)),
            "error_write_data": Out(2 * config.update_lanes),
            "flips": Out(range(config.update_lanes * parts + 1)),
        })

    def elaborate(self, platform):
        m = Module()
        first = self._address(m)
        flow = self._follow(m, first)
        self._move_rows(m, first, flow)
        self._sum_backward(m, first, flow)
        return m

    def _address(self, m):
        """Stage 0: pairs the rows of a round with a word and sets the addresses."""
        config, parts = self.config, self.parts
        active, backward = Signal(), Signal()
        gain = Signal.like(self.record.gain)
        base = Signal.like(self.record.input_base)
        words_left = Signal.like(self.record.words)
        tile, step = Signal(range(config.max_words)), Signal(range(config.steps))
        beginning, step_ends, issue, ends = Signal(), Signal(), Signal(), Signal()
        word = Signal.like(tile)
        done = Signal(parts)      # lists that are through with this pass
        taking = Signal(parts)    # that have a row in this round
        known, last = Signal(), Signal()
        m.d.comb += [
            step_ends.eq(step == config.steps - 1),
            word.eq(Mux(backward, tile, self.entry.index)),
            taking.eq(self.row_valid & ~done),
            known.eq((self.row_valid | self.row_ended | done).all()),
            last.eq((self.row_last | self.row_ended | done).all()),
            self.gate_address.eq(base + tile),
        ]
        for n, row in enumerate(self.rows):
            m.d.comb += [
                self.trit_address[n].eq(row.trit + word),
                self.trit_bank[n].eq(row.bank),
                self.residual_address[n].eq(row.residual + times(word, config.steps) + step),
            ]
        with m.If(active & backward):
            m.d.comb += [issue.eq(known), ends.eq(last)]
            with m.If(issue):
                # A list that ended without a last row begins its next pass with the others.
                m.d.comb += self.row_take.eq(taking | (self.row_ended & last.replicate(parts)))
                m.d.sync += [beginning.eq(last), done.eq(done | self.row_last & taking)]
                with m.If(last):
                    m.d.sync += [done.eq(0), step.eq(Mux(step_ends, 0, step + 1))]
                    with m.If(step_ends):
                        m.d.sync += [
                            tile.eq(tile + 1),
                            words_left.eq(words_left - 1),
                            active.eq(words_left != 1),
                        ]
        with m.Elif(active):
            m.d.comb += [
                issue.eq(known & taking.any() & self.entry_valid),
                ends.eq(self.entry_last & step_ends),
                self.entry_take.eq(issue & step_ends),
            ]
            with m.If(issue):
                m.d.sync += step.eq(Mux(step_ends, 0, step + 1))
                with m.If(ends):
                    m.d.comb += self.row_take.eq(taking)
                    m.d.sync += done.eq(done | self.row_last & taking)
            # Without a non-zero input rows only take their draws, which they did.
            with m.If((issue & ends & last) | (known & ~taking.any()) | self.entry_ended):
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
                done.eq(0),
            ]
        return SimpleNamespace(active=active, backward=backward, gain=gain, base=base, step=step,
                               issue=issue, ends=ends, word=word, beginning=beginning,
                               taking=taking)

    def _follow(self, m, first):
        """What goes along with a step; what a word meets comes `read_delay` later.

        What is written last need not be in the banks when the unit is done: whatever is read or
        written then is on the same way, behind it.
        """
        late = read_delay(self.config)
        issues = delayed(m, first.issue, late + 4, "issue")
        m.d.comb += self.busy.eq(first.active | Cat(issues).any())
        return SimpleNamespace(
            late=late, issue_2=issues[late + 2], issue_3=issues[late + 3],
            taking=delayed(m, first.taking & first.issue.replicate(self.parts), late + 3, "taking"),
            negative_2=delayed(m, Cat(row.negative for row in self.rows), late + 2,
                               "negative")[-1],
            first_2=delayed(m, first.beginning, late + 2, "first")[-1],
            ends_3=delayed(m, first.ends, late + 3, "ends")[-1],
            steps=delayed(m, first.step, late + 3, "step"),
            words=delayed(m, first.word, late + 3, "word"),
            planes_1=delayed(m, self.entry.planes, late + 1, "planes")[-1],
            gates_3=delayed(m, self.gates, late + 2, "gates")[-1],
            trits=[], flips=[])

    def _move_rows(self, m, first, flow):
        """The lanes of each part, from the answers of its memories to its writes."""
        config, lanes = self.config, self.config.update_lanes
        step_1 = flow.steps[flow.late + 1]
        planes = [select(flow.planes_1[p * config.lanes:(p + 1) * config.lanes], step_1, lanes)
                  for p in range(config.word_bits)]
        for part in range(self.parts):
            self._move(m, part, first, flow, planes)
        m.d.comb += self.flips.eq(tree_sum(flow.flips))

    def _move(self, m, part, first, flow, planes):
        """Stages 1 to 3 of a part."""
        config, lanes, bits = self.config, self.config.update_lanes, self.config.residual_bits
        plan = self._plan(m, part, first.gain, flow)
        residuals_2 = Signal.like(self.residual_word[part], name=f"residuals{part}_2")
        trits_2 = Signal(2 * lanes, name=f"trits{part}_2")
        m.d.sync += residuals_2.eq(self.residual_word[part])
        m.d.comb += [
            self.residual_read[part].eq(residuals_2),
            trits_2.eq(select(self.trit_word[part], flow.steps[flow.late + 2], 2 * lanes)),
        ]
        new_trits, new_residuals, flips = [], [], []
        for n in range(lanes):
            m.submodules[f"step{part}_{n}"] = step = StepLane(config)
            m.submodules[f"update{part}_{n}"] = lane = UpdateLane(config)
            m.d.comb += [
                step.x.eq(Cat(plane[n] for plane in planes)),
                step.places.eq(plan["places"]),
                step.low.eq(plan["low"][n * config.word_bits:][:config.word_bits]),
                step.carry.eq(plan["carry"][n]),
                lane.trit.eq(trits_2[2 * n:2 * n + 2]),
                lane.residual.eq(residuals_2[bits * n:bits * (n + 1)]),
                lane.negative.eq(flow.negative_2[part]),
            ]
            m.d.sync += lane.step.eq(step.step)
            new_trits.append(lane.new_trit)
            new_residuals.append(lane.new_residual)
            flips.append(lane.flip)
        flow.trits.append(trits_2)
        self._write(m, part, flow, first.backward, Cat(new_trits), Cat(new_residuals), Cat(flips))

    def _plan(self, m, part, gain, flow):
        """As of `update_stages`, with the draw that is in the row's entry."""
        config = self.config
        m.submodules[f"plan{part}"] = plan = StepPlan(config)
        at = read_delay(config) + 1 - config.pipelined
        m.d.comb += [
            plan.gain.eq(gain),
            plan.draw.eq(delayed(m, self.rows[part].draw, at, f"draw{part}")[-1]),
            plan.position.eq(times(times(flow.words[at], config.steps) + flow.steps[at],
                                   config.update_lanes)),
        ]
        return {name: delayed(m, getattr(plan, name), int(config.pipelined), f"plan{part}_{name}",
                              reset_less=True)[-1] for name in ("places", "low", "carry")}

    def _write(self, m, part, flow, backward, new_trits, new_residuals, flips):
        """Stage 3: a part's words of R, and of T once the last U trits are there."""
        config, lanes, late = self.config, self.config.update_lanes, flow.late
        bank_3, trit_3, residual_3 = (
            delayed(m, port[part], late + 3, f"{name}{part}", reset_less=True)[-1]
            for name, port in (("bank", self.trit_bank), ("trit", self.trit_address),
                               ("residual", self.residual_address)))
        gathered = Signal(2 * config.lanes, name=f"gathered{part}")
        changed, count = Signal(lanes, name=f"changed{part}"), Signal(range(lanes + 1),
                                                                      name=f"count{part}")
        m.d.sync += [
            select(gathered, flow.steps[late + 2], 2 * lanes).eq(new_trits),
            self.residual_write_data[part].eq(new_residuals),
            changed.eq(Mux(flow.taking[late + 2][part] & ~backward, flips, 0)),
            count.eq(popcount(changed)),
        ]
        flow.flips.append(count)
        update_3 = flow.taking[late + 3][part] & ~backward
        m.d.comb += [
            self.trit_write[part].eq(update_3 & (flow.steps[late + 3] == config.steps - 1)),
            self.trit_write_bank[part].eq(bank_3),
            self.trit_write_address[part].eq(trit_3),
            self.trit_write_data[part].eq(gathered),
            self.residual_write[part].eq(update_3),
            self.residual_write_address[part].eq(residual_3),
        ]

    def _sum_backward(self, m, first, flow):
        """Stages 2 and 3 of the backward pass: the rows of all parts in one sum."""
        config, lanes = self.config, self.config.update_lanes
        there = flow.taking[flow.late + 2]
        gates = select(flow.gates_3, flow.steps[-1], lanes)
        errors = []
        for n in range(lanes):
            m.submodules[f"backward{n}"] = lane = RowsBackwardLane(config)
            m.d.comb += [
                lane.trits.eq(Cat(Mux(there[part], trits[2 * n:2 * n + 2], 0)
                                  for part, trits in enumerate(flow.trits))),
                lane.negative.eq(flow.negative_2),
                lane.active.eq(flow.issue_2 & first.backward),
                lane.first.eq(flow.first_2),
                lane.gate.eq(gates[n]),
            ]
            errors.append(lane.error)
        m.d.comb += [
            self.error_write.eq(flow.issue_3 & first.backward & flow.ends_3),
            self.error_write_address.eq(
                times(first.base + flow.words[-1], config.steps) + flow.steps[-1]),
            self.error_write_data.eq(Cat(errors)),
        ]
