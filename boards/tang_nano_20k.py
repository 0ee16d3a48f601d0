"""Tang Nano 20K: GW2AR-18, a GW2A-18 with SDRAM in its package, and BL616.

Pins are those of `sipeed_tang_nano_20k.py` in litex-boards; the SDRAM's, which are bonded inside,
those of apicula's database (``sip_cst`` of GW2A-18C).
"""

from dataclasses import replace
from typing import Any

from ..firmware.store import Kind
from . import tang_primer_20k
from .store import StoreMemory

__all__ = ["BOARD"]


def _platform() -> Any:
    from amaranth.build import Attrs, Clock, Pins, Resource
    from amaranth.vendor import GowinPlatform
    from amaranth_boards.resources import (
        LEDResources,
        SDRAMResource,
        SPIFlashResources,
        UARTResource,
    )

    from .gowin import with_himbaechel

    at = Attrs(IO_TYPE="LVCMOS33")

    class TangNano20k(GowinPlatform):  # type: ignore[misc]
        part = "GW2AR-LV18QN88C8/I7"
        family = "GW2AR-18C"
        default_clk = "clk27"
        resources = [
            Resource("clk27", 0, Pins("4", dir="i"), Clock(27e6), at),
            *LEDResources(pins="15 16 17 18 19 20", invert=True, attrs=at),
            UARTResource(0, rx="70", tx="69", attrs=Attrs(PULL_MODE="UP", IO_TYPE="LVCMOS33")),
            *SPIFlashResources(0, cs_n="60", clk="59", copi="61", cipo="62", attrs=at),
            # 64 Mbit, of 32 bits.
            SDRAMResource(
                0, clk="IOR11B", cke="IOL13A", cs_n="IOL14B", cas_n="IOL14A", ras_n="IOL13B",
                we_n="IOL12B", dqm="IOL12A IOR11A IOL18A IOR15B", ba="IOR13A IOR12A",
                a="IOR14A IOR13B IOR14B IOR15A IOL16B IOL17B IOL16A IOL17A IOL15B IOL15A IOR12B",
                dq="IOL3A IOL3B IOL8A IOL8B IOL9A IOL9B IOL11A IOL11B "
                   "IOR9B IOR9A IOR5B IOR6A IOR5A IOR4B IOR3B IOR3A "
                   "IOL39B IOL39A IOL35B IOL35A IOL30B IOL30A IOL20A IOL18B "
                   "IOR17A IOR16A IOR16B IOR17B IOR18A IOR18B IOR44A IOR44B", attrs=at),
        ]
        connectors: list[Any] = []
        # The die and its tools' database are the GW2A-18C's.
        _chipdb_device = "GW2A-18C"

        def toolchain_prepare(self, fragment: Any, name: str, **kwargs: Any) -> Any:
            return super().toolchain_prepare(
                fragment, name, gowin_pack_opts="--mspi_as_gpio --sspi_as_gpio", **kwargs)

    return with_himbaechel(TangNano20k)()


BOARD = replace(
    tang_primer_20k.BOARD, name="tang-nano-20k", title="Tang Nano 20K", chip="GW2AR-18",
    part="GW2AR-LV18QN88C8/I7", platform=_platform, loader="tangnano20k",
    # The store has words of 16 bits: of each word of the part the lower half.
    memory=StoreMemory(Kind.RAM, "in the package, 4 of 8 MiB", 21, "4M", "sdram", row_bits=11),
    note="If the bridge loses bytes, name a lower rate: tang-nano-20k@PORT,1000000.")
