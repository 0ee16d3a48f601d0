"""A HyperBus PSRAM at its pins, and two side by side."""

import ctypes

import numpy as np

from .library import Model
from .parts import HYPERS, HyperPart

__all__ = ["Hyper", "Hypers"]


class Hyper(Model):
    """HyperBus PSRAM of 8 bits: linear bursts with byte masks, and the register CR0.

    Data come, and are taken, at each edge of the clock, the high byte of a word first. How many
    clocks they wait is in CR0, and doubled if RWDS is high within the command.

    Parameters
    ----------
    part
        Its size and timing.
    seed
        Of the noise that a new one holds, and that is read at the wrong time.
    """

    KIND, TITLE = "hyper", "PSRAM"
    SELECT_N, CLOCK, DRIVE_DATA, DRIVE_STROBE, STROBE = (1 << n for n in range(5))

    def __init__(self, part: HyperPart = HYPERS["W955D8MBYA"], seed: int = 0):
        self.part = part
        super().__init__(part, seed)

    def step(self, now: int, control: int, dq: int = 0) -> int:
        """Set the pins, `now` picoseconds after power-up; time must not go back.

        Parameters
        ----------
        control
            `SELECT_N` and `CLOCK`; `DRIVE_DATA` and `DRIVE_STROBE` where the FPGA drives the data
            pins and RWDS, and then `STROBE`, which masks a byte.
        dq
            What the FPGA drives.

        Returns
        -------
        What the FPGA reads at the data pins, and RWDS as bit 8: noise, unless they are valid now.

        Raises
        ------
        MemoryViolation
            A rule was broken, now or before.
        """
        seen = self._library.hyper_step(self._model, now, control, dq)
        if seen >> 31:
            self.check()
        return seen & 0x1FF

    @property
    def cells(self) -> np.ndarray:
        """The contents as uint8, past the pins; writable, until it is closed."""
        at = self._library.hyper_cells(self._model)
        return np.ctypeslib.as_array((ctypes.c_uint8 * self.part.bytes).from_address(at))


class Hypers(Model):
    """Two PSRAMs side by side: words of 16 bits, of which the second one has the high byte.

    Parameters
    ----------
    part, seed
        See `Hyper`; the parts' noise is not the same.
    """

    KIND, TITLE = "hypers", "PSRAM"

    def __init__(self, part: HyperPart = HYPERS["W955D8MBYA"], seed: int = 0):
        self.part = part
        super().__init__(part, seed)

    def step(self, now: int, control: int, dq: int = 0) -> int:
        """As `Hyper.step`, with 16 data pins; RWDS is not told."""
        seen = self._library.hypers_step(self._model, now, control, dq)
        if seen >> 31:
            self.check()
        return seen & 0xFFFF

    @property
    def halves(self) -> tuple[np.ndarray, np.ndarray]:
        """The contents of both, low bytes first, as `Hyper.cells`."""
        low, high = (np.ctypeslib.as_array((ctypes.c_uint8 * self.part.bytes).from_address(
            self._library.hypers_cells(self._model, n))) for n in range(2))
        return low, high
