"""Rows in a flash beside a core: looked for in its list of data sets, and played from there."""

import zlib
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ...firmware.store import pack_flash_records
from .directory import Directory, Entry
from .driver import Driver
from .flash import BYTE_CYCLES, Flash
from .stored import Numbers, Progress, StoredRows, entries, order_print

__all__ = ["FlashRows"]

#: Rows from which it is told which of two forms is shorter.
TRIED = 4096


class FlashRows(StoredRows):
    """The rows of a run, in a flash; see `StoredRows`. They are written by ``tritgrad store`` only.

    Attributes
    ----------
    records, starts
        All bytes as they must lie in the flash, and where each record begins.
    found
        The data set in the flash that has them, once `seek` has found it.
    kept
        Records of them that are there: all, or those that are learned.
    """

    most = 1024

    def __init__(self, driver: Driver, x: npt.NDArray[np.uint8], y: Numbers,
                 learned: int | None = None):
        super().__init__(driver, x, y, learned)
        self.flash = Flash.of(driver.session, driver.board)
        few = self.x[:min(TRIED, max(1, self.learned))]
        labels = np.zeros(len(few), np.uint8)
        lengths = [len(pack_flash_records(few, labels, self.planes, sparse)[0])
                   for sparse in (False, True)]
        self.sparse = lengths[1] < lengths[0]
        self.records, self.starts = pack_flash_records(self.x, self.y, self.planes, self.sparse)
        self.cycles = BYTE_CYCLES * (8 + int(np.diff(self.starts).max(initial=0)))
        self.found: Entry | None = None
        self.kept = 0

    @property
    def size(self) -> int:
        """Bytes of all records."""
        return len(self.records)

    def _crc(self, first: int, end: int) -> int:
        return zlib.crc32(self.records[self.starts[first]:self.starts[end]].tobytes())

    def _window(self, first: int, end: int) -> tuple[int, int]:
        assert self.found is not None
        start, stop = (int(self.starts[n]) for n in (first, end))
        return self.found.first + start, stop - start

    def _entries(self, records: Numbers, room: int) -> Iterator[tuple[bytes, int]]:
        assert self.found is not None
        return entries(records, room, self.starts, self.found.first, self.sparse, self.most)

    def entry(self, name: str, first: int) -> Entry:
        """What a list says of the rows, at a place."""
        learned = int(self.starts[self.learned])
        driver = self.driver
        return Entry(name, first, self.size, learned, self._crc(0, len(self.y)),
                     self._crc(0, self.learned), len(self.y), self.learned, self.x.shape[1],
                     self.planes, self.sparse, driver.layers[-1].outputs, order_print(driver))

    def seek(self, directory: Directory | None = None) -> bool:
        """Look for the rows in the flash's list: whether all that are learned are listed.

        What the list says is not what is there; `fill` asks for that.
        """
        if directory is None:
            directory, _ = self.flash.directory()
        ours = self.entry("", 0)
        self.found, self.kept = None, 0
        for other in directory.entries:
            if (other.learned_size, other.learned_crc, other.sparse, other.planes) != (
                    ours.learned_size, ours.learned_crc, ours.sparse, ours.planes):
                continue
            whole = (other.size, other.crc) == (ours.size, ours.crc)
            if self.found is None or whole:
                self.found, self.kept = other, len(self.y) if whole else self.learned
        return self.found is not None

    def why_not(self, directory: Directory) -> str:
        """Why a list has not the rows, in words."""
        ours = self.entry("", 0)
        if not directory.entries:
            return "it holds no data set"
        for other in directory.entries:
            if (other.learned, other.inputs, other.planes) == (
                    ours.learned, ours.inputs, ours.planes):
                if other.order != ours.order:
                    return f"{other.name} is there, in another order of inputs"
                return f"{other.name} is there, of other rows"
        return f"it holds {', '.join(entry.name for entry in directory.entries)}"

    def intact(self) -> bool:
        return self._holds(0, self.kept)

    def _others(self, first: int, end: int) -> Iterator[int]:
        return super()._others(first, min(end, self.kept))

    def fill(self, progress: Progress = lambda done, whole: None) -> None:
        """See that the rows are there; nothing is written.

        Raises
        ------
        DeviceError
            They are others than the list says.
        """
        if not self.intact():
            assert self.found is not None
            raise self.failing(f"has lost rows of {self.found.name}: {self.lost()}; tritgrad store "
                               f"writes them again")
