"""Memories beside the FPGA, modelled at their pins: they stop a run that breaks a rule of theirs.

The models are C++, as a simulation steps them each half cycle; from Python they are `Sdram` and
`SerialFlash`.
"""

from .flash import SerialFlash
from .library import MemoryViolation
from .parts import FLASHES, SDRAMS, FlashPart, SdramPart
from .sdram import Sdram

__all__ = ["FLASHES", "SDRAMS", "FlashPart", "MemoryViolation", "Sdram", "SdramPart",
           "SerialFlash"]
