"""Measures the fences anew: hash, LUT4 and cycles of the cores in ``tests/hw/fences.json``.

What moved since the committed numbers is printed. A core whose hash is as it was keeps its numbers.
LUT4 are of `synth_ice40`, or of the board's committed report; cycles are those of random samples
on the compiled core, or of MNIST in ``bench/results/board_cycles.json``.
"""

import argparse
import json
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
from _rtl import RESULTS
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from trace_cost import area

from tritgrad.boards import BOARDS
from tritgrad.boards.report import last_report
from tritgrad.boards.tools import TOOLS
from tritgrad.host.device.driver import Driver
from tritgrad.host.device.session import Session
from tritgrad.host.device.transport import SimTransport
from tritgrad.model.config import CoreConfig
from tritgrad.model.layout import Layer

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.hw.fences import FENCES, core_config, fences, rtlil_sha256

SAMPLES = 60
MARGIN = 20


def cycles(config: CoreConfig) -> float:
    """Cycles a sample of random samples, of a network that the smallest of the cores holds."""
    rng = np.random.default_rng(1)
    inputs, hidden, classes, planes = 20, 10, 5, config.input_planes
    layers = [Layer(inputs, hidden, planes, 2, 0),
              Layer(hidden, classes, config.activation_bits, 0, 0)]
    half = 1 << (config.counter_bits - 1)
    counters = [rng.integers(-half, half, (layer.outputs, layer.inputs)) for layer in layers]
    x = rng.integers(0, 1 << planes, (SAMPLES, inputs), dtype=np.uint8)
    x *= rng.random(x.shape) < 0.3
    driver = Driver(Session(SimTransport(config)))
    try:
        driver.load(layers, counters, prng_state=1)
        if not config.trainable:
            return driver.infer(x)[2].cycles / SAMPLES
        return driver.train_chunk(x, rng.integers(0, classes, SAMPLES), MARGIN).cycles / SAMPLES
    finally:
        driver.close()


def measured(name: str, fence: dict[str, object]) -> dict[str, object]:
    """The numbers of a core; those that are there if its hash is the same."""
    config = core_config(name, fence)
    found = {**({"config": fence["config"]} if "config" in fence else {}),
             "rtlil_sha256": rtlil_sha256(config), "amaranth": version("amaranth")}
    if name in BOARDS:
        report = last_report(BOARDS[name])
        network = "-".join(map(str, BOARDS[name].networks[0]))
        rows = json.loads((RESULTS / "board_cycles.json").read_text())["boards"]
        found |= {"lut4": report.resources["lut4"].used,
                  "cycles_per_sample": rows[f"{name} {network}"]["cycles_per_sample"]}
    elif found["rtlil_sha256"] == fence.get("rtlil_sha256"):
        found |= {key: fence[key] for key in ("lut4", "cycles_per_sample")}
    else:
        found |= {"lut4": area(config, "ice40")["LUT4"], "cycles_per_sample": cycles(config)}
    return found


def main() -> None:
    """Print what moved and rewrite the file."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    before, after = fences(), {}
    with Progress(transient=True) as progress:
        for name, fence in progress.track(before.items(), description="cores"):
            after[name] = measured(name, fence)
    table = Table("core", "LUT4", "before", "cycles a sample", "before", "same hash")
    for name, new in after.items():
        old = before[name]
        table.add_row(name, str(new["lut4"]), str(old.get("lut4")),
                      f"{new['cycles_per_sample']:.1f}", str(old.get("cycles_per_sample")),
                      "yes" if new["rtlil_sha256"] == old.get("rtlil_sha256") else "no")
    Console().print(table)
    text = json.dumps({"yosys": TOOLS["yosys"].version, "cores": after}, indent=1)
    FENCES.write_text(text + "\n")


if __name__ == "__main__":
    main()
