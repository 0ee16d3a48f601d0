"""The memory beside a core that holds samples, as the golden device has it (`firmware.store`)."""

import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

from ..firmware.store import Kind, pack_ram_records, ram_record_words, unpack_ram_records
from ..firmware.wire import unpack_sample, unpack_sparse
from .layout import Layer

__all__ = ["FLASH_IDS", "BadLabel", "FlashStore", "RamStore", "store_of"]

#: What flashes answer to 0x9F, by the power of two of their bytes: maker, type, capacity.
FLASH_IDS = {bits: bytes((0xEF, 0x40, bits)) for bits in range(16, 25)}

Integers = npt.NDArray[np.int64]


class BadLabel(Exception):
    """A record's label is of no class. `samples` are those before it."""

    def __init__(self, samples: list[tuple[Integers, int]]):
        super().__init__()
        self.samples = samples


class RamStore:
    """Records of equal size in words of 16 bits; all addresses are modulo the size.

    Parameters
    ----------
    lanes, bits
        L of the core; it has 2^bits words.
    """

    PHASE = 0

    def __init__(self, lanes: int, bits: int):
        self.lanes = lanes
        self.cells = np.zeros(1 << bits, np.uint16)

    def places(self, first: int, count: int, layer: Layer) -> npt.NDArray[np.int64]:
        """Addresses of the words of records, (count, words)."""
        size = ram_record_words(self.lanes, layer.inputs, layer.planes)
        numbers = (first + np.arange(count, dtype=np.int64)) % (1 << 24)
        return (numbers[:, None] * size + np.arange(size)) % len(self.cells)

    def play(self, first: int, run: int, layer: Layer, classes: int, sparse: bool,
             ) -> list[tuple[Integers, int]]:
        """Samples and labels of records in a row; lanes that a sample does not have as they lie."""
        lanes = -(-layer.inputs // self.lanes) * self.lanes
        x, y = unpack_ram_records(self.cells[self.places(first, run, layer)], lanes, self.lanes,
                                  layer.planes)
        found = [(row.astype(np.int64), int(label)) for row, label in zip(x, y, strict=True)]
        bad = np.flatnonzero(y >= classes)
        if len(bad):
            raise BadLabel(found[:bad[0]])
        return found

    def fill(self, first: int, samples: list[tuple[Integers, int]], layer: Layer) -> None:
        """Make records of samples."""
        x = np.array([sample for sample, _ in samples], np.uint8)
        y = np.array([label for _, label in samples])
        places = self.places(first, len(samples), layer)
        for row, record in zip(places, pack_ram_records(x, y, self.lanes, layer.planes),
                               strict=True):
            self.cells[row] = record  # one after the other, as a small memory has them all

    def crc(self, first: int, count: int, layer: Layer | None) -> int:
        """Of the bytes of records, the low one of a word first."""
        assert layer is not None
        value = 0
        for start in range(first, first + count, 4096):
            places = self.places(start, min(4096, first + count - start), layer)
            value = zlib.crc32(self.cells[places].astype("<u2").tobytes(), value)
        return value

    def flip(self, place: int, bit: int) -> None:
        """Turn a bit of a word, as an upset does."""
        self.cells[place] ^= 1 << bit


class FlashStore:
    """A serial flash of bytes: reads, programs and erases at once; it is never busy.

    Parameters
    ----------
    bits
        It has 2^bits bytes.

    Attributes
    ----------
    id, status
        What it answers to 0x9F, and to 0x05 beside the bit of the write enable. With any of the
        bits `PROTECTED` nothing is written.
    """

    PHASE = 0
    PROTECTED = 0b11100

    def __init__(self, bits: int):
        self.cells = np.full(1 << bits, 0xFF, np.uint8)
        self.id, self.status = FLASH_IDS.get(bits, bytes(3)), 0
        self.writable = False

    def read(self, first: int, count: int) -> bytes:
        """So many bytes."""
        places = (first + np.arange(count, dtype=np.int64)) % len(self.cells)
        return self.cells[places].tobytes()

    def play(self, first: int, run: int, layer: Layer, classes: int, sparse: bool,
             ) -> list[tuple[Integers, int]]:
        """Samples and labels of records in a row."""
        size = layer.planes * -(-layer.inputs // 8)
        most = 1 + size + (-(-layer.inputs // 64) if sparse else 0)
        at, found = first, list[tuple[Integers, int]]()
        for _ in range(run):
            record = self.read(at, most)
            data, used = record[1:], size
            if sparse:
                unpacked = unpack_sparse(data, layer.inputs, layer.planes)
                assert unpacked is not None
                data, used = unpacked
            if record[0] >= classes:
                raise BadLabel(found)
            found.append((unpack_sample(data[:size], layer.inputs, layer.planes), record[0]))
            at += 1 + used
        return found

    def crc(self, first: int, count: int, layer: Layer | None) -> int:
        """Of so many bytes."""
        return zlib.crc32(self.read(first, count))

    def transact(self, data: bytes, receive: int) -> bytes:
        """What it sends once it has been sent `data`: the commands that 24-bit flashes share."""
        code, rest = data[0], data[1:]
        place = int.from_bytes(rest[:3], "big") % len(self.cells)
        if code == 0x9F:
            return _padded(self.id, receive)
        if code == 0x05:
            return bytes([self.status | 2 * self.writable]) * receive
        if code == 0x03 and len(rest) == 3:
            return self.read(place, receive)
        if code in (0x06, 0x04):
            self.writable = code == 0x06
        elif (self.writable and not self.status & self.PROTECTED and len(rest) >= 3
              and not receive):
            self._write(code, place, rest[3:])
        return b"\xff" * receive

    def _write(self, code: int, place: int, data: bytes) -> None:
        erased = {0x20: 12, 0xD8: 16, 0x52: 15}
        if code == 0x02 and data:
            for n, byte in enumerate(data):  # a page wraps
                self.cells[place & ~0xFF | place + n & 0xFF] &= byte
            self.writable = False
        elif code in erased and not data:
            first = place >> erased[code] << erased[code]
            self.cells[first:first + (1 << erased[code])] = 0xFF
            self.writable = False


def _padded(answer: bytes, count: int) -> bytes:
    return (answer * (count // len(answer) + 1))[:count]


def store_of(config: Any) -> RamStore | FlashStore | None:
    """The memory beside a core."""
    if config.store == Kind.RAM:
        return RamStore(config.lanes, config.store_bits)
    return FlashStore(config.store_bits) if config.store == Kind.FLASH else None
