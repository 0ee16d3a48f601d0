"""Hostile bytes for the compiled core and the golden device: every answer and all state compared.

Fails at the first difference, and says which bytes led to it.
"""

import argparse
import random
import time
from dataclasses import asdict

from _rtl import write
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tritgrad.model.golden_device import GoldenDevice
from tritgrad.sim.device import open_sim
from tritgrad.sim.fuzz import Report, run
from tritgrad.sim.trials import CORES


def main() -> None:
    """Print the counts and keep them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", metavar="N", type=int, default=140_000,
                        help="frames, three of four of them hostile; a good one follows each "
                             "(default: %(default)s)")
    parser.add_argument("--seed", metavar="S", type=int, default=1,
                        help="decides the frames and the pauses between bytes "
                             "(default: %(default)s)")
    options = parser.parse_args()
    console = Console()
    total, cycles = Report(), 0
    began = time.perf_counter()
    with Progress(TextColumn("frames"), BarColumn(), MofNCompleteColumn(),
                  TimeRemainingColumn(), console=console) as progress:
        task = progress.add_task("", total=options.frames)
        for number, config in enumerate(CORES.values()):
            first = total.frames
            share = (options.frames - first) // (len(CORES) - number)
            with open_sim(config) as core:
                core.stall(options.seed, 0.1, 0.1)
                total += run(core, GoldenDevice(config), share, random.Random(options.seed),
                             progress=lambda done, first=first: progress.update(
                                 task, completed=first + done))
                cycles += core.cycles
    result: dict[str, object] = {
        "seed": options.seed, "cores": [asdict(config) for config in CORES.values()],
        "frames": total.frames, "hostile_frames": total.frames - total.kinds["valid"],
        "good_frames": total.good_frames,
        "runs": total.runs, "state_checks": total.state_checks, "differences": 0,
        "kinds": dict(total.kinds.most_common()), "statuses": dict(total.statuses.most_common()),
        "cycles": cycles, "seconds": round(time.perf_counter() - began, 1),
    }
    for name, value in result.items():
        console.print(f"{name}: {value}")
    write("fuzz_link", result)


if __name__ == "__main__":
    main()
