"""Whole epochs behind a convolution at full speed: the same state as its `network`."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from ..arrays import read_only
from ..compiled_rule import Terms
from ..fast import WHOLE, FastNetwork, TrainStats, read_labels
from ..recipe import MIN_GAIN, Recipe
from ..rng import initial_counters, initial_prng
from ..state import state_sha256
from .compiled import Kernels, list_taps, score_images, train_images
from .kernels import initial_kernels
from .shape import Convolution

__all__ = ["FastConvNetwork"]

Bytes = npt.NDArray[np.uint8]


class FastConvNetwork:
    """A convolution and the dense layers behind it in training, compiled.

    Training lets go of Python's lock: networks of other seeds can train in other threads.

    Parameters
    ----------
    recipe, conv
        As of `ConvNetwork`.
    """

    def __init__(self, recipe: Recipe, conv: Convolution):
        self.recipe, self.conv = replace(recipe, conv=conv), conv
        self._dense = FastNetwork(recipe)
        self._kernels = Kernels.empty(conv)
        self.load(initial_kernels(conv, recipe.seed),
                  initial_counters(recipe.layers, recipe.counter_bits, recipe.seed, conv.size),
                  initial_prng(recipe.layers, recipe.seed, conv.size).state)

    @property
    def kernels(self) -> npt.NDArray[np.int16]:
        """A copy of the kernels' counters, (kernels, taps)."""
        return self._kernels.counters.copy()

    @property
    def counters(self) -> list[npt.NDArray[np.int16]]:
        """A copy of the dense layers' counters, per layer (outputs, inputs)."""
        return self._dense.counters

    @property
    def prng_state(self) -> int:
        """State of the core's random generator."""
        return self._dense.prng.state

    def load(self, kernels: npt.NDArray[np.integer],
             counters: Sequence[npt.NDArray[np.integer]], prng: int) -> None:
        """Set all counters and the PRNG, to go on from a saved run."""
        conv, half = self.conv, 1 << (self.conv.counter_bits - 1)
        if kernels.shape != (conv.kernels, conv.taps):
            raise BadInput(f"kernels must have the shape {(conv.kernels, conv.taps)}, "
                           f"not {kernels.shape!r}")
        if kernels.min() < -half or kernels.max() >= half:
            raise BadInput(f"counters of kernels must be from {-half} to {half - 1}, "
                           f"not {int(kernels.min())!r} to {int(kernels.max())!r}")
        self._dense.load(counters, prng)
        self._kernels.counters[:] = kernels
        for f in range(conv.kernels):
            list_taps(self._kernels, conv.counter_bits, f)

    def scores(self, x: Bytes) -> npt.NDArray[np.int32]:
        """Scores (rows, classes) of samples (rows, inputs) of pixels from 0 to 2^planes - 1."""
        recipe, x = self.recipe, self._inputs(x)
        scores = np.empty((len(x), recipe.layers[-1]), np.int32)
        layers, shifts, skips = self._dense.compiled
        score_images(self._kernels, self.conv.shift, self.conv.bits, layers, x, shifts, skips,
                     recipe.activation_bits, scores)
        return scores

    def predict(self, x: Bytes) -> npt.NDArray[np.int64]:
        """Classes (rows,) with the highest score, the first one among equals."""
        return np.argmax(self.scores(x), axis=1)

    def train(self, x: Bytes, y: npt.NDArray[np.integer], gains: Sequence[int],
              wrong: int = 0) -> TrainStats:
        """Learn samples in their order.

        Parameters
        ----------
        x
            uint8 (rows, inputs), pixels from 0 to 2^planes - 1; by channel, row, column.
        y
            (rows,), labels from 0 to classes - 1.
        gains, wrong
            As of `ConvNetwork.train_sample`; their sums are at most counter bits - 2.
        """
        recipe, conv = self.recipe, self.conv
        labels, top = read_labels(y, len(x), recipe.layers[-1]), recipe.counter_bits - 2
        if len(gains) != recipe.depth or not all(MIN_GAIN <= g <= g + wrong <= top for g in gains):
            raise BadInput(f"gains must be {recipe.depth} exponents from {MIN_GAIN} to {top}, "
                           f"also with the {wrong} of wrong samples, not {gains!r}")
        prng = np.array([self._dense.prng.state], np.uint64)
        layers, shifts, skips = self._dense.compiled
        terms = Terms(recipe.counter_bits, recipe.activation_bits, shifts, skips,
                      read_only(gains, np.int64), recipe.margin, -1, False, *WHOLE, False)
        counts = train_images(
            self._kernels, (conv.shift, conv.bits, conv.counter_bits, conv.gain), layers, terms,
            self._inputs(x), labels, wrong, prng)
        self._dense.prng.state = int(prng[0])
        return TrainStats(len(labels), *counts)

    def state_sha256(self) -> str:
        """`state_sha256` of kernels, then layers."""
        return state_sha256([self._kernels.counters, *self._dense.counters])

    def _inputs(self, x: Bytes) -> Bytes:
        if x.dtype != np.uint8 or x.ndim != 2 or x.shape[1] != self.conv.inputs:
            raise BadInput(f"images must be uint8 (rows, {self.conv.inputs}), "
                           f"not {x.dtype} {x.shape!r}")
        if x.size and x.max() >> self.conv.planes:
            raise BadInput(f"pixels must be below 2^{self.conv.planes}, not {int(x.max())!r}")
        return read_only(x)
