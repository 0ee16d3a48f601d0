"""Memories beside the FPGA, modelled at their pins: they stop a run that breaks a rule of theirs.

The models are C++, so that the harness of a compiled core calls them each half cycle; from Python
they are `Sdram` and `SerialFlash`, and `bench` joins them to pins in Amaranth's simulator.
"""

from .flash import SerialFlash
from .library import MemoryViolation
from .parts import FLASHES, SDRAMS, FlashPart, SdramPart
from .sdram import Sdram

__all__ = ["FLASHES", "SDRAMS", "FlashPart", "MemoryViolation", "Sdram", "SdramPart",
           "SerialFlash"]
