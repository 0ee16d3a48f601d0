"""Rows in a memory beside a core, whatever its kind: their order, their CRC, and how they play.

In the memory lie first the rows that are learned, in the order of `model.rng.stored_order`, then
those that are only judged, class by class. So an epoch of ``--order rotate`` is two runs of
records, and rows of a class that are judged are one.
"""

import hashlib
import struct
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from ...errors import BadInput, DeviceError
from ...firmware.frames import Flags, Type
from ...model.rng import stored_order
from .driver import Driver
from .runner import HELD, RunStats
from .session import DeviceAstray
from .shifted import shifted_entries
from .transport import SLOWEST_CLOCK_HZ

__all__ = ["MOST_RECORDS", "Numbers", "Progress", "StoredRows", "TooLarge", "entries",
           "order_of_records", "order_print", "u24"]

Numbers = npt.NDArray[np.integer]
#: Is told bytes that are done, and bytes in all.
Progress = Callable[[int, int], None]

#: Records that one PLAY names, at most: STATUS and ABORT wait behind it.
MOST_RECORDS = 16_384
#: Most records of an entry.
MOST_RUN = 255
#: Rows in a row, on average, from which entries name runs of them.
WORTH_RUNS = 4
#: Records whose numbers a message names.
NAMED = 3


class TooLarge(BadInput):
    """A memory has no room for rows; says for how many it has."""


def order_of_records(labels: Numbers, learned: int) -> npt.NDArray[np.int64]:
    """The row that each record is, of rows of which the first `learned` are learned."""
    return np.concatenate([stored_order(learned),
                           learned + np.argsort(labels[learned:], kind="stable")])


def order_print(driver: Driver) -> bytes:
    """Eight bytes by which to know the order of inputs that a device has."""
    order = driver.order
    return hashlib.sha256(b"" if order is None else order.astype("<u2").tobytes()).digest()[:8]


class StoredRows(ABC):
    """The rows of a run, in a memory beside a core.

    Parameters
    ----------
    driver
        The device, with the network that the rows are for.
    x, y
        Inputs uint8 (rows, inputs) and classes (rows,).
    learned
        How many of them, the first ones, are learned; by default all.

    Attributes
    ----------
    x, y
        By record, as the device takes them.
    number
        The record of each row.
    cycles
        That the memory takes for a record, generously.
    most
        Records that one PLAY names.
    kept
        Rows that are there, the first ones.
    """

    cycles: int
    kept: int
    most = MOST_RECORDS

    def __init__(self, driver: Driver, x: npt.NDArray[np.uint8], y: Numbers,
                 learned: int | None = None):
        self.driver = driver
        self.learned = len(x) if learned is None else learned
        order = order_of_records(y, self.learned)
        self.number = np.argsort(order)
        self.x, self.y = self._arranged(x[order]), y[order]
        self.planes = driver.rows[0].planes
        self.kept = len(x)

    @abstractmethod
    def _crc(self, first: int, end: int) -> int:
        """Of records as they must lie in the memory."""

    @abstractmethod
    def _window(self, first: int, end: int) -> tuple[int, int]:
        """What CHECK calls records: the first one, and how many."""

    @abstractmethod
    def fill(self, progress: Progress = lambda done, whole: None) -> None:
        """See that the rows are there. Raises `DeviceError` if they cannot be."""

    def _arranged(self, x: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Rows as records have them."""
        return self.driver.arranged(x)

    def _entries(self, records: Numbers, room: int) -> Iterator[tuple[bytes, int]]:
        return entries(records, room, most=self.most)

    def _ask(self, kind: Type, payload: bytes, cycles: int) -> bytes:
        return self.driver.session.request(kind, payload, cycles / SLOWEST_CLOCK_HZ)

    def _holds(self, first: int, end: int) -> bool:
        place, count = self._window(first, end)
        answer = self._ask(Type.CHECK, u24(place) + u24(count), self.cycles * (end - first))
        return int.from_bytes(answer[:4], "little") == self._crc(first, end)

    def intact(self) -> bool:
        """Whether the memory has the rows."""
        return self._holds(0, len(self.y))

    def check(self) -> None:
        """Raise `DeviceAstray` if the memory has other rows: what was learned of them is wrong."""
        if not self.intact():
            raise DeviceAstray(f"the memory beside the core of {self.driver.name} has lost rows: "
                               f"{self.lost()}")

    def lost(self) -> str:
        """Which records are others than they must be, found by halves."""
        found = [n for n, _ in zip(self._others(0, len(self.y)), range(NAMED + 1), strict=False)]
        if not found:
            return "but now it has them, so it or its pins are not to be relied on"
        more = " and more" if len(found) > NAMED else ""
        return (f"record{'s' * (len(found) > 1)} {', '.join(map(str, found[:NAMED]))}{more} of "
                f"{len(self.y)} {'differs' if len(found) == 1 else 'differ'}")

    def _others(self, first: int, end: int) -> Iterator[int]:
        if first == end or self._holds(first, end):
            return
        if end - first == 1:
            yield first
            return
        middle = (first + end) // 2
        yield from self._others(first, middle)
        yield from self._others(middle, end)

    def play(self, program: Sequence[int], numbers: Numbers, passes: int = 1,
             offsets: Numbers | None = None) -> RunStats:
        """Run a program over rows by their numbers, in this order; see `Runner.run`.

        Images of a core that shifts them move by `offsets` (numbers, 2), down and right.
        """
        driver, session = self.driver, self.driver.session
        driver.begin(program)
        sample_s = (driver.worst_cycles() + self.cycles) / SLOWEST_CLOCK_HZ
        records, room = self.number[numbers], session.budget
        ahead = deque[int](maxlen=session.slots)  # records of what may be without an answer
        for payload, count in (self._entries(records, room) if offsets is None else
                               shifted_entries(records, offsets, room, self.most)):
            session.post(Type.PLAY, payload, work_s=(count + 2) * sample_s)
            ahead.append(count)
        return driver.ended((HELD + passes * sum(ahead)) * sample_s)

    def failing(self, what: str) -> DeviceError:
        """That the memory does something that no run can go on with."""
        return DeviceError(f"the memory beside the core of {self.driver.name} {what}; "
                           "--store off trains without it")


def entries(records: Numbers, room: int, starts: Numbers | None = None, first: int = 0,
            sparse: bool = False, most: int = MOST_RECORDS) -> Iterator[tuple[bytes, int]]:
    """Payloads of PLAY for records in this order, and how many each plays.

    Parameters
    ----------
    records
        Their numbers.
    room
        Bytes of a payload, at most.
    starts, first, sparse
        In a flash: where each record begins behind `first`, and in which form they are.
    most
        Records of a payload.
    """
    numbers = np.asarray(records)
    places = numbers if starts is None else starts[numbers]
    flags, code = (Flags.WIDE, 3) if max(places) >> 16 else (Flags(0), 2)
    flags |= Flags.SPARSE if sparse else Flags(0)
    least = max(1, (room - 7) // code)
    breaks = np.flatnonzero(np.diff(numbers) != 1) + 1
    if len(numbers) < WORTH_RUNS * (len(breaks) + 1):
        groups = [(1, places)]
    else:
        groups = []
        for part in np.split(places, breaks):
            whole = len(part) // MOST_RUN * MOST_RUN
            groups += [(MOST_RUN, part[:whole:MOST_RUN]), (len(part) - whole, part[whole:][:1])]
    for run, firsts in groups:
        step = min(least, max(1, most // run)) if run else 1
        for start in range(0, len(firsts), step):
            named = firsts[start:start + step]
            data = np.asarray(named, "<u4").view(np.uint8).reshape(-1, 4)[:, :code].tobytes()
            yield u24(first) + struct.pack("<BBH", run, flags, len(named)) + data, run * len(named)


def u24(value: int) -> bytes:
    """A number of 24 bits as a payload has it."""
    return value.to_bytes(3, "little")
