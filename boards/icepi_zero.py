"""Icepi Zero v1.3: LFE5U-25F with FT231X."""

from dataclasses import replace
from typing import Any

from ..firmware.store import Kind
from . import ulx3s_25f
from .store import StoreMemory

__all__ = ["BOARD"]


def _platform() -> Any:
    from amaranth_boards.icepi_zero import IcepiZero1_3Platform

    return IcepiZero1_3Platform()


BOARD = replace(
    ulx3s_25f.BOARD, name="icepi-zero", title="Icepi Zero",
    part="LFE5U-25F-6BG256", platform=_platform, input_hz=50_000_000, loader="icepi-zero",
    memory=StoreMemory(Kind.RAM, "W9825G6KH, 32 MiB", 24, "32M", "sdram"))
