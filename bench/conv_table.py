"""The results of convolutions as Markdown: accuracy, and cores that train them.

From ``results/conv.json`` (``bench/conv.py``), ``results/conv_rtl.json`` (``bench/conv_rtl.py``),
``results/conv_area.json`` (``bench/conv_area.py``) and the reports of placed boards. Nothing is run
or measured here; what a file lacks is a dash.
"""

import json
from pathlib import Path
from typing import Any

from tritgrad.boards import BOARDS
from tritgrad.boards.report import Report, last_report
from tritgrad.model.convolution.shape import Convolution

RESULTS = Path(__file__).parent / "results"
#: The board that a net is placed for and run as.
BOARD_OF = {"R5": "ulx3s-25f", "R6": "ulx3s-85f", "R8": "ulx3s-85f"}
HIDDEN = "convolution's share not hidden"
#: Tunheim et al. 2024 (doi 10.1109/TCSI.2024.3519191).
PUBLISHED = "ConvCoTM, accelerator on a ZCU104 at 50 MHz, as published"


def accuracy(rows: dict[str, Any]) -> list[str]:
    """Of the golden model, a row a net."""
    lines = []
    for name, row in sorted(rows.items()):
        conv, inner = row["conv"], Convolution(**row["conv"])
        bits = inner.size * inner.counter_bits + 8 * row["hidden"] * (inner.outputs + 10)
        image = f"{conv['kernels']} x {conv['kernel']}x{conv['kernel']}, {conv['pool']}"
        tests = " ".join(f"{one['test']:.2f}" for one in row["seeds"])
        late = " ".join(f"{one['learned in last epoch']:.1f}" for one in row["seeds"])
        lines.append(f"| {name} | {row['data']} | {image} | {inner.outputs}-{row['hidden']}-10 | "
                     f"{bits / 1e6:.1f} Mbit | {tests} | {row['mean']:.2f} | {row['votes']:.2f} | "
                     f"{late} % | {min(one['samples/s'] for one in row['seeds']):,} |")
    return [*lines, f"| {PUBLISHED} | mnist | | | | | 97.6 | | | 40,000 |"]


def cores(rtl: dict[str, Any], area: dict[str, Any]) -> list[str]:
    """Of compiled RTL, synthesis and placements, a row a net."""
    lines = []
    for name in sorted(name for name in {*rtl, *area} if name.startswith("R")):
        row, unit = rtl.get(name, {}), area.get(name, {})
        board = BOARD_OF[name]
        fitted = BOARDS[board].for_recipe(name.lower())
        report = last_report(fitted)
        lines.append("| " + " | ".join([
            name, board, f"{row['kernels at once']}" if row else "-",
            *(f"{row[key]:,.1f}" if row else "-" for key in (
                "cycles a sample without learning", "cycles a trained sample")),
            f"{row[HIDDEN]} %" if row else "-",
            f"{unit['LUT4 in all']:,}" if unit else "-", *_placed(report),
            # Cycles are the same at any clock: what the board has now is what counts.
            f"{row['samples/s'] * fitted.clock_hz // row['clock_hz']:,}" if row else "-"]) + " |")
    return [*lines, f"| {PUBLISHED} | | | | 1,250 | | | | | | 40,000 |"]


def _placed(report: Report | None) -> tuple[str, str, str]:
    """Cells, clock that is asked for, and MHz that each seed of the placer reached."""
    if report is None:
        return "-", "-", "-"
    reached = ", ".join(f"{mhz:.1f}" for mhz in report.seeds.values())
    cells = report.resources["cells"]
    return (f"{cells.used:,} of {cells.available:,}", f"{report.clock['wanted_mhz']:g}", reached)


def kept(name: str) -> dict[str, Any]:
    """What a bench has kept; nothing if it has not run."""
    path = RESULTS / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found


ACCURACY = ("name", "data", "kernels, pool", "dense", "state", "seeds", "mean", "votes", "learn",
            "samples/s")
CORES = ("name", "board", "kernels at once", "cycles, no learning", "cycles a trained sample",
         "convolution not hidden", "LUT4 of the unit", "cells, placed", "MHz", "reached",
         "samples/s")
PLACED = "python -m tritgrad.boards BOARD --recipe NAME"


def lines() -> list[str]:
    """All tables, with the commands that make them."""
    return [
        "Accuracy (python bench/conv.py):", f"| {' | '.join(ACCURACY)} |",
        *accuracy(kept("conv").get("rows", {})), "",
        f"Cores (python bench/conv_rtl.py, python bench/conv_area.py, {PLACED}):",
        f"| {' | '.join(CORES)} |", *cores(kept("conv_rtl"), kept("conv_area"))]


if __name__ == "__main__":
    print(*lines(), sep="\n")
