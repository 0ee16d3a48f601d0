"""The support of the reference machine."""

from typing import Any

import numpy as np
import numpy.typing as npt

from ...firmware.frames import Space
from ...firmware.isa import Op
from ...firmware.wire import pack_words, unpack_words
from ...model.arithmetic import trits
from ...model.blending import granules
from ..part import Change, IntArray, Part

__all__ = ["Support"]

Bits = npt.NDArray[np.bool_]


class Support(Part):
    """Memory SUPPORT, and CUTOFF's registers.

    Attributes
    ----------
    inside
        Whether each granule is inside (row groups of all layers, words).
    cutoff, k, rest
        Of the last CUTOFF.
    """

    def __init__(self, machine: Any):
        super().__init__(machine)
        self.inside = np.zeros((machine.config.support_depth, machine.config.max_words), bool)

    def clear(self) -> None:
        self.cutoff, self.k, self.rest = 0, 0, False

    def execute(self, op: Op, operand: int) -> None:
        if op is Op.CUTOFF:
            self.cutoff, self.k = operand & 0xFFFF, operand >> 16 & 15
            self.rest = bool(operand >> 20)
        else:
            self._purge(operand)

    def weights(self, number: int, weights: IntArray) -> IntArray:
        rows = np.repeat(self.layer(number), self.machine.config.banks, axis=0)
        return weights * self._lanes(rows[:len(weights)])

    def steps(self, number: int, row: int, steps: IntArray) -> IntArray:
        if not self.rest:
            return steps
        return steps * self._lanes(self.layer(number)[row // self.machine.config.banks])

    def updated(self, change: Change) -> None:
        if not self.rest:
            after = trits(change.after, self.machine.config.counter_bits)
            born = self._words(change.inputs != 0) & self._words(after != 0)
            self.layer(change.number)[change.row // self.machine.config.banks] |= born

    def layer(self, number: int) -> Bits:
        """View of a layer's granules (row groups, words)."""
        placed = self.machine.places[number - 1]
        return self.inside[placed.group_base:placed.group_base + placed.groups, :placed.words]

    def read(self, space: Space, first: int, end: int) -> bytes:
        return pack_words(self.inside[first:end], 1, self.machine.config.support_word_bytes)

    def write(self, space: Space, first: int, data: bytes) -> None:
        c = self.machine.config
        words = unpack_words(data, 1, c.max_words, c.support_word_bytes)
        self.inside[first:first + len(words)] = words

    def _purge(self, number: int) -> None:
        machine, c = self.machine, self.machine.config
        _, placed, counters, _ = machine.lanes(number)
        after, inside = granules.purged(counters, c.counter_bits, c.banks, c.lanes, self.cutoff,
                                        self.k)
        for row, moved in enumerate(after):
            machine.store_row(number, row, moved)
        self.inside[placed.group_base:placed.group_base + placed.groups] = False
        self.layer(number)[:] = inside

    def _lanes(self, words: Bits) -> Bits:
        """A bit for each lane, from one for each word (..., words)."""
        return np.repeat(words, self.machine.config.lanes, axis=-1)

    def _words(self, lanes: Bits) -> Bits:
        """Of each word of L, whether any lane is set."""
        return np.asarray(lanes.reshape(-1, self.machine.config.lanes).any(axis=1))
