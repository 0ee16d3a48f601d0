"""``tritgrad virtual``: a board that is not there, behind a serial port that is."""

import tempfile
from pathlib import Path
from typing import Any

import click

from ...errors import BadInput
from ...firmware.store import Kind
from ..run.outputs import check_outputs
from .console import RunProgress, screen
from .made import (
    psram_option,
    recipe_option,
    shifter_of,
    shifter_option,
    with_psram,
    with_recipe,
)

__all__ = ["virtual"]


def _chance(name: str, what: str) -> Any:
    return click.option(f"--{name}", type=float, default=0.0, show_default=True, metavar="P",
                        help=f"{what} with this chance, each way.")


@click.command()
@click.argument("board", metavar="BOARD")
@_chance("drop", "Lose a byte")
@_chance("flip", "Invert a bit of a byte")
@_chance("repeat", "Send a byte twice")
@_chance("delay", "Hold a byte, and those behind it, back for up to 20 ms")
@click.option("--seed", type=int, default=1, show_default=True, metavar="N",
              help="Derive the faults from this number.")
@click.option("--reset-every", type=click.IntRange(0), default=0, metavar="N",
              help="Reset the board after each N bytes from the host.  [default: never]")
@click.option("--unplug-every", type=click.IntRange(0), default=0, metavar="N",
              help="Let the port vanish for 0.3 s after each N bytes from the host.  "
                   "[default: never]")
@click.option("--model", is_flag=True,
              help="Put the golden model behind the port instead of the board's compiled RTL: no "
                   "compiler, no clock.")
@recipe_option("Put a core there")
@click.option("--store/--no-store", default=None,
              help="Put the board's memory for samples beside its core, or not.  [default: as "
                   "tritgrad build has it]")
@psram_option
@shifter_option
@click.option("--flash", metavar="FILE",
              help="Keep what a board's flash holds in FILE, which is as large; with --store.  "
                   "[default: it is lost]")
@click.option("--link", metavar="FILE",
              help="Name the port FILE.  [default: BOARD in a new folder for temporary files]")
def virtual(board: str, drop: float, flip: float, repeat: float, delay: float, seed: int,
            reset_every: int, unplug_every: int, model: bool, recipe: str | None,
            store: bool | None, psram: bool, shifter: str | None, flash: str | None,
            link: str | None) -> None:
    """Put a virtual BOARD on a serial port, and print the port's name.

    The board's top level, compiled, is clocked behind a pseudo-terminal; to pyserial it is a port
    like any other: tritgrad train --device BOARD@PORT. Ctrl-C ends it.
    """
    from ...boards import find_board
    from ...sim.virtual import Device, ModelBoard, VirtualPort
    from ...sim.wire import Faults

    check_outputs({"--link": link})
    chosen = with_psram(with_recipe(find_board(board), recipe), psram, store).resized(
        store=store, shifter=shifter_of(shifter))
    faults = Faults(drop, flip, repeat, delay)
    beside = chosen.config.store
    if flash is not None and beside != Kind.FLASH:
        raise BadInput(f"--flash {flash} needs --store and a board with a flash; {board} "
                       f"{'has none' if beside else 'runs without its memory'}")
    device: Device
    if model:
        from ...sim.memories.golden import golden_memory_of

        device = ModelBoard(chosen.config, chosen.rates,
                            golden_memory_of(chosen, flash) if beside else None)
    else:
        from ...sim.board import CompiledBoard, memory_of

        memory = memory_of(chosen, flash) if beside else None
        with RunProgress(screen(stderr=True)).working("compiling the RTL") as say:
            device = CompiledBoard.of(chosen, progress=say, memory=memory)
    with tempfile.TemporaryDirectory(prefix="tritgrad-") as folder:
        name = Path(link) if link is not None else Path(folder) / board
        try:
            port = VirtualPort(device, name, faults, seed, reset_every, unplug_every)
        except OSError as error:
            raise BadInput(f"cannot name the port {name}: {error.strerror}") from None
        try:
            click.echo(name)
            port.serve(lambda: False)
        finally:
            port.close()
