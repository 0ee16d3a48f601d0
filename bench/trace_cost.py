"""What the trace unit costs: LUTs of a core with and without it, cycles and bytes a sample.

The samples are those of the digits that follow some epochs on the golden model. The simulated link
takes a byte a cycle; how long the bytes take on a serial line follows from its rate.
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

from _rtl import write
from amaranth.back import rtlil
from array_area import SYNTH, statistics
from rich.console import Console
from rich.table import Table

from tritgrad.boards.tools import TOOLS
from tritgrad.firmware.records import Mode
from tritgrad.host.data.datasets import load
from tritgrad.host.device.driver import Driver, layer_table
from tritgrad.host.device.records import trace_samples
from tritgrad.host.device.session import Session
from tritgrad.host.device.transport import SimTransport
from tritgrad.hw.core import Core
from tritgrad.model.config import CoreConfig
from tritgrad.model.fast import FastNetwork
from tritgrad.model.margin import state_sha256
from tritgrad.model.recipe import Recipe
from tritgrad.model.rng import epoch_order

HIDDEN = 64
EPOCHS = 5
MODES = {"flips": Mode.FLIPS, "flips and saturations": Mode.FLIPS | Mode.SATURATIONS}


def area(config: CoreConfig, family: str) -> dict[str, int]:
    """LUT4, flip-flops and block RAMs of a core."""
    # Only the iCE40 wants to be told that small memories are blocks too.
    platform = SimpleNamespace(device="iCE40UP5K") if family == "ice40" else None
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "top.il").write_text(
            rtlil.convert(Core(config), name="top", platform=platform, emit_src=False))
        cells = statistics(family, Path(name))
    flops = sum(n for kind, n in cells.items() if kind.startswith(("SB_DFF", "TRELLIS_FF")))
    return {"LUT4": cells.get("SB_LUT4", 0) + cells.get("LUT4", 0) + 2 * cells.get("CCU2C", 0),
            "flip-flops": flops,
            "block RAMs": cells.get("SB_RAM40_4K", 0) + cells.get("DP16KD", 0)
            + cells.get("PDPW16KD", 0)}


def cycles(config: CoreConfig, samples: int) -> dict[str, dict[str, float]]:
    """Of each way to run the samples: cycles and bytes a sample; raises SystemExit if any differs.

    The cycles are those that STATUS reports: the program runs and does not wait for a sample.
    """
    data = load("digits")
    recipe = Recipe.default((data.inputs, HIDDEN, data.classes), data.planes)
    network = FastNetwork(recipe)
    for epoch in range(EPOCHS):
        order = epoch_order(recipe.seed, epoch, len(data.x_train))
        network.train(data.x_train, data.y_train, order, recipe.gains_in(epoch))
    order = epoch_order(recipe.seed, EPOCHS, len(data.x_train))[:samples]
    x, y = data.x_train[order], data.y_train[order]
    driver = Driver(Session(SimTransport(config)))
    found, hashes = {}, set()
    for name, mode in {"off": None, **MODES}.items():
        driver.load(layer_table(recipe, recipe.gains_in(EPOCHS)), network.counters,
                    network.prng.state)
        sent: list[int] = []
        take = driver.session.take_pieces

        def counted(take=take, sent=sent):
            pieces = take()
            sent.extend(len(piece) - 4 for piece in pieces)
            return pieces

        driver.session.take_pieces = counted
        stats = (driver.train_chunk(x, y, recipe.margin) if mode is None
                 else trace_samples(driver, x, y, recipe.margin, mode)[1])
        driver.session.take_pieces = take
        hashes.add(state_sha256(driver.counters()))
        found[name] = {"cycles": stats.cycles / len(x), "bytes": sum(sent) / len(x),
                       "frames": len(sent) / len(x), "flips": stats.flips / len(x),
                       "updates": stats.updates / len(x)}
    driver.close()
    if len(hashes) != 1:
        raise SystemExit(f"tracing changes the state: {hashes}")
    return found


def main() -> None:
    """Print the figures and keep them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", metavar="N", type=int, default=1000,
                        help="samples to count (default: %(default)s)")
    options = parser.parse_args()
    config = CoreConfig.for_network((64, HIDDEN, 10), 4, lanes=8, banks=4, update_lanes=4)
    traced = replace(config, trace=True)
    console = Console()
    runs = cycles(traced, options.samples)
    table = Table("digits, 64-64-10", *runs["off"], title=f"{options.samples} samples")
    for name, row in runs.items():
        table.add_row(name, *(f"{value:,.1f}" for value in row.values()))
    console.print(table)
    result = {"lanes": config.lanes, "banks": config.banks, "update_lanes": config.update_lanes,
              "samples": options.samples, "runs": runs, "yosys": TOOLS["yosys"].version,
              "area": {}}
    for family in SYNTH:
        rows = {"off": area(config, family), "on": area(traced, family)}
        result["area"][family] = rows
        console.print(f"{family}: {rows}")
        write("trace_cost", result)


if __name__ == "__main__":
    main()
