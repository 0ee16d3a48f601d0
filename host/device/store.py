"""Rows in a RAM beside a core: written once, checked by their CRC, played by their numbers."""

import struct
import zlib
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from ...errors import DeviceError
from ...firmware.frames import Flags, Status, Type
from ...firmware.store import Kind, pack_ram_records, ram_record_words
from ...model.config import CoreConfig
from .driver import Driver
from .runner import RunStats
from .samples import PackedSamples
from .session import DeviceAstray, RequestRefused
from .transport import SLOWEST_CLOCK_HZ

__all__ = ["MOST_RECORDS", "RowStore", "rows_that_fit"]

Numbers = npt.NDArray[np.integer]

#: Records that one PLAY names, at most: STATUS and ABORT wait behind it.
MOST_RECORDS = 16_384
#: Most records of an entry, and numbers of 24 bits.
MOST_RUN, NUMBERS = 255, 1 << 24
#: Rows in a row, on average, from which entries name runs of them.
WORTH_RUNS = 4
#: Rows that are turned to records at a time, and records whose numbers a message names.
PIECE, NAMED = 8192, 3
#: Cycles that a word of the slowest RAM takes, to read or to write.
WORD_CYCLES = 16


def rows_that_fit(config: CoreConfig, inputs: int, planes: int) -> int:
    """Rows of so many inputs that a core's RAM holds; 0 if it has none."""
    if config.store != Kind.RAM:
        return 0
    return min(NUMBERS, (1 << config.store_bits) // ram_record_words(config.lanes, inputs, planes))


class RowStore:
    """The rows of a run, in a RAM.

    Parameters
    ----------
    driver
        The device, with the network that the rows are for.
    x, y
        Inputs uint8 (rows, inputs) and classes (rows,); `rows_that_fit` says how many.
    """

    def __init__(self, driver: Driver, x: npt.NDArray[np.uint8], y: Numbers):
        self.driver, self.y = driver, y
        self.x = x if driver.order is None else x[:, driver.order]
        self.planes = driver.layers[0].planes
        self.words = ram_record_words(driver.config.lanes, x.shape[1], self.planes)
        self.crc = self._crc(0, len(x))

    def _crc(self, first: int, end: int) -> int:
        """Of rows as they must lie in the memory."""
        value = 0
        for start in range(first, end, PIECE):
            part = slice(start, min(end, start + PIECE))
            records = pack_ram_records(self.x[part], self.y[part], self.driver.config.lanes,
                                       self.planes)
            value = zlib.crc32(records.tobytes(), value)
        return value

    def _ask(self, kind: Type, payload: bytes, words: int) -> bytes:
        """A request to the memory, which may have failed its test."""
        try:
            return self.driver.session.request(
                kind, payload, WORD_CYCLES * words / SLOWEST_CLOCK_HZ)
        except RequestRefused as refused:
            raise self._explained(refused) from None

    def _explained(self, refused: RequestRefused) -> DeviceError:
        if refused.status != Status.STORE or refused.request == Type.PLAY:
            return refused
        return DeviceError(f"the memory beside the core of {self.driver.name} fails its test: "
                           "words read 5, 4 and 6 half cycles behind their command are not those "
                           "that were written; --store off trains without it")

    def _holds(self, first: int, end: int, crc: int) -> bool:
        answer = self._ask(Type.CHECK, _number(first) + _number(end - first),
                           self.words * (end - first))
        return int.from_bytes(answer[:4], "little") == crc

    def intact(self) -> bool:
        """Whether the memory has the rows."""
        return self._holds(0, len(self.y), self.crc)

    def check(self) -> None:
        """Raise `DeviceAstray` if the memory has other rows: what was learned of them is wrong."""
        if not self.intact():
            raise DeviceAstray(f"the memory beside the core of {self.driver.name} has lost rows: "
                               f"{self._lost()}")

    def fill(self, progress: Callable[[int, int], None] = lambda done, whole: None) -> None:
        """Write the rows, unless they are there.

        Parameters
        ----------
        progress
            Is told bytes that are written, and bytes in all.

        Raises
        ------
        DeviceError
            The memory fails its test, or does not keep what is written.
        """
        if self.intact():
            return
        session = self.driver.session
        packed = PackedSamples(self.x, self.y, self.planes)
        start = 0
        try:
            while start < len(packed):
                payload, count = packed.payload(start, session.budget - 3)
                session.post(Type.FILL, _number(start) + payload,
                             3 * WORD_CYCLES * self.words * count / SLOWEST_CLOCK_HZ)
                start += count
                progress(packed.bytes * start // len(packed), packed.bytes)
            session.flush()
        except RequestRefused as refused:
            raise self._explained(refused) from None
        if not self.intact():
            raise DeviceError(f"the memory beside the core of {self.driver.name} does not keep "
                              f"what is written: {self._lost()}; --store off trains without it")

    def _lost(self) -> str:
        """Which records are others than they must be, by halves."""
        found = [n for n, _ in zip(self._others(0, len(self.y)), range(NAMED + 1), strict=False)]
        more = " and more" if len(found) > NAMED else ""
        return f"records {', '.join(map(str, found[:NAMED]))}{more} of {len(self.y)} differ"

    def _others(self, first: int, end: int) -> Iterator[int]:
        if first == end or self._holds(first, end, self._crc(first, end)):
            return
        if end - first == 1:
            yield first
            return
        middle = (first + end) // 2
        yield from self._others(first, middle)
        yield from self._others(middle, end)

    def play(self, program: Sequence[int], numbers: Numbers, passes: int = 1) -> RunStats:
        """Run a program over rows by their numbers, in this order; see `Runner.run`."""
        driver, session = self.driver, self.driver.session
        driver.begin(program)
        sample_s = (driver.worst_cycles() + WORD_CYCLES * self.words) / SLOWEST_CLOCK_HZ
        for payload, count in entries(numbers, session.budget):
            session.post(Type.PLAY, payload, work_s=(count + 2) * sample_s)
        return driver.ended((MOST_RECORDS + passes * len(numbers)) * sample_s)


def entries(numbers: Numbers, room: int) -> Iterator[tuple[bytes, int]]:
    """Payloads of PLAY for records in this order, and how many each plays."""
    flags, code = (Flags.WIDE, 3) if max(numbers) >> 16 else (Flags(0), 2)
    most = max(1, (room - 7) // code)
    breaks = np.flatnonzero(np.diff(numbers) != 1) + 1
    if len(numbers) < WORTH_RUNS * (len(breaks) + 1):
        groups = [(1, numbers)]
    else:
        groups = []
        for part in np.split(np.asarray(numbers), breaks):
            whole = len(part) // MOST_RUN * MOST_RUN
            groups += [(MOST_RUN, part[:whole:MOST_RUN]), (len(part) - whole, part[whole:][:1])]
    for run, firsts in groups:
        step = min(most, MOST_RECORDS // run) if run else 1
        for start in range(0, len(firsts), step):
            named = firsts[start:start + step]
            data = np.asarray(named, "<u4").view(np.uint8).reshape(-1, 4)[:, :code].tobytes()
            yield struct.pack("<BHBBH", 0, 0, run, flags, len(named)) + data, run * len(named)


def _number(value: int) -> bytes:
    return value.to_bytes(3, "little")

