"""Colorlight i5 v7.0 on its extension board: LFE5U-25F with DAPLink."""

from dataclasses import replace
from typing import Any

from . import ulx3s_25f
from .colorlight import MEMORY, NOTE, USB

__all__ = ["BOARD"]


def _platform() -> Any:
    from .colorlight import with_pins

    return with_pins("LFE5U-25F", led="U16")()


BOARD = replace(
    ulx3s_25f.BOARD, name="colorlight-i5", title="Colorlight i5",
    part="LFE5U-25F-6BG381", platform=_platform, usb=USB, loader="", max_rate=2_000_000,
    memory=MEMORY,
    note=f"{NOTE} Its flash memory is locked as sold.")
