"""Runs of the command line at virtual boards with a memory, host and board killed at any moment.

Host and board are processes of their own. The host is killed or told to stop, the board loses its
power (and an SDRAM all that it holds) or does nothing for some seconds, or both end at once. From
one start of the board to the next its line damages bytes, or its port vanishes or its core is reset
after every so many bytes; and bits of a flash's records turn. Each time somebody types what the
command says. A run must end with the state, the accuracies and the counts of the golden model, or
where a line has said that rows were lost, with its state. Fails at the first run that does not.
"""

import argparse
import json
import random
import re
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from _rtl import write
from rich.console import Console
from rich.progress import track

from tritgrad.errors import DeviceError

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.host.run.campaign import Campaign, Command, lasting

ROWS = ["--dataset", "digits", "--limit", "150", "--encode", "planes", "--val-fraction", "0.1"]
RUN = [*ROWS, "--hidden", "10", "--epochs", "20"]
#: Disturbances of a run, and seconds from one to the next, on average.
DISTURBANCES, MEAN_S = 8, 0.5
HOST = ("kill", "stop", "power", "both", "halt")
#: Boards, and after how many bytes from the host each is reset or its port vanishes: what it takes
#: to load the network, with the rows of an SDRAM, and some more.
BOARDS = {"ulx3s-25f": {"noise": (0, 0), "unplug": (6_000, 20_000), "reset": (30_000, 60_000)},
          "icebreaker": {"noise": (0, 0), "unplug": (6_000, 20_000), "reset": (6_000, 20_000)}}


def golden(order: str, folder: Path) -> dict:
    """What the run says on the golden model, undisturbed."""
    command = Command(folder, ["train", *RUN, "--order", order, "--device", "model",
                               "--out", str(folder / order), "--json"])
    if not command.wait() or command.code:
        raise SystemExit(command.err)
    return json.loads(command.out.splitlines()[-1])


def main() -> None:
    """Print the counts and keep them as JSON, after each run anew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", metavar="N", type=int, default=40,
                        help="runs, in turns of each board and order (default: %(default)s)")
    parser.add_argument("--seed", metavar="S", type=int, default=1,
                        help="of the first run (default: %(default)s)")
    options = parser.parse_args()
    console, began = Console(), time.monotonic()
    events, lines, by_board = Counter[str](), Counter[str](), Counter[str]()
    starts = notes = counts_differ = 0
    with tempfile.TemporaryDirectory() as place:
        wanted = {order: golden(order, Path(place)) for order in ("random", "rotate")}
    for number in track(range(options.runs), "runs", console=console):
        board, order = list(BOARDS)[number % 2], list(wanted)[number // 2 % 2]
        flash = board == "icebreaker"
        with (tempfile.TemporaryDirectory() as place,
              Campaign(Path(place), board, flash, random.Random(options.seed + number),
                       BOARDS[board], MEAN_S) as campaign):
            try:
                campaign.power_up()
                if flash:
                    campaign.store(ROWS, 2, HOST)
                told = campaign.trained([*RUN, "--order", order], DISTURBANCES,
                                        (*HOST, "bits") if flash else HOST)
                equal = lasting(told) == lasting(wanted[order])
                if not equal and (not campaign.lost
                                  or told["state_sha256"] != wanted[order]["state_sha256"]):
                    raise DeviceError(f"{told}, not {wanted[order]}")
            except DeviceError as error:
                raise SystemExit(f"run {options.seed + number}, {board}, order {order}: {error}; "
                                 f"{dict(campaign.counts)}") from None
        events += campaign.counts
        for line, count in campaign.lines.items():
            lines[re.sub(r": records? .* differs?", "", line)] += count
        by_board[board] += 1
        starts, notes = starts + campaign.starts, notes + campaign.lost
        counts_differ += not equal
        result: dict[str, object] = {
            "runs": number + 1, "seed": options.seed, "by_board": dict(by_board),
            "processes_of_the_host": starts, "events": dict(events.most_common()),
            "lines": dict(lines.most_common()), "runs_with_notes_of_lost_rows": notes,
            "counts_that_differ_behind_such_a_note": counts_differ,
            "differences_without_a_line": 0, "seconds": round(time.monotonic() - began, 1)}
        write("storms_processes", result)
    for name, value in result.items():
        console.print(f"{name}: {value}")


if __name__ == "__main__":
    main()
