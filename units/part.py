"""What a unit is in the reference machine: a `Part`, and where the machine asks it."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..firmware.frames import Space
from ..firmware.isa import Op

__all__ = ["Change", "Part", "having"]

IntArray = npt.NDArray[np.int64]


class Change(NamedTuple):
    """A row that UPD has moved. Arrays are a row's, (words * L,), with its unused lanes."""

    number: int          #: of the layer
    row: int
    error: int           #: +1 or -1
    inputs: IntArray     #: of the layer
    steps: IntArray      #: how far an error of +1 moves the counters
    before: IntArray     #: counters
    after: IntArray


class Part:
    """A unit's part of a machine.

    A part has the methods that its unit needs. The machine calls each of them on those parts that
    have it, in the order of `tritgrad.units.UNITS`, and each on what the one before gave; `stage`
    in the opposite order, as the circuits lie. Layers are numbered from 1.

    Parameters
    ----------
    machine
        The ``model.machine.Machine``, which has the part in `parts`. Its memories, registers and
        table are the part's to read and to change.
    """

    def __init__(self, machine: Any):
        self.machine = machine

    def clear(self) -> None:
        """A program begins."""

    def execute(self, op: Op, operand: int) -> None:
        """An instruction of the unit's. A layer that it names is there."""

    def received(self, sample: Any) -> None:
        """RECV has taken a sample: it is in hand."""

    def inputs(self, x: IntArray) -> IntArray:
        """What layer 1 begins with of the inputs of a sample in hand; those missing are 0."""
        return x

    def weights(self, number: int, weights: IntArray) -> IntArray:
        """What FWD multiplies by, (rows, words * L)."""
        return weights

    def stage(self, number: int, sums: IntArray, x: IntArray) -> IntArray:
        """The pre-activations of FWD, (rows,), of the inputs (words * L,)."""
        return sums

    def stage_below(self, number: int, sums: IntArray, errors: IntArray) -> IntArray:
        """The sums of BWD, (words * L,), of the layer's errors (rows,)."""
        return sums

    def below(self) -> tuple[npt.NDArray[np.bool_], IntArray]:
        """Gate bits and error trits of layer 1's inputs, views of (words * L,) each.

        With it BWD takes layer 1. One part at most has it.
        """
        raise NotImplementedError

    def gain(self, gain: int) -> int:
        """The gain exponent of UPD, of the layer's in the table."""
        return gain

    def steps(self, number: int, row: int, steps: IntArray) -> IntArray:
        """How far UPD moves the counters of a row (words * L,) for an error of +1."""
        return steps

    def updated(self, change: Change) -> None:
        """UPD has moved a row; T and R have it."""

    def stored(self, number: int, row: int, before: IntArray, after: IntArray) -> None:
        """Codes of a row in T, (words * L,), are about to change, whatever changes them."""

    def written(self) -> None:
        """The link has written to T or R."""

    def read(self, space: Space, first: int, end: int) -> bytes:
        """Words of one of the unit's windows as on the link."""
        raise NotImplementedError

    def write(self, space: Space, first: int, data: bytes) -> None:
        """Words of one of the unit's windows, from one on."""
        raise NotImplementedError

    def status(self) -> bytes:
        """What the unit adds to the answer to STATUS, its record's `status_bytes`."""
        return b""


def having(parts: Iterable[Part], method: str) -> list[Callable[..., Any]]:
    """A method of those parts that have one of their own."""
    return [getattr(part, method) for part in parts
            if getattr(type(part), method) is not getattr(Part, method)]
