"""The memories of boards that are golden models: by the rules of those at their pins, without time.

They begin as noise, a flash is kept in a file, an SDRAM forgets without power, and what the models
at the pins stop a run for stops it here too, as far as it has nothing to do with time.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...errors import BadInput
from ...firmware.store import Kind
from ...model.store import FlashStore, RamStore
from .library import MemoryViolation
from .parts import FLASHES

if TYPE_CHECKING:
    from ...boards.board import Board

__all__ = ["KeptFlash", "LosingRam", "golden_memory_of"]

#: Of the noise that memories begin with.
SEED = 1


class LosingRam(RamStore):
    """A RAM that holds noise after each power-up."""

    def __init__(self, lanes: int, bits: int):
        super().__init__(lanes, bits)
        self._noise = np.random.default_rng(SEED)
        self.power_cycle()

    def power_cycle(self) -> None:
        """Power off and on."""
        self.cells[:] = self._noise.integers(0, 1 << 16, len(self.cells), np.uint16)


class KeptFlash(FlashStore):
    """A flash, perhaps in a file.

    Parameters
    ----------
    bits
        It has 2^bits bytes.
    id
        What it answers to 0x9F.
    path
        File of its contents, as large as the flash; made if it is not there.
    guard
        Bytes at the start that must stay as they are: a bitstream.

    Raises
    ------
    BadInput
        The file cannot be written, or has another size.
    MemoryViolation
        Later: those bytes would change, or bytes are programmed that are not erased.
    """

    def __init__(self, bits: int, id: bytes, path: str | Path | None = None, guard: int = 0):
        super().__init__(bits)
        self.id, self.guard = id, guard
        size, fresh = len(self.cells), True
        if path is not None:
            try:
                file = Path(path)
                found = file.stat().st_size if file.exists() else 0
                if found not in (0, size):
                    raise OSError
                fresh = found == 0
                with file.open("ab") as made:
                    made.truncate(size)
                self.cells = np.memmap(file, np.uint8, "r+", shape=(size,))
            except OSError:
                raise BadInput(f"cannot keep a flash of {size} bytes in {str(path)!r}: the file "
                               "cannot be written, or has another size") from None
        if fresh:
            self.cells[:] = np.random.default_rng(SEED).integers(0, 256, size, np.uint8)

    def power_cycle(self) -> None:
        """Power off and on; what is written stays."""
        self.writable = False

    def _write(self, code: int, place: int, data: bytes) -> None:
        if place < self.guard:
            raise MemoryViolation(f"flash address 0x{place:06x} is written, which is below "
                                  f"0x{self.guard:06x}")
        if code == 0x02:
            for n, byte in enumerate(data):
                at = place & ~0xFF | place + n & 0xFF
                if byte != 0xFF and byte & ~int(self.cells[at]):
                    raise MemoryViolation(f"flash 0x{byte:02x} is programmed over "
                                          f"0x{self.cells[at]:02x} at 0x{at:06x}, which was not "
                                          "erased")
        super()._write(code, place, data)


def golden_memory_of(board: "Board", path: str | Path | None = None) -> LosingRam | KeptFlash:
    """The memory beside a board's core, as `sim.board.memory_of` has it at the pins."""
    memory, config = board.memory, board.config
    assert memory is not None
    if memory.kind == Kind.RAM:
        return LosingRam(config.lanes, config.store_bits)
    part = FLASHES[memory.part]
    return KeptFlash(config.store_bits, part.id.to_bytes(3, "little"), path, memory.reserved)
