"""Tang Primer 20K on its dock: GW2A-18 with BL616."""

from typing import Any

from ..firmware.store import Kind
from .board import GW2A_18, Board
from .store import StoreMemory

__all__ = ["BOARD"]


def _platform() -> Any:
    from amaranth_boards.tang_primer_20k import TangPrimer20kDockPlatform

    from .gowin import with_himbaechel
    from .pins import with_two_lines

    return with_himbaechel(with_two_lines(TangPrimer20kDockPlatform))()


BOARD = Board(
    name="tang-primer-20k", title="Tang Primer 20K", chip="GW2A-18",
    part="GW2A-LV18PG256C8/I7", fpga=GW2A_18, platform=_platform,
    input_hz=27_000_000, clock_hz=94_500_000,
    networks=((784, 96, 10),),
    sizes={"lanes": 36, "banks": 4, "update_lanes": 12, "max_classes": 16, "hidden_depth": 16},
    usb=((0x0403, 0x6010),), loader="tangprimer20k",
    lutram=("core.engine.inputs.memory", "core.engine.lister.memory",
            "core.engine.counters.memory", "core.engine.counters.picture"),
    memory=StoreMemory(Kind.FLASH, "W25Q32JV, 4 MiB", 22, "W25Q32", "spi_flash_1x", 1 << 20,
                       lines=2),
    stored=True,
    note="The dock's DIP switch 1 must be down (ON), else loading hangs and nothing runs. The Lite "
         "dock has no bridge.")
