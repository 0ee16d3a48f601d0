"""``tritgrad boards``, ``build`` and ``flash``: from a core to a bitstream on a board."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from ..boards import BOARDS, find_board
from ..boards.board import Board
from ..boards.report import Report, last_report
from .console import RunProgress, table
from .options import parse_integers
from .units import UNITS, unit_options

__all__ = ["boards", "build", "flash"]

#: Where builds go that no ``--out`` sends elsewhere.
BUILDS = Path("build/boards")
#: Bits of a byte on the line, with start and stop bit.
LINE_BITS = 10


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def boards(as_json: bool) -> None:
    """List the boards with what their last released bitstreams came to.

    MHz is the clock that is asked for, Fmax what the slowest of three placements reached.
    LUT cells are those that the placed design takes, with carry chains and small memories.
    Samples/s is MNIST at one bit a pixel: what the core trains at its clock, and what a line at the
    board's highest rate can bring.
    """
    rows = [_row(board, last_report(board)) for board in BOARDS.values()]
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    columns = ("board", "FPGA", "MHz", "lanes", "network", "LUT cells", "blocks", "Fmax",
               "core samples/s", "line samples/s")
    Console().print(table(None, columns, (_cells(row) for row in rows), right=(2, 5, 6, 7, 8, 9)))
    for row in rows:
        if row["note"]:
            click.echo(f"{row['board']}: {row['note']}")


def _row(board: Board, report: Report | None) -> dict[str, Any]:
    config = board.config
    inputs = board.networks[0][0]
    row: dict[str, Any] = {
        "board": board.name, "title": board.title, "chip": board.chip, "part": board.part,
        "clock_mhz": float(board.pll.output_hz) / 1e6, "lanes": config.lanes,
        "banks": config.banks, "update_lanes": config.update_lanes,
        "networks": [list(network) for network in board.networks],
        "memory_map": board.memory_map.splitlines(), "rates": list(board.rates),
        "usb": [f"{vendor:04x}:{product:04x}" for vendor, product in board.usb],
        "note": board.note,
        "line_samples_per_second": board.rates[-1] / LINE_BITS / (1 + -(-inputs // 8)),
        "lut4": None, "cells": None, "blocks": None, "fmax_mhz": None, "samples_per_second": {}}
    if report is not None:
        uses = report.resources
        row.update(
            lut4=asdict(uses["lut4"]), cells=asdict(uses["cells"]),
            blocks={name: asdict(uses[name]) for name in board.fpga.blocks if name in uses},
            fmax_mhz=report.clock["achieved_mhz"], samples_per_second=report.samples_per_second)
    return row


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    def share(use: dict[str, int]) -> str:
        return f"{use['used']:,}/{use['available']:,}"

    blocks = row["blocks"] or {}
    speeds = "\n".join(f"{speed:,.0f} ({name})" if len(row["samples_per_second"]) > 1
                       else f"{speed:,.0f}" for name, speed in row["samples_per_second"].items())
    return (row["board"], row["chip"], f"{row['clock_mhz']:g}",
            f"{row['banks']}x{row['lanes']}", "-".join(map(str, row["networks"][0])),
            share(row["cells"]) if row["cells"] else "-",
            "\n".join(f"{share(use)} {name}" for name, use in blocks.items()) or "-",
            f"{row['fmax_mhz']:.1f}" if row["fmax_mhz"] else "-", speeds or "-",
            f"{row['line_samples_per_second']:,.0f}")


@click.command()
@click.argument("board", metavar="BOARD")
@click.option("--hidden", metavar="SIZES", help="Make room for hidden layers of these sizes, such "
              "as 64 or 96,32, between the board's inputs and classes.")
@click.option("--lanes", type=int, metavar="N", help="Set the inputs of a bank a cycle.")
@click.option("--banks", type=int, metavar="N", help="Set the neurons computed at once.")
@click.option("--update-lanes", type=int, metavar="N",
              help="Set the counters updated a cycle; divides the lanes.  [default: the lanes]")
@click.option("--counter-bits", type=int, metavar="B",
              help="Set the bits of a weight's counter, 6 to 14.")
@click.option("--frequency", type=click.FloatRange(min=0, min_open=True), metavar="MHZ",
              help="Ask for another clock, which the PLL can make within 1 %.")
@click.option("--infer-only", is_flag=True,
              help="Leave out memory R and the update unit; the report says what that saves.")
@unit_options
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, metavar="N",
              help="Seed the placer.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help=f"Put all files there.  [default: {BUILDS}/BOARD]")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def build(board: str, hidden: str | None, frequency: float | None, infer_only: bool,
          seed: int, out: Path | None, as_json: bool, **sizes: int | None) -> None:
    """Make a bitstream for BOARD, with the logs of all tools and a report.

    The same source, tools and seed give the same bitstream.
    """
    from ..boards.flow import build as build_board

    chosen = find_board(board)
    whole = chosen.networks[0]
    network = None if hidden is None else (
        whole[0], *parse_integers("--hidden", hidden), whole[-1])
    clock_hz = None if frequency is None else round(frequency * 1e6)
    units = {name: value for name in UNITS if (value := sizes.pop(name))}
    chosen = chosen.resized(network=network, clock_hz=clock_hz, infer_only=infer_only,
                            units=units, **sizes)
    console = Console(stderr=True)
    folder = out or BUILDS / board
    with RunProgress(console).working(f"building {board}") as say:
        report = build_board(chosen, folder, seed=seed, say=say)
    if as_json:
        click.echo(report.as_json(), nl=False)
    else:
        click.echo(report.as_text(), nl=False)
        click.echo(folder / report.bitstream["file"])


@click.command()
@click.argument("board", metavar="BOARD")
@click.argument("bitstream", required=False, metavar="[BITSTREAM]",
                type=click.Path(path_type=Path, dir_okay=False))
@click.option("--flash-memory", is_flag=True,
              help="Write the board's flash memory, so that it survives power-off.")
def flash(board: str, bitstream: Path | None, flash_memory: bool) -> None:
    """Load BITSTREAM onto BOARD, by default that of its last build, with openFPGALoader."""
    from ..boards.flash import find_bitstream
    from ..boards.flash import flash as load

    chosen = find_board(board)
    path = find_bitstream(chosen, bitstream, BUILDS / board)
    load(chosen, path, persistent=flash_memory)
    click.echo(f"{board} runs {path}")
