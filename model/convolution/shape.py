"""The numbers that say what a convolution computes, and which of them go together."""

import re
from dataclasses import dataclass, fields

from ...errors import BadInput

__all__ = ["LIMITS", "Convolution", "parse_kernels"]

#: Least and most of each number.
LIMITS = {"channels": (1, 4), "rows": (1, 4096), "columns": (1, 4096), "kernels": (1, 256),
          "kernel": (1, 7), "pool": (1, 3), "planes": (1, 4), "bits": (1, 4),
          "counter_bits": (8, 14), "shift": (0, 15), "gain": (-15, 0)}
#: The most inputs that a dense layer takes.
MOST_OUTPUTS = 65535
#: Stands for a shift that was not given.
FROM_SIZES = -1


@dataclass(frozen=True)
class Convolution:
    """Kernels of trits over an image, the greatest sum of each window kept.

    No padding, stride 1; rows and columns that fill no window, below and at the right, are not
    used. Its outputs are the inputs of the first dense layer.

    Parameters
    ----------
    rows, columns
        Of the image.
    kernels
        F, 1 to 256.
    kernel
        k, rows and columns of a kernel, 1 to 7.
    pool
        P, rows and columns of a window of places, 1 to 3.
    channels
        C, images one over the other that a kernel sees, 1 to 4.
    planes
        p, bits of a pixel, 1 to 4.
    bits
        n, bits of an output, 1 to 4.
    counter_bits
        Bits of a kernel's counters, 8 to 14.
    shift
        Right shift of the sums, 0 to 15; left away: from the number of taps and bits, `shift_of`.
    gain
        Gain exponent of the kernels' step, -15 to 0, the same in all epochs.

    Raises
    ------
    BadInput
        Names the number, its value and what is allowed.
    """

    rows: int
    columns: int
    kernels: int
    kernel: int
    pool: int = 3
    channels: int = 1
    planes: int = 2
    bits: int = 2
    counter_bits: int = 12
    shift: int = FROM_SIZES
    gain: int = -2

    def __post_init__(self) -> None:
        for name in (field.name for field in fields(self)):
            value, (low, high) = getattr(self, name), LIMITS[name]
            if name == "shift" and value == FROM_SIZES:
                value = shift_of(self)
            if isinstance(value, bool) or not hasattr(value, "__index__") \
                    or not low <= value <= high:
                raise BadInput(f"convolution: {name} must be an integer from {low} to {high}, "
                               f"not {value!r}")
            object.__setattr__(self, name, value.__index__())
        image = f"images of {self.rows} x {self.columns}"
        if self.kernel > min(self.rows, self.columns):
            raise BadInput(f"convolution: kernels of {self.kernel} x {self.kernel} are larger than "
                           f"{image}")
        if not all(self.windows):
            raise BadInput(f"convolution: a pool of {self.pool} leaves nothing of {image} behind "
                           f"kernels of {self.kernel} x {self.kernel}: each side must be at least "
                           f"{self.kernel + self.pool - 1}")
        if self.outputs > MOST_OUTPUTS:
            raise BadInput(f"convolution: {self.kernels} kernels make {self.outputs} outputs of "
                           f"{image} with a pool of {self.pool}; at most {MOST_OUTPUTS} can be "
                           "used")

    @property
    def windows(self) -> tuple[int, int]:
        """Rows and columns of windows."""
        rows, columns = ((side - self.kernel + 1) // self.pool for side in (self.rows,
                                                                           self.columns))
        return rows, columns

    @property
    def outputs(self) -> int:
        """D, inputs of the first dense layer: by column of windows, row, kernel."""
        rows, columns = self.windows
        return columns * rows * self.kernels

    @property
    def inputs(self) -> int:
        """Pixels of a sample: by channel, row, column."""
        return self.channels * self.rows * self.columns

    @property
    def taps(self) -> int:
        """Trits of a kernel: by channel, row, column."""
        return self.channels * self.kernel ** 2

    @property
    def size(self) -> int:
        """Trits of all kernels."""
        return self.kernels * self.taps


def shift_of(conv: Convolution) -> int:
    """The shift that follows from taps, pixels and outputs.

    About the square root of the taps, and what pixels have more bits than outputs: sums of random
    trits then fill the outputs.
    """
    half = (max(1, conv.taps).bit_length() - 1) // 2
    return max(0, half + conv.planes - conv.bits)


def parse_kernels(text: str) -> tuple[int, int]:
    """F and k from ``FxKxK``, as in 24x5x5. Raises `BadInput`."""
    match = re.fullmatch(r"(\d{1,9})x(\d{1,9})x(\d{1,9})", text, re.ASCII)
    if match is None or match[2] != match[3]:
        raise BadInput(f"kernels must be their number and their equal sides, as in 24x5x5, "
                       f"not {text!r}")
    return int(match[1]), int(match[2])
