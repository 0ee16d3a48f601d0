"""The memory beside a board's FPGA that may hold samples."""

from dataclasses import dataclass

from ..firmware.store import Kind

__all__ = ["StoreMemory"]


@dataclass(frozen=True)
class StoreMemory:
    """A memory beside the FPGA.

    Parameters
    ----------
    kind
        Of store that it makes.
    title
        As its maker calls it, and how much it holds.
    bits
        2^bits words of 16 bits, or bytes of a flash.
    part
        What the models of `sim.memories` call it.
    resource
        Of the board's platform.
    reserved
        Bytes at the start of a flash that are the bitstream's.
    lines
        Data lines by which a flash is read: 1, by 0x03, or 2, by 0x3B.
    """

    kind: Kind
    title: str
    bits: int
    part: str
    resource: str
    reserved: int = 0
    lines: int = 1

    @property
    def bytes(self) -> int:
        """How much it holds."""
        return (2 if self.kind == Kind.RAM else 1) << self.bits
