"""The purge: small counters and thin granules become 0, and the support is found anew."""

from types import SimpleNamespace

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...hw.parts.arith import popcount, select, times
from ...hw.parts.pipeline import read_delay
from ...hw.parts.ports import LayerRecord
from ...hw.parts.sockets import Changes
from ...model.config import CoreConfig

__all__ = ["PurgeUnit"]


class PurgeUnit(wiring.Component):
    """Goes through a layer granule by granule: counts its trits, then clears counters if needed.

    With n rows in a granule and L/U steps in a word, a granule takes ``2 + 4 n`` cycles, and where
    counters may become 0 another ``4 n L / U``; each is `read_delay` longer in a pipelined core.

    Members
    -------
    limits, operand : strobe: take cutoff, k and rest from CUTOFF's operand.
    clear : strobe: the program begins; all three are 0.
    rest : as CUTOFF set it.
    start, record : strobe, table row of the layer.
    busy : until everything is written.
    trit_address, trit_bank, trit_word : T word; two cycles and `read_delay` later.
    trit_write, trit_write_data : written to the same word at the clock edge.
    residual_address, residual_word : R word; one cycle and `read_delay` later.
    residual_write, residual_write_data : written to the same word at the clock edge.
    moves : what of `Changes` tells of U counters that are written; none flips or saturates.
    support_write, group, support : the word of SUPPORT of a row group, written at the clock edge.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        residual_bits = config.update_lanes * config.residual_bits
        super().__init__({
            "limits": In(1),
            "operand": In(21),
            "clear": In(1),
            "rest": Out(1),
            "start": In(1),
            "record": In(LayerRecord(config)),
            "busy": Out(1),
            "trit_address": Out(range(config.trit_depth)),
            "trit_bank": Out(range(config.banks)),
            "trit_word": In(2 * config.lanes),
            "trit_write": Out(1),
            "trit_write_data": Out(2 * config.lanes),
            "residual_address": Out(range(config.residual_depth)),
            "residual_word": In(residual_bits),
            "residual_write": Out(1),
            "residual_write_data": Out(residual_bits),
            "support_write": Out(1),
            "group": Out(range(config.support_depth)),
            "support": Out(config.max_words),
            "moves": Out(Changes(config)),
        })
        self.cutoff, self.k = Signal(16), Signal(4)

    def elaborate(self, platform):
        m = Module()
        config, lanes = self.config, self.config.lanes
        cutoff, k = self.cutoff, self.k
        with m.If(self.limits):
            m.d.sync += Cat(cutoff, k, self.rest).eq(self.operand)
        with m.Elif(self.clear):
            m.d.sync += [cutoff.eq(0), k.eq(0), self.rest.eq(0)]

        words, word = Signal.like(self.record.words), Signal(range(config.max_words))
        outputs = Signal.like(self.record.outputs)         # from this group on
        rows, step = Signal(range(config.banks + 1)), Signal(range(config.steps))
        stride = Signal(range(config.max_words * config.steps + 1))
        first, here, next_first = (Signal.like(self.residual_address, name=name) for name in (
            "first", "here", "next_first"))  # of the granule, of the row, of the next group
        found = Signal(lanes)                              # lanes of a T word that are not 0
        total = Signal(range(config.banks * lanes + 1))    # of the granule
        thin = Signal()
        waited = Signal(range(3 + read_delay(config)))
        arrived, last_row = Signal(), Signal()
        m.d.comb += [
            stride.eq(times(words, config.steps)),
            rows.eq(Mux(outputs > config.banks, config.banks, outputs)),
            arrived.eq(waited == 2 + read_delay(config)),
            last_row.eq(self.trit_bank + 1 == rows),
            self.residual_address.eq(here + step),
        ]
        self._tell_moves(m, step)

        with m.FSM() as fsm:
            m.d.comb += self.busy.eq(~fsm.ongoing("Idle"))
            with m.State("Idle"):
                m.d.sync += [word.eq(0), self.trit_bank.eq(0), step.eq(0), total.eq(0)]
                with m.If(self.start):
                    m.d.sync += [
                        words.eq(self.record.words),
                        outputs.eq(self.record.outputs),
                        self.trit_address.eq(self.record.trit_base),
                        first.eq(self.record.residual_base),
                        here.eq(self.record.residual_base),
                        self.group.eq(self.record.group_base),
                    ]
                    m.next = "Look"

            at = SimpleNamespace(
                words=words, word=word, outputs=outputs, rows=rows, step=step, stride=stride,
                first=first, here=here, next_first=next_first, found=found, total=total, thin=thin,
                waited=waited, arrived=arrived, last_row=last_row)
            self._count(m, at)
            self._rewrite(m, at)
            self._go_on(m, at)
        return m

    def _tell_moves(self, m, step):
        """Each step of its own, as a row is not gone through at once."""
        config, moves, row = self.config, self.moves, self.moves.row
        m.d.comb += [
            moves.step.eq(self.residual_write),
            moves.ends.eq(1),
            moves.new.eq(select(self.trit_write_data, step, 2 * config.update_lanes)),
            moves.new_residuals.eq(self.residual_write_data),
        ]
        if "number" in row.shape().members:
            first = Signal.like(row.number)  # of the row group
            m.d.comb += row.number.eq(first + self.trit_bank)
            with m.If(self.start):
                m.d.sync += first.eq(times(self.record.output_base, config.lanes))
            with m.Elif(self.support_write):
                m.d.sync += first.eq(first + config.banks)

    def _next_row(self, m, at):
        """The next row of the granule, after the last one the first."""
        m.d.sync += [
            self.trit_bank.eq(Mux(at.last_row, 0, self.trit_bank + 1)),
            at.here.eq(Mux(at.last_row, at.first, at.here + at.stride)),
        ]

    def _count(self, m, at):
        """Counts the trits of a granule, and says whether it stays."""
        config, cutoff, k = self.config, self.cutoff, self.k
        bits, lanes, total = config.counter_bits, config.lanes, at.total
        with m.State("Look"):
            m.d.sync += at.waited.eq(at.waited + 1)
            with m.If(at.arrived):
                m.d.sync += [
                    at.waited.eq(0),
                    at.found.eq(Cat(self.trit_word[n] ^ self.trit_word[n + 1]
                                 for n in range(0, 2 * lanes, 2))),
                ]
                m.next = "Count"

        with m.State("Count"):
            m.d.sync += total.eq(total + popcount(at.found))
            self._next_row(m, at)
            m.next = "Look"
            with m.If(at.last_row):
                with m.If(at.word == 0):
                    m.d.sync += at.next_first.eq(at.here + at.stride)
                m.next = "Judge"

        with m.State("Judge"):
            # With k of b - 1 or more all counters are small.
            kept = (total > cutoff) & (k < bits - 1)
            m.d.sync += [
                self.support.eq(Cat(Mux(at.word == n, kept, self.support[n] & (at.word != 0))
                                    for n in range(config.max_words))),
                at.thin.eq(total <= cutoff),
            ]
            m.next = "Next"
            with m.If((k != 0) | (total.any() & (total <= cutoff))):
                m.next = "Read"

    def _rewrite(self, m, at):
        """Goes through its counters, of which some become 0."""
        config = self.config
        with m.State("Read"):
            m.d.sync += at.waited.eq(at.waited + 1)
            with m.If(at.arrived):
                m.d.sync += at.waited.eq(0)
                self._clear(m, at.step, at.thin)
                m.next = "Write"

        with m.State("Write"):
            m.d.comb += [
                self.residual_write.eq(1),
                self.trit_write.eq(at.step == config.steps - 1),
            ]
            m.d.sync += at.step.eq(at.step + 1)
            m.next = "Read"
            with m.If(at.step == config.steps - 1):
                m.d.sync += at.step.eq(0)
                self._next_row(m, at)
                with m.If(at.last_row):
                    m.next = "Next"

    def _go_on(self, m, at):
        """The next granule, or the next row group."""
        config = self.config
        with m.State("Next"):
            m.d.sync += [
                at.total.eq(0),
                at.word.eq(at.word + 1),
                self.trit_address.eq(self.trit_address + 1),
                at.first.eq(at.first + config.steps),
                at.here.eq(at.first + config.steps),
            ]
            m.next = "Look"
            with m.If(at.word + 1 == at.words):
                m.d.comb += self.support_write.eq(1)
                m.d.sync += [
                    at.word.eq(0),
                    at.first.eq(at.next_first),
                    at.here.eq(at.next_first),
                    at.outputs.eq(at.outputs - config.banks),
                    self.group.eq(self.group + 1),
                ]
                with m.If(at.outputs <= config.banks):
                    m.next = "Idle"

    def _clear(self, m, step, thin):
        """What the U counters of a step become; the T word is gathered."""
        config, k = self.config, self.k
        lanes, low, bits = config.update_lanes, config.residual_bits, config.counter_bits
        trits = select(self.trit_word, step, 2 * lanes)
        beyond = Signal(bits)  # bits that a small counter has like its sign
        m.d.comb += beyond.eq(Const(-1, bits) << k)
        new_trits, new_residuals = [], []
        for n in range(lanes):
            trit, residual = trits[2 * n:2 * n + 2], self.residual_word[low * n:low * (n + 1)]
            small, zero = Signal(name=f"small{n}"), Signal(name=f"zero{n}")
            counter = Cat(residual, trit)
            m.d.comb += [
                small.eq((k != 0) & ~((counter ^ trit[1].replicate(bits)) & beyond).any()),
                zero.eq(small | (thin & (trit[0] ^ trit[1]))),
            ]
            new_trits.append(Mux(zero, 0, trit))
            new_residuals.append(Mux(zero, 0, residual))
        m.d.sync += [
            self.moves.old.eq(trits),
            self.moves.old_residuals.eq(self.residual_word),
            select(self.trit_write_data, step, 2 * lanes).eq(Cat(new_trits)),
            self.residual_write_data.eq(Cat(new_residuals)),
        ]
