"""An SDRAM at its pins."""

import numpy as np

from ...errors import ConfigError
from .library import Model
from .parts import SDRAMS, SdramPart

__all__ = ["Sdram"]


class Sdram(Model):
    """Single-data-rate SDRAM: 16 bits, four banks, words read and written one by one.

    Parameters
    ----------
    part
        Its size and timing.
    seed
        Of the noise that stands for what nobody has written.
    """

    KIND, TITLE = "sdram", "SDRAM"
    CLOCK, CKE, CS_N, RAS_N, CAS_N, WE_N, OUTPUT = (1 << n for n in range(7))
    MASK_AT = 7

    def __init__(self, part: SdramPart = SDRAMS["32M"], seed: int = 0):
        if not 8 <= part.column_bits <= 11 or not 11 <= part.row_bits <= 13:
            raise ConfigError(f"columns must be numbered by 8 to 11 bits and rows by 11 to 13, not "
                              f"{part.column_bits!r} and {part.row_bits!r}")
        super().__init__(part, seed)

    def step(self, now: int, control: int, address: int, dq: int = 0) -> int:
        """Set the pins, `now` picoseconds after power-up; time must not go back.

        Parameters
        ----------
        control
            `CLOCK` to `WE_N`, `OUTPUT` where the FPGA drives the data pins, two bits of DQM at
            `MASK_AT`.
        address
            BA, above 13 bits of A.
        dq
            What the FPGA drives.

        Returns
        -------
        What the FPGA reads at the data pins: noise, unless data are valid now.

        Raises
        ------
        MemoryViolation
            A rule was broken, now or before.
        """
        seen = self._library.sdram_step(self._model, now, control, address, dq)
        if seen >> 31:
            self.check()
        return seen & 0xFFFF

    @property
    def words(self) -> int:
        """How many it holds: numbered by bank, then row, then column."""
        return self._library.sdram_count(self._model, 0)

    @property
    def refreshes(self) -> int:
        """Those since power-up."""
        return self._library.sdram_count(self._model, 1)

    @property
    def unwritten(self) -> int:
        """Reads of words that nobody had written."""
        return self._library.sdram_count(self._model, 2)

    def peek(self, at: int, words: int) -> np.ndarray:
        """Words from one on, as uint16, past the pins; what is not written reads as 0 here."""
        out = np.zeros(words, np.uint16)
        self._library.sdram_peek(self._model, at, words, out.ctypes.data)
        return out

    def poke(self, at: int, words: np.ndarray) -> None:
        """Set words from one on, past the pins."""
        words = np.ascontiguousarray(words, np.uint16)
        self._library.sdram_poke(self._model, at, len(words), words.ctypes.data)
