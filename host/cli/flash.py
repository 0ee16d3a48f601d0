"""``tritgrad flash``: a bitstream onto a board."""

from pathlib import Path

import click

from ...boards import find_board
from .build import BUILDS
from .made import recipe_option, with_recipe

__all__ = ["flash"]


@click.command()
@click.argument("board", metavar="BOARD")
@click.argument("bitstream", required=False, metavar="[BITSTREAM]",
                type=click.Path(path_type=Path, dir_okay=False))
@recipe_option("Load the last build")
@click.option("--flash-memory", is_flag=True,
              help="Write the board's flash memory, so that it survives power-off.")
@click.option("--serial-number", metavar="TEXT",
              help="Load the board whose bridge has this serial number; tritgrad ports shows it.")
def flash(board: str, bitstream: Path | None, recipe: str | None, flash_memory: bool,
          serial_number: str | None) -> None:
    """Load BITSTREAM onto BOARD, by default that of its last build, with openFPGALoader."""
    from ...boards.flash import find_bitstream, ports_of, wait_for_port
    from ...boards.flash import flash as load
    from ...boards.release import hash_of, released

    chosen = with_recipe(find_board(board), recipe)
    path = find_bitstream(chosen, bitstream, BUILDS / chosen.build)
    before = ports_of(chosen)
    if len(set(before.values())) > 1 and serial_number is None:
        click.echo("several boards have this bridge; --serial-number chooses one of: "
                   + ", ".join(sorted({str(number) for number in before.values()})), err=True)
    load(chosen, path, persistent=flash_memory, serial_number=serial_number)
    known = released(chosen, hash_of(str(path)))
    click.echo(f"{board} runs {path}" + (", as released" if known else ""))
    port = wait_for_port(chosen, before)
    own = f" --recipe {recipe}" if recipe else ""
    click.echo(f"next: tritgrad selftest {board}@{port or 'PORT'}{own}" + (
        "" if port else "; no port is there yet: plug the board in anew, or: modprobe ftdi_sio"))
