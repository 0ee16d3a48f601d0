"""The rule of the convolution: what its kernels compute of an image, and how they learn."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from .. import arithmetic
from ..arithmetic import IntArray
from ..rng import XorShift64, check_seed, splitmix64
from .shape import Convolution

__all__ = ["ConvKernels", "Features", "initial_kernels"]


@dataclass(frozen=True)
class Features:
    """What the kernels found in an image; outputs go by column of windows, row, kernel.

    Attributes
    ----------
    h
        (outputs,), 0 to 2^bits - 1: inputs of the first dense layer.
    gates
        (outputs,), whether nothing was clipped.
    patches
        (outputs, taps), the pixels below the kernel at the place where its sum was greatest.
    """

    h: IntArray
    gates: npt.NDArray[np.bool_]
    patches: IntArray


def initial_kernels(conv: Convolution, seed: int) -> IntArray:
    """The counters (kernels, taps) that a run starts with: the first of all its numbers."""
    numbers = splitmix64(check_seed(seed), np.arange(conv.size))
    return (numbers.view(np.int64) >> (64 - conv.counter_bits)).reshape(conv.kernels, conv.taps)


class ConvKernels:
    """Kernels in training.

    Parameters
    ----------
    conv
        Sizes, formats, shift and gain.
    seed
        Of the initial counters, 0 to 2^64 - 1.

    Attributes
    ----------
    counters
        int64 (kernels, taps); taps go by channel, row, column.
    """

    def __init__(self, conv: Convolution, seed: int):
        self.conv = conv
        self.counters = initial_kernels(conv, seed)

    def trits(self) -> IntArray:
        """Weights -1, 0 and +1 (kernels, taps)."""
        return arithmetic.trits(self.counters, self.conv.counter_bits)

    def forward(self, x: npt.NDArray[np.integer]) -> Features:
        """Features of a sample (inputs,) of pixels from 0 to 2^planes - 1."""
        conv = self.conv
        seen = self._seen(x)                       # column, row, place, tap
        z = seen @ self.trits().T                  # column, row, place, kernel
        place = np.argmax(z, axis=2)               # the first of the greatest, row by row
        best = np.take_along_axis(z, place[:, :, None], axis=2)
        patches = np.take_along_axis(seen, place[..., None], axis=2)  # column, row, kernel, tap
        h, gates = arithmetic.activate(best.ravel(), conv.shift, conv.bits)
        return Features(h, gates, patches.reshape(conv.outputs, conv.taps))

    def update(self, errors: IntArray, patches: IntArray, prng: XorShift64) -> int:
        """One step of every kernel with an error; how many trits changed.

        Parameters
        ----------
        errors
            (outputs,), the error trit of each output.
        patches
            (outputs, taps), see `Features`.
        prng
            Gives one draw for each kernel that has an error.
        """
        conv, flips = self.conv, 0
        errors = errors.reshape(-1, conv.kernels)                  # window, kernel
        patches = patches.reshape(-1, conv.kernels, conv.taps)
        for f in range(conv.kernels):
            if not errors[:, f].any():
                continue
            total = errors[:, f] @ patches[:, f]
            step = arithmetic.steps(np.abs(total), conv.gain, prng.draw())
            self.counters[f], changed = arithmetic.update(self.counters[f], 1,
                                                          np.sign(total) * step, conv.counter_bits)
            flips += changed
        return flips

    def _seen(self, x: npt.NDArray[np.integer]) -> IntArray:
        """The pixels below a kernel: (columns of windows, rows, places in the window, taps)."""
        conv, side = self.conv, self.conv.pool
        rows, columns = conv.windows
        image = np.asarray(x, np.int64).reshape(conv.channels, conv.rows, conv.columns)
        below = sliding_window_view(image, (conv.kernel, conv.kernel), axis=(1, 2))
        below = np.moveaxis(below, 0, 2)[:rows * side, :columns * side]
        tiles = below.reshape(rows, side, columns, side, conv.taps)
        return tiles.transpose(2, 0, 1, 3, 4).reshape(columns, rows, side * side, conv.taps)
