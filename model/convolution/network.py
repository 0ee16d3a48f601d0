"""The margin rule on a network behind a convolution, one sample at a time: the reference.

Slow on purpose. `tritgrad.model.convolution.fast` computes the same numbers, compiled.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from .. import arithmetic
from ..arithmetic import IntArray
from ..margin import MarginNetwork, SampleStats
from ..recipe import Recipe
from ..rng import initial_counters, initial_prng
from ..state import state_sha256
from .kernels import ConvKernels
from .shape import Convolution

__all__ = ["ConvNetwork"]


class ConvNetwork(MarginNetwork):
    """A convolution and the dense layers behind it in training.

    Parameters
    ----------
    recipe
        Of the dense layers: its inputs are the convolution's outputs. Without scales, support,
        skips and conserved sums.
    conv
        The convolution.

    Attributes
    ----------
    kernels
        The convolution in training.
    """

    def __init__(self, recipe: Recipe, conv: Convolution):
        super().__init__(replace(recipe, conv=conv))
        self.kernels = ConvKernels(conv, recipe.seed)
        self.counters = initial_counters(recipe.layers, recipe.counter_bits, recipe.seed, conv.size)
        self.prng = initial_prng(recipe.layers, recipe.seed, conv.size)

    def scores(self, x: npt.NDArray[np.integer]) -> IntArray:
        """Scores (classes,) of a sample (inputs,) of pixels from 0 to 2^planes - 1."""
        return super().scores(self.kernels.forward(x).h)

    def train_sample(self, x: npt.NDArray[np.integer], y: int, gains: Sequence[int],
                     wrong: int = 0) -> SampleStats:
        """Learn one sample.

        Parameters
        ----------
        x
            (inputs,), pixels from 0 to 2^planes - 1; by channel, row, column.
        y
            Label, 0 to classes - 1.
        gains
            Gain exponent of each dense layer.
        wrong
            What a sample whose prediction is not its label adds to each of them.
        """
        features = self.kernels.forward(x)
        inputs, gates, scores = self.forward_pass(features.h)
        scan = arithmetic.scan_scores(scores, y)
        correct = scan.prediction == y
        if scan.gap >= self.recipe.margin:
            return SampleStats(correct, False, 0)

        errors = self.errors(scan.rival, y, gates)
        below = arithmetic.backward(self.weights()[0], errors[0], features.gates)
        extra = 0 if correct else wrong
        flips = sum(self._update(counters, h, e, gain + extra) for counters, h, e, gain
                    in zip(self.counters, inputs, errors, gains, strict=True))
        flips += self.kernels.update(below, features.patches, self.prng)
        return SampleStats(correct, True, flips)

    def state_sha256(self) -> str:
        """`state_sha256` of kernels, then layers."""
        return state_sha256([self.kernels.counters, *self.counters])
