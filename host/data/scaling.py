"""From a data set's own numbers to the unsigned integers that a network reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import BadInput

__all__ = ["Scaling", "check_planes"]

FloatArray = npt.NDArray[np.float64]

#: Rows scaled at once, so that a large set of bytes is not held as float64 as well.
BLOCK = 4096


def check_planes(planes: int) -> int:
    """`planes` if it is a usable number of bit planes."""
    if isinstance(planes, bool) or not isinstance(planes, int) or not 1 <= planes <= 8:
        raise BadInput(f"planes must be an integer from 1 to 8, not {planes!r}")
    return planes


@dataclass(frozen=True, eq=False)
class Scaling:
    """The range of every feature that is spread over 0..255.

    Pixels are the range 0..255, which leaves them as they are.

    Attributes
    ----------
    minimum, maximum
        float64 (inputs,), in the units of the data set.
    """

    minimum: FloatArray
    maximum: FloatArray

    def __post_init__(self) -> None:
        low, high = self.minimum, self.maximum
        if low.ndim != 1 or low.shape != high.shape or not len(low):
            raise BadInput(f"a scaling needs a minimum and a maximum for every feature, not arrays "
                           f"of the shapes {low.shape} and {high.shape}")
        if not (np.isfinite(low).all() and np.isfinite(high).all() and (low <= high).all()):
            raise BadInput("a scaling needs finite numbers with minimum <= maximum")
        with np.errstate(over="ignore"):
            wide = ~np.isfinite(255.0 * (high - low))
        if wide.any():
            i = int(np.argmax(wide))
            raise BadInput(f"feature {i + 1} spans {low[i]:g} to {high[i]:g}, "
                           f"more than can be scaled")

    @classmethod
    def fixed(cls, low: float, high: float, inputs: int) -> "Scaling":
        """The same range for all features."""
        return cls(np.full(inputs, float(low)), np.full(inputs, float(high)))

    @classmethod
    def fit(cls, values: npt.NDArray[Any]) -> "Scaling":
        """The range of each column of `values` (rows, inputs)."""
        return cls(values.min(axis=0).astype(np.float64), values.max(axis=0).astype(np.float64))

    def as_json(self) -> dict[str, Any]:
        """The range in JSON types; one number where all features have it."""
        def short(values: FloatArray) -> list[float] | float:
            return float(values[0]) if (values == values[0]).all() else values.tolist()
        return {"inputs": self.inputs, "minimum": short(self.minimum),
                "maximum": short(self.maximum)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Scaling":
        """The inverse of `as_json`."""
        return cls(*(np.broadcast_to(np.array(stored[name], np.float64), stored["inputs"]).copy()
                     for name in ("minimum", "maximum")))

    @property
    def inputs(self) -> int:
        """Features of a row."""
        return len(self.minimum)

    @property
    def is_pixels(self) -> bool:
        """Whether bytes are left as they are."""
        return bool((self.minimum == 0).all() and (self.maximum == 255).all())

    def outside(self, values: npt.NDArray[Any]) -> float | None:
        """Part of the numbers (rows, inputs) that lie outside the range; None of no rows."""
        self._check(values)
        if not values.size:
            return None
        count = 0
        for start in range(0, len(values), BLOCK):
            block = values[start:start + BLOCK]
            count += int(((block < self.minimum) | (block > self.maximum)).sum())
        return count / values.size

    def apply(self, values: npt.NDArray[Any], planes: int) -> npt.NDArray[np.uint8]:
        """Scale to 0..255, keep the top `planes` bits.

        The formula is ``floor(255 * (v - minimum) / (maximum - minimum) + 1/2)`` in float64, in
        this order, clipped to 0..255, and 0 for a constant feature. For integers within 2^40 of
        each other every step is exact or too small to move the floor, so that integer arithmetic
        gives the same.

        Parameters
        ----------
        values
            Finite numbers (rows, inputs).
        planes
            Bits kept, 1 to 8.

        Returns
        -------
        uint8 (rows, inputs), 0 to 2^planes - 1.
        """
        drop = 8 - check_planes(planes)
        self._check(values)
        if values.dtype == np.uint8 and self.is_pixels:
            return np.right_shift(values, drop, dtype=np.uint8)
        out = np.empty(values.shape, np.uint8)
        span = self.maximum - self.minimum
        constant = span == 0
        divisor = np.where(constant, 1.0, span)
        for start in range(0, len(values), BLOCK):
            block = values[start:start + BLOCK].astype(np.float64)
            with np.errstate(over="ignore"):  # far outside the range: infinity, clipped
                scaled = np.floor(255.0 * (block - self.minimum) / divisor + 0.5)
            scaled = np.where(constant, 0.0, np.clip(scaled, 0.0, 255.0))
            out[start:start + BLOCK] = scaled.astype(np.uint8) >> drop
        return out

    def _check(self, values: npt.NDArray[Any]) -> None:
        if values.ndim != 2 or values.shape[1] != self.inputs:
            raise BadInput(f"the data must have {self.inputs} features a row, "
                           f"not the shape {values.shape}")
