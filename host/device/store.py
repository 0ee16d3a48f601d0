"""Rows in a RAM beside a core: written once, checked by their CRC, played by their numbers."""

import zlib

import numpy as np
import numpy.typing as npt

from ...errors import DeviceError
from ...firmware.frames import Status, Type
from ...firmware.store import Kind, pack_ram_records, ram_record_words
from ...model.config import CoreConfig
from ...model.images import StoredImages
from .driver import Driver
from .samples import PackedSamples
from .session import RequestRefused
from .stored import Numbers, Progress, StoredRows, u24
from .transport import SLOWEST_CLOCK_HZ

__all__ = ["RowStore", "rows_that_fit"]

#: Records have numbers of 24 bits.
NUMBERS = 1 << 24
#: Rows that are turned to records at a time.
PIECE = 8192
#: Cycles that a word of the slowest RAM takes, to read or to write.
WORD_CYCLES = 16


def rows_that_fit(config: CoreConfig, inputs: int, planes: int) -> int:
    """Rows of so many inputs that a core's RAM holds; 0 if it has none."""
    if config.store != Kind.RAM:
        return 0
    return min(NUMBERS, (1 << config.store_bits) // ram_record_words(config.lanes, inputs, planes))


class RowStore(StoredRows):
    """The rows of a run, in a RAM; `rows_that_fit` says how many. See `StoredRows`.

    With `images` they are kept as such, which the core can shift.
    """

    def __init__(self, driver: Driver, x: npt.NDArray[np.uint8], y: Numbers,
                 learned: int | None = None, images: StoredImages | None = None):
        self.images = images
        super().__init__(driver, x, y, learned)
        self.words = ram_record_words(driver.config.lanes, self.x.shape[1], self.planes)
        self.cycles = WORD_CYCLES * self.words
        self.crc = self._made(0, len(x))

    def _arranged(self, x: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        return super()._arranged(x) if self.images is None else self.images.laid(x)

    def _crc(self, first: int, end: int) -> int:
        return self.crc if (first, end) == (0, len(self.y)) else self._made(first, end)

    def _made(self, first: int, end: int) -> int:
        value = 0
        for start in range(first, end, PIECE):
            part = slice(start, min(end, start + PIECE))
            records = pack_ram_records(self.x[part], self.y[part], self.driver.config.lanes,
                                       self.planes)
            value = zlib.crc32(records.tobytes(), value)
        return value

    def _window(self, first: int, end: int) -> tuple[int, int]:
        return first, end - first

    def _ask(self, kind: Type, payload: bytes, cycles: int) -> bytes:
        """A request to the memory, which may have failed its test."""
        try:
            return super()._ask(kind, payload, cycles)
        except RequestRefused as refused:
            raise self._explained(refused) from None

    def _explained(self, refused: RequestRefused) -> DeviceError:
        if refused.status != Status.STORE or refused.request == Type.PLAY:
            return refused
        from ...boards.store_pins import READ_PHASES  # brings what makes circuits

        *first, last = sorted(READ_PHASES)
        return self.failing(f"fails its test: read {', '.join(map(str, first))} and {last} half "
                            "cycles behind a command, none of its words is what was written there")

    def phase(self) -> int:
        """The half cycle behind a command in which the memory is read: what its test has chosen."""
        from ...boards.store_pins import READ_PHASES

        return READ_PHASES[self._ask(Type.CHECK, u24(0) + u24(1), self.cycles)[4]]

    def fill(self, progress: Progress = lambda done, whole: None) -> None:
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
        if self.images is not None:  # the table must speak of them
            self.driver.set_table(self.images.table(self.driver.rows))
        if self.intact():
            return
        session = self.driver.session
        packed = PackedSamples(self.x, self.y, self.planes)
        start = 0
        try:
            while start < len(packed):
                payload, count = packed.payload(start, session.budget - 3)
                session.post(Type.FILL, u24(start) + payload,
                             3 * self.cycles * count / SLOWEST_CLOCK_HZ)
                start += count
                progress(packed.bytes * start // len(packed), packed.bytes)
            session.flush()
        except RequestRefused as refused:
            raise self._explained(refused) from None
        if not self.intact():
            raise self.failing(f"does not keep what is written: {self.lost()}")
