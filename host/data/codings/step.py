"""What the steps of a coding have in common."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

__all__ = ["Step"]


class Step(ABC):
    """Codes of a row from numbers or codes of the row; steps follow one another in a coding.

    The fields of a step are what a model file keeps of it: numbers, tuples of them, arrays.

    Attributes
    ----------
    kind
        Its name in model files.
    planes
        Bits of a code that it makes.
    """

    kind: ClassVar[str]
    planes: int

    @property
    @abstractmethod
    def outputs(self) -> int:
        """Codes of a row."""

    @abstractmethod
    def apply(self, x: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
        """Codes uint8 (rows, outputs) from what the step before made (rows, inputs)."""

    def origins(self) -> npt.NDArray[np.intp]:
        """The input that each code is made of; where a window is, its upper left pixel."""
        return np.arange(self.outputs)

    def labels(self, names: list[str]) -> list[str]:
        """What each code says, from the names of the inputs."""
        return names
