"""Colorlight i9 v7.2 on its extension board: LFE5U-45F with DAPLink."""

from typing import Any

from .board import ECP5_45F, Board
from .colorlight import MEMORY, NOTE, USB

__all__ = ["BOARD"]


def _platform() -> Any:
    from .colorlight import with_pins

    return with_pins("LFE5U-45F", led="L2")()


BOARD = Board(
    name="colorlight-i9", title="Colorlight i9", chip="LFE5U-45F",
    part="LFE5U-45F-6BG381", fpga=ECP5_45F, platform=_platform,
    input_hz=25_000_000, clock_hz=65_000_000,
    networks=((784, 256, 10),),
    sizes={"lanes": 36, "banks": 12, "update_lanes": 36, "max_classes": 16, "hidden_depth": 16,
           "slot_bytes": 1024, "pipelined": True, "drain": 2},
    usb=USB, max_rate=2_000_000,
    lutram=("core.engine.inputs.memory",),
    memory=MEMORY, stored=True,
    note=NOTE)
