"""Whole epochs of the margin rule at full speed: the same state as `tritgrad.model.margin`.

Any chunk of an epoch can be run by itself; the caller draws progress, saves and stops between
chunks. Compiled code lets go of Python's lock, so that networks of several threads learn at once. A
network is for one thread, even to be asked: it computes in memory of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import BadInput
from .arithmetic import trits
from .arrays import read_only
from .blending.granules import Support, check_support, purged, support
from .compiled_rule import Layer, Moves, Terms, pack_weights, score_samples, train_samples
from .margin import state_sha256
from .recipe import MIN_GAIN, Recipe
from .rng import XorShift64, initial_counters, initial_prng
from .scales.rows import RowScales
from .state import NetworkState, Part

__all__ = ["FastNetwork", "TrainStats", "read_labels"]

Bits = npt.NDArray[np.bool_]
#: A granule that holds any layer.
WHOLE = (1 << 16, 1 << 16)
Offsets = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]


@dataclass(frozen=True)
class TrainStats:
    """What a chunk of training samples did; chunks add up."""

    samples: int = 0
    correct: int = 0  #: predictions, each before its own update, that were the label
    updates: int = 0  #: samples that violated the margin
    flips: int = 0    #: changes of a weight's trit

    def __add__(self, other: "TrainStats") -> "TrainStats":
        return TrainStats(self.samples + other.samples, self.correct + other.correct,
                          self.updates + other.updates, self.flips + other.flips)


def read_labels(y: npt.NDArray[np.integer], rows: int, classes: int) -> npt.NDArray[np.int64]:
    """Labels of so many rows, as compiled code takes them. Raises `BadInput`."""
    if len(y) != rows:
        raise BadInput(f"labels must be as many as the {rows} rows, not {len(y)}")
    if rows and not 0 <= y.min() <= y.max() < classes:
        raise BadInput(f"labels must be from 0 to {classes - 1}, "
                       f"not {int(y.min())!r} to {int(y.max())!r}")
    return read_only(y, np.int64)


class FastNetwork:
    """A network in training, compiled.

    Parameters
    ----------
    recipe
        Sizes, formats, shifts, margin, and the seed of the initial state.

    Attributes
    ----------
    prng
        The core's random generator.
    """

    def __init__(self, recipe: Recipe):
        self.recipe = recipe
        widths = [recipe.planes, *[recipe.activation_bits] * (recipe.depth - 1)]
        prune = recipe.prune
        self._granule = (prune.banks, prune.lanes) if prune else None
        self._layers = tuple(Layer.empty(n, f, width, self._granule) for (n, f), width
                             in zip(recipe.shapes, widths, strict=True))
        self._shifts = np.array([*recipe.shifts, 0], np.int64)
        self._skips = np.array(recipe.skips, np.int64)
        self.prng = XorShift64(1)
        self._steps = np.zeros(1, np.int64)
        self.load(initial_counters(recipe.layers, recipe.counter_bits, recipe.seed),
                  initial_prng(recipe.layers, recipe.seed).state)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Come out of a pickle, whose arrays may be mapped from a file that cannot be written."""
        self.__dict__.update(state)
        self._layers = tuple(Layer(*map(np.array, layer)) for layer in self._layers)
        self._steps = np.array(self._steps)

    @property
    def counters(self) -> list[npt.NDArray[np.int16]]:
        """A copy of the counters, per layer int16 (outputs, inputs)."""
        return [layer.counters.copy() for layer in self._layers]

    @property
    def compiled(self) -> tuple[tuple[Layer, ...], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """What the compiled functions work on: layers, shifts and skips."""
        return self._layers, self._shifts, self._skips

    @property
    def scales(self) -> RowScales | None:
        """A copy of the rows' scales, if the recipe has a refresh of them."""
        if self.recipe.scale_refresh is None:
            return None
        return RowScales([layer.corr for layer in self._layers],
                         [layer.codes for layer in self._layers], int(self._steps[0])).copy()

    @property
    def support(self) -> list[Bits] | None:
        """A copy of the support, per layer bool (row groups, words), if the recipe has pruning."""
        return [layer.inside.copy() for layer in self._layers] if self._granule else None

    def load(self, counters: Sequence[npt.NDArray[np.integer]], prng: int,
             scales: RowScales | None = None, inside: Sequence[Bits] | None = None) -> None:
        """Set all counters, the PRNG, the scales and the support, to go on from a saved run.

        Without `scales` all factors are 1. Without `inside` the support is the granules with a trit
        that is not 0.
        """
        half = 1 << (self.recipe.counter_bits - 1)
        found = [c.shape for c in counters]
        if found != self.recipe.shapes:
            raise BadInput(f"counters must have shapes {self.recipe.shapes}, not {found!r}")
        for number, c in enumerate(counters, 1):
            if c.min() < -half or c.max() >= half:
                raise BadInput(f"counters of layer {number} must be from {-half} to {half - 1}, "
                               f"not {int(c.min())!r} to {int(c.max())!r}")
        if not 0 <= prng < 1 << 64:
            raise BadInput(f"prng must be from 0 to 2^64 - 1, not {prng!r}")
        if scales is None:
            scales = RowScales.initial(self.recipe.layers[1:])
        scales.check(self.recipe.layers[1:])
        granules = self._found_support(counters)
        if inside is not None and granules:
            check_support(inside, granules)
            granules = list(inside)
        self._steps[0] = scales.step
        for layer, c, corr, codes in zip(self._layers, counters, scales.corr, scales.codes,
                                         strict=True):
            layer.corr[:], layer.codes[:] = corr, codes
            layer.counters[:] = c
            pack_weights(layer.counters, self.recipe.counter_bits, layer.plus, layer.minus)
        if self._granule:
            for layer, bits in zip(self._layers, granules, strict=True):
                layer.inside[:] = bits
        self.prng.state = prng

    def state(self) -> NetworkState:
        """A copy of all that training changes."""
        parts: dict[str, Part] = {}
        if (scales := self.scales) is not None:
            parts["scales"] = scales
        if (inside := self.support) is not None:
            parts["support"] = Support(inside)
        return NetworkState(self.counters, self.prng.state, parts)

    def load_state(self, state: NetworkState) -> None:
        """As `load`."""
        inside = state.parts.get("support")
        self.load(state.counters, state.prng, RowScales.of(state.parts),
                  inside.inside if isinstance(inside, Support) else None)

    def purge(self, layers: Sequence[int], cutoff: int, k: int) -> None:
        """Purge layers, numbered from 1, see `tritgrad.model.blending.granules.purged`."""
        if self._granule is None:
            raise BadInput("the recipe has no pruning: nothing can be purged")
        for number in layers:
            layer = self._layers[number - 1]
            layer.counters[:], layer.inside[:] = purged(
                layer.counters, self.recipe.counter_bits, *self._granule, cutoff, k)
            pack_weights(layer.counters, self.recipe.counter_bits, layer.plus, layer.minus)

    def scores(self, x: npt.NDArray[np.uint8]) -> npt.NDArray[np.int32]:
        """Scores (rows, classes) of samples (rows, inputs) of integers from 0 to 2^planes - 1."""
        x = self._inputs(x)
        scores = np.empty((len(x), self.recipe.layers[-1]), np.int32)
        score_samples(self._layers, x, self._shifts, self._skips, self.recipe.activation_bits,
                      scores)
        return scores

    def predict(self, x: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
        """Classes (rows,) with the highest score, the first one among equals."""
        return np.argmax(self.scores(x), axis=1)

    def train(self, x: npt.NDArray[np.uint8], y: npt.NDArray[np.integer],
              order: npt.NDArray[np.int64], gains: Sequence[int], *,
              offsets: Offsets | None = None, columns: int | None = None,
              start: int = 0, stop: int | None = None, rest: bool = False) -> TrainStats:
        """Learn the samples at positions `start` to `stop` of an epoch's order.

        Parameters
        ----------
        x
            uint8 (rows, inputs), integers from 0 to 2^planes - 1.
        y
            (rows,), labels from 0 to classes - 1.
        order
            Row numbers, ``epoch_order(seed, epoch, rows)``.
        gains
            Gain exponent of each layer, ``recipe.gains_in(epoch)``.
        offsets
            dy and dx by position in `order`, ``shift_offsets(...)``; needs `columns`.
        columns
            Width of an image in pixels.
        rest
            Whether granules outside the support stay there.
        """
        recipe, chunk = self.recipe, slice(start, stop)
        rows = np.asarray(order[chunk], np.int64)
        labels = read_labels(y, len(x), recipe.layers[-1])
        if len(rows) and not 0 <= rows.min() <= rows.max() < len(x):
            raise BadInput(f"order must hold row numbers from 0 to {len(x) - 1}, "
                           f"not {int(rows.min())!r} to {int(rows.max())!r}")
        if offsets is None:
            columns, offsets = recipe.layers[0], (np.zeros_like(order), np.zeros_like(order))
        elif columns is None or columns < 1 or recipe.layers[0] % columns:
            raise BadInput(f"columns must divide the {recipe.layers[0]} inputs, not {columns!r}")
        elif not len(offsets[0]) == len(offsets[1]) == len(order):
            raise BadInput(f"offsets must be two arrays of {len(order)} integers, "
                           f"not of {len(offsets[0])} and {len(offsets[1])}")
        dy, dx = (read_only(d[chunk], np.int64) for d in offsets)
        prng = np.array([self.prng.state], np.uint64)
        refresh = -1 if recipe.scale_refresh is None else recipe.scale_refresh
        terms = Terms(recipe.counter_bits, recipe.activation_bits, self._shifts, self._skips,
                      self._gains(gains), recipe.margin, refresh, recipe.conserve,
                      *(self._granule or WHOLE), rest)
        counts = train_samples(self._layers, terms, self._inputs(x[rows]), labels[rows],
                               Moves(dy, dx, columns), prng, self._steps)
        self.prng.state = int(prng[0])
        return TrainStats(len(rows), *counts)

    def _found_support(self, counters: Sequence[npt.NDArray[np.integer]]) -> list[Bits]:
        if self._granule is None:
            return []
        return [support(trits(c, self.recipe.counter_bits), *self._granule) for c in counters]

    def corrupt_rows(self) -> list[tuple[int, int]]:
        """Rows, as layer (from 1) and output, whose packed trits sum otherwise than the counters'.

        Sums are taken mod 3, as a core with row sums does: the packed trits, which every forward
        pass reads, are only ever changed one by one.
        """
        rows = []
        for number, layer in enumerate(self._layers, 1):
            plus, minus = (np.unpackbits(words.view(np.uint8), axis=1).reshape(
                len(words), -1, 64).sum(axis=(0, 2), dtype=np.int64)
                for words in (layer.plus, layer.minus))
            found = trits(layer.counters, self.recipe.counter_bits).sum(axis=1)
            rows += [(number, int(j)) for j in np.flatnonzero((plus - minus - found) % 3)]
        return rows

    def state_sha256(self) -> str:
        """`state_sha256` of counters and scales."""
        return state_sha256([layer.counters for layer in self._layers], self.scales)

    def _inputs(self, x: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        inputs, planes = self.recipe.layers[0], self.recipe.planes
        if x.dtype != np.uint8 or x.ndim != 2 or x.shape[1] != inputs:
            raise BadInput(f"inputs must be uint8 (rows, {inputs}), not {x.dtype} {x.shape!r}")
        if x.size and x.max() >> planes:
            raise BadInput(f"inputs must be below 2^{planes}, not {int(x.max())!r}")
        return read_only(x)

    def _gains(self, gains: Sequence[int]) -> npt.NDArray[np.int64]:
        top = self.recipe.counter_bits - 2
        if len(gains) != self.recipe.depth or not all(MIN_GAIN <= g <= top for g in gains):
            raise BadInput(f"gains must be {self.recipe.depth} exponents from {MIN_GAIN} to {top}, "
                           f"not {gains!r}")
        return np.array(gains, np.int64)
