"""iCESugar: iCE40 UltraPlus with iCELink."""

from typing import Any

from .board import UP5K, Board

__all__ = ["BOARD"]


def _platform() -> Any:
    from amaranth_boards.icesugar import ICESugarPlatform

    return ICESugarPlatform()


BOARD = Board(
    name="icesugar", title="iCESugar", chip="iCE40UP5K",
    part="iCE40UP5K-SG48", fpga=UP5K, platform=_platform,
    input_hz=12_000_000, clock_hz=24_000_000, networks=((784, 128, 10),),
    sizes={"lanes": 8, "banks": 1, "update_lanes": 4, "max_classes": 16,
           "hidden_depth": 16, "single_port": True},
    usb=((0x1d50, 0x602b),), loader=(),
    note="Copy the bitstream to the disk iCELink; openFPGALoader does not know this programmer.")
