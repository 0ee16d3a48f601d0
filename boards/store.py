"""The memory beside a board's FPGA that may hold samples."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt

from ..errors import ConfigError
from ..firmware.store import Kind

__all__ = ["StoreMemory", "shift_fields"]


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
    row_bits
        Of an SDRAM: 2^row_bits rows of each of its four banks.
    hyper
        It is no SDRAM but two HyperBus PSRAMs side by side.
    """

    kind: Kind
    title: str
    bits: int
    part: str
    resource: str
    reserved: int = 0
    lines: int = 1
    row_bits: int = 13
    hyper: bool = False

    @property
    def bytes(self) -> int:
        """How much it holds."""
        return (2 if self.kind == Kind.RAM else 1) << self.bits


def shift_fields(shift: int, planes: int, inputs: int, sizes: Mapping[str, int | bool],
                 ) -> dict[str, int]:
    """Fields of a core that shifts stored images by up to `shift` pixels of `planes` bits.

    Those of a convolution are as `sizes`, other fields of the core, say; else they are square.

    Raises
    ------
    ConfigError
        So many inputs are no square image.
    """
    if sizes.get("conv_kernels"):
        return {"store_shift": shift, **{
            f"store_{name}": int(sizes[f"conv_{name}"]) for name in ("rows", "columns", "planes")}}
    side = isqrt(inputs)
    if side * side != inputs:
        raise ConfigError(f"shifter must be left away: {inputs} inputs are no square image")
    return {"store_shift": shift, "store_rows": side, "store_columns": side,
            "store_planes": planes}
