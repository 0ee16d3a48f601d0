"""Codings of numbers, the first step of every coding: where float arithmetic ends.

Each feature is coded by itself. What was fitted to the training rows is kept with the model, and
the codes follow from it by comparisons and single roundings that every machine does alike.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ....errors import BadInput
from ..scaling import Scaling, check_planes
from .step import Step

__all__ = ["Planes", "Signed", "Thermometer"]

FloatArray = npt.NDArray[np.float64]
Bytes = npt.NDArray[np.uint8]
Origins = npt.NDArray[np.intp]

#: Standard deviations from the mean at which a signed half is at its top.
CLIP = 2.0


@dataclass(frozen=True, eq=False)
class Planes(Step):
    """One input a feature: its range spread over 0..255, of that the top bits (`Scaling.apply`)."""

    scaling: Scaling
    planes: int
    kind = "planes"

    def __post_init__(self) -> None:
        check_planes(self.planes)

    @property
    def features(self) -> int:
        """Numbers of a row."""
        return self.scaling.inputs

    @property
    def outputs(self) -> int:
        return self.features

    def apply(self, values: npt.NDArray[Any]) -> Bytes:
        return self.scaling.apply(values, self.planes)


@dataclass(frozen=True, eq=False)
class Signed(Step):
    """Two inputs a feature: how far it is above the mean of the training rows, and how far below.

    With z = (v - mean) / sd the codes are ``floor(clip(z, 0, 2) / 2 * top + 1/2)`` and the same
    of -z, where top = 2^planes - 1; in float64, in this order. First all halves above, then all
    below. A feature that is constant in the training rows has sd 0 and codes 0.

    Attributes
    ----------
    mean, sd
        float64 (features,); sd is that of the population.
    planes
        Bits of a code, 1 to 8.
    """

    mean: FloatArray
    sd: FloatArray
    planes: int = 4
    kind = "signed"

    def __post_init__(self) -> None:
        check_planes(self.planes)
        mean, sd = self.mean, self.sd
        if mean.ndim != 1 or mean.shape != sd.shape or not len(mean):
            raise BadInput(f"a signed coding needs a mean and a deviation for every feature, not "
                           f"arrays of the shapes {mean.shape} and {sd.shape}")
        if not (np.isfinite(mean).all() and np.isfinite(sd).all() and (sd >= 0).all()):
            raise BadInput("a signed coding needs finite means and deviations of at least 0")

    @classmethod
    def fit(cls, values: npt.NDArray[Any], planes: int = 4) -> "Signed":
        """Mean and deviation of each column of `values` (rows, features), from exact sums.

        `math.fsum` rounds once, so that no machine's order of adding shows.
        """
        found = [_moments(column) for column in values.astype(np.float64).T]
        mean, sd = (np.array(part) for part in zip(*found, strict=True))
        return cls(mean, sd, planes)

    @property
    def features(self) -> int:
        """Numbers of a row."""
        return len(self.mean)

    @property
    def outputs(self) -> int:
        return 2 * self.features

    def apply(self, values: npt.NDArray[Any]) -> Bytes:
        top = (1 << self.planes) - 1
        varies = self.sd > 0
        with np.errstate(over="ignore"):  # far outside: infinity, clipped
            z = np.where(varies, values.astype(np.float64) - self.mean, 0.0)
            z /= np.where(varies, self.sd, 1.0)
        halves = [np.floor(np.clip(half, 0.0, CLIP) / CLIP * top + 0.5) for half in (z, -z)]
        return np.hstack(halves).astype(np.uint8)

    def origins(self) -> Origins:
        return np.tile(np.arange(self.features), 2)

    def labels(self, names: list[str]) -> list[str]:
        return [f"{name} {side} {mean:.4g}" for side in ("above", "below")
                for name, mean in zip(names, self.mean.tolist(), strict=True)]


def _moments(column: FloatArray) -> tuple[float, float]:
    """Mean and deviation; 0 exactly for a constant, whose computed one need not be."""
    numbers = column.tolist()
    low, high = min(numbers), max(numbers)
    if low == high:
        return low, 0.0
    try:
        mean = math.fsum(numbers) / len(numbers)
        square = math.fsum((v - mean) * (v - mean) for v in numbers) / len(numbers)
    except OverflowError:
        square = math.inf
    if not math.isfinite(square):
        raise BadInput(f"a feature spans {low:g} to {high:g}, more than can be scaled")
    return mean, math.sqrt(square) or high - low


@dataclass(frozen=True, eq=False)
class Thermometer(Step):
    """Inputs of one bit: whether a feature is above each of its quantiles in the training rows.

    Feature by feature, levels rising; strictly above, so a value at a level gives 0.

    Attributes
    ----------
    levels
        float64 (features, levels).
    """

    levels: FloatArray
    planes = 1
    kind = "thermometer"

    def __post_init__(self) -> None:
        if self.levels.ndim != 2 or 0 in self.levels.shape:
            raise BadInput(f"a thermometer needs levels for every feature, not an array of the "
                           f"shape {self.levels.shape}")
        if not np.isfinite(self.levels).all() or (np.diff(self.levels, axis=1) < 0).any():
            raise BadInput("a thermometer needs finite levels that do not fall")

    @classmethod
    def fit(cls, values: npt.NDArray[Any], levels: int = 16) -> "Thermometer":
        """Levels k = 1..levels at quantiles k / (levels + 1) of each column (rows, features).

        Between the sorted values a and b at the places floor(h) and floor(h) + 1 of h = (n - 1) k
        / (levels + 1), f = h - floor(h), a level is ``a + (b - a) f``, from f = 1/2 on ``b - (b -
        a) (1 - f)``, in float64: what `numpy.quantile` says.
        """
        ordered = np.sort(values.astype(np.float64), axis=0)
        h = (len(values) - 1) * (np.arange(1, levels + 1) / (levels + 1))
        place = np.floor(h).astype(np.intp)
        f = (h - place)[:, None]
        a, b = ordered[place], ordered[np.minimum(place + 1, len(values) - 1)]
        with np.errstate(over="ignore", invalid="ignore"):
            found = np.where(f < 0.5, a + (b - a) * f, b - (b - a) * (1 - f))
        # rounding may take a level a hair below the one before it
        return cls(np.ascontiguousarray(np.maximum.accumulate(found, axis=0).T))

    @property
    def features(self) -> int:
        """Numbers of a row."""
        return self.levels.shape[0]

    @property
    def outputs(self) -> int:
        return self.levels.size

    def apply(self, values: npt.NDArray[Any]) -> Bytes:
        return (values[:, :, None] > self.levels).reshape(len(values), -1).astype(np.uint8)

    def origins(self) -> Origins:
        return np.repeat(np.arange(self.features), self.levels.shape[1])

    def labels(self, names: list[str]) -> list[str]:
        return [f"{name} > {level:.4g}" for name, row in zip(names, self.levels, strict=True)
                for level in row.tolist()]
