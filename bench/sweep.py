"""Cycles of a training sample over lanes, banks and update lanes: MNIST 784-128-10 on the RTL.

Starts from the golden model's state after one epoch, so that the cycles are those of the second.
"""

import argparse
from dataclasses import asdict

from _rtl import dense_roofline, open_driver, trained, write
from rich.console import Console
from rich.table import Table

from tritgrad.model.config import CoreConfig

#: Lanes, banks, update lanes. The first block has 256 lanes in all.
SHAPES = ((8, 32, 8), (16, 16, 16), (32, 8, 32), (64, 4, 64),
          (16, 16, 8), (16, 16, 4), (32, 8, 16),
          (18, 14, 18), (36, 7, 36), (18, 6, 18), (8, 1, 8))


def main() -> None:
    """Print the table and keep it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", metavar="N", type=int, default=2000,
                        help="training samples a shape (default: %(default)s)")
    options = parser.parse_args()
    console = Console()
    state = trained((784, 128, 10), 1)
    table = Table("L", "R", "U", "lanes", "dense forward roofline", "forward", "whole sample")
    rows = []
    for lanes, banks, update_lanes in SHAPES:
        console.print(f"{lanes} x {banks}, U = {update_lanes}", style="dim")
        config = CoreConfig.for_network(state.recipe.layers, 1, lanes=lanes, banks=banks,
                                        update_lanes=update_lanes)
        driver = open_driver(config, state)
        stats = driver.train_chunk(state.x[:options.samples], state.y[:options.samples],
                                   state.recipe.margin)
        driver.close()
        roofline = dense_roofline(state.recipe, config.total_lanes)
        row = {"lanes": lanes, "banks": banks, "update_lanes": update_lanes,
               "total_lanes": config.total_lanes, "dense_roofline": roofline,
               "forward_cycles": stats.forward_cycles / stats.samples,
               "cycles_per_sample": stats.cycles / stats.samples, "counts": asdict(stats)}
        rows.append(row)
        table.add_row(*(str(row[name]) for name in ("lanes", "banks", "update_lanes",
                                                    "total_lanes")),
                      *(f"{row[name]:.1f}" for name in ("dense_roofline", "forward_cycles",
                                                        "cycles_per_sample")))
    console.print(table)
    write("sweep", {"samples": options.samples, "network": state.recipe.layers, "rows": rows})


if __name__ == "__main__":
    main()
