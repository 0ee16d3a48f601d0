"""The convolution compiled: what `tritgrad.model.convolution.fast` runs on each sample.

A kernel is a list of the offsets of its taps that are +1, then of those that are -1. Its sums are
added up over whole rows of the image, a tap at a time, so that additions stand side by side. Sums
fit 16 bits: 4 channels x 49 taps x 15. Arguments are not checked here.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from ...cache import settle
from ..compiled_rule import backward, draw, first_maximum, infer, trit, update
from .shape import Convolution

__all__ = ["Kernels", "list_taps", "score_images", "train_images"]

settle()  # before anything is compiled into numba's cache


class Kernels(NamedTuple):
    """State and scratch memory of F kernels of T taps with D outputs of images of X pixels."""

    counters: npt.NDArray[np.int16]  #: (F, T)
    offsets: npt.NDArray[np.int64]   #: (T,), from a place to the pixel below a tap
    places: npt.NDArray[np.int64]    #: (windows,), the first place of each, by column, row
    inner: npt.NDArray[np.int64]     #: (P^2,), from it to each place of the window, by row
    taps: npt.NDArray[np.int64]      #: (F, T), offsets of taps of +1, then of -1
    counts: npt.NDArray[np.int64]    #: (F, 2), how many are +1, and how many are not 0
    image: npt.NDArray[np.int16]     #: (X,)
    z: npt.NDArray[np.int16]         #: (places in whole rows,)
    where: npt.NDArray[np.int64]     #: (D,), the place of each output
    errors: npt.NDArray[np.int8]     #: (D,)
    sums: npt.NDArray[np.int64]      #: (T,)

    @classmethod
    def empty(cls, conv: Convolution) -> "Kernels":
        """Kernels of zeros."""
        rows, columns = conv.windows
        channel, i, j = np.indices((conv.channels, conv.kernel, conv.kernel)).reshape(3, -1)
        column, row = np.indices((columns, rows)).reshape(2, -1)
        y, u = np.indices((conv.pool, conv.pool)).reshape(2, -1)
        taps, shape = conv.taps, (conv.kernels, conv.taps)
        used = (rows * conv.pool - 1) * conv.columns + columns * conv.pool
        return cls(np.zeros(shape, np.int16), (channel * conv.rows + i) * conv.columns + j,
                   (row * conv.columns + column) * conv.pool, y * conv.columns + u,
                   np.zeros(shape, np.int64), np.zeros((conv.kernels, 2), np.int64),
                   np.zeros(conv.inputs, np.int16), np.zeros(used, np.int16),
                   np.zeros(conv.outputs, np.int64), np.zeros(conv.outputs, np.int8),
                   np.zeros(taps, np.int64))


@njit(cache=True, nogil=True)
def list_taps(kernels, bits, f):
    """Set the list of a kernel's taps from its counters."""
    row, offsets, taps = kernels.counters[f], kernels.offsets, kernels.taps[f]
    count = 0
    for sign in (1, -1):
        for t in range(len(row)):
            if trit(np.int64(row[t]), bits) == sign:
                taps[count] = offsets[t]
                count += 1
        if sign == 1:
            kernels.counts[f, 0] = count
    kernels.counts[f, 1] = count


@njit(cache=True, nogil=True)
def add_pixels(image, taps, sums):
    """Add the pixels at each tap to the sums of all places."""
    for offset in taps:
        pixels = image[offset:offset + len(sums)]
        for place in range(len(sums)):
            sums[place] += pixels[place]


@njit(cache=True, nogil=True)
def subtract_pixels(image, taps, sums):
    """Subtract the pixels at each tap from the sums of all places."""
    for offset in taps:
        pixels = image[offset:offset + len(sums)]
        for place in range(len(sums)):
            sums[place] -= pixels[place]


@njit(cache=True, nogil=True)
def convolve(kernels, shift, bits, h, gates):
    """Outputs, gate bits and places of the image at hand."""
    z, top = kernels.z, (1 << bits) - 1
    count, places, inner = len(kernels.counts), kernels.places, kernels.inner
    for f in range(count):
        plus, both = kernels.counts[f]
        z[:] = 0
        add_pixels(kernels.image, kernels.taps[f, :plus], z)
        subtract_pixels(kernels.image, kernels.taps[f, plus:both], z)
        for w in range(len(places)):
            best = np.int64(-1 << 40)
            for n in range(len(inner)):  # in the lower bits what prefers the first of equals
                best = max(best, (np.int64(z[places[w] + inner[n]]) << 4) | (15 - n))
            value, i = best >> (4 + shift), w * count + f
            kernels.where[i] = places[w] + inner[15 - (best & 15)]
            h[i] = min(max(value, 0), top)
            gates[i] = 0 <= value <= top


@njit(cache=True, nogil=True)
def learn(kernels, bits, gain, prng):
    """One step of every kernel with an error; how many trits changed."""
    count, sums = len(kernels.counts), kernels.sums
    half, cell, right = np.int64(1) << (bits - 1), np.int64(1) << (bits - 2), np.int64(-gain)
    mask, flips = (np.int64(1) << right) - 1, 0
    for f in range(count):
        found = False
        sums[:] = 0
        for i in range(f, len(kernels.errors), count):
            e = np.int64(kernels.errors[i])
            if e != 0:
                found = True
                for t in range(len(sums)):
                    sums[t] += e * kernels.image[kernels.where[i] + kernels.offsets[t]]
        if not found:
            continue
        dither, row, before = draw(prng), kernels.counters[f], flips
        for t in range(len(sums)):
            if sums[t] == 0:
                continue
            step = (abs(sums[t]) + ((dither ^ t) & mask)) >> right
            old = np.int64(row[t])
            new = min(max(old + np.sign(sums[t]) * step, -half), half - 1)
            change = trit(new, bits) - trit(old, bits)
            if change != 0:
                new = (new & -cell) + ((3 * cell) >> 2 if change > 0 else (cell >> 2) - 1)
                flips += 1
            row[t] = new
        if flips != before:
            list_taps(kernels, bits, f)
    return flips


@njit(cache=True, nogil=True)
def see(kernels, image, shift, bits, layers, shifts, skips, activation_bits):
    """Run an image through kernels and dense layers."""
    for i in range(len(image)):
        kernels.image[i] = image[i]
    convolve(kernels, shift, bits, layers[0].x, layers[0].gates)
    infer(layers, shifts, skips, activation_bits)


@njit(cache=True, nogil=True)
def score_images(kernels, shift, bits, layers, x, shifts, skips, activation_bits, scores):
    """Scores (samples, classes) of samples (samples, pixels)."""
    for t in range(len(x)):
        see(kernels, x[t], shift, bits, layers, shifts, skips, activation_bits)
        scores[t] = layers[-1].z


@njit(cache=True, nogil=True)
def train_images(kernels, conv, layers, terms, x, labels, wrong, prng):
    """Learn samples (samples, pixels) one after the other; (correct, updates, flips).

    `conv` are shift, output bits, counter bits and gain of the convolution, `terms` are of the
    dense layers. `wrong` is added to their exponents for a sample predicted wrong.
    """
    shift, output_bits, kernel_bits, gain = conv
    correct, updates, flips = 0, 0, 0
    last = layers[-1]
    for t in range(len(x)):
        see(kernels, x[t], shift, output_bits, layers, terms.shifts, terms.skips,
            terms.activation_bits)
        label = labels[t]
        rival = first_maximum(last.z, label)
        right = first_maximum(last.z, -1) == label
        correct += right
        if last.z[label] - last.z[rival] >= terms.margin:
            continue
        updates += 1
        last.errors[:] = 0
        last.errors[label] = 1
        last.errors[rival] = -1
        for n in range(len(layers) - 1, -1, -1):
            layer = layers[n]
            below = layers[n - 1].errors if n > 0 else kernels.errors
            backward(layer.counters, terms.bits, layer.errors, layer.gates, layer.sums, below,
                     terms.skips[n])
        extra = 0 if right else wrong
        for n in range(len(layers)):
            flips += update(layers[n], terms, terms.gains[n] + extra, prng)
        flips += learn(kernels, kernel_bits, gain, prng)
    return correct, updates, flips
