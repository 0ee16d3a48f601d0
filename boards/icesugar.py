"""iCESugar: iCE40 UltraPlus with iCELink."""

from dataclasses import replace
from typing import Any

from . import icebreaker

__all__ = ["BOARD"]


def _platform() -> Any:
    from amaranth_boards.icesugar import ICESugarPlatform

    return ICESugarPlatform()


BOARD = replace(
    icebreaker.BOARD, name="icesugar", title="iCESugar", platform=_platform,
    usb=((0x1d50, 0x602b),), loader="", max_rate=2_000_000,
    note="Copy the bitstream to the disk iCELink; openFPGALoader does not know this programmer. "
         "Its clock comes from iCELink: 12 MHz, as it is delivered; else: icesprog -c 2.")
