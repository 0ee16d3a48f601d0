"""The margin rule on a network behind a convolution, one sample at a time: the reference.

Slow on purpose. `tritgrad.model.convolution.fast` computes the same numbers, compiled.
"""

from collections.abc import Sequence
from hashlib import sha256

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from .. import arithmetic
from ..arithmetic import IntArray
from ..margin import MarginNetwork, SampleStats
from ..recipe import Recipe
from ..rng import initial_counters, initial_prng
from .kernels import ConvKernels
from .shape import Convolution

__all__ = ["ConvNetwork", "check_recipe", "conv_sha256"]


def conv_sha256(kernels: npt.NDArray[np.integer],
                counters: Sequence[npt.NDArray[np.integer]]) -> str:
    """SHA-256 of the kernels' counters, then of the dense layers', as `margin.state_sha256`."""
    digest = sha256()
    for part in (kernels, *counters):
        digest.update(np.ascontiguousarray(part, "<i2").tobytes())
    return digest.hexdigest()


def check_recipe(recipe: Recipe, conv: Convolution) -> None:
    """Refuse a recipe of dense layers that cannot stand behind a convolution."""
    if (recipe.layers[0], recipe.planes) != (conv.outputs, conv.bits):
        raise BadInput(f"layers must begin with the convolution's {conv.outputs} outputs of "
                       f"{conv.bits} bits, not with {recipe.layers[0]} inputs of {recipe.planes}")
    for name in ("scale_refresh", "prune", "skip"):
        if getattr(recipe, name) is not None:
            raise BadInput(f"{name} must be left away behind a convolution, "
                           f"not {getattr(recipe, name)!r}")
    if recipe.conserve:
        raise BadInput(f"conserve must be left away behind a convolution, not {recipe.conserve!r}")


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
        check_recipe(recipe, conv)
        super().__init__(recipe)
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
        """`conv_sha256` of kernels and counters."""
        return conv_sha256(self.kernels.counters, self.counters)
