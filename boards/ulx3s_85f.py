"""ULX3S with LFE5U-85F and FT231X. One bitstream holds either network."""

from typing import Any

from ..firmware.store import Kind
from .board import ECP5_85F, Board
from .recipe import Fitted
from .store import StoreMemory

__all__ = ["BOARD"]


def _platform() -> Any:
    from amaranth_boards.ulx3s import ULX3S_85F_Platform

    from .ulx3s import with_pull_up

    return with_pull_up(ULX3S_85F_Platform)()


# Memories fill the chip: the other placer moves them too late, and paths become long. The default
# router takes many times as long.
_ROUTED = ("--placer", "static", "--router", "router2")

BOARD = Board(
    name="ulx3s-85f", title="ULX3S 85F", chip="LFE5U-85F",
    part="LFE5U-85F-6BG381", fpga=ECP5_85F, platform=_platform,
    input_hz=25_000_000, clock_hz=67_045_455,
    networks=((784, 512, 10), (784, 128, 10)),
    sizes={"lanes": 36, "banks": 14, "update_lanes": 36, "max_classes": 16, "hidden_depth": 16,
           "slot_bytes": 2048, "pipelined": True, "drain": 2, "update_rows": 2},
    usb=((0x0403, 0x6015),), loader="ulx3s",
    lutram=("core.engine.inputs.memory",),
    memory=StoreMemory(Kind.RAM, "MT48LC16M16, 32 MiB", 24, "32M", "sdram"),
    stored=True,
    # The path from a block memory of features to the array was the slowest.
    recipes={"r6": Fitted(4, ("core.engine.inputs.features.memory",), {"update_rows": 1},
                          50_000_000, _ROUTED, 60_000_000),
             # Seeds 2 and 3 route without an end: so many wires are hard to find a way for.
             "r8": Fitted(4, sizes={"update_rows": 1}, clock_hz=35_000_000,
                          placer=_ROUTED, aimed_hz=60_000_000, seeds=(1, 4, 5))},
    # Left over for the last, these two lie at the other end of the die from what reads them.
    sites=(("core.receiver.memory.memory.0.0", "X114/Y70/EBR0"),
           ("core.receiver.memory.memory.0.1", "X116/Y70/EBR1")),
    # Connections that are too slow are routed once more, which may have no end: with seed 4 it has
    # none. Seed 2 ends short of the clock.
    placer=(*_ROUTED, "--tmg-ripup"), aimed_hz=68_750_000, seeds=(1, 3, 5))
