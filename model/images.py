"""Images in a store, shifted on their way to the core (`firmware.store`).

The first row of the table says how many columns they have: that of a convolution always, the first
layer's in its `skip`. Each row of an image lies in lanes of its own. A core without a convolution
gets the shifted pixels tile by tile (`model.layout.tile_order`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .config import CoreConfig, ceil_div
from .layout import Layer, tile_order
from .rng import shift_image

__all__ = ["StoredImages", "images_of", "offset_byte", "offsets_of"]


@dataclass(frozen=True)
class StoredImages:
    """What a table says of the images of a store.

    Parameters
    ----------
    rows, columns
        Of an image.
    lanes
        L of the core.
    tiled
        Whether the core gets them tile by tile, not row by row.
    """

    rows: int
    columns: int
    lanes: int
    tiled: bool

    @property
    def inputs(self) -> int:
        """Inputs of a record: each row has L of them."""
        return self.rows * self.lanes

    def table(self, rows: Sequence[Layer]) -> list[Layer]:
        """A table that speaks of them."""
        first, *others = rows
        return [replace(first, skip=self.columns), *others]

    def record(self, row: Layer) -> Layer:
        """The table's first row as it is of a record: a convolution's has its image's lanes."""
        return replace(row, inputs=self.inputs) if self.tiled else row

    def shifted(self, x: npt.NDArray[Any], dy: int, dx: int) -> npt.NDArray[Any]:
        """The sample (inputs,) of a record's inputs, moved down by `dy` and right by `dx`."""
        images = x.reshape(self.rows, self.lanes)[:, :self.columns]
        moved = shift_image(images, dy, dx)
        if not self.tiled:
            return np.pad(moved, ((0, 0), (0, self.lanes - self.columns))).reshape(-1)
        return moved.reshape(-1)[tile_order((self.rows, self.columns), self.lanes)]

    def laid(self, x: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Inputs of records (samples, rows * L) of images (samples, pixels)."""
        rows = x.reshape(len(x), self.rows, self.columns)
        return np.pad(rows, ((0, 0), (0, 0), (0, self.lanes - self.columns))).reshape(len(x), -1)


def images_of(config: CoreConfig, row: Layer, front: bool) -> StoredImages | None:
    """The images of a store whose table begins with `row`, of a convolution if `front`."""
    if not config.store_shift or not row.skip:
        return None
    rows = ceil_div(row.inputs, config.lanes if front else row.skip)
    return StoredImages(rows, row.skip, config.lanes, not front)


def offset_byte(dy: npt.NDArray[np.integer], dx: npt.NDArray[np.integer],
                ) -> npt.NDArray[np.uint8]:
    """Offsets as an entry of PLAY has them: `dx` in the low four bits, `dy` in the high ones."""
    return ((dx & 15) | (dy & 15) << 4).astype(np.uint8)


def offsets_of(byte: int) -> tuple[int, int]:
    """dy and dx of such a byte, -8 to 7 each."""
    return (byte >> 4 ^ 8) - 8, (byte & 15 ^ 8) - 8
