"""Build every board with several seeds and keep the worst report: ``python -m tritgrad.boards``.

One synthesis a board, then a placement a seed. The reports go to ``boards/reports``; cycles a
sample are added from the bench's last results. Seeds that a board's report already has, of the same
netlist, options and versions of the tools, are not placed again. With ``--small``, one board a
family carries the smallest core, which takes minutes in all and leaves no reports behind.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..errors import TritgradError
from . import BOARDS, find_board
from .board import Board
from .flow import place, prepare, run_synthesis
from .release import HASHES, hashes
from .report import REPORTS, Report, TimingError, last_report
from .tools import EndlessError

#: One board a family, and the clock that its smallest core is asked for.
SMALL_CLOCKS = {"icebreaker": 16_500_000, "ulx3s-25f": 40_000_000, "tang-nano-9k": 27_000_000}
#: File beside a synthesised netlist: what it was made of.
SYNTHESISED = "synthesised.txt"
CONV = Path(__file__).parents[1] / "bench" / "results" / "conv_rtl.json"
CYCLES = Path(__file__).parents[1] / "bench" / "results" / "board_cycles.json"


def main() -> int:
    """Exit code 0 if all boards fit and meet their clocks with every seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("boards", metavar="BOARD", nargs="*", default=list(BOARDS),
                        help="boards to build (default: all)")
    parser.add_argument("--seeds", type=int, nargs="+", metavar="N",
                        help="seeds of the placer (default: the board's, most often 1 2 3)")
    parser.add_argument("--recipe", metavar="NAME",
                        help="build the cores for this recipe's network behind a convolution")
    parser.add_argument("--out", type=Path, default=Path("build/boards"), metavar="DIR",
                        help="folder for the builds (default: %(default)s)")
    parser.add_argument("--small", action="store_true",
                        help="one board a family, 4 lanes for 16-8-4, the first seed")
    options = parser.parse_args()
    failed = False
    for name in SMALL_CLOCKS if options.small else options.boards:
        try:
            board = find_board(name)
            if options.recipe:
                board = board.for_recipe(options.recipe)
            if options.small:
                board = smallest(board, SMALL_CLOCKS[name])
            seeds = (options.seeds or board.seeds)[:1 if options.small else None]
            report = worst_of(
                board, seeds,
                options.out / (f"small-{name}" if options.small else board.build),
                None if options.small else last_report(board, REPORTS))
        except TritgradError as error:
            print(f"tritgrad: {error}", file=sys.stderr)
            failed = True
            continue
        if not options.small:
            report.cycles = measured_cycles(board)
            REPORTS.mkdir(exist_ok=True)
            (REPORTS / f"{board.build}.json").write_text(report.as_json())
            (REPORTS / HASHES).write_text(hashes(REPORTS))
        print(report.as_text())
        missing = [str(seed) for seed in seeds if str(seed) not in report.seeds]
        if missing:
            print(f"tritgrad: {board.build}: no bitstream of seed {', '.join(missing)}",
                  file=sys.stderr)
        failed |= bool(missing) or report.clock["achieved_mhz"] < report.clock["wanted_mhz"]
    return int(failed)


def smallest(board: Board, clock_hz: int) -> Board:
    """The board with a core of 4 lanes for 16-8-4, its memories wherever synthesis puts them."""
    made = board.resized(network=(16, 8, 4), lanes=4, banks=1, clock_hz=clock_hz,
                         store=False)
    return replace(made, lutram=())


def worst_of(board: Board, seeds: Sequence[int], folder: Path,
             before: Report | None = None) -> Report:
    """The slowest of the builds of a board, one a seed; its files stay in `folder`/``seed-N``.

    Seeds that are in the report from before stay as they are, if it is of the same netlist. One
    that routes without an end is left out.

    Raises
    ------
    EndlessError
        All do.
    """
    started = time.monotonic()

    def say(text: str) -> None:
        print(f"{board.name} {time.monotonic() - started:6.0f} s: {text}", flush=True)

    netlist = prepare(board, folder, say)
    if before is not None and (before.netlist, before.tools) != (netlist.digest, netlist.tools):
        before = None
    reached = {} if before is None else dict(before.seeds)
    if reached:
        say(f"the report is of this netlist: seed {', '.join(reached)} as placed before")
    left = [seed for seed in seeds if str(seed) not in reached]
    mark, known = folder / SYNTHESISED, f"{netlist.digest} {netlist.tools['yosys']}"
    if left and not (mark.exists() and mark.read_text() == known):
        mark.unlink(missing_ok=True)
        run_synthesis(netlist, say)
        mark.write_text(known)
    reports: list[Report] = [] if before is None else [before]
    endless: EndlessError | None = None
    for seed in left:
        say(f"seed {seed}")
        try:
            report = place(netlist, seed, say)
        except TimingError as error:
            say(str(error))
            report = Report.from_json((folder / "report.json").read_text())
        except EndlessError as error:
            say(str(error))
            endless = error
            continue
        kept = folder / f"seed-{seed}"
        kept.mkdir(exist_ok=True)
        for name in (report.bitstream["file"], "report.json", "report.txt", "nextpnr.log"):
            (kept / name).write_bytes((folder / name).read_bytes())
        reports.append(report)
        reached[str(seed)] = round(report.clock["achieved_mhz"], 2)
    if not reports and endless:
        raise endless
    worst = min(reports, key=lambda report: report.clock["achieved_mhz"])
    worst.seeds = dict(sorted(reached.items(), key=lambda item: int(item[0])))
    return worst


def measured_cycles(board: Board) -> dict[str, float]:
    """Cycles a sample by network, from the benches, if they have measured this board."""
    name = board.name
    if board.recipe:
        row = json.loads(CONV.read_text()).get(board.recipe.upper(), {}) if CONV.exists() else {}
        network = "-".join(map(str, board.networks[0]))
        return {network: row["cycles a trained sample"]} if row.get("board") == name else {}
    if not CYCLES.exists():
        return {}
    rows = json.loads(CYCLES.read_text())["boards"]
    return {key.partition(" ")[2]: row["cycles_per_sample"] for key, row in rows.items()
            if key.partition(" ")[0] == name}


if __name__ == "__main__":
    sys.exit(main())
