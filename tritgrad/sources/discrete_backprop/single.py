"""Single gradients, and lists of them that are views of the library's vectors."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from tritgrad.errors import BadInput
from tritgrad.model.discrete import gradients

__all__ = ["TritGradient", "vector", "views"]


class TritGradient:
    """One parameter's trit and how sure it is.

    One of a list that `views` made writes through to the vector that it is a place of.

    Parameters
    ----------
    value
        -1, 0 or +1; may be set.
    confidence
        A number; may be set.

    Raises
    ------
    BadInput
        The value is no trit.
    """

    __slots__ = ("_place", "_vector")

    def __init__(self, value: int, confidence: float):
        self._vector, self._place = gradients.TritGradient([value], [confidence]), 0

    @property
    def value(self) -> int:
        return int(self._vector.value[self._place])

    @value.setter
    def value(self, trit: int) -> None:
        if trit not in (-1, 0, 1):
            raise BadInput(f"value of a gradient must be -1, 0 or 1, not {trit!r}")
        self._vector.value[self._place] = trit

    @property
    def confidence(self) -> float:
        return float(self._vector.confidence[self._place])

    @confidence.setter
    def confidence(self, sure: float) -> None:
        self._vector.confidence[self._place] = sure

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TritGradient) and (
            (self.value, self.confidence) == (other.value, other.confidence))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"TritGradient(value={self.value!r}, confidence={self.confidence!r})"


def views(found: gradients.TritGradient) -> list[TritGradient]:
    """A single gradient for each place of a vector (n,); writing to one writes to the vector."""
    made = []
    for place in range(len(found)):
        one = TritGradient.__new__(TritGradient)
        one._vector, one._place = found, place
        made.append(one)
    return made


def vector(given: Iterable[TritGradient] | gradients.TritGradient) -> gradients.TritGradient:
    """The vector of single gradients, or of anything with value and confidence: a copy."""
    if isinstance(given, gradients.TritGradient):
        return given
    singles = list(given)
    return gradients.TritGradient(np.array([g.value for g in singles], np.int8),
                                  [g.confidence for g in singles])
