"""iCEBreaker: iCE40 UltraPlus with FT2232H."""

from typing import Any

from ..firmware.store import Kind
from .board import UP5K, Board
from .store import StoreMemory

__all__ = ["BOARD"]


def _platform() -> Any:
    from amaranth_boards.icebreaker import ICEBreakerPlatform

    return ICEBreakerPlatform()


BOARD = Board(
    name="icebreaker", title="iCEBreaker", chip="iCE40UP5K",
    part="iCE40UP5K-SG48", fpga=UP5K, platform=_platform,
    input_hz=12_000_000, clock_hz=24_000_000, networks=((784, 128, 10),),
    sizes={"lanes": 8, "banks": 1, "update_lanes": 4, "max_classes": 16,
           "hidden_depth": 16, "single_port": True},
    usb=((0x0403, 0x6010),), max_rate=4_000_000, loader="ice40_generic", flash_only=True,
    memory=StoreMemory(Kind.FLASH, "W25Q128JV, 16 MiB", 24, "W25Q128JV", "spi_flash_1x", 1 << 17),
    note="Its USB bridge reaches the flash memory; the FPGA itself only with jumpers changed.")
