"""Row sums mod 3 and updates that conserve them: accuracy, cycles and cells.

Accuracy on digits, 64-128-10, of the compiled golden model; cycles a sample of that network's last
epoch on the compiled core, and of a scrub of all its rows; cells of an iCE40 core of 8 lanes, one
bank, as Yosys maps it.
"""

import argparse
import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from _rtl import write
from amaranth.back import rtlil

from tritgrad.boards.tools import run_tool
from tritgrad.host.data.datasets import load
from tritgrad.host.device.driver import Driver, layer_table
from tritgrad.host.device.session import Session
from tritgrad.host.device.transport import SimTransport
from tritgrad.hw.core import Core
from tritgrad.model.config import CoreConfig
from tritgrad.model.fast import FastNetwork
from tritgrad.model.recipe import Recipe
from tritgrad.model.rng import epoch_order

MODES: dict[str, dict[str, bool]] = {
    "without": {}, "check": {"row_sums": True}, "conserve": {"row_sums": True, "conserve": True}}
SMALL = CoreConfig(lanes=8, banks=1, update_lanes=8, trit_depth=16384, residual_depth=16384,
                   single_port=True)


def learn(data, seed: int, epochs: int, mode: str) -> tuple[dict[str, Any], FastNetwork]:
    """One run; the network is that before its last epoch."""
    recipe = Recipe.default((data.inputs, 128, data.classes), data.planes, epochs=epochs, seed=seed,
                            conserve=mode == "conserve")
    network, before, flips = FastNetwork(recipe), FastNetwork(recipe), 0
    for epoch in range(epochs):
        before.load(network.counters, network.prng.state)
        order = epoch_order(seed, epoch, len(data.x_train))
        flips += network.train(data.x_train, data.y_train, order, recipe.gains_in(epoch)).flips
    right = network.predict(data.x_test) == data.y_test
    return {"seed": seed, "mode": mode, "accuracy": 100 * float(np.mean(right)),
            "flips": flips, "state_sha256": network.state_sha256()}, before


def cycles(data, network: FastNetwork, mode: str) -> dict[str, float]:
    """Of a sample in the last epoch, and of a scrub."""
    recipe = network.recipe
    gains = recipe.gains_in(recipe.epochs - 1)
    core = CoreConfig.for_network(recipe.layers, recipe.planes)
    driver = Driver(Session(SimTransport(replace(core, **MODES[mode]))))
    driver.load(layer_table(recipe, gains), network.counters, network.prng.state)
    order = epoch_order(recipe.seed, recipe.epochs - 1, len(data.x_train))
    done = driver.train_chunk(data.x_train[order], data.y_train[order], recipe.margin)
    found = {"cycles": done.cycles / done.samples}
    if mode != "without":
        driver.act("scrub")
        found["scrub"] = driver.status()["cycles"]
    driver.close()
    return found


def cells(mode: str) -> dict[str, int]:
    """Of an iCE40 core."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        folder = Path(name)
        core = Core(replace(SMALL, **MODES[mode]))
        (folder / "top.il").write_text(rtlil.convert(core, name="top", emit_src=False))
        script = ("read_rtlil top.il; synth_ice40 -device u -top top; "
                  "tee -q -o stat.json stat -json")
        run_tool("yosys", ["-q", "-p", script], folder, "yosys.log")
        counts = json.loads((folder / "stat.json").read_text())["design"]["num_cells_by_type"]
    return {"lut4": counts["SB_LUT4"], "carry": counts["SB_CARRY"],
            "registers": sum(n for kind, n in counts.items() if kind.startswith("SB_DFF")),
            "block_ram": counts.get("SB_RAM40_4K", 0)}


def main() -> int:
    """Print the tables and write them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--accuracy-only", action="store_true",
                        help="no cycles and no cells, which take compilers some minutes")
    options = parser.parse_args()
    data, rows, costs = load("digits"), [], {}
    for mode in MODES:
        for seed in range(1, options.seeds + 1):
            row, before = learn(data, seed, options.epochs, mode)
            rows.append(row)
            print(f"{mode:9} seed {seed}: {row['accuracy']:.2f} %, {row['flips']:,} flips",
                  flush=True)
            if seed == 1 and not options.accuracy_only:
                costs[mode] = cycles(data, before, mode) | cells(mode)
                print(f"{mode:9} {costs[mode]}", flush=True)
    write("row_sums", {"epochs": options.epochs, "rows": rows, "costs": costs})
    return 0


if __name__ == "__main__":
    sys.exit(main())
