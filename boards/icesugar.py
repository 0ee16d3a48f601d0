"""iCESugar: iCE40 UltraPlus with iCELink."""

from dataclasses import replace
from typing import Any

from ..firmware.store import Kind
from . import icebreaker
from .store import StoreMemory

__all__ = ["BOARD"]


def _platform() -> Any:
    from amaranth_boards.icesugar import ICESugarPlatform

    return ICESugarPlatform()


BOARD = replace(
    icebreaker.BOARD, name="icesugar", title="iCESugar", platform=_platform,
    usb=((0x1d50, 0x602b),), loader="", max_rate=2_000_000,
    memory=StoreMemory(Kind.FLASH, "W25Q64, 8 MiB", 23, "W25Q64", "spi_flash_1x", 1 << 17),
    note="Copy the bitstream to the disk iCELink; openFPGALoader does not know this programmer. "
         "Its clock comes from iCELink: 12 MHz, as it is delivered; else: icesprog -c 2.")
