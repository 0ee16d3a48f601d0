"""A serial flash at its pins."""

import ctypes
from pathlib import Path

import numpy as np

from ...errors import BadInput
from .library import Model
from .parts import FLASHES, FlashPart

__all__ = ["SerialFlash"]


class SerialFlash(Model):
    """Serial NOR flash: reads by 0x03, 0x0B, 0x3B and 0x6B, programs, erases, keeps its status.

    Parameters
    ----------
    part
        Its size and timing.
    path
        File of the contents, as large as the flash; made if it is not there. None: they are lost.
    seed
        Of the noise that a new flash holds, and that is read at the wrong time.
    guard
        Bytes at the start that must stay as they are: a bitstream.
    asleep
        In deep power-down at first, as an iCE40 leaves it behind.
    repeats
        What data sheets say is ignored does not stop it: a write without its enable, and an enable
        or a write while it writes. They come from a host that did not get its answer.

    Raises
    ------
    BadInput
        The file cannot be written, or has another size.
    """

    KIND = TITLE = "flash"
    DATA_AT, DRIVE_AT = 2, 6

    def __init__(self, part: FlashPart = FLASHES["W25Q128JV"], path: str | Path | None = None, *,
                 seed: int = 0, guard: int = 0, asleep: bool = False,
                 repeats: bool = False):
        self.part, self.asleep = part, asleep
        super().__init__(part, seed, str(path).encode() if path else None, guard, asleep,
                         repeats)
        if not self._model:
            raise BadInput(f"cannot keep a flash of {part.bytes} bytes in {str(path)!r}: the file "
                           "cannot be written, or has another size")

    def step(self, now: int, select_n: int, clock: int, data: int = 15, drive: int = 1) -> int:
        """Set the pins, `now` picoseconds after power-up; time must not go back.

        Parameters
        ----------
        select_n, clock
            Chip select and clock.
        data, drive
            Of the four data pins: what the FPGA drives, and which. Pull-ups hold the others high.

        Returns
        -------
        What the FPGA reads at the four pins: noise where data are not valid now.

        Raises
        ------
        MemoryViolation
            A rule was broken, now or before.
        """
        seen = self._library.flash_step(
            self._model, now, select_n | clock << 1 | data << self.DATA_AT | drive << self.DRIVE_AT)
        if seen >> 31:
            self.check()
        return seen & 15

    @property
    def erases(self) -> int:
        """Those since it was made."""
        return self._library.flash_count(self._model, 1)

    @property
    def programs(self) -> int:
        """Pages programmed since it was made."""
        return self._library.flash_count(self._model, 2)

    @property
    def cells(self) -> np.ndarray:
        """The contents as uint8, past the pins; writable, until it is closed."""
        at = self._library.flash_cells(self._model)
        return np.ctypeslib.as_array((ctypes.c_uint8 * self.part.bytes).from_address(at))

    def power_cycle(self, asleep: bool | None = None) -> None:
        """Power off and on; time begins anew. What was being written is noise afterwards.

        It is asleep then as it was when it was made, if nothing else is said.
        """
        self._library.flash_power_cycle(self._model, self.asleep if asleep is None else asleep)
