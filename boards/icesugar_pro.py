"""iCESugar-pro: LFE5U-25F with iCELink."""

from typing import Any

from .board import ECP5_25F, Board

__all__ = ["BOARD"]


def _platform() -> Any:
    from amaranth_boards.icesugar_pro import ICESugarProPlatform

    return ICESugarProPlatform()


BOARD = Board(
    name="icesugar-pro", title="iCESugar-pro", chip="LFE5U-25F",
    part="LFE5U-25F-6BG256", fpga=ECP5_25F, platform=_platform,
    input_hz=25_000_000, clock_hz=50_000_000,
    networks=((784, 128, 10),),
    sizes={"lanes": 36, "banks": 7, "update_lanes": 36, "max_classes": 16, "hidden_depth": 16,
           "slot_bytes": 1024},
    usb=((0x1d50, 0x602b),), loader=("-c", "cmsisdap", "--vid", "0x1d50", "--pid", "0x602b"),
    lutram=("core.engine.inputs.memory",))
