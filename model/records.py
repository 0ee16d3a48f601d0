"""The golden model of the trace unit: what a core tells of its decisions, byte for byte.

Records are as `firmware.records` says.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..firmware.frames import pack_fields
from ..firmware.records import FIELDS, PIECE_BYTES, Item, Mode
from . import arithmetic
from .config import CoreConfig

__all__ = ["Piece", "Tracer", "lane_bytes"]


@dataclass(frozen=True)
class Piece:
    """Bytes of the stream that go out in one frame; `number` counts them since RUN."""

    number: int
    data: bytes


def lane_bytes(values: npt.NDArray[np.integer], bits: int) -> bytes:
    """Lanes (n,) of `bits` bits each as ceil(n * bits / 8) bytes, lane 0 lowest."""
    planes = (np.asarray(values, np.int64)[:, None] >> np.arange(bits)) & 1
    return np.packbits(planes.reshape(-1).astype(np.uint8), bitorder="little").tobytes()


class Tracer:
    """Collects the items of records and cuts them into pieces.

    Parameters
    ----------
    config
        The core.

    Attributes
    ----------
    mode
        Operand of the TRACE that opened the record, 0 outside one.
    records
        Records ended since RUN.
    rest
        Bytes that no piece has yet.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        self.clear()

    def clear(self) -> None:
        """What RUN does: no record is open, records and pieces count from 0."""
        self.mode = Mode(0)
        self.records = self._pieces = 0
        self.rest = bytearray()

    def switch(self, mode: int) -> Iterator[Piece]:
        """TRACE: end the open record, and open one unless `mode` is 0."""
        if self.mode:
            end = pack_fields(FIELDS[Item.END], kind=Item.END, record=self.records)
            self.records = (self.records + 1) % (1 << 32)
            yield from self._add(end)
            if self.rest:
                yield self._piece(len(self.rest))
        self.mode = Mode(mode)

    def hidden(self, layer: int, gates: npt.NDArray[np.bool_], activations: arithmetic.IntArray,
               errors: arithmetic.IntArray) -> Iterator[Piece]:
        """TELL of a hidden layer.

        Parameters
        ----------
        layer
            Its number.
        gates, activations
            Of its words, both (words, L).
        errors
            Its error trits, (words, steps, U); steps is 0 if the core has none.
        """
        if not self.mode:
            return
        item = pack_fields(FIELDS[Item.HIDDEN], kind=Item.HIDDEN, layer=layer)
        for gate, word, trits in zip(gates, activations, errors, strict=True):
            item += lane_bytes(gate, 1)
            for plane in range(self.config.activation_bits):
                item += lane_bytes(word >> plane, 1)
            for step in trits:
                item += lane_bytes(step & 3, 2)
        yield from self._add(item)

    def scores(self, scan: arithmetic.Scan, target: int, flag: bool, margin: int,
               scores: arithmetic.IntArray) -> Iterator[Piece]:
        """TELL of the last layer, with the scores of its classes."""
        if not self.mode:
            return
        head = pack_fields(FIELDS[Item.SCORES], kind=Item.SCORES, prediction=scan.prediction,
                           target=target, rival=scan.rival, flag=flag, margin=margin, gap=scan.gap)
        yield from self._add(head + scores.astype("<i4").tobytes())

    def update(self, bank: int, address: int, error: int, before: arithmetic.IntArray,
               step: arithmetic.IntArray, after: arithmetic.IntArray) -> Iterator[Piece]:
        """UPD of a row.

        Parameters
        ----------
        bank, address
            The row's first word in T.
        error
            +1 or -1.
        before, step, after
            Counters, how far an error of +1 moves them, and counters after, with the unused lanes
            of the last word.
        """
        if not self.mode:
            return
        bits, lanes = self.config.counter_bits, self.config.update_lanes
        half = 1 << (bits - 1)
        wanted = before + error * np.minimum(step, 2 * half - 1)
        saturated = (wanted < -half) | (wanted > half - 1)
        flips = arithmetic.trits(before, bits) != arithmetic.trits(after, bits)
        if not self.mode & Mode.SATURATIONS:
            saturated[:] = False
        kind = Item.UP if error > 0 else Item.DOWN
        for n in range(0, len(before), lanes):
            part = slice(n, n + lanes)
            if not flips[part].any() and not saturated[part].any():
                continue
            word, place = divmod(n // lanes, self.config.steps)
            head = pack_fields(FIELDS[kind], kind=kind, bank=bank, step=place,
                               address=address + word)
            yield from self._add(head + lane_bytes(flips[part], 1)
                                 + lane_bytes(saturated[part], 1))

    def _add(self, data: bytes) -> Iterator[Piece]:
        self.rest += data
        while len(self.rest) >= PIECE_BYTES:
            yield self._piece(PIECE_BYTES)

    def _piece(self, length: int) -> Piece:
        data = bytes(self.rest[:length])
        del self.rest[:length]
        piece = Piece(self._pieces, data)
        self._pieces = (self._pieces + 1) % (1 << 32)
        return piece
