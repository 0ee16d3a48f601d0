"""Boards: what each is, how its bitstream is made, and what came of the last build."""

from ..errors import BadInput
from . import (
    colorlight_i5,
    colorlight_i9,
    icebreaker,
    icepi_zero,
    icesugar,
    icesugar_pro,
    tang_nano_9k,
    tang_nano_20k,
    tang_primer_20k,
    ulx3s_12f,
    ulx3s_25f,
    ulx3s_85f,
)
from .board import Board

__all__ = ["BOARDS", "find_board"]

#: Every board by its name; a new one is a file and a row here.
BOARDS: dict[str, Board] = {module.BOARD.name: module.BOARD for module in (
    icebreaker,
    icesugar,
    ulx3s_12f,
    ulx3s_25f,
    ulx3s_85f,
    icesugar_pro,
    icepi_zero,
    colorlight_i5,
    colorlight_i9,
    tang_nano_9k,
    tang_primer_20k,
    tang_nano_20k,
)}


def find_board(name: str) -> Board:
    """A board by its name.

    Raises
    ------
    BadInput
        There is none of that name; the message lists those that are.
    """
    if name not in BOARDS:
        raise BadInput(f"board must be one of {', '.join(BOARDS)}, not {name!r}")
    return BOARDS[name]
