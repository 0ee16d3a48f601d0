"""The flash beside a core, by raw transactions: all that the host knows of serial flashes.

A core only reads; it is the host that erases and programs, with one request under way at a time.
A request that is repeated does no harm: erasing and programming want a write enable before them,
which the first one has used up.
"""

import struct
import time
import zlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ...errors import BadInput, DeviceError
from ...firmware.frames import Type
from ...firmware.store import Kind
from .directory import BLOCK, SECTOR, Directory, in_sectors, newer
from .session import Session
from .stored import Progress, u24
from .transport import SLOWEST_CLOCK_HZ

if TYPE_CHECKING:
    from ...boards.board import Board

__all__ = ["BYTE_CYCLES", "Flash"]

READ, PROGRAM, STATUS, ENABLE, ID = b"\x03", b"\x02", b"\x05", b"\x06", b"\x9f"
ERASE = {SECTOR: b"\x20", BLOCK: b"\xd8"}
#: Bytes that are programmed at once, within a place that is a multiple of them.
PAGE = 256
#: Cycles that a byte takes.
BYTE_CYCLES = 17
#: Bits of the status register: it writes, it may be written, blocks are protected.
BUSY, WRITABLE, PROTECTED = 1, 2, 0b11100
#: Seconds, and questions, after which a flash that still writes counts as broken: a block takes
#: two seconds at most.
BUSY_S, BUSY_ASKED = 30.0, 20_000
#: Who makes flashes with these commands, by the first byte of their id.
MAKERS = {0xEF: "Winbond", 0x85: "Puya", 0x9D: "ISSI", 0xC8: "GigaDevice", 0xC2: "Macronix",
          0x20: "Micron or XMC", 0x01: "Infineon", 0x68: "Boya", 0x0B: "XTX", 0xA1: "Fudan",
          0x5E: "Zbit", 0x1C: "EON", 0xBA: "Zetta"}


class Flash:
    """A flash, and what is in it.

    Parameters
    ----------
    session
        The device, whose core has such a store and runs no program.
    reserved
        Bytes at its start that are the bitstream's: nothing here writes there. None if nobody knows
        how many.

    Raises
    ------
    DeviceError
        The core has no flash, or nobody knows what of it is the bitstream's.
    """

    def __init__(self, session: Session, reserved: int | None):
        if session.config.store != Kind.FLASH:
            raise DeviceError(f"the core of {session.name} has no flash for rows")
        if reserved is None:
            raise DeviceError(f"{session.name}: which bytes of the flash are the bitstream's "
                              "depends on the board; name it, as BOARD@PORT")
        self.session, self.reserved = session, reserved
        self.size = 1 << session.config.store_bits
        #: The first byte that rows may have.
        self.first = reserved + BLOCK

    @classmethod
    def of(cls, session: Session, board: "Board | None") -> "Flash":
        """The flash of a core on a board, as far as that is known.

        Raises
        ------
        BadInput
            The core is another board's: what is reserved on this one need not be so there.
        DeviceError
            See `Flash`.
        """
        memory = None if board is None else board.memory
        if board is None or memory is None or session.config.store != Kind.FLASH:
            return cls(session, None)
        from ...boards import BOARDS

        config = session.config
        if (memory.kind, memory.bits) != (config.store, config.store_bits):
            raise BadInput(f"the core on {session.name} has a flash of {1 << config.store_bits} "
                           f"bytes, {board.name} has {memory.title}: name the board that it is")
        others = [other.name for other in BOARDS.values() if other.memory is not None
                  and other.resized(store=True).config == config]
        if others and board.name not in others:
            raise BadInput(f"the core on {session.name} is that of {' or '.join(others)}, not of "
                           f"{board.name}: name the board that it is")
        return cls(session, memory.reserved)

    @property
    def name(self) -> str:
        """What errors call it."""
        return f"the flash of {self.session.name}"

    def _send(self, *sent: bytes, receive: int = 0) -> bytes:
        data = b"".join(sent)
        cycles = BYTE_CYCLES * (len(data) + receive)
        return self.session.request(Type.SPI, struct.pack("<H", receive) + data,
                                    cycles / SLOWEST_CLOCK_HZ)

    def id(self) -> bytes:
        """Maker, type and capacity, three bytes."""
        return self._send(ID, receive=3)

    def status(self) -> int:
        """The first status register."""
        return self._send(STATUS, receive=1)[0]

    def read(self, first: int, count: int) -> bytes:
        """So many bytes."""
        most, found = self.session.config.max_payload - 6, b""
        while len(found) < count:
            found += self._send(READ, (first + len(found)).to_bytes(3, "big"),
                                receive=min(most, count - len(found)))
        return found

    def crc(self, first: int, count: int) -> int:
        """CRC-32 of so many bytes, made by the core."""
        answer = self.session.request(Type.CHECK, u24(first) + u24(count),
                                      2 * BYTE_CYCLES * count / SLOWEST_CLOCK_HZ)
        return int.from_bytes(answer[:4], "little")

    def directory(self) -> tuple[Directory, int]:
        """The list of data sets, and which of its two sectors the next one goes into."""
        self._ready()  # somebody may have left while it wrote, and it answers nothing then
        found = newer(self._lists())
        return found if found[0].number else newer(self._lists())

    def _lists(self) -> list[Directory | None]:
        found = []
        for at in (self.reserved, self.reserved + SECTOR):
            head = self.read(at, Directory.HEAD)
            more = Directory.length(head) - len(head)
            found.append(Directory.unpack(head + self.read(at + len(head), more)))
        return found

    def list(self, directory: Directory, sector: int) -> None:
        """Write a list of data sets into one of its two sectors."""
        self.write(self.reserved + sector * SECTOR, directory.pack())

    def check_writable(self) -> None:
        """Refuse a flash that would not take what is written.

        Raises
        ------
        DeviceError
            Nothing answers, or something that is not known, or smaller than the core believes; or
            its blocks are protected.
        """
        found = self.id()
        text = " ".join(f"{byte:02X}" for byte in found)
        if len(set(found)) == 1 and found[0] in (0, 0xFF):
            raise DeviceError(f"{self.name} does not answer: asked for its id it says {text}")
        if found[0] not in MAKERS:
            raise DeviceError(f"{self.name} has an id that is not known, {text}: how it is written "
                              "is not known either, and it stays as it is")
        if 1 << min(found[2], 24) < self.size:
            raise DeviceError(f"{self.name} has the id {text} ({MAKERS[found[0]]}), by which it "
                              f"holds {(1 << found[2]) >> 10} KiB; the core was built for "
                              f"{self.size >> 10}")
        status = self._ready()
        if status & PROTECTED:
            raise self._protected(status)

    def _protected(self, status: int) -> DeviceError:
        bits = status >> 2 & 7
        return DeviceError(f"{self.name} is write-protected: its status register is "
                           f"0x{status:02X}, of which the bits BP2 to BP0 are {bits:03b}; "
                           "openFPGALoader --unprotect-flash clears them")

    def _ready(self) -> int:
        """Wait until nothing is being written; the status register then."""
        end, asked = time.monotonic() + BUSY_S, 0
        while (status := self.status()) & BUSY:
            asked += 1
            if status == 0xFF and asked > 100:
                raise DeviceError(f"{self.name} does not answer: its status register is 0xFF")
            if asked > BUSY_ASKED and time.monotonic() > end:
                raise DeviceError(f"{self.name} stays busy: its status register is 0x{status:02X} "
                                  f"after {asked} questions (bit 0: it writes)")
        return status

    def _change(self, *sent: bytes) -> None:
        """Erase or program, behind a write enable, and wait for the end."""
        self._send(ENABLE)
        self._send(*sent)
        self._ready()

    def pieces(self, first: int, end: int) -> Iterator[tuple[int, int]]:
        """Where erasing begins, and how many bytes it takes, from one sector up to another."""
        while first < end:
            size = BLOCK if first % BLOCK == 0 and end - first >= BLOCK else SECTOR
            yield first, size
            first += size

    def erase(self, first: int, end: int, progress: Progress = lambda done, whole: None,
              pause: Callable[[], None] = lambda: None) -> None:
        """Erase from one sector up to another, where that is not so already."""
        for at, size in self.pieces(*self._mine(first, end)):
            pause()
            if self.crc(at, size) != zlib.crc32(b"\xff" * size):
                self._erase(at, size)
                if self.crc(at, size) != zlib.crc32(b"\xff" * size):
                    raise self._unkept(at, b"\xff" * size)
            progress(at + size - first, end - first)

    def write(self, first: int, data: bytes, progress: Progress = lambda done, whole: None,
              pause: Callable[[], None] = lambda: None) -> None:
        """Write bytes from a sector's first one on; what is there already is not written again.

        Parameters
        ----------
        first, data
            Where, and what. What is behind them in the last sector is lost.
        progress
            Is told bytes that are written, and bytes in all.
        pause
            Is called between two steps; what it raises leaves the flash between them.

        Raises
        ------
        DeviceError
            It does not keep what is written: says which bytes and what its status register is.
        """
        end = first + in_sectors(len(data))
        for at, size in self.pieces(*self._mine(first, end)):
            part = data[at - first:at - first + size]
            pause()
            if self.crc(at, len(part)) != zlib.crc32(part):
                if self.crc(at, size) != zlib.crc32(b"\xff" * size):
                    self._erase(at, size)
                for place, page in self._pages(at, part):
                    self._change(PROGRAM, place.to_bytes(3, "big"), page)
                    progress(place + len(page) - first, len(data))
                    pause()
                if self.crc(at, len(part)) != zlib.crc32(part):
                    raise self._unkept(at, part)
            progress(at + len(part) - first, len(data))

    def _mine(self, first: int, end: int) -> tuple[int, int]:
        if first < self.reserved or end > self.size or first % SECTOR or end % SECTOR:
            raise ValueError(f"bytes 0x{first:06X} to 0x{end:06X} of a flash must be whole sectors "
                             f"from 0x{self.reserved:06X} to 0x{self.size:06X}")
        return first, end

    def _erase(self, at: int, size: int) -> None:
        self._change(ERASE[size], at.to_bytes(3, "big"))

    def _pages(self, at: int, data: bytes) -> Iterator[tuple[int, bytes]]:
        most = min(PAGE, self.session.config.max_payload - 6)
        step = 1 << (most.bit_length() - 1)  # so that no piece crosses a page's end
        for start in range(0, len(data), step):
            page = data[start:start + step]
            if page.strip(b"\xff"):
                yield at + start, page

    def _unkept(self, at: int, data: bytes) -> DeviceError:
        status = self.status()
        if status & PROTECTED:
            return self._protected(status)
        found = self.read(at, len(data))
        wrong = [n for n, (a, b) in enumerate(zip(found, data, strict=True)) if a != b]
        if not wrong:
            return DeviceError(f"{self.name} does not read the same twice, from 0x{at:06X} on")
        n = wrong[0]
        return DeviceError(f"{self.name} does not keep what is written: byte 0x{at + n:06X} is "
                           f"0x{found[n]:02X}, not 0x{data[n]:02X}, and {len(wrong) - 1} more in "
                           f"{len(data)}; its status register is 0x{status:02X}")
