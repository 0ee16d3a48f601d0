"""The margin rule on a whole network, one sample at a time: the reference of learning.

Slow on purpose. `tritgrad.model.fast` computes the same numbers, compiled.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from . import arithmetic
from .arithmetic import IntArray
from .recipe import Recipe
from .rng import initial_counters, initial_prng
from .scales.rows import RowScales, row_scores
from .state import state_sha256

__all__ = ["MarginNetwork", "SampleStats", "state_sha256"]


@dataclass(frozen=True)
class SampleStats:
    """What one training sample did."""

    correct: bool  #: whether the prediction, before any update, was the label
    updated: bool  #: whether the margin was violated
    flips: int     #: weights whose trit changed


class MarginNetwork:
    """A network in training.

    Parameters
    ----------
    recipe
        Sizes, formats, shifts, margin, and the seed of the initial state.

    Attributes
    ----------
    counters
        Per layer int64 (outputs, inputs).
    prng
        The core's random generator.
    scales
        Of the rows, if the recipe has a refresh of scales.
    """

    def __init__(self, recipe: Recipe):
        self.recipe = recipe
        self.scales = (None if recipe.scale_refresh is None
                       else RowScales.initial(recipe.layers[1:]))
        self.counters = initial_counters(recipe.layers, recipe.counter_bits, recipe.seed)
        self.prng = initial_prng(recipe.layers, recipe.seed)

    def weights(self) -> list[IntArray]:
        """The trits of every layer."""
        return [arithmetic.trits(c, self.recipe.counter_bits) for c in self.counters]

    def scores(self, x: npt.NDArray[np.integer]) -> IntArray:
        """Scores (classes,) of a sample (inputs,) of integers from 0 to 2^planes - 1."""
        return self.forward_pass(x)[2]

    def predict(self, x: npt.NDArray[np.integer]) -> int:
        """The class with the highest score, the first one among equals."""
        return int(np.argmax(self.scores(x)))

    def train_sample(self, x: npt.NDArray[np.integer], y: int,
                     gains: Sequence[int]) -> SampleStats:
        """Learn one sample.

        Parameters
        ----------
        x
            (inputs,), integers from 0 to 2^planes - 1.
        y
            Label, 0 to classes - 1.
        gains
            Gain exponent of each layer, ``recipe.gains_in(epoch)``.
        """
        weights = self.weights()
        inputs, gates, scores = self.forward_pass(x)
        scan = arithmetic.scan_scores(scores, y)
        correct = scan.prediction == y
        if scan.gap >= self.recipe.margin:
            return SampleStats(correct, False, 0)

        errors = self.errors(scan.rival, y, gates)
        if self.scales is not None and self.recipe.scale_refresh is not None:
            for corr, *layer in zip(self.scales.corr, weights, inputs, errors, strict=True):
                corr += row_scores(*layer)
            self.scales.end_step(self.recipe.layers[:-1], self.recipe.scale_refresh)
        flips = sum(self._update(*layer)
                    for layer in zip(self.counters, inputs, errors, gains, strict=True))
        return SampleStats(correct, True, flips)

    def forward_pass(self, x: npt.NDArray[np.integer],
                     ) -> tuple[list[IntArray], list[npt.NDArray[np.bool_]], IntArray]:
        """Inputs of each layer, gate bits of each hidden layer, and the scores."""
        weights = self.weights()
        inputs, gates = [np.asarray(x, np.int64)], []
        for n, (w, shift, skip) in enumerate(zip(weights, self.recipe.shifts, self.recipe.skips,
                                                 strict=False)):
            z = arithmetic.skipped(arithmetic.forward(w, inputs[-1]), inputs[-1], skip)
            h, gate = arithmetic.activate(self._scaled(n, z), shift, self.recipe.activation_bits)
            inputs.append(h)
            gates.append(gate)
        last = arithmetic.forward(weights[-1], inputs[-1])
        return inputs, gates, self._scaled(self.recipe.depth - 1, last)

    def errors(self, rival: int, y: int, gates: Sequence[npt.NDArray[np.bool_]],
               ) -> list[IntArray]:
        """Error trits of each layer, for a label, its rival and the gate bits."""
        errors = [np.zeros(self.recipe.layers[-1], np.int64)]
        errors[0][y], errors[0][rival] = 1, -1
        for w, gate, skip in zip(reversed(self.weights()[1:]), reversed(gates),
                                 reversed(self.recipe.skips[1:]), strict=True):
            errors.insert(0, arithmetic.backward(w, errors[0], gate, skip))
        return errors

    def state_sha256(self) -> str:
        """`state_sha256` of counters and scales."""
        return state_sha256(self.counters, self.scales)

    def _scaled(self, layer: int, z: IntArray) -> IntArray:
        return z if self.scales is None else self.scales.apply(layer, z)

    def _update(self, counters: IntArray, x: IntArray, errors: IntArray, gain: int) -> int:
        """Update the rows of a layer that have an error; how many trits changed."""
        flips = 0
        for j in np.flatnonzero(errors):
            draw = self.prng.draw() if gain < 0 else 0
            counters[j], changed = arithmetic.update(counters[j], int(errors[j]),
                                                arithmetic.steps(x, gain, draw),
                                                self.recipe.counter_bits, self.recipe.conserve)
            flips += changed
        return flips
