"""``tritgrad build``: from a core to a bitstream for a board."""

import json
from pathlib import Path

import click

from ...boards import find_board
from ...errors import BadInput
from ..run.lock import hold
from ..run.options import parse_integers
from .console import RunProgress, emit, json_option, screen
from .made import (
    ADDED,
    psram_option,
    recipe_option,
    shifter_of,
    shifter_option,
    unit_options,
    with_psram,
    with_recipe,
)

__all__ = ["BUILDS", "build"]

#: Where builds go that no ``--out`` sends elsewhere.
BUILDS = Path("build/boards")


@click.command()
@click.argument("board", metavar="BOARD")
@recipe_option("Make a core")
@click.option("--hidden", metavar="SIZES", help="Make room for hidden layers of these sizes, such "
              "as 64 or 96,32, between the board's inputs and classes.")
@click.option("--lanes", type=int, metavar="N", help="Set the inputs of a bank a cycle.")
@click.option("--banks", type=int, metavar="N", help="Set the neurons computed at once.")
@click.option("--update-lanes", type=int, metavar="N",
              help="Set the counters updated a cycle; divides the lanes.  [default: the lanes]")
@click.option("--update-rows", type=int, metavar="N",
              help="Set the rows updated at once: 1, or 2 or 4, which must divide the banks.")
@click.option("--counter-bits", type=int, metavar="B",
              help="Set the bits of a weight's counter, 6 to 14.")
@click.option("--frequency", type=click.FloatRange(min=0, min_open=True), metavar="MHZ",
              help="Ask for another clock, which the PLL can make within 1 %.")
@click.option("--infer-only", is_flag=True,
              help="Leave out memory R and the update unit; the report says what that saves.")
@click.option("--store/--no-store", default=None,
              help="Have samples played from the memory beside the FPGA, or not.  [default: where "
                   "that is faster than the line; see tritgrad boards]")
@psram_option
@shifter_option
@unit_options
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, metavar="N",
              help="Seed the placer.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help=f"Put all files there.  [default: {BUILDS}/BOARD or, of a recipe, "
              "BOARD-NAME]")
@click.option("--verify", metavar="FILE|HASH",
              help="Fail unless the bitstream is this one: a file, or its SHA-256.")
@json_option
def build(board: str, recipe: str | None, hidden: str | None, frequency: float | None,
          infer_only: bool, store: bool | None, psram: bool, shifter: str | None, seed: int,
          out: Path | None, verify: str | None, as_json: bool, **sizes: int | None) -> None:
    """Make a bitstream for BOARD, with the logs of all tools and a report.

    The same source, tools and seed give the same bitstream.
    """
    from ...boards.flow import build as build_board
    from ...boards.release import hash_of
    from ...boards.release import verify as compare

    wanted = None if verify is None else hash_of(verify)
    chosen = with_recipe(find_board(board), recipe)
    if recipe is not None and hidden is not None:
        raise BadInput(f"--recipe {recipe} has its own layers; leave --hidden {hidden} away")
    whole = chosen.networks[0]
    network = None if hidden is None else (
        whole[0], *parse_integers("--hidden", hidden), whole[-1])
    clock_hz = None if frequency is None else round(frequency * 1e6)
    units = {name: value for name in ADDED if (value := sizes.pop(name))}
    for name in units:
        if recipe is not None and name.startswith("conv_"):
            raise BadInput(f"--recipe {recipe} has its own convolution; leave "
                           f"--{name.replace('_', '-')} away")
    chosen = with_psram(chosen, psram, store)
    chosen = chosen.resized(network=network, clock_hz=clock_hz, infer_only=infer_only,
                            store=store, shifter=shifter_of(shifter), units=units, **sizes)
    console = screen(stderr=True)
    folder = out or BUILDS / chosen.build
    with hold(folder), RunProgress(console).working(f"building {chosen.build}") as say:
        report = build_board(chosen, folder, seed=seed, say=say)
    if wanted is not None:
        compare(report, wanted)
    click.echo(report.as_text(), nl=False, err=as_json)
    click.echo(folder / report.bitstream["file"], err=as_json)
    if as_json:
        emit(json.loads(report.as_json()))
