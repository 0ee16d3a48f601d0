"""What a flash holds beside a core: a list of data sets, in front of them.

The list is a sector, twice: the valid one with the higher number counts. A new list goes into the
other sector, after the rows that it tells of, so that a write that ends early leaves the old one.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...errors import BadInput

__all__ = ["BLOCK", "SECTOR", "Directory", "Entry", "check_name", "in_sectors", "newer", "room_for",
           "rooms"]

#: Least bytes that a flash erases, and those that it erases in less time than sectors of them.
SECTOR, BLOCK = 4096, 65_536
#: How a list begins; the number behind it changes with the format.
MAGIC = b"TRITROW1"
#: Magic and CRC-32 of what follows it: number of the list, entries, and these. It goes in front: a
#: CRC over bytes that end with their own is the same for all, so CHECK could not tell two lists.
HEAD = struct.Struct("<8sIIH")
CHECKED = 12
#: Name; first byte, bytes, of them those of rows that are learned, CRC-32 of all and of those;
#: rows, of them those that are learned; inputs, planes, whether sparse, classes; order of inputs.
ENTRY = struct.Struct("<40sIIIIIIIHB?H8s")
#: Bytes of a name in UTF-8.
NAME = 40


@dataclass(frozen=True)
class Entry:
    """A data set in a flash.

    Parameters
    ----------
    name
        Of the data set, as its user calls it.
    first, size, learned_size
        First byte, bytes, and of them those of the rows that are learned, which come first.
    crc, learned_crc
        CRC-32 of all bytes and of those.
    rows, learned
        How many, and how many of them are learned.
    inputs, planes, sparse, classes
        Of a row, as the device takes it.
    order
        See `stored.order_print`.
    """

    name: str
    first: int
    size: int
    learned_size: int
    crc: int
    learned_crc: int
    rows: int
    learned: int
    inputs: int
    planes: int
    sparse: bool
    classes: int
    order: bytes

    @property
    def end(self) -> int:
        """The first byte behind its last sector."""
        return self.first + in_sectors(self.size)

    def pack(self) -> bytes:
        """As it lies in a list."""
        return ENTRY.pack(self.name.encode(), self.first, self.size, self.learned_size, self.crc,
                          self.learned_crc, self.rows, self.learned, self.inputs, self.planes,
                          self.sparse, self.classes, self.order)

    @classmethod
    def unpack(cls, data: bytes) -> "Entry":
        """The inverse of `pack`."""
        name, *others = ENTRY.unpack(data)
        return cls(name.rstrip(b"\0").decode(errors="replace"), *others)


@dataclass(frozen=True)
class Directory:
    """A list of data sets, and its number; 0 is that of none."""

    entries: tuple[Entry, ...] = ()
    number: int = 0

    #: Most data sets of a list.
    MOST = (SECTOR - HEAD.size) // ENTRY.size

    #: Bytes that tell how many a list has.
    HEAD = HEAD.size

    @staticmethod
    def length(head: bytes) -> int:
        """Bytes of the list that begins so; where none begins, of no more than this."""
        magic, _, _, count = HEAD.unpack(head)
        return HEAD.size + ENTRY.size * count if magic == MAGIC and count <= Directory.MOST \
            else len(head)

    def pack(self) -> bytes:
        """As it lies in its sector."""
        body = b"".join(entry.pack() for entry in self.entries)
        checked = HEAD.pack(MAGIC, 0, self.number, len(self.entries))[CHECKED:] + body
        return HEAD.pack(MAGIC, zlib.crc32(checked), self.number, len(self.entries)) + body

    @classmethod
    def unpack(cls, sector: bytes) -> "Directory | None":
        """The list that a sector begins with; None if there is none that is whole."""
        magic, crc, number, count = HEAD.unpack_from(sector)
        end = HEAD.size + count * ENTRY.size
        if magic != MAGIC or end > len(sector) or zlib.crc32(sector[CHECKED:end]) != crc:
            return None
        return cls(tuple(Entry.unpack(sector[at:at + ENTRY.size])
                         for at in range(HEAD.size, end, ENTRY.size)), number)

    def named(self, name: str) -> Entry | None:
        """The data set of a name."""
        return next((entry for entry in self.entries if entry.name == name), None)

    def without(self, names: Sequence[str]) -> "Directory":
        """The next list: this one without some."""
        return Directory(tuple(e for e in self.entries if e.name not in names), self.number + 1)

    def having(self, entry: Entry) -> "Directory":
        """The next list: this one with one more, in the place of one of the same name.

        Raises
        ------
        BadInput
            The list is full, or the name is too long.
        """
        check_name(entry.name)
        others = self.without([entry.name])
        if len(others.entries) >= self.MOST:
            raise BadInput(f"a flash lists at most {self.MOST} data sets; --erase NAME forgets one")
        return Directory((*others.entries, entry), others.number)


def check_name(name: str) -> str:
    """The name of a data set if a list can have it. Raises `BadInput`."""
    size = len(name.encode())
    if not 0 < size <= NAME or "\0" in name:
        raise BadInput(f"the name of a data set in a flash has 1 to {NAME} bytes, not {size}: "
                       f"{name!r}")
    return name


def newer(found: Sequence[Directory | None]) -> tuple[Directory, int]:
    """The list that counts of what two sectors hold, and the sector that the next one goes into."""
    number = [-1 if one is None else one.number for one in found]
    best = 0 if number[0] >= number[1] else 1
    return found[best] or Directory(), 1 - best if number[best] >= 0 else 0


def in_sectors(size: int) -> int:
    """Bytes of the sectors that so many bytes take."""
    return -(-size // SECTOR) * SECTOR


def rooms(entries: Sequence[Entry], first: int, end: int) -> Iterator[tuple[int, int]]:
    """Where between two bytes no entry is, and for how many bytes; 0 or less are no room."""
    for entry in sorted(entries, key=lambda entry: entry.first):
        yield first, entry.first - first
        first = max(first, entry.end)
    yield first, end - first


def room_for(size: int, entries: Sequence[Entry], first: int, end: int) -> int | None:
    """The first place between two bytes where no entry is for so many bytes; None without."""
    return next((at for at, room in rooms(entries, first, end) if size <= room), None)
