"""ULX3S with LFE5U-25F and FT231X."""

from typing import Any

from ..firmware.store import Kind
from .board import ECP5_25F, Board
from .recipe import Fitted
from .store import StoreMemory

__all__ = ["BOARD"]


def _platform() -> Any:
    from amaranth_boards.ulx3s import ULX3S_25F_Platform

    from .ulx3s import with_pull_up

    return with_pull_up(ULX3S_25F_Platform)()


BOARD = Board(
    name="ulx3s-25f", title="ULX3S 25F", chip="LFE5U-25F",
    part="LFE5U-25F-6BG381", fpga=ECP5_25F, platform=_platform,
    input_hz=25_000_000, clock_hz=65_000_000,
    networks=((784, 128, 10),),
    sizes={"lanes": 36, "banks": 7, "update_lanes": 36, "max_classes": 16, "hidden_depth": 16,
           "slot_bytes": 1024},
    usb=((0x0403, 0x6015),), loader="ulx3s",
    lutram=("core.engine.inputs.memory",),
    memory=StoreMemory(Kind.RAM, "MT48LC16M16, 32 MiB", 24, "32M", "sdram"),
    stored=True,
    # One kernel at once takes longer than the forward pass beside it, but leaves room for the
    # store; blocks are scarce.
    recipes={"r5": Fitted(1, ("core.engine.inputs.features.memory",))},
    note="Loading goes over the UART's bridge, bit by bit: tens of seconds, and the port is away "
         "meanwhile. --flash-memory overwrites the factory's design.")
