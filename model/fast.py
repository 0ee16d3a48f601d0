"""The margin rule compiled: the same state after every sample as `tritgrad.model.margin`.

Weights are kept twice: as int16 counters, and as two bits in the words ``plus`` and ``minus`` of
64 inputs each, laid out (word, output) so that one word of inputs meets all outputs in a row.
A word of inputs that is zero costs nothing. Any chunk of an epoch can be run by itself; the
caller draws progress, saves and stops between chunks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit, types
from numba.extending import intrinsic

from .config import ceil_div
from .errors import BadInput
from .margin import state_sha256
from .recipe import Recipe
from .rng import XorShift64, initial_counters, initial_prng

__all__ = ["FastNetwork", "TrainStats"]

Offsets = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]


@intrinsic
def popcount(typing: Any, word: Any) -> Any:
    """Number of ones of a uint64."""
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])
    return types.int64(types.uint64), generate


@njit(cache=True)
def pack_weights(counters, bits, plus, minus):
    """Set the words (words, outputs) of a layer from its counters (outputs, inputs)."""
    for j in range(counters.shape[0]):
        for w in range(plus.shape[0]):
            pack_word(counters, bits, plus, minus, j, w)


@njit(cache=True)
def pack_word(counters, bits, plus, minus, j, w):
    """Set the words of 64 weights of row j."""
    cell = np.int16(1 << (bits - 2))
    row = counters[j, 64 * w:64 * w + 64]
    up, down = np.uint64(0), np.uint64(0)
    for i in range(len(row)):
        up |= np.uint64(row[i] >= cell) << np.uint64(i)
        down |= np.uint64(row[i] < -cell) << np.uint64(i)
    plus[w, j], minus[w, j] = up, down


@njit(cache=True)
def pack_values(x, planes):
    """Set the words (planes, words) of a layer's inputs."""
    for p in range(planes.shape[0]):
        for w in range(planes.shape[1]):
            part = x[64 * w:64 * w + 64]
            word = np.uint64(0)
            for i in range(len(part)):
                word |= np.uint64((part[i] >> p) & 1) << np.uint64(i)
            planes[p, w] = word


@njit(cache=True)
def forward(planes, plus, minus, z):
    """Pre-activations of a layer."""
    z[:] = 0
    for p in range(planes.shape[0]):
        for w in range(planes.shape[1]):
            word = planes[p, w]
            if word != 0:
                up, down = plus[w], minus[w]
                for j in range(len(z)):
                    z[j] += (popcount(word & up[j]) - popcount(word & down[j])) << p


@njit(cache=True)
def activate(z, shift, bits, h, gates):
    """Activations and gate bits of a layer."""
    top = (1 << bits) - 1
    for j in range(len(z)):
        value = z[j] >> shift
        h[j] = min(max(value, 0), top)
        gates[j] = 0 <= value <= top


@njit(cache=True)
def first_maximum(scores, skip):
    """Index of the first maximum of the scores other than `skip` (-1 for none)."""
    best = 1 if skip == 0 else 0
    for k in range(best + 1, len(scores)):
        if k != skip and scores[k] > scores[best]:
            best = k
    return best


@njit(cache=True)
def backward(counters, bits, errors, gates, sums, below):
    """Errors of the layer below."""
    sums[:] = 0
    cell = np.int64(1) << (bits - 2)
    for j in range(len(errors)):
        if errors[j] != 0:
            row, e = counters[j], np.int64(errors[j])
            for i in range(len(row)):
                # Half a circle further, the top bit and the carry are the trit.
                sums[i] += e * ((row[i] + cell) >> (bits - 1))
    for i in range(len(below)):
        below[i] = np.sign(sums[i]) * gates[i]


@njit(cache=True)
def draw(prng):
    """Step the xorshift64 of state prng[0]; 16 bits."""
    s = prng[0]
    s ^= s << np.uint64(13)
    s ^= s >> np.uint64(7)
    s ^= s << np.uint64(17)
    prng[0] = s
    return np.int64(s >> np.uint64(48))


@njit(cache=True)
def update(counters, bits, plus, minus, x, errors, gain, prng, active):
    """Update the rows of a layer that have an error; how many trits changed."""
    count = 0
    for i in range(len(x)):
        if x[i] != 0:
            active[count] = i
            count += 1
    half = np.int64(1) << (bits - 1)
    cell = half >> 1
    flips = 0
    for j in range(len(errors)):
        if errors[j] == 0:
            continue
        e = np.int64(errors[j])
        row = counters[j]
        dither, right = np.int64(0), np.int64(0)
        if gain < 0:
            dither, right = draw(prng), np.int64(-gain)
        mask = (np.int64(1) << right) - 1
        left = max(np.int64(gain), 0)
        residual = (3 * cell) >> 2 if e > 0 else (cell >> 2) - 1
        for n in range(count):
            i = active[n]
            step = ((np.int64(x[i]) << left) + ((dither ^ i) & mask)) >> right
            old = np.int64(row[i])
            new = min(max(old + e * step, -half), half - 1)
            if (new + cell) >> (bits - 1) != (old + cell) >> (bits - 1):
                new = (new & -cell) | residual
                bit = np.uint64(1) << np.uint64(i & 63)
                w = i >> 6
                plus[w, j] &= ~bit
                minus[w, j] &= ~bit
                if new >= cell:
                    plus[w, j] |= bit
                elif new < -cell:
                    minus[w, j] |= bit
                flips += 1
            row[i] = new
    return flips


@njit(cache=True)
def load(image, dy, dx, columns, x):
    """Copy a sample of rows of `columns` pixels, moved down by dy and right by dx."""
    rows = len(x) // columns
    for r in range(rows):
        for c in range(columns):
            inside = 0 <= r - dy < rows and 0 <= c - dx < columns
            x[r * columns + c] = image[(r - dy) * columns + c - dx] if inside else 0


@njit(cache=True)
def infer(layers, shifts, activation_bits):
    """Run the sample in layers[0].x through all layers."""
    for n in range(len(layers)):
        layer = layers[n]
        pack_values(layer.x, layer.planes)
        forward(layer.planes, layer.plus, layer.minus, layer.z)
        if n + 1 < len(layers):
            activate(layer.z, shifts[n], activation_bits, layers[n + 1].x, layers[n + 1].gates)


@njit(cache=True)
def score_samples(layers, x, shifts, activation_bits, scores):
    """Scores (samples, classes) of samples (samples, inputs)."""
    for t in range(len(x)):
        load(x[t], 0, 0, len(x[t]), layers[0].x)
        infer(layers, shifts, activation_bits)
        scores[t] = layers[-1].z


@njit(cache=True)
def train_samples(layers, x, labels, order, dy, dx, columns, bits, activation_bits, shifts, gains,
                  margin, prng):
    """Learn the rows of x that `order` names; (correct, updates, flips)."""
    correct, updates, flips = 0, 0, 0
    last = layers[-1]
    for t in range(len(order)):
        load(x[order[t]], dy[t], dx[t], columns, layers[0].x)
        infer(layers, shifts, activation_bits)
        label = labels[order[t]]
        rival = first_maximum(last.z, label)
        correct += first_maximum(last.z, -1) == label
        if last.z[label] - last.z[rival] >= margin:
            continue
        updates += 1
        last.errors[:] = 0
        last.errors[label] = 1
        last.errors[rival] = -1
        for n in range(len(layers) - 1, 0, -1):
            layer = layers[n]
            backward(layer.counters, bits, layer.errors, layer.gates, layer.sums,
                     layers[n - 1].errors)
        for n in range(len(layers)):
            layer = layers[n]
            flips += update(layer.counters, bits, layer.plus, layer.minus, layer.x, layer.errors,
                            gains[n], prng, layer.active)
    return correct, updates, flips


class Layer(NamedTuple):
    """State and scratch memory of a layer with n outputs, f inputs and w = ceil(f / 64) words."""

    counters: npt.NDArray[np.int16]  #: (n, f)
    plus: npt.NDArray[np.uint64]     #: (w, n), bit i of a word is set where the trit is +1
    minus: npt.NDArray[np.uint64]    #: (w, n), where it is -1
    x: npt.NDArray[np.uint8]         #: (f,)
    gates: npt.NDArray[np.uint8]     #: (f,), of the neurons below
    planes: npt.NDArray[np.uint64]   #: (bits of an input, w)
    z: npt.NDArray[np.int64]         #: (n,)
    errors: npt.NDArray[np.int8]     #: (n,)
    sums: npt.NDArray[np.int64]      #: (f,), W^T e
    active: npt.NDArray[np.int64]    #: (f,), positions of the inputs that are not zero

    @classmethod
    def empty(cls, outputs: int, inputs: int, input_bits: int) -> "Layer":
        """A layer of zeros."""
        words = ceil_div(inputs, 64)
        return cls(np.zeros((outputs, inputs), np.int16), np.zeros((words, outputs), np.uint64),
                   np.zeros((words, outputs), np.uint64), np.zeros(inputs, np.uint8),
                   np.zeros(inputs, np.uint8), np.zeros((input_bits, words), np.uint64),
                   np.zeros(outputs, np.int64), np.zeros(outputs, np.int8),
                   np.zeros(inputs, np.int64), np.zeros(inputs, np.int64))


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
        self._layers = tuple(Layer.empty(n, f, width) for (n, f), width
                             in zip(recipe.shapes, widths, strict=True))
        self._shifts = np.array([*recipe.shifts, 0], np.int64)
        self.prng = XorShift64(1)
        self.load(initial_counters(recipe.layers, recipe.counter_bits, recipe.seed),
                  initial_prng(recipe.layers, recipe.seed).state)

    @property
    def counters(self) -> list[npt.NDArray[np.int16]]:
        """A copy of the counters, per layer int16 (outputs, inputs)."""
        return [layer.counters.copy() for layer in self._layers]

    def load(self, counters: Sequence[npt.NDArray[np.integer]], prng: int) -> None:
        """Set all counters and the state of the PRNG, to go on from a saved run."""
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
        for layer, c in zip(self._layers, counters, strict=True):
            layer.counters[:] = c
            pack_weights(layer.counters, self.recipe.counter_bits, layer.plus, layer.minus)
        self.prng.state = prng

    def scores(self, x: npt.NDArray[np.uint8]) -> npt.NDArray[np.int32]:
        """Scores (rows, classes) of samples (rows, inputs) of integers from 0 to 2^planes - 1."""
        x = self._checked(x)
        scores = np.empty((len(x), self.recipe.layers[-1]), np.int32)
        score_samples(self._layers, x, self._shifts, self.recipe.activation_bits, scores)
        return scores

    def predict(self, x: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
        """Classes (rows,) with the highest score, the first one among equals."""
        return np.argmax(self.scores(x), axis=1)

    def train(self, x: npt.NDArray[np.uint8], y: npt.NDArray[np.integer],
              order: npt.NDArray[np.int64], gains: Sequence[int], *,
              offsets: Offsets | None = None, columns: int | None = None,
              start: int = 0, stop: int | None = None) -> TrainStats:
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
        """
        x, y, order = self._checked(x), np.asarray(y, np.int64), np.asarray(order, np.int64)
        if y.shape != (len(x),):
            raise BadInput(f"labels must be {len(x)} integers, not an array {y.shape!r}")
        classes = self.recipe.layers[-1]
        if len(y) and not 0 <= y.min() <= y.max() < classes:
            raise BadInput(f"labels must be from 0 to {classes - 1}, "
                           f"not {int(y.min())!r} to {int(y.max())!r}")
        if len(order) and not 0 <= order.min() <= order.max() < len(x):
            raise BadInput(f"order must hold row numbers from 0 to {len(x) - 1}, "
                           f"not {int(order.min())!r} to {int(order.max())!r}")
        if offsets is None:
            columns, offsets = x.shape[1], (np.zeros_like(order), np.zeros_like(order))
        elif columns is None or columns < 1 or x.shape[1] % columns:
            raise BadInput(f"columns must divide the {x.shape[1]} inputs, not {columns!r}")
        elif not len(offsets[0]) == len(offsets[1]) == len(order):
            raise BadInput(f"offsets must be two arrays of {len(order)} integers, "
                           f"not of {len(offsets[0])} and {len(offsets[1])}")
        recipe, chunk = self.recipe, slice(start, stop)
        dy, dx = (np.ascontiguousarray(d[chunk], np.int64) for d in offsets)
        prng = np.array([self.prng.state], np.uint64)
        counts = train_samples(self._layers, x, y, np.ascontiguousarray(order[chunk]), dy, dx,
                               columns, recipe.counter_bits, recipe.activation_bits, self._shifts,
                               np.array(gains, np.int64), recipe.margin, prng)
        self.prng.state = int(prng[0])
        return TrainStats(len(dy), *counts)

    def state_sha256(self) -> str:
        """`state_sha256` of the counters."""
        return state_sha256([layer.counters for layer in self._layers])

    def _checked(self, x: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        inputs = self.recipe.layers[0]
        if x.dtype != np.uint8 or x.ndim != 2 or x.shape[1] != inputs:
            raise BadInput(f"inputs must be uint8 (rows, {inputs}), not {x.dtype} {x.shape!r}")
        if x.size and x.max() >> self.recipe.planes:
            raise BadInput(f"inputs must have {self.recipe.planes} bits, not {int(x.max())!r}")
        return np.ascontiguousarray(x)
