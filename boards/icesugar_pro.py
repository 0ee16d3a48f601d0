"""iCESugar-pro: LFE5U-25F with iCELink."""

from dataclasses import replace
from typing import Any

from . import ulx3s_25f

__all__ = ["BOARD"]


def _platform() -> Any:
    from amaranth_boards.icesugar_pro import ICESugarProPlatform

    return ICESugarProPlatform()


BOARD = replace(
    ulx3s_25f.BOARD, name="icesugar-pro", title="iCESugar-pro",
    part="LFE5U-25F-6BG256", platform=_platform,
    usb=((0x1d50, 0x602b),), loader=("-c", "cmsisdap", "--vid", "0x1d50", "--pid", "0x602b"))
