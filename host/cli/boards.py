"""``tritgrad boards``: what there is, and what its bitstreams came to."""

from dataclasses import asdict
from typing import Any

import click
from rich.table import Table

from ...boards import BOARDS
from ...boards.board import Board
from ...boards.recipe import builds
from ...boards.report import Report, last_report
from .console import emit, fits, json_option, say, screen, table

__all__ = ["boards"]

#: Bits of a byte on the line, with start and stop bit.
LINE_BITS = 10


@click.command()
@json_option
def boards(as_json: bool) -> None:
    """List the boards with what their last released bitstreams came to.

    MHz is the clock that is asked for, Fmax what the slowest of three placements reached.
    LUT cells are those that the placed design takes, with carry chains and small memories.
    Samples/s is MNIST at one bit a pixel: what the core trains at its clock, and what a line at the
    board's highest rate brings if no zeros are left out. Beside the FPGA is what a core with a
    store plays them from; where released bitstreams have none, tritgrad build --store makes one.
    Rows named --recipe are other cores of the board above, which tritgrad build makes with that
    option: of a network with a convolution in front, whose pixels have two bits. A narrow terminal
    gets a narrower table.
    """
    rows = [_row(board, last_report(board)) for board in BOARDS.values()]
    listed = [made for row in rows for made in (row, *row["recipes"].values())]
    console = screen(stderr=as_json)
    shown = _wide(listed)
    console.print(shown if fits(console, shown) else _narrow(listed))
    for row in rows:
        if row["note"]:
            say(console, f"{row['board']}: {row['note']}", fold=True)
    if as_json:
        emit({"boards": rows})


def _row(board: Board, report: Report | None) -> dict[str, Any]:
    config = board.config
    inputs, planes = board.networks[0][0], 1
    if config.conv_kernels:
        inputs = config.conv_rows * config.conv_channels * config.lanes
        planes = config.conv_planes
    row: dict[str, Any] = {
        "board": board.name, "title": board.title, "chip": board.chip, "part": board.part,
        "clock_mhz": float(board.pll.output_hz) / 1e6, "lanes": config.lanes,
        "banks": config.banks, "update_lanes": config.update_lanes,
        "networks": [list(network) for network in board.networks],
        "memory_map": board.memory_map.splitlines(), "rates": list(board.rates),
        "usb": [f"{vendor:04x}:{product:04x}" for vendor, product in board.usb],
        "note": board.note, "memory": board.memory and {
            "kind": board.memory.kind.name.lower(), "title": board.memory.title,
            "bytes": board.memory.bytes, "released": board.stored},
        "recipe": board.recipe, "kernels": config.conv_kernels,
        "recipes": {name: _row(made, last_report(made)) for name, made in (
            (one.recipe, one) for one in builds(board) if not board.recipe) if name},
        "line_samples_per_second": board.rates[-1] / LINE_BITS / (1 + planes * -(-inputs // 8)),
        "lut4": None, "cells": None, "blocks": None, "fmax_mhz": None, "samples_per_second": {}}
    if report is not None:
        uses = report.resources
        row.update(
            lut4=asdict(uses["lut4"]), cells=asdict(uses["cells"]),
            blocks={name: asdict(uses[name]) for name in board.fpga.blocks if name in uses},
            fmax_mhz=report.clock["achieved_mhz"], samples_per_second=report.samples_per_second)
    return row


def _wide(rows: list[dict[str, Any]]) -> Table:
    return table(None, ("board", "FPGA", "MHz", "lanes", "network", "LUT cells", "blocks", "Fmax",
                        "core samples/s", "line samples/s", "beside it"), (
        (_name(row), row["chip"], f"{row['clock_mhz']:g}", f"{row['banks']}x{row['lanes']}",
         _network(row), _use(row["cells"]),
         tuple(f"{_use(use)} {name}" for name, use in (row["blocks"] or {}).items()) or "-",
         _fmax(row), _speeds(row), f"{row['line_samples_per_second']:,.0f}",
         _beside(row)) for row in rows),
        right=(2, 5, 6, 7, 8, 9))


def _narrow(rows: list[dict[str, Any]]) -> Table:
    """For 80 columns: shares instead of counts, and without the lanes and the line."""
    made = table(None, ("board", "FPGA", "network", "LUTs", "RAM", "MHz", "Fmax", "rows/s"), (
        (_name(row), row["chip"], _network(row), _share(row["cells"]),
         tuple(_share(use) for use in (row["blocks"] or {}).values()) or "-",
         f"{row['clock_mhz']:.3g}", _fmax(row).partition(".")[0],
         next(iter(_speeds(row))).split()[0])
        for row in rows), right=(3, 4, 5, 6, 7))
    made.show_edge = made.pad_edge = False
    return made


def _beside(row: dict[str, Any]) -> str:
    memory = row["memory"]
    if not memory:
        return "-"
    option = "" if memory["released"] else ", --store"
    return f"{memory['kind']} {memory['bytes'] >> 20} MiB{option}"


def _name(row: dict[str, Any]) -> str:
    return f"--recipe {row['recipe']}" if row["recipe"] else str(row["board"])


def _network(row: dict[str, Any]) -> str:
    return "-".join(map(str, row["networks"][0]))


def _use(use: dict[str, int] | None) -> str:
    return f"{use['used']:,}/{use['available']:,}" if use else "-"


def _share(use: dict[str, int] | None) -> str:
    return f"{100 * use['used'] / use['available']:.0f} %" if use else "-"


def _fmax(row: dict[str, Any]) -> str:
    return f"{row['fmax_mhz']:.1f}" if row["fmax_mhz"] else "-"


def _speeds(row: dict[str, Any]) -> tuple[str, ...]:
    """Samples a second that the core trains, its largest network first."""
    speeds = row["samples_per_second"]
    return tuple(f"{speed:,.0f} ({name})" if len(speeds) > 1 else f"{speed:,.0f}"
                 for name, speed in speeds.items()) or ("-",)
