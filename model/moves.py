"""Images moved before they are learned, anew in each epoch: shifted, turned, slanted, stretched.

Every number drawn exists whether it is used or not, so no range changes another move's numbers,
and any sample can be computed alone.
"""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from ..cache import settle
from ..errors import BadInput
from .arrays import read_only
from .rng import epoch_seed, shift_offsets, splitmix64

__all__ = ["DRAWN", "Moves", "move_images"]

#: Moves in the order of their drawn numbers; of 8 numbers a sample two are free.
DRAWN = ("rotate", "shear", "vshear", "vstretch", "hstretch", "flip")
NUMBERS = 8

settle()  # before anything is compiled into numba's cache


@dataclass(frozen=True)
class Moves:
    """By how much the images of an epoch are moved at most.

    Attributes
    ----------
    shift
        Pixels down and right, either way, 0 to 127.
    rotate, shear, vshear, vstretch, hstretch
        1/64 about the centre, either way, 0 to 63.
    flip
        1: half of the images are mirrored, left to right.
    """

    shift: int = 0
    rotate: int = 0
    shear: int = 0
    vshear: int = 0
    vstretch: int = 0
    hstretch: int = 0
    flip: int = 0

    def __post_init__(self) -> None:
        for name in DRAWN:
            top, value = 1 if name == "flip" else 63, getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= top:
                raise BadInput(f"augment: {name} must be an integer from 0 to {top}, "
                               f"not {value!r}")
        shift_offsets(0, 0, 0, self.shift)  # checks it

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in ("shift", *DRAWN))

    @property
    def only_shift(self) -> bool:
        """Whether images are shifted, and moved in no other way."""
        return self.shift > 0 and not any(getattr(self, name) for name in DRAWN)

    def draws(self, seed: int, epoch: int, n: int) -> npt.NDArray[np.int64]:
        """Amounts by place in the order of an epoch (from 0) of `n` samples.

        Number j of place t, for the moves of `DRAWN`, is output 3 n + 8 t + j of the epoch's
        SplitMix64, its top 32 bits u: ``((2 k + 1) u >> 32) - k`` for a range k, and for the flip
        ``(k + 1) u >> 32``. Shifts are those of `shift_offsets`.

        Returns
        -------
        int64 (n, 8): down, right, then as `DRAWN`.
        """
        numbers = splitmix64(epoch_seed(seed, epoch), np.arange(3 * n, (3 + NUMBERS) * n))
        numbers = (numbers >> np.uint64(32)).astype(np.int64).reshape(n, NUMBERS)
        ranges = [getattr(self, name) for name in DRAWN]
        drawn = [(numbers[:, j] * (2 * k + 1) >> 32) - k for j, k in enumerate(ranges[:-1])]
        flips = numbers[:, len(drawn)] * (ranges[-1] + 1) >> 32
        return np.stack([*shift_offsets(seed, epoch, n, self.shift), *drawn, flips], axis=1)

    @classmethod
    def parse(cls, text: str, shift: int = 0) -> "Moves":
        """From ``NAME=N,...`` and ``flip``. Raises `BadInput` that names what is wrong."""
        ranges = {}
        for part in filter(None, text.split(",")):
            name, _, number = part.partition("=")
            if name not in DRAWN:
                raise BadInput(f"augment must be of {', '.join(DRAWN)}, not {name!r}")
            if not re.fullmatch(r"\d+", number or "1", re.ASCII):
                raise BadInput(f"augment: {name} must be an integer, not {number!r}")
            if name in ranges:
                raise BadInput(f"augment: {name} is given twice, in {text!r}")
            ranges[name] = int(number or 1)
        return cls(shift, **ranges)


def move_images(images: npt.NDArray[np.uint8], amounts: npt.NDArray[np.int64],
                ) -> npt.NDArray[np.uint8]:
    """Images (n, rows, columns), each moved by its own amounts (n, 8), see `Moves.draws`.

    With cr = 2 r - (rows - 1), cc = 2 c - (columns - 1), s = shear + rotate, v = vshear - rotate::

        source row    = r - down  - ((cc v + 64) >> 7) + ((cr vstretch + 64) >> 7)
        source column = c - right - ((cr s + 64) >> 7) + ((cc hstretch + 64) >> 7)

    mirrored after that if flipped; new[r, c] is the pixel there, 0 from outside.
    """
    out = np.empty_like(images)
    _move(read_only(images), read_only(amounts), out)
    return out


@njit(cache=True, nogil=True)
def _move(images: Any, amounts: Any, out: Any) -> None:
    _, rows, columns = images.shape
    for n in range(len(images)):
        down, right, rotate, shear, vshear, vstretch, hstretch, flip = amounts[n]
        slant, vslant = shear + rotate, vshear - rotate
        for r in range(rows):
            cr = 2 * r - (rows - 1)
            first = r - down + ((cr * vstretch + 64) >> 7)
            left = right + ((cr * slant + 64) >> 7)
            for c in range(columns):
                cc = 2 * c - (columns - 1)
                row = first - ((cc * vslant + 64) >> 7)
                column = c - left + ((cc * hstretch + 64) >> 7)
                if flip:
                    column = columns - 1 - column
                inside = 0 <= row < rows and 0 <= column < columns
                out[n, r, c] = images[n, row, column] if inside else 0
