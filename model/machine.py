"""The reference machine: executes a program instruction by instruction.

Its registers and memories are the architectural state of the core: after every instruction each
equals its twin in the RTL. The queue of received samples (`inbox`) and of results (`outbox`) are
the link's, and not architectural.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ..firmware.frames import Run
from ..firmware.isa import INSTRUCTIONS, Op, Operand, decode
from ..units import UNITS
from ..units.record import Part
from ..units.registry import needed_by
from . import arithmetic
from .blending import granules
from .config import CoreConfig, ceil_div
from .discrete.direction import direction
from .discrete.perturbed import confident_step
from .discrete.splitmix import GOLDEN, MASK, mix
from .discrete.walk import following
from .discrete.walk import place as weight_place
from .layout import Layer, Placement, layer_counters, place, row_sums
from .records import Piece, Tracer
from .rng import XorShift64
from .scales.chip import CORR_BITS, apply_codes, refreshed, size_exponent
from .scales.rows import row_scores

__all__ = ["Machine", "Result", "Sample", "Statistics"]


@dataclass(frozen=True)
class Sample:
    """Inputs (integers of the first layer's planes) and label."""

    x: arithmetic.IntArray
    label: int


@dataclass(frozen=True)
class Result:
    """What SEND tells the host."""

    index: int
    prediction: int
    scores: arithmetic.IntArray


@dataclass
class Statistics:
    """Counts since RUN."""

    samples: int = 0
    correct: int = 0
    updates: int = 0
    flips: int = 0


@dataclass
class Registers:
    """Registers of the sequencer and of the score scan."""

    pc: int = 0
    counter: int = 0
    flag: bool = False
    label: int = 0
    target: int = 0       #: label of the last scan
    scan: arithmetic.Scan = field(default_factory=lambda: arithmetic.Scan(0, 0, 0))
    margin: int = 0       #: of the last ERR
    cutoff: int = 0       #: of the last CUTOFF, as are
    k: int = 0
    rest: bool = False
    sent: int = 0         #: results since RUN
    side: int = 0         #: the direction's sign in FWD: +1, -1, or 0 for none
    key: int = 0          #: of the direction
    sparsity: int = 1
    position: int = 0     #: of the resident sample in hand, from the oldest
    loss: int = 0         #: of trits + direction, less that of trits - direction


class Machine:
    """A core without its link.

    Attributes
    ----------
    codes, residuals
        Memories T (banks, depth, L; two-bit codes) and R (depth, U).
    sums
        Memory SUMS: the trits of each row mod 3 (0, 1 or 2), if the core keeps them.
    support
        Memory SUPPORT: whether each granule is inside (row groups of all layers, words), if the
        core keeps it.
    gates, errors
        Gate bits (hidden words, L) and error trits (words, U) of all layers.
    corr, factors
        Memory S, sums and codes (`scales.chip`): a word for each row as in SUMS, and the step in
        the last word's corr; if rows have scales.
    tracer
        What tells decisions; of use in a core with a trace unit only.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        c = config
        self.codes = np.zeros((c.banks, c.trit_depth, c.lanes), np.int64)
        self.residuals = np.zeros((c.residual_depth, c.update_lanes), np.int64)
        self.gates = np.zeros((c.hidden_depth, c.lanes), bool)
        self.errors = np.zeros((c.output_words * c.steps, c.update_lanes), np.int64)
        self.corr = np.zeros(c.scale_depth if c.scales else 0, np.int64)
        self.factors = np.zeros(len(self.corr), np.uint8)
        self.scores = np.zeros(c.max_classes, np.int64)
        self.sums = np.zeros(c.sum_depth if c.row_sums else 0, np.int64)
        self.support = np.zeros((c.support_depth if c.support else 0, c.max_words), bool)
        self.prng = XorShift64(1)
        self.program: list[int] = []
        self.layers: list[Layer] = []
        self.places: list[Placement] = []
        self.run = Run.IDLE
        self.inbox: deque[Sample] = deque()
        self.outbox: deque[Result | Piece] = deque()
        self.tracer = Tracer(config)
        #: What units keep themselves, by their names.
        self.parts: dict[str, Part] = {unit.name: getattr(unit.part("golden"), unit.golden)(self)
                                       for unit in UNITS if unit.within(config) and unit.golden}
        self.clear()

    def clear(self) -> None:
        """What RUN clears: registers, statistics, and all activations."""
        self.registers = Registers()
        self.statistics = Statistics()
        self.tracer.clear()
        for part in self.parts.values():
            part.clear()
        self.inbox.clear()
        self.resident: deque[Sample] = deque(maxlen=self.config.resident)
        words = self.config.max_input_words
        self.inputs = np.zeros(words * self.config.lanes, np.int64)
        self.hidden = np.zeros(self.config.hidden_depth * self.config.lanes, np.int64)

    def load_table(self, layers: Sequence[Layer]) -> None:
        """Replace the layer table by one that `check_table` has accepted."""
        self.layers = list(layers)
        self.places = place(self.config, layers)

    def start(self) -> None:
        """Run the program from address 0."""
        self.clear()
        self.run = Run.RUNNING

    def advance(self) -> None:
        """Run until the program stops or waits for a sample."""
        while self.run is Run.RUNNING and self.step():
            pass

    def step(self) -> bool:
        """Execute one instruction. False if it must wait for a sample, with nothing changed."""
        r = self.registers
        word = self.program[r.pc] if r.pc < len(self.program) else 0
        opcode, operand = decode(word)
        following = r.pc + 1
        if opcode == Op.HALT:
            self.run = Run.HALTED
            return True
        row = INSTRUCTIONS[Op(opcode)] if opcode in INSTRUCTIONS else None
        if row is not None and row.operand is Operand.LAYER and not (
                (2 if opcode == Op.BWD else 1) <= operand <= len(self.layers)):
            self.run = Run.FAULT
            return True
        if opcode == Op.COUNT:
            r.counter = operand
        elif opcode == Op.LOOP:
            r.counter = (r.counter - 1) % (1 << 24)
            if r.counter != 0:
                following = operand
        elif opcode == Op.RECV:
            if not self.inbox:
                return False
            self._receive(self.inbox.popleft())
        elif opcode == Op.FWD:
            self._forward(operand)
        elif opcode == Op.ERR:
            self._error(operand)
        elif opcode == Op.SKIP:
            if not r.flag:
                following = operand
        elif opcode == Op.BWD:
            self._backward(operand)
        elif opcode == Op.UPD:
            self._update(operand)
        elif opcode == Op.SEND:
            classes = self.layers[-1].outputs
            self.outbox.append(Result(r.sent, r.scan.prediction, self.scores[:classes].copy()))
            r.sent = (r.sent + 1) % (1 << 32)
        elif opcode == Op.TRACE:
            self.outbox.extend(self.tracer.switch(operand))
        elif opcode == Op.TELL:
            self._tell(operand)
        elif opcode == Op.PROBE:
            self._probe(operand)
        elif opcode == Op.LOSS:
            self._loss(operand)
        elif opcode == Op.STEP:
            self._step_along(operand)
        elif opcode == Op.CUTOFF:
            r.cutoff, r.k, r.rest = operand & 0xFFFF, operand >> 16 & 15, bool(operand >> 20)
        elif opcode == Op.PURGE:
            self._purge(operand)
        elif opcode == Op.SCRUB and not self._intact(operand):
            self.run = Run.CORRUPT
        elif opcode == Op.REFRESH:
            self.corr[-1] = _wrapped(self.corr[-1:] + 1)[0]
            r.flag = bool(self.corr[-1] % (1 << operand) == 0)
        elif opcode == Op.SCALE:
            self._scale(operand)
        elif row is not None and (unit := needed_by(row.op)) is not None and (
                unit.name in self.parts):
            self.parts[unit.name].execute(row.op, operand)
        r.pc = following
        return True

    def _receive(self, sample: Sample) -> None:
        self.resident.append(sample)
        self._take(sample)

    def _take(self, sample: Sample) -> None:
        self.inputs[:] = 0
        self.inputs[:len(sample.x)] = sample.x
        self.registers.label = sample.label

    def _lanes(self, number: int,
               ) -> tuple[Layer, Placement, arithmetic.IntArray, arithmetic.IntArray]:
        """A layer, its place, its counters and its inputs, all with unused lanes."""
        layer, placed = self.layers[number - 1], self.places[number - 1]
        counters = layer_counters(self.config, layer, placed, self.codes, self.residuals, True)
        source = self.inputs if number == 1 else self.hidden[placed.input_base
                                                             * self.config.lanes:]
        return layer, placed, counters, source[:placed.words * self.config.lanes]

    def _forward(self, number: int) -> None:
        layer, placed, counters, x = self._lanes(number)
        weights = arithmetic.trits(counters, self.config.counter_bits)
        if self.registers.side:
            weights = np.clip(weights + self.registers.side * self._direction(number), -1, 1)
        if self.config.support:
            weights = weights * self._inside(number)
        z = arithmetic.skipped(arithmetic.forward(weights, x), x, layer.skip)
        if self.config.scales:
            z = apply_codes(z, self.factors[self._rows(number)])
        if number == len(self.layers):
            self.scores[:layer.outputs] = z
            self.registers.target = self.registers.label
            self.registers.scan = arithmetic.scan_scores(z, self.registers.label)
            return
        h, gates = arithmetic.activate(z, layer.shift, self.config.activation_bits)
        words = ceil_div(layer.outputs, self.config.lanes)
        lanes = slice(placed.output_base * self.config.lanes,
                      (placed.output_base + words) * self.config.lanes)
        padding = words * self.config.lanes - layer.outputs
        self.hidden[lanes] = np.pad(h, (0, padding))
        self.gates.reshape(-1)[lanes] = np.pad(gates, (0, padding))

    def _error(self, margin: int) -> None:
        r = self.registers
        r.margin = margin
        r.flag = r.scan.gap < margin
        self.statistics.samples += 1
        self.statistics.correct += r.scan.prediction == r.target
        if r.flag:
            self.statistics.updates += 1
            last = len(self.layers)
            self._row_errors(last)[:] = 0
            self._row_errors(last)[r.target] = 1
            self._row_errors(last)[r.scan.rival] = -1

    def _row_errors(self, number: int) -> arithmetic.IntArray:
        """View of a layer's error trits, with unused lanes of the last word of U."""
        layer, placed = self.layers[number - 1], self.places[number - 1]
        first = placed.output_base * self.config.steps
        words = ceil_div(layer.outputs, self.config.update_lanes)
        return self.errors[first:first + words].reshape(-1)

    def _backward(self, number: int) -> None:
        layer, placed, counters, _ = self._lanes(number)
        weights = arithmetic.trits(counters, self.config.counter_bits)
        gates = self.gates[placed.input_base:placed.input_base + placed.words].reshape(-1)
        errors = self._row_errors(number)[:layer.outputs]
        steps = self.config.steps
        first, count = placed.input_base * steps, placed.words * steps
        self.errors[first:first + count].reshape(-1)[:] = arithmetic.backward(
            weights, errors, gates, layer.skip)

    def _update(self, number: int) -> None:
        layer, placed, counters, x = self._lanes(number)
        bits = self.config.counter_bits
        if self.config.scales:
            rows = self._rows(number)
            errors = self._row_errors(number)[:layer.outputs]
            self.corr[rows] = _wrapped(
                self.corr[rows] + row_scores(arithmetic.trits(counters, bits), x, errors))
        for j in np.flatnonzero(self._row_errors(number)[:layer.outputs]):
            draw = self.prng.draw() if layer.gain < 0 else 0
            step = arithmetic.steps(x, layer.gain, draw)
            error = int(self._row_errors(number)[j])
            if self.config.support and self.registers.rest:
                step = step * self._inside(number)[j]
            row, flips = arithmetic.update(counters[j], error, step, bits, self.config.conserve)
            self.statistics.flips += flips
            self._store_row(placed, int(j), row)
            for part in self.parts.values():
                part.updated(number, int(j), counters[j], row)
            group, bank = divmod(int(j), self.config.banks)
            if self.config.support and not self.registers.rest:
                born = (self._in_words(x != 0) & self._in_words(arithmetic.trits(row, bits) != 0))
                self._support(number)[group] |= born
            self.outbox.extend(self.tracer.update(
                bank, placed.trit_base + group * placed.words, error, counters[j], step, row))

    def _support(self, number: int) -> npt.NDArray[np.bool_]:
        """View of a layer's part of SUPPORT (row groups, words)."""
        placed = self.places[number - 1]
        return self.support[placed.group_base:placed.group_base + placed.groups, :placed.words]

    def _inside(self, number: int) -> npt.NDArray[np.bool_]:
        """Whether the granule of each weight, and of each unused lane, is inside the support."""
        rows = np.repeat(self._support(number), self.config.banks, axis=0)
        return np.repeat(rows[:self.layers[number - 1].outputs], self.config.lanes, axis=1)

    def _in_words(self, lanes: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Of each word of L, whether any lane is set."""
        return np.asarray(lanes.reshape(-1, self.config.lanes).any(axis=1))

    def _purge(self, number: int) -> None:
        layer, placed, counters, _ = self._lanes(number)
        r, c = self.registers, self.config
        after, inside = granules.purged(counters, c.counter_bits, c.banks, c.lanes, r.cutoff, r.k)
        for j in range(layer.outputs):
            self._store_row(placed, j, after[j])
        groups = self.support[placed.group_base:placed.group_base + placed.groups]
        groups[:], groups[:, :placed.words] = False, inside

    def _tell(self, number: int) -> None:
        r, c = self.registers, self.config
        layer, placed = self.layers[number - 1], self.places[number - 1]
        if number == len(self.layers):
            self.outbox.extend(self.tracer.scores(
                r.scan, r.target, r.flag, r.margin, self.scores[:layer.outputs]))
            return
        words = ceil_div(layer.outputs, c.lanes)
        steps = c.steps if c.trainable else 0
        first = placed.output_base
        errors = self.errors[first * c.steps:first * c.steps + words * steps]
        self.outbox.extend(self.tracer.hidden(
            number, self.gates[first:first + words],
            self.hidden.reshape(-1, c.lanes)[first:first + words],
            errors.reshape(words, steps, c.update_lanes) * r.flag))

    def _rows(self, number: int) -> slice:
        """A layer's words of SUMS and S."""
        first = self.places[number - 1].output_base * self.config.lanes
        return slice(first, first + self.layers[number - 1].outputs)

    def _scale(self, number: int) -> None:
        rows, step = self._rows(number), int(self.corr[-1]) % (1 << CORR_BITS)
        exponent = size_exponent(self.layers[number - 1].inputs)
        self.factors[rows] = [refreshed(int(c), step, exponent) for c in self.corr[rows]]

    def _direction(self, number: int) -> arithmetic.IntArray:
        """Of a layer's weights; 0 in unused lanes."""
        r, layer, placed = self.registers, self.layers[number - 1], self.places[number - 1]
        if r.sparsity:
            trits = direction(np.array([r.key], np.uint64), number, layer.outputs, layer.inputs,
                              r.sparsity)[0].astype(np.int64)
        else:
            trits = np.zeros((layer.outputs, layer.inputs), np.int64)
            chosen, row, column = weight_place(r.key)
            if chosen == number and row < layer.outputs and column < layer.inputs:
                trits[row, column] = 1
        unused = placed.words * self.config.lanes - layer.inputs
        return np.pad(trits, ((0, 0), (0, unused)))

    def _probe(self, sparsity: int) -> None:
        r = self.registers
        state, r.sparsity = self.prng.state, sparsity
        if sparsity:
            self.prng.state = (state + GOLDEN) & MASK
            r.key = mix(self.prng.state)
        else:
            self.prng.state = following(state, [(n.outputs, n.inputs) for n in self.layers])
            r.key = state
        r.side, r.loss, r.position = 1, 0, 0
        if self.resident:
            self._take(self.resident[0])

    def _loss(self, margin: int) -> None:
        r = self.registers
        self.statistics.samples += 1
        self.statistics.correct += r.scan.prediction == r.target
        r.loss += r.side * min(max(margin - r.scan.gap, 0), 2 * margin)
        r.position += 1
        if r.position >= len(self.resident):
            r.position = 0
            r.side = -1 if r.side == 1 else 0
        r.flag = r.side == 0
        if self.resident:
            self._take(self.resident[r.position])

    def _step_along(self, number: int) -> None:
        layer, placed, counters, _ = self._lanes(number)
        bits, loss = self.config.counter_bits, self.registers.loss
        step = confident_step(loss, layer.gain, bits) * (-1 if loss > 0 else 1)
        if step:
            for j, along in enumerate(self._direction(number)):
                row, flips = arithmetic.update(counters[j], step, along, bits,
                                               self.config.conserve)
                self.statistics.flips += flips
                self._store_row(placed, j, row)

    def _store_row(self, placed: Placement, j: int, row: arithmetic.IntArray) -> None:
        c = self.config
        group, bank = divmod(j, c.banks)
        first = placed.trit_base + group * placed.words
        codes = self.codes[bank, first:first + placed.words].reshape(-1)
        before = int(codes.sum())
        codes[:] = (row >> c.residual_bits) & 3
        if c.row_sums:
            kept = placed.output_base * c.lanes + j
            self.sums[kept] = (self.sums[kept] + int(codes.sum()) - before) % 3
        first, count = placed.residual_base + j * placed.words * c.steps, placed.words * c.steps
        self.residuals[first:first + count].reshape(-1)[:] = row & ((1 << c.residual_bits) - 1)

    def _intact(self, number: int) -> bool:
        """Whether the trits of each row of a layer have the sum that is kept."""
        layer, placed = self.layers[number - 1], self.places[number - 1]
        first = placed.output_base * self.config.lanes
        found = row_sums(self.config, layer, placed, self.codes)
        return bool((found == self.sums[first:first + layer.outputs]).all())


def _wrapped(corr: arithmetic.IntArray) -> arithmetic.IntArray:
    """Sums as memory S keeps them."""
    half = 1 << (CORR_BITS - 1)
    return (corr + half) % (2 * half) - half
