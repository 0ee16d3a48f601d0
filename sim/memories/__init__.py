"""Memories beside the FPGA, modelled at their pins: they stop a run that breaks a rule of theirs.

The models are C++, as a simulation steps them each half cycle; from Python they are `Sdram`,
`SerialFlash`, `Hyper` and `Hypers`.
"""

from .flash import SerialFlash
from .hyper import Hyper, Hypers
from .library import MemoryViolation
from .parts import FLASHES, HYPERS, SDRAMS, FlashPart, HyperPart, SdramPart
from .sdram import Sdram

__all__ = ["FLASHES", "HYPERS", "SDRAMS", "FlashPart", "Hyper", "HyperPart", "Hypers",
           "MemoryViolation", "Sdram", "SdramPart", "SerialFlash"]
