"""The scales of the reference machine."""

from typing import Any

import numpy as np

from ...firmware.frames import Space
from ...firmware.isa import Op
from ...firmware.wire import pack_scales, unpack_scales
from ...model.arithmetic import trits
from ...model.scales.chip import CORR_BITS, apply_codes, refreshed, size_exponent
from ...model.scales.rows import row_scores
from ..part import Change, IntArray, Part

__all__ = ["Scales"]


class Scales(Part):
    """Memory S, `corr` and `factors` (codes of `model.scales.chip`).

    A word for each row (`Machine.rows`), and the step in the last word's corr.
    """

    def __init__(self, machine: Any):
        super().__init__(machine)
        self.corr = np.zeros(machine.config.scale_depth, np.int64)
        self.factors = np.zeros(len(self.corr), np.uint8)

    def execute(self, op: Op, operand: int) -> None:
        if op is Op.REFRESH:
            self.corr[-1] = _wrapped(int(self.corr[-1]) + 1)
            self.machine.registers.flag = bool(self.corr[-1] % (1 << operand) == 0)
            return
        rows, step = self.machine.rows(operand), int(self.corr[-1]) % (1 << CORR_BITS)
        exponent = size_exponent(self.machine.layers[operand - 1].inputs)
        self.factors[rows] = [refreshed(int(c), step, exponent) for c in self.corr[rows]]

    def stage(self, number: int, sums: IntArray, x: IntArray) -> IntArray:
        return apply_codes(sums, self.factors[self.machine.rows(number)])

    def updated(self, change: Change) -> None:
        corr = self.corr[self.machine.rows(change.number)]
        weights = trits(change.before, self.machine.config.counter_bits)
        score = row_scores(weights, change.inputs, np.array(change.error))
        corr[change.row] = _wrapped(int(corr[change.row] + score))

    def read(self, space: Space, first: int, end: int) -> bytes:
        return pack_scales(self.corr[first:end], self.factors[first:end])

    def write(self, space: Space, first: int, data: bytes) -> None:
        corr, codes = unpack_scales(data)
        self.corr[first:first + len(corr)] = corr
        self.factors[first:first + len(corr)] = codes


def _wrapped(corr: int) -> int:
    """A sum as memory S keeps it."""
    half = 1 << (CORR_BITS - 1)
    return (corr + half) % (2 * half) - half
