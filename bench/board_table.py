"""The boards' table of README and results: reports, ``results/board_cycles.json``, resident.json.

And that of ``docs/boards.md`` of what boards learn from the memory beside them.

The line's rate is what the bridge's bits carry of samples alone in the sparse form, ten bits a
byte, and no more than the core's. The store's is that of ``bench/resident.py`` in the order
`rotate`; beside it what one core of the machine did that ran it. What was
reached is the slowest of so many placements; a star is for a report of a netlist before today's.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

from tritgrad.boards import BOARDS
from tritgrad.boards.report import REPORTS, Report

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", ROOT / "docs" / "results.md")
STORED = ROOT / "docs" / "boards.md"
CYCLES = ROOT / "bench" / "results" / "board_cycles.json"
RESIDENT = ROOT / "bench" / "results" / "resident.json"


def main() -> None:
    """Print the rows; with ``--write``, put them in the place of those in both pages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="change README.md and results.md")
    tables = {page: list(rows()) for page in PAGES} | {STORED: list(stored_rows())}
    for made in (tables[PAGES[0]], tables[STORED]):
        print("\n".join(made))
    if parser.parse_args().write:
        for page, made in tables.items():
            lines = page.read_text().splitlines()
            first, end = place(lines)
            page.write_text("\n".join([*lines[:first], *made, *lines[end:]]) + "\n")


def place(lines: list[str]) -> tuple[int, int]:
    """The first row of the table in a page, and the line behind its last one."""
    first = next(n for n, line in enumerate(lines) if line.startswith("| board | network")) + 2
    return first, next(n for n in range(first, len(lines)) if not lines[n].startswith("|"))


def rows() -> Iterator[str]:
    """A row for each network of each board that has a report."""
    measured = json.loads(CYCLES.read_text())["boards"]
    resident = json.loads(RESIDENT.read_text())
    stored, here = resident["boards"], resident["samples_per_second_here"]
    for name in BOARDS:
        path = REPORTS / f"{name}.json"
        if not path.exists():
            continue
        report = Report.from_json(path.read_text())
        used = report.resources
        blocks = {key: used[key] for key in ("EBR", "SPRAM", "DP16KD", "BSRAM") if key in used}
        memory = ", ".join(f"{use.used}{'' if len(blocks) > 1 else f' of {use.available}'} {key}"
                           for key, use in blocks.items())
        wanted, reached = report.clock["wanted_mhz"], report.clock["achieved_mhz"]
        # Reports have had a digest of what was placed since protocol 5.
        left = [name + ("" if report.netlist else " *"),
                f"{used['cells'].used:,} of {used['cells'].available:,}", memory,
                f"{wanted:.4g} MHz", f"{reached:.1f} MHz of {len(report.seeds)}"]
        for key, row in measured.items():
            board, _, network = key.partition(" ")
            if board != name:
                continue
            cycles = row["cycles_per_sample"]
            core = 1e6 * wanted / cycles
            line = BOARDS[name].rates[-1] / 10 / row["sparse_bytes_per_sample"]
            played = next((stored[found] for other in alike(name)
                           if (found := f"{other} {network}, 1 bits, rotate") in stored), None)
            right = [f"{cycles:,.0f}", f"{core:,.0f}", f"{min(core, line):,.0f}",
                     f"{played['samples_per_second']:,}" if played else "-"]
            machine = here.get(f"{network}, 1 bits", {})
            right += [f"{machine[who]:,}" if who in machine else "-"
                      for who in ("golden model", "MLPClassifier")]
            if left:
                yield "| " + " | ".join([left[0], network, *left[1:], *right]) + " |"
            else:
                yield f"| | {network}, same bitstream | | | | | {' | '.join(right)} |"
            left = []


def stored_rows() -> Iterator[str]:
    """A row for each network, depth and order that a board has learned from its memory."""
    before = None
    for key, row in json.loads(RESIDENT.read_text())["boards"].items():
        board, _, what = key.partition(" ")
        network, depth, order = what.split(", ")
        shown = board, f"{network}, {depth.split()[0]}"
        first = f"`{board}` | {shown[1]}" if shown != before else " | "
        hertz = row["clock_hz"] / 1e6
        yield (f"| {first} | `{order}` | {hertz:.4g} MHz | {row['cycles_per_sample']:,.1f} | "
               f"{row['samples_per_second']:,} | {row['epoch_s']:.3g} s |")
        before = shown


def alike(name: str) -> Iterator[str]:
    """A board and those with the same core, clock and memory, but for where it is from."""
    board = BOARDS[name]
    for other in (board, *BOARDS.values()):
        if (other.config, other.clock_hz) == (board.config, board.clock_hz):
            yield other.name


if __name__ == "__main__":
    main()
