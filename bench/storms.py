"""Whole runs from the memory beside a core, with all that may happen to them.

Frames damaged, the port away, the core reset, its power lost, a bit of the memory turned, the host
killed or told to stop, at random moments; each time the run is continued as its message says. It
must end with the counters and the history of the same run that nothing disturbs, in both orders; a
memory that turned a bit may have spoilt counts, but not without a line. Fails at the first run that
does not. On the golden device by default, or on the compiled RTL of the same core.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from _rtl import write
from rich.console import Console
from rich.progress import track

from tritgrad.errors import DeviceError
from tritgrad.host.device.transport import GoldenTransport, SimTransport
from tritgrad.host.run.options import TrainOptions

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.host.run.storm import Storm, weathered

OPTIONS = TrainOptions(hidden=(10,), epochs=3, limit=300, planes=1, device="model",
                       val_fraction=0.1, lanes=8, banks=2)
#: Bytes between two events: so many are on average enough to load, check and train a chunk.
MEAN = 6_000


def golden(config, rng: random.Random) -> Storm:
    """The golden device, whose memory may turn bits and lose what it has."""
    transport = GoldenTransport(config)
    device = transport.device
    cells = device.store.cells

    def power() -> None:
        device.reset()
        cells[:] = rng.randrange(1 << 16)

    def flip() -> None:
        for _ in range(20):
            cells[rng.randrange(4000)] ^= 1 << rng.randrange(16)

    return Storm(transport, rng, {"reset": device.reset, "power": power, "bits": flip}, MEAN)


def rtl(config, rng: random.Random) -> Storm:
    """The compiled core, reset at any cycle; what it has in its memory stays."""
    transport = SimTransport(config)

    def reset() -> None:
        transport.core.run(b"", rng.randrange(1, 20_000))
        transport.core.reset()
        transport._queue.clear()

    return Storm(transport, rng, {"reset": reset}, MEAN)


def main() -> None:
    """Print the counts and keep them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", metavar="N", type=int, default=100,
                        help="runs, half in each order (default: %(default)s)")
    parser.add_argument("--seed", metavar="S", type=int, default=1,
                        help="of the first run (default: %(default)s)")
    parser.add_argument("--rtl", action="store_true", help="on the compiled core")
    options = parser.parse_args()
    console, began = Console(), time.process_time()
    events, lines, notes, starts = Counter[str](), Counter[str](), 0, 0
    for number in track(range(options.runs), "runs", console=console):
        run = replace(OPTIONS, order=("random", "rotate")[number % 2])
        data = run.load_data()
        recipe = run.recipe(data)
        config = run.core(recipe.layers, recipe.planes).changed(store=1, store_bits=14)
        storm = (rtl if options.rtl else golden)(config, random.Random(options.seed + number))
        if number % 4 > 1 and not options.rtl:  # no other reason to write the rows again
            storm.harms = {"bits": storm.harms["bits"]}
        with tempfile.TemporaryDirectory() as folder:
            try:
                told = weathered(storm, run, data, Path(folder))
            except DeviceError as error:
                raise SystemExit(f"run {options.seed + number} of order {run.order}: {error}; "
                                 f"{dict(storm.counts)}") from None
        events += storm.counts
        lines += Counter({line.partition(": record")[0]: n for line, n in told.lines.items()})
        notes, starts = notes + len(told.notes), starts + told.starts
    result: dict[str, object] = {
        "device": "compiled RTL" if options.rtl else "golden device", "runs": options.runs,
        "seed": options.seed, "processes": starts, "events": dict(events.most_common()),
        "lines": dict(lines.most_common()), "notes_of_lost_rows": notes, "differences": 0,
        "cpu_seconds": round(time.process_time() - began, 1)}
    for name, value in result.items():
        console.print(f"{name}: {value}")
    write("storms_rtl" if options.rtl else "storms", result)


if __name__ == "__main__":
    main()
