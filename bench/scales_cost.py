"""What row scales cost: cells of a core with and without them, and cycles a sample.

The samples are those of the digits that follow some epochs on the golden model, learned by the
margin rule on the simulated core; with scales, factors are divided anew every 2^6 samples learned.
"""

import argparse
from dataclasses import replace

import numpy as np
from _rtl import write
from array_area import SYNTH
from rich.console import Console
from trace_cost import EPOCHS, HIDDEN, area

from tritgrad.boards.tools import TOOLS
from tritgrad.host.data.datasets import load
from tritgrad.host.device.driver import Driver, layer_table
from tritgrad.host.device.runner import RunStats
from tritgrad.host.device.session import Session
from tritgrad.host.device.transport import SimTransport
from tritgrad.model.config import CoreConfig
from tritgrad.model.fast import FastNetwork
from tritgrad.model.recipe import Recipe
from tritgrad.model.rng import epoch_order

REFRESH = 6


def learn(config: CoreConfig, samples: int) -> RunStats:
    """Learn samples; raises SystemExit if the core ends otherwise than the golden model."""
    data = load("digits")
    recipe = Recipe.default((data.inputs, HIDDEN, data.classes), data.planes,
                            scale_refresh=REFRESH if config.scales else None)
    network = FastNetwork(recipe)
    for epoch in range(EPOCHS):
        order = epoch_order(recipe.seed, epoch, len(data.x_train))
        network.train(data.x_train, data.y_train, order, recipe.gains_in(epoch))
    order = epoch_order(recipe.seed, EPOCHS, len(data.x_train))[:samples]
    gains, x, y = recipe.gains_in(EPOCHS), data.x_train[order], data.y_train[order]
    driver = Driver(Session(SimTransport(config)))
    driver.load(layer_table(recipe, gains), network.counters, network.prng.state,
                parts={"scales": network.scales})
    stats = driver.train_chunk(x, y, recipe.margin, scale_refresh=recipe.scale_refresh)
    network.train(x, y, np.arange(len(x)), gains)
    same = driver.part("scales").bytes() == network.scales.bytes() if config.scales else True
    if not same or any((a != b).any() for a, b in zip(driver.counters(), network.counters,
                                                      strict=True)):
        raise SystemExit("the core does not end as the golden model")
    driver.close()
    return stats


def main() -> None:
    """Print the figures and keep them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", metavar="N", type=int, default=1000,
                        help="samples to count (default: %(default)s)")
    options = parser.parse_args()
    config = CoreConfig.for_network((64, HIDDEN, 10), 4, lanes=8, banks=4, update_lanes=4)
    console = Console()
    result = {"lanes": config.lanes, "banks": config.banks, "update_lanes": config.update_lanes,
              "samples": options.samples, "refresh": REFRESH, "yosys": TOOLS["yosys"].version}
    for name, scales in ("off", False), ("on", True):
        core = replace(config, scales=scales)
        stats = learn(core, options.samples)
        row = {"cycles": stats.cycles / options.samples, "updates": stats.updates}
        row |= {family: area(core, family) for family in SYNTH}
        result[name] = row
        console.print(f"{name}: {row}")
        write("scales_cost", result)


if __name__ == "__main__":
    main()
