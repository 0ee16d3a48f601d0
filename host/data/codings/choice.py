"""Codes repeated, and the most informative ones selected."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ....errors import BadInput
from .step import Step

__all__ = ["Repeat", "Select"]

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Repeat(Step):
    """Every code several times, so that it has as many weights: all codes, then all again."""

    inputs: int
    planes: int
    times: int
    kind = "repeat"

    def __post_init__(self) -> None:
        if not 1 <= self.times <= 256:
            raise BadInput(f"repeat must be from 1 to 256 times, not {self.times!r}")

    @property
    def outputs(self) -> int:
        return self.inputs * self.times

    def apply(self, x: npt.NDArray[Any]) -> Bytes:
        return np.tile(x, (1, self.times))

    def origins(self) -> npt.NDArray[np.intp]:
        return np.tile(np.arange(self.inputs), self.times)

    def labels(self, names: list[str]) -> list[str]:
        return names * self.times


@dataclass(frozen=True, eq=False)
class Select(Step):
    """Some of the codes, in their order.

    Attributes
    ----------
    positions
        int64, rising.
    inputs
        Codes to select from.
    planes
        Bits of a code.
    """

    positions: npt.NDArray[np.int64]
    inputs: int
    planes: int
    kind = "select"

    def __post_init__(self) -> None:
        p = self.positions
        if p.ndim != 1 or not len(p) or p.dtype != np.int64 or (np.diff(p) <= 0).any() \
                or not 0 <= p[0] <= p[-1] < self.inputs:
            raise BadInput(f"a selection must be rising positions from 0 to {self.inputs - 1}")

    @classmethod
    def fit(cls, x: Bytes, keep: int, planes: int) -> "Select":
        """The `keep` codes with the greatest c (n - c), of equals the first.

        c counts the n rows (rows, codes) in which a code is not 0.
        """
        inputs = x.shape[1]
        if not 1 <= keep <= inputs:
            raise BadInput(f"select must be from 1 to the {inputs} coded inputs, not {keep!r}")
        c = np.count_nonzero(x, axis=0).astype(np.int64)
        best = np.argsort(-(c * (len(x) - c)), kind="stable")[:keep]
        return cls(np.sort(best).astype(np.int64), inputs, planes)

    @property
    def outputs(self) -> int:
        return len(self.positions)

    def apply(self, x: npt.NDArray[Any]) -> Bytes:
        return np.ascontiguousarray(x[:, self.positions])

    def origins(self) -> npt.NDArray[np.intp]:
        return self.positions.astype(np.intp)

    def labels(self, names: list[str]) -> list[str]:
        return [names[i] for i in self.positions.tolist()]
