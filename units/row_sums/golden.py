"""The row sums of the reference machine."""

from typing import Any

import numpy as np

from ...firmware.frames import Run, Space
from ...firmware.isa import Op
from ...model.layout import row_sums
from ..part import IntArray, Part

__all__ = ["RowSums"]


class RowSums(Part):
    """Memory SUMS, `sums`: the trits of each row mod 3 (0, 1 or 2), of `Machine.rows`."""

    def __init__(self, machine: Any):
        super().__init__(machine)
        self.sums = np.zeros(machine.config.sum_depth, np.int64)

    def execute(self, op: Op, number: int) -> None:
        machine = self.machine
        layer, placed = machine.layers[number - 1], machine.places[number - 1]
        found = row_sums(machine.config, layer, placed, machine.codes)
        if (found != self.sums[machine.rows(number)]).any():
            machine.run = Run.CORRUPT

    def stored(self, number: int, row: int, before: IntArray, after: IntArray) -> None:
        kept = self.sums[self.machine.rows(number)]
        kept[row] = (kept[row] + after.sum() - before.sum()) % 3

    def read(self, space: Space, first: int, end: int) -> bytes:
        return self.sums[first:end].astype("u1").tobytes()

    def write(self, space: Space, first: int, data: bytes) -> None:
        self.sums[first:first + len(data)] = [(byte & 3) % 3 for byte in data]
