"""``tritgrad flash``: a bitstream onto a board."""

from pathlib import Path

import click

from ...boards import find_board
from .build import BUILDS

__all__ = ["flash"]


@click.command()
@click.argument("board", metavar="BOARD")
@click.argument("bitstream", required=False, metavar="[BITSTREAM]",
                type=click.Path(path_type=Path, dir_okay=False))
@click.option("--flash-memory", is_flag=True,
              help="Write the board's flash memory, so that it survives power-off.")
def flash(board: str, bitstream: Path | None, flash_memory: bool) -> None:
    """Load BITSTREAM onto BOARD, by default that of its last build, with openFPGALoader."""
    from ...boards.flash import find_bitstream
    from ...boards.flash import flash as load

    chosen = find_board(board)
    path = find_bitstream(chosen, bitstream, BUILDS / board)
    load(chosen, path, persistent=flash_memory)
    click.echo(f"{board} runs {path}")
