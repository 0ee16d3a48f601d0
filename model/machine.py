"""The reference machine: executes a program instruction by instruction.

Its registers and memories are the architectural state of the core: after every instruction each
equals its twin in the RTL. What a unit adds is its part (`units.part`), of ``units/<name>/
golden.py``. The queues of received samples (`inbox`) and of results (`outbox`) are the link's.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from ..firmware.frames import Run, Space
from ..firmware.isa import INSTRUCTIONS, Op, Operand, decode
from ..units import UNITS
from ..units.part import Part, having
from ..units.record import Unit
from ..units.registry import takes
from . import arithmetic
from .config import CoreConfig, ceil_div
from .layout import Layer, Placement, layer_counters, place, residual_words, split_front
from .records import Piece
from .registers import Registers, Statistics
from .rng import XorShift64

__all__ = ["Machine", "Result", "Sample"]

#: Where the machine asks its parts: methods of `units.part.Part`.
HOOKS = ("clear", "received", "inputs", "weights", "stage", "stage_below", "below", "gain", "steps",
         "updated", "stored", "written", "status")
#: Instructions that name a layer.
_LAYERED = {row.op for row in INSTRUCTIONS.values() if row.operand is Operand.LAYER}


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


class Machine:
    """A core without its link.

    Attributes
    ----------
    codes, residuals
        Memories T (banks, depth, L; two-bit codes) and R (depth, U).
    gates, errors
        Gate bits (hidden words, L) and error trits (words, U) of all layers.
    parts
        What units keep themselves, by their names.
    asks
        Of each of `HOOKS`, the methods of the parts that have it, in the order of their calls.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        c = config
        self.codes = np.zeros((c.banks, c.trit_depth, c.lanes), np.int64)
        self.residuals = np.zeros((c.residual_depth, c.update_lanes), np.int64)
        self.gates = np.zeros((c.hidden_depth, c.lanes), bool)
        self.errors = np.zeros((c.output_words * c.steps, c.update_lanes), np.int64)
        self.scores = np.zeros(c.max_classes, np.int64)
        self.prng = XorShift64(1)
        self.program: list[int] = []
        self.layers: list[Layer] = []
        #: The row in front of the layers, of a core that has such.
        self.front: Layer | None = None
        self.places: list[Placement] = []
        self.run = Run.IDLE
        self.inbox: deque[Sample] = deque()
        self.outbox: deque[Result | Piece] = deque()
        self._debt = takes(config, "debt")  # whether updates keep the sums of rows mod 3
        self._execute: dict[int, Callable[[int], None]] = {
            Op.COUNT: self._count, Op.LOOP: self._loop, Op.RECV: self._receive,
            Op.FWD: self._forward, Op.ERR: self._error, Op.SKIP: self._skip, Op.SEND: self._send}
        self.parts: dict[str, Any] = {}
        self._keepers: dict[Space, Part] = {}
        self.asks: dict[str, list[Callable[..., Any]]] = {hook: [] for hook in HOOKS}
        self._least: dict[int, int] = {Op.BWD: 2}  # layer that it may name; 1 of others
        for unit in UNITS:
            if unit.within(config) and unit.golden:
                self.join(unit, getattr(unit.part("golden"), unit.golden)(self))
        self.clear()

    def join(self, unit: Unit, part: Part) -> None:
        """Take in a unit's part: its instructions and windows, and what it is asked."""
        self.parts[unit.name] = part
        self._execute |= {op: partial(part.execute, op) for op in unit.ops}
        self._keepers |= {window.space: part for window in unit.windows}
        self.asks = {hook: having(self.parts.values(), hook) for hook in HOOKS}
        self.asks["stage"].reverse()
        self._least[Op.BWD] = 1 if self.asks["below"] else 2

    def clear(self) -> None:
        """What RUN clears: registers, statistics, and all activations."""
        self.registers = Registers()
        self.statistics = Statistics()
        self.inbox.clear()
        words = self.config.max_input_words
        self.inputs = np.zeros(words * self.config.lanes, np.int64)
        self.hidden = np.zeros(self.config.hidden_depth * self.config.lanes, np.int64)
        for clear in self.asks["clear"]:
            clear()

    def load_table(self, layers: Sequence[Layer]) -> None:
        """Replace the layer table by one that `check_table` has accepted."""
        self.front, self.layers = split_front(self.config, layers)
        self.places = place(self.config, self.layers)

    @property
    def sample_row(self) -> Layer:
        """The row of the table that a sample is for."""
        return self.front or self.layers[0]

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
        opcode, operand = decode(self.program[r.pc] if r.pc < len(self.program) else 0)
        if opcode == Op.HALT:
            self.run = Run.HALTED
        elif opcode in _LAYERED and not self._least.get(opcode, 1) <= operand <= len(self.layers):
            self.run = Run.FAULT
        elif opcode == Op.RECV and not self.inbox:
            return False
        else:
            r.pc += 1
            if execute := self._execute.get(opcode):
                execute(operand)
        return True

    def take(self, sample: Sample) -> None:
        """Make a sample the one in hand."""
        x = sample.x
        for change in self.asks["inputs"]:
            x = change(x)
        self.inputs[:] = 0
        self.inputs[:len(x)] = x
        self.registers.label = sample.label

    def lanes(self, number: int,
              ) -> tuple[Layer, Placement, arithmetic.IntArray, arithmetic.IntArray]:
        """A layer, its place, its counters and its inputs, all with unused lanes."""
        layer, placed = self.layers[number - 1], self.places[number - 1]
        counters = layer_counters(self.config, layer, placed, self.codes, self.residuals, True)
        source = self.inputs if number == 1 else self.hidden[placed.input_base
                                                             * self.config.lanes:]
        return layer, placed, counters, source[:placed.words * self.config.lanes]

    def rows(self, number: int) -> slice:
        """A layer's words of memories with a word for each row: whole words of L for a layer."""
        first = self.places[number - 1].output_base * self.config.lanes
        return slice(first, first + self.layers[number - 1].outputs)

    def row_errors(self, number: int) -> arithmetic.IntArray:
        """View of a layer's error trits, with unused lanes of the last word of U."""
        layer, placed = self.layers[number - 1], self.places[number - 1]
        first = placed.output_base * self.config.steps
        words = ceil_div(layer.outputs, self.config.update_lanes)
        return self.errors[first:first + words].reshape(-1)

    def below(self, number: int) -> tuple[npt.NDArray[np.bool_], arithmetic.IntArray]:
        """Views of the gate bits and the error trits of a layer's inputs, (words * L,) each."""
        if number == 1:
            give, = self.asks["below"]
            return give()
        placed, steps = self.places[number - 1], self.config.steps
        first, end = placed.input_base, placed.input_base + placed.words
        return (self.gates[first:end].reshape(-1),
                self.errors[first * steps:end * steps].reshape(-1))

    def move(self, number: int, row: int, before: arithmetic.IntArray, error: int,
             steps: arithmetic.IntArray) -> arithmetic.IntArray:
        """Update a row of a layer (`arithmetic.update`), which has these counters; those after."""
        after, flips = arithmetic.update(before, error, steps, self.config.counter_bits,
                                         self._debt)
        self.statistics.flips += flips
        self.store_row(number, row, after)
        return after

    def store_row(self, number: int, row: int, counters: arithmetic.IntArray) -> None:
        """Write a row of a layer to T and R, with unused lanes."""
        c, placed = self.config, self.places[number - 1]
        group, bank = divmod(row, c.banks)
        first = placed.trit_base + group * placed.words
        codes = self.codes[bank, first:first + placed.words].reshape(-1)
        after = (counters >> c.residual_bits) & 3
        for tell in self.asks["stored"]:
            tell(number, row, codes, after)
        codes[:] = after
        self.residuals[residual_words(c, placed, row)] = (
            counters & ((1 << c.residual_bits) - 1)).reshape(-1, c.update_lanes)

    def read(self, space: Space, first: int, end: int) -> bytes:
        """Words of a unit's memory as on the link."""
        return self._keepers[space].read(space, first, end)

    def write(self, space: Space, first: int, data: bytes) -> None:
        """Write words of a unit's memory, from one on."""
        self._keepers[space].write(space, first, data)

    def _count(self, operand: int) -> None:
        self.registers.counter = operand

    def _loop(self, target: int) -> None:
        r = self.registers
        r.counter = (r.counter - 1) % (1 << 24)
        if r.counter != 0:
            r.pc = target

    def _skip(self, target: int) -> None:
        if not self.registers.flag:
            self.registers.pc = target

    def _receive(self, _: int) -> None:
        sample = self.inbox.popleft()
        self.take(sample)
        for tell in self.asks["received"]:
            tell(sample)

    def _send(self, _: int) -> None:
        r, classes = self.registers, self.layers[-1].outputs
        self.outbox.append(Result(r.sent, r.scan.prediction, self.scores[:classes].copy()))
        r.sent = (r.sent + 1) % (1 << 32)

    def _forward(self, number: int) -> None:
        layer, placed, counters, x = self.lanes(number)
        weights = arithmetic.trits(counters, self.config.counter_bits)
        for change in self.asks["weights"]:
            weights = change(number, weights)
        z = arithmetic.forward(weights, x)
        for change in self.asks["stage"]:
            z = change(number, z, x)
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
            errors = self.row_errors(len(self.layers))
            errors[:] = 0
            errors[r.target], errors[r.scan.rival] = 1, -1
