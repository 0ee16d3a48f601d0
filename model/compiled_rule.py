"""The margin rule compiled: what `tritgrad.model.fast` runs on each sample.

Weights are kept twice: as int16 counters, and as two bits in the words ``plus`` and ``minus`` of
64 inputs each, laid out (word, output) so that one word of inputs meets all outputs in a row.
A word of inputs that is zero costs nothing. Arguments are not checked here.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit, types
from numba.extending import intrinsic

from ..cache import settle
from .config import ceil_div
from .scales.chip import FRACTION_BITS

__all__ = ["Layer", "Moves", "Terms", "pack_weights", "score_samples", "train_samples"]

settle()  # before anything is compiled into numba's cache


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
    corr: npt.NDArray[np.int64]      #: (n,), of the rows' scales
    codes: npt.NDArray[np.uint8]     #: (n,), see `tritgrad.model.scales.chip`
    inside: npt.NDArray[np.bool_]    #: (row groups, words of inputs), the support; may be (1, 1)

    @classmethod
    def empty(cls, outputs: int, inputs: int, input_bits: int,
              granule: tuple[int, int] | None = None) -> "Layer":
        """A layer of zeros; a `granule` has so many rows and inputs."""
        rows, lanes = granule or (outputs, inputs)
        words = ceil_div(inputs, 64)
        return cls(np.zeros((outputs, inputs), np.int16), np.zeros((words, outputs), np.uint64),
                   np.zeros((words, outputs), np.uint64), np.zeros(inputs, np.uint8),
                   np.zeros(inputs, np.uint8), np.zeros((input_bits, words), np.uint64),
                   np.zeros(outputs, np.int64), np.zeros(outputs, np.int8),
                   np.zeros(inputs, np.int64), np.zeros(inputs, np.int64),
                   np.zeros(outputs, np.int64), np.zeros(outputs, np.uint8),
                   np.zeros((ceil_div(outputs, rows), ceil_div(inputs, lanes)), np.bool_))


class Terms(NamedTuple):
    """What a run has fixed, for as long as its gains stay."""

    bits: int             #: of a counter
    activation_bits: int
    shifts: npt.NDArray[np.int64]  #: of each layer, as are
    skips: npt.NDArray[np.int64]
    gains: npt.NDArray[np.int64]
    margin: int
    refresh: int          #: factors stay as they are where it is negative
    conserve: bool
    banks: int            #: rows and inputs of a granule
    lanes: int
    rest: bool            #: whether granules outside the support stay there


class Moves(NamedTuple):
    """How far each sample is moved, as images of so many columns."""

    dy: npt.NDArray[np.int64]
    dx: npt.NDArray[np.int64]
    columns: int


def _popcount(typing: Any, word: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])
    return types.int64(types.uint64), generate


#: Number of ones of a uint64, one instruction.
popcount: Any = intrinsic(_popcount)


@njit(cache=True, nogil=True)
def trit(counter, bits):
    """The trit of an int64 counter.

    The top two bits number the cells -2, -1, 0 and 1; from one cell higher, half of that.
    """
    return (counter + (np.int64(1) << (bits - 2))) >> (bits - 1)


@njit(cache=True, nogil=True)
def set_trit(plus, minus, j, i, value):
    """Set the weight of output j and input i to -1, 0 or +1."""
    bit = np.uint64(1) << np.uint64(i & 63)
    w = i >> 6
    plus[w, j] &= ~bit
    minus[w, j] &= ~bit
    if value > 0:
        plus[w, j] |= bit
    elif value < 0:
        minus[w, j] |= bit


@njit(cache=True, nogil=True)
def pack_weights(counters, bits, plus, minus):
    """Set the words of a layer from its counters (outputs, inputs)."""
    for j in range(counters.shape[0]):
        for i in range(counters.shape[1]):
            set_trit(plus, minus, j, i, trit(np.int64(counters[j, i]), bits))


@njit(cache=True, nogil=True)
def pack_values(x, planes):
    """Set the words (planes, words) of a layer's inputs."""
    for p in range(planes.shape[0]):
        for w in range(planes.shape[1]):
            part = x[64 * w:64 * w + 64]
            word = np.uint64(0)
            for i in range(len(part)):
                word |= np.uint64((part[i] >> p) & 1) << np.uint64(i)
            planes[p, w] = word


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def activate(z, shift, bits, h, gates):
    """Activations and gate bits of a layer."""
    top = (1 << bits) - 1
    for j in range(len(z)):
        value = z[j] >> shift
        h[j] = min(max(value, 0), top)
        gates[j] = 0 <= value <= top


@njit(cache=True, nogil=True)
def first_maximum(scores, skip):
    """Index of the first maximum of the scores other than `skip` (-1 for none)."""
    best = 1 if skip == 0 else 0
    for k in range(best + 1, len(scores)):
        if k != skip and scores[k] > scores[best]:
            best = k
    return best


@njit(cache=True, nogil=True)
def add_skipped(sums, x, skip):
    """Add the inputs (forward) or errors (backward) of a layer with a skip, see `units.skipped`."""
    if skip > 0:
        for i in range(len(x)):
            sums[i] += np.int64(x[i]) << (skip - 1)


@njit(cache=True, nogil=True)
def backward(counters, bits, errors, gates, sums, below, skip):
    """Errors of the layer below."""
    sums[:] = 0
    add_skipped(sums, errors, skip)
    for j in range(len(errors)):
        if errors[j] != 0:
            row, e = counters[j], np.int64(errors[j])
            for i in range(len(row)):
                sums[i] += e * trit(np.int64(row[i]), bits)
    for i in range(len(below)):
        below[i] = np.sign(sums[i]) * gates[i]


@njit(cache=True, nogil=True)
def draw(prng):
    """Step the xorshift64 of state prng[0]; 16 bits."""
    s = prng[0]
    s ^= s << np.uint64(13)
    s ^= s >> np.uint64(7)
    s ^= s << np.uint64(17)
    prng[0] = s
    return np.int64(s >> np.uint64(48))


@njit(cache=True, nogil=True)
def apply_codes(z, codes):
    """Multiply pre-activations by the factors of their rows, see `scales.chip.apply_codes`."""
    for j in range(len(z)):
        if codes[j] == 0:
            continue
        upper, lower = (np.int64(codes[j]) & 15) ^ FRACTION_BITS, np.int64(codes[j]) >> 4
        double, top = 2 * z[j], FRACTION_BITS + 1
        z[j] = double >> top - upper if upper <= top else 0
        if 1 <= lower <= top and upper != top:
            z[j] += double >> top + 1 - lower


@njit(cache=True, nogil=True)
def refreshed(corr, step, exponent):
    """The code of a row's factor, see `scales.chip.refreshed`; after at least one step."""
    d = step << exponent
    value = (min(max(d + corr, 0), 2 * d) << FRACTION_BITS) // d
    if value == 0:
        return np.uint8(15 ^ FRACTION_BITS)
    upper = 0
    while value >> upper > 1:
        upper += 1
    rest = value - (1 << upper)
    lower = 0  # bits of the rest
    while rest >> lower > 0:
        lower += 1
    if lower > 0 and 2 * rest > 3 << (lower - 1):
        lower += 1
    if lower == upper + 1:
        upper, lower = lower, 0
    return np.uint8((upper ^ FRACTION_BITS) | lower << 4)


@njit(cache=True, nogil=True)
def end_step(layers, steps, refresh):
    """Count a step in steps[0]; after every 2^refresh of them divide all factors anew."""
    steps[0] += 1
    if steps[0] & ((np.int64(1) << refresh) - 1) == 0:
        for n in range(len(layers)):
            exponent = 0
            while 1 << exponent < len(layers[n].x):
                exponent += 1
            for j in range(len(layers[n].corr)):
                layers[n].codes[j] = refreshed(layers[n].corr[j], steps[0], exponent)


@njit(cache=True, nogil=True)
def excess(layer, terms, gain, j, count, e, dither):
    """What `update` would add mod 3 to the sum of the trits of row j."""
    row, x, active, bits = layer.counters[j], layer.x, layer.active[:count], terms.bits
    inside = layer.inside[j // terms.banks]
    half = np.int64(1) << (bits - 1)
    left, right = max(np.int64(gain), 0), max(-np.int64(gain), 0)
    mask = (np.int64(1) << right) - 1
    total = np.int64(0)
    for i in active:
        if terms.rest and not inside[i // terms.lanes]:
            continue
        old = np.int64(row[i])
        step = ((np.int64(x[i]) << left) + ((dither ^ i) & mask)) >> right
        total += trit(min(max(old + e * step, -half), half - 1), bits) - trit(old, bits)
    return total % 3


@njit(cache=True, nogil=True, inline="always")  # spares it the counts of references to 16 arrays
def update(layer, terms, gain, prng):
    """Update the rows of a layer that have an error; how many trits changed.

    Adds each row's score to its `corr`. With `conserve`, as `arithmetic.update` says. Granules of
    banks x lanes weights come `inside` with a trit that is not 0; with `rest`, those outside stay
    as they are.
    """
    counters, plus, minus, x, errors = (layer.counters, layer.plus, layer.minus, layer.x,
                                        layer.errors)
    active, corr, inside = layer.active, layer.corr, layer.inside
    bits, conserve, rest = terms.bits, terms.conserve, terms.rest
    banks, lanes = terms.banks, terms.lanes
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
        score, debt = np.int64(0), np.int64(0)
        if conserve:
            debt = excess(layer, terms, gain, j, count, e, dither)
        for n in range(count):
            i = active[n]
            if rest and not inside[j // banks, i // lanes]:
                continue
            step = ((np.int64(x[i]) << left) + ((dither ^ i) & mask)) >> right
            old = np.int64(row[i])
            new = min(max(old + e * step, -half), half - 1)
            score += trit(old, bits)
            change = trit(new, bits) - trit(old, bits)
            if change != 0 and debt != 0:
                new = (2 * trit(old, bits) + e) * cell - (e > 0)
                debt = (debt - change) % 3
            elif change != 0:
                new = (new & -cell) | residual
                set_trit(plus, minus, j, i, trit(new, bits))
                flips += 1
                if trit(new, bits) != 0:
                    inside[j // banks, i // lanes] = True
            row[i] = new
        corr[j] += e * score
    return flips


@njit(cache=True, nogil=True)
def load_sample(image, dy, dx, columns, x):
    """Copy a sample of rows of `columns` pixels, moved down by dy and right by dx."""
    rows = len(x) // columns
    left, width = max(dx, 0), max(columns - abs(dx), 0)
    x[:] = 0
    for r in range(max(dy, 0), rows + min(dy, 0)):
        first = (r - dy) * columns + left - dx
        source = image[first:first + width]
        target = x[r * columns + left:]
        for c in range(len(source)):
            target[c] = source[c]


@njit(cache=True, nogil=True)
def infer(layers, shifts, skips, activation_bits):
    """Run the sample in layers[0].x through all layers."""
    for n in range(len(layers)):
        layer = layers[n]
        pack_values(layer.x, layer.planes)
        forward(layer.planes, layer.plus, layer.minus, layer.z)
        add_skipped(layer.z, layer.x, skips[n])
        apply_codes(layer.z, layer.codes)
        if n + 1 < len(layers):
            activate(layer.z, shifts[n], activation_bits, layers[n + 1].x, layers[n + 1].gates)


@njit(cache=True, nogil=True)
def score_samples(layers, x, shifts, skips, activation_bits, scores):
    """Scores (samples, classes) of samples (samples, inputs)."""
    for t in range(len(x)):
        load_sample(x[t], 0, 0, x.shape[1], layers[0].x)
        infer(layers, shifts, skips, activation_bits)
        scores[t] = layers[-1].z


@njit(cache=True, nogil=True)
def train_samples(layers, terms, x, labels, moves, prng, steps):
    """Learn samples (samples, inputs) one after the other; (correct, updates, flips)."""
    correct, updates, flips = 0, 0, 0
    last = layers[-1]
    for t in range(len(x)):
        load_sample(x[t], moves.dy[t], moves.dx[t], moves.columns, layers[0].x)
        infer(layers, terms.shifts, terms.skips, terms.activation_bits)
        label = labels[t]
        rival = first_maximum(last.z, label)
        correct += first_maximum(last.z, -1) == label
        if last.z[label] - last.z[rival] >= terms.margin:
            continue
        updates += 1
        last.errors[:] = 0
        last.errors[label] = 1
        last.errors[rival] = -1
        for n in range(len(layers) - 1, 0, -1):
            layer = layers[n]
            backward(layer.counters, terms.bits, layer.errors, layer.gates, layer.sums,
                     layers[n - 1].errors, terms.skips[n])
        for n in range(len(layers)):
            flips += update(layers[n], terms, terms.gains[n], prng)
        if terms.refresh >= 0:
            end_step(layers, steps, terms.refresh)
    return correct, updates, flips
