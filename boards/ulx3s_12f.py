"""ULX3S with LFE5U-12F: the die of the 25F, all of which the open tools can use."""

from dataclasses import replace
from typing import Any

from . import ulx3s_25f

__all__ = ["BOARD"]


def _platform() -> Any:
    from amaranth_boards.ulx3s import ULX3S_12F_Platform

    from .ulx3s import with_pull_up

    return with_pull_up(ULX3S_12F_Platform)()


BOARD = replace(
    ulx3s_25f.BOARD, name="ulx3s-12f", title="ULX3S 12F", chip="LFE5U-12F",
    part="LFE5U-12F-6BG381", platform=_platform,
    note="Lattice warrants half of this die's logic; the open tools use all of it, as on a 25F. "
         + ulx3s_25f.BOARD.note)
