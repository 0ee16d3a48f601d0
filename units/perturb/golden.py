"""Training from losses on the reference machine."""

from collections import deque
from typing import Any

import numpy as np

from ...firmware.isa import Op
from ...model.discrete.direction import direction
from ...model.discrete.perturbed import confident_step
from ...model.discrete.splitmix import GOLDEN, MASK, mix
from ...model.discrete.walk import following, place
from ..part import IntArray, Part

__all__ = ["Perturb"]


class Perturb(Part):
    """Resident samples, the direction, and what its losses add up to.

    Attributes
    ----------
    resident
        Samples, the oldest first.
    side
        The direction's sign in FWD: +1, -1, or 0 for none.
    key, sparsity
        Of the direction.
    position
        Of the sample in hand, from the oldest.
    loss
        Of trits + direction, less that of trits - direction.
    """

    def clear(self) -> None:
        self.resident: deque[Any] = deque(maxlen=self.machine.config.resident)
        self.side, self.key, self.sparsity = 0, 0, 1
        self.position = self.loss = 0

    def received(self, sample: Any) -> None:
        self.resident.append(sample)

    def execute(self, op: Op, operand: int) -> None:
        {Op.PROBE: self._probe, Op.LOSS: self._loss, Op.STEP: self._step}[op](operand)

    def weights(self, number: int, weights: IntArray) -> IntArray:
        if not self.side:
            return weights
        return np.clip(weights + self.side * self._direction(number), -1, 1)

    def _direction(self, number: int) -> IntArray:
        """Of a layer's weights; 0 in unused lanes."""
        layer, placed = self.machine.layers[number - 1], self.machine.places[number - 1]
        if self.sparsity:
            trits = direction(np.array([self.key], np.uint64), number, layer.outputs, layer.inputs,
                              self.sparsity)[0].astype(np.int64)
        else:
            trits = np.zeros((layer.outputs, layer.inputs), np.int64)
            chosen, row, column = place(self.key)
            if chosen == number and row < layer.outputs and column < layer.inputs:
                trits[row, column] = 1
        unused = placed.words * self.machine.config.lanes - layer.inputs
        return np.pad(trits, ((0, 0), (0, unused)))

    def _probe(self, sparsity: int) -> None:
        prng, state = self.machine.prng, self.machine.prng.state
        self.sparsity = sparsity
        if sparsity:
            prng.state = (state + GOLDEN) & MASK
            self.key = mix(prng.state)
        else:
            prng.state = following(state, [(n.outputs, n.inputs) for n in self.machine.layers])
            self.key = state
        self.side, self.loss, self.position = 1, 0, 0
        if self.resident:
            self.machine.take(self.resident[0])

    def _loss(self, margin: int) -> None:
        machine, r = self.machine, self.machine.registers
        machine.statistics.samples += 1
        machine.statistics.correct += r.scan.prediction == r.target
        self.loss += self.side * min(max(margin - r.scan.gap, 0), 2 * margin)
        self.position += 1
        if self.position >= len(self.resident):
            self.position = 0
            self.side = -1 if self.side == 1 else 0
        r.flag = self.side == 0
        if self.resident:
            machine.take(self.resident[self.position])

    def _step(self, number: int) -> None:
        layer, _, counters, _ = self.machine.lanes(number)
        size = confident_step(self.loss, layer.gain, self.machine.config.counter_bits)
        if step := size * (-1 if self.loss > 0 else 1):
            for row, along in enumerate(self._direction(number)):
                self.machine.move(number, row, counters[row], step, along)
