"""``tritgrad boards``: what there is, and what its bitstreams came to."""

import json
from dataclasses import asdict
from typing import Any

import click
from rich.console import Console

from ...boards import BOARDS
from ...boards.board import Board
from ...boards.report import Report, last_report
from .console import table

__all__ = ["boards"]

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
