"""Codings of images of bytes: integers all the way, compiled."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from ....cache import settle
from ....errors import BadInput
from ....model.arrays import read_only
from ..scaling import check_planes
from .step import Step

__all__ = ["DIRECTIONS", "Channels", "Deskew", "Edges", "TopBits"]

Bytes = npt.NDArray[np.uint8]
Origins = npt.NDArray[np.intp]

#: (rows, columns) of the first neighbour; the second is on the other side. Opposites in pairs.
DIRECTIONS = ((0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, -1), (1, -1), (-1, 1))
#: Their names, to which side the brightness rises.
SIDES = ("right", "left", "down", "up", "down right", "up left", "down left", "up right")

settle()  # before anything is compiled into numba's cache


@njit(cache=True, nogil=True)
def _deskew(images, threshold, out):
    for n in range(len(images)):
        image = images[n]
        rows, columns = image.shape
        m = sr = sc = src = srr = np.int64(0)
        for r in range(rows):
            for c in range(columns):
                if image[r, c] >= threshold:
                    m, sr, sc, src, srr = m + 1, sr + r, sc + c, src + r * c, srr + r * r
        den = m * srr - sr * sr
        slope = 0
        if den > 0:
            slope = min(max((64 * (m * src - sr * sc) + den) // (2 * den), -32), 32)
        centre = (2 * sr + m) // (2 * m) if m > 0 else rows // 2
        for r in range(rows):
            right = -((slope * (r - centre) + 16) >> 5)
            for c in range(columns):
                source = c - right
                out[n, r, c] = image[r, source] if 0 <= source < columns else 0


@njit(cache=True, nogil=True)
def _edges(images, thresholds, directions, pool, out):
    for n in range(len(images)):
        image, new = images[n], out[n]
        rows, columns = image.shape
        height, width, pairs = new.shape[0], new.shape[1], (len(directions) + 1) // 2
        new[:] = 0
        for r in range(height * pool):
            for c in range(width * pool):
                cell = new[r // pool, c // pool]
                for pair in range(pairs):
                    dr, dc = directions[2 * pair]
                    near = far = np.int64(0)
                    if 0 <= r + dr < rows and 0 <= c + dc < columns:
                        near = np.int64(image[r + dr, c + dc])
                    if 0 <= r - dr < rows and 0 <= c - dc < columns:
                        far = np.int64(image[r - dr, c - dc])
                    for t in range(len(thresholds)):
                        if near - far >= thresholds[t]:
                            cell[t, 2 * pair] = 1
                        if far - near >= thresholds[t] and 2 * pair + 1 < len(directions):
                            cell[t, 2 * pair + 1] = 1


def _check_shape(shape: tuple[int, int]) -> None:
    if len(shape) != 2 or not all(isinstance(n, int) and n >= 1 for n in shape):
        raise BadInput(f"an image must have rows and columns, not the shape {shape!r}")


@dataclass(frozen=True)
class Deskew(Step):
    """Rows of an image moved sideways so that its set pixels stand upright.

    Pixels of at least `threshold` are set; M of them, with sums Sr, Sc, Src, Srr of r, c, r c, r r.
    num = M Src - Sr Sc, den = M Srr - Sr^2; slope k = clip((64 num + den) // (2 den), -32, 32) in
    1/32 pixel a row, 0 if den = 0; centre (2 Sr + M) // (2 M), or rows // 2 if M = 0. Row r moves
    right by -((k (r - centre) + 16) >> 5), zeros come in. 64-bit integers.
    """

    shape: tuple[int, int]
    threshold: int = 128
    kind = "deskew"
    planes = 8

    def __post_init__(self) -> None:
        _check_shape(self.shape)
        if not 1 <= self.threshold <= 255:
            raise BadInput(f"deskew must have a threshold from 1 to 255, not {self.threshold!r}")

    @property
    def outputs(self) -> int:
        return self.shape[0] * self.shape[1]

    def apply(self, x: Bytes) -> Bytes:
        images = read_only(x).reshape(-1, *self.shape)
        out = np.empty_like(images)
        _deskew(images, self.threshold, out)
        return out.reshape(x.shape)


@dataclass(frozen=True)
class TopBits(Step):
    """The top bits of bytes."""

    inputs: int
    planes: int
    kind = "top-bits"

    def __post_init__(self) -> None:
        check_planes(self.planes)

    @property
    def outputs(self) -> int:
        return self.inputs

    def apply(self, x: Bytes) -> Bytes:
        return np.right_shift(x, 8 - self.planes, dtype=np.uint8)


@dataclass(frozen=True)
class Edges(Step):
    """Bits: whether somewhere in a window the brightness rises by a threshold in a direction.

    Bit (R, C, t, d) is the OR over the pool x pool pixels (r, c) of the window of ``I(r + dr, c +
    dc) - I(r - dr, c - dc) >= t``, I = 0 outside the image. Rows and columns beyond a multiple of
    `pool` have no window, but are neighbours. Inputs go by R, C, threshold, direction.

    Attributes
    ----------
    shape
        Rows and columns of the image.
    thresholds
        1 to 255 each.
    directions
        The first so many of `DIRECTIONS`.
    pool
        Rows and columns of a window.
    """

    shape: tuple[int, int]
    thresholds: tuple[int, ...] = (128,)
    directions: int = 8
    pool: int = 2
    kind = "edges"
    planes = 1

    def __post_init__(self) -> None:
        _check_shape(self.shape)
        if not self.thresholds or not all(1 <= t <= 255 for t in self.thresholds):
            raise BadInput(f"edges must have thresholds from 1 to 255, not {self.thresholds!r}")
        if not 1 <= self.directions <= len(DIRECTIONS):
            raise BadInput(f"edges must have from 1 to {len(DIRECTIONS)} directions, "
                           f"not {self.directions!r}")
        if not 1 <= self.pool <= min(self.shape):
            raise BadInput(f"edges of images of {self.shape[0]} x {self.shape[1]} must have a pool "
                           f"from 1 to {min(self.shape)}, not {self.pool!r}")

    @property
    def grid(self) -> tuple[int, int]:
        """Windows: rows and columns."""
        return self.shape[0] // self.pool, self.shape[1] // self.pool

    @property
    def outputs(self) -> int:
        return self.grid[0] * self.grid[1] * len(self.thresholds) * self.directions

    def apply(self, x: Bytes) -> Bytes:
        out = np.empty((len(x), *self.grid, len(self.thresholds), self.directions), np.uint8)
        _edges(read_only(x).reshape(-1, *self.shape), np.array(self.thresholds),
               np.array(DIRECTIONS[:self.directions]), self.pool, out)
        return out.reshape(len(x), -1)

    def origins(self) -> Origins:
        rows, columns = np.indices(self.grid) * self.pool
        pixels = (rows * self.shape[1] + columns).ravel()
        return np.repeat(pixels, len(self.thresholds) * self.directions)

    def labels(self, names: list[str]) -> list[str]:
        return [f"{names[pixel]} +{t} {side}"
                for pixel in self.origins()[::len(self.thresholds) * self.directions].tolist()
                for t in self.thresholds for side in SIDES[:self.directions]]


@dataclass(frozen=True)
class Channels(Step):
    """Edges as images, one for each direction, for a convolution: how many thresholds are reached.

    Code (d, r, c) is the number of thresholds t with ``I(r + dr, c + dc) - I(r - dr, c - dc) >=
    t``, see `Edges`. Codes go by direction, row, column.

    Attributes
    ----------
    shape
        Rows and columns of the image.
    thresholds
        1 to 15 of them, 1 to 255 each.
    directions
        The first so many of `DIRECTIONS`, 1 to 4.
    """

    shape: tuple[int, int]
    thresholds: tuple[int, ...] = (6, 16, 36)
    directions: int = 4
    kind = "channels"

    def __post_init__(self) -> None:
        self._edges()  # checks the rest
        if len(self.thresholds) > 15:
            raise BadInput(f"channels must have at most 15 thresholds, not {self.thresholds!r}")
        if self.directions > 4:
            raise BadInput(f"channels must be from 1 to 4 directions, not {self.directions!r}")

    @property
    def planes(self) -> int:  # type: ignore[override]
        """Bits of a count."""
        return len(self.thresholds).bit_length()

    @property
    def outputs(self) -> int:
        return self.directions * self.shape[0] * self.shape[1]

    def apply(self, x: Bytes) -> Bytes:
        bits = self._edges().apply(x).reshape(len(x), *self.shape, -1, self.directions)
        counts = bits.sum(axis=3, dtype=np.uint8).transpose(0, 3, 1, 2)
        return np.ascontiguousarray(counts).reshape(len(x), -1)

    def origins(self) -> Origins:
        return np.tile(np.arange(self.shape[0] * self.shape[1]), self.directions)

    def labels(self, names: list[str]) -> list[str]:
        return [f"{name} {side}" for side in SIDES[:self.directions] for name in names]

    def _edges(self) -> Edges:
        return Edges(self.shape, self.thresholds, self.directions, 1)
