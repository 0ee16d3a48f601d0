"""An MNIST epoch on the compiled RTL, 784-128-10, 256 lanes: cycles, time, equality with the model.

Also the forward pass of dense data, for the roofline.
"""

import argparse

import numpy as np
from _rtl import dense_roofline, open_driver, timed, trained, write
from rich.console import Console
from rich.progress import track

from tritgrad.model.config import CoreConfig
from tritgrad.model.margin import state_sha256

LAYERS = (784, 128, 10)
CHUNK = 2000


def main() -> None:
    """Print the figures and keep them as JSON; fails if RTL and model differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epoch", metavar="E", type=int, default=1,
                        help="epoch to run on the RTL, from 0; the model runs those before "
                             "(default: %(default)s)")
    parser.add_argument("--samples", metavar="N", type=int, default=60000,
                        help="samples of the epoch (default: %(default)s)")
    options = parser.parse_args()
    console = Console()
    state = trained(LAYERS, options.epoch)
    config = CoreConfig.for_network(LAYERS, 1)
    roofline = dense_roofline(state.recipe, config.total_lanes)

    driver = open_driver(config, state)
    dense = np.ones((200, LAYERS[0]), np.uint8)
    *_, dense_stats = driver.infer(dense)
    dense_cycles = dense_stats.forward_cycles / len(dense)
    driver.close()

    driver = open_driver(config, state)
    x, y = state.x[:options.samples], state.y[:options.samples]
    totals = dict.fromkeys(("samples", "correct", "updates", "flips", "cycles", "forward_cycles"),
                           0)
    seconds = 0.0
    for start in track(range(0, len(x), CHUNK), f"epoch {options.epoch} on the RTL"):
        part = slice(start, start + CHUNK)
        stats, took = timed(lambda part=part: driver.train_chunk(x[part], y[part],
                                                                 state.recipe.margin))
        seconds += took
        for name in totals:
            totals[name] += getattr(stats, name)
    counters = driver.counters()
    driver.close()
    state.network.train(x, y, np.arange(len(x)), state.gains)
    equal = state_sha256(counters) == state_sha256(state.network.counters)

    result: dict[str, object] = {
        "network": LAYERS, "lanes": config.lanes, "banks": config.banks,
        "update_lanes": config.update_lanes, "epoch": options.epoch,
        "dense_roofline_cycles": roofline, "dense_forward_cycles": dense_cycles,
        "dense_roofline_fraction": roofline / dense_cycles,
        "cycles_per_sample": totals["cycles"] / totals["samples"],
        "forward_cycles_per_sample": totals["forward_cycles"] / totals["samples"],
        "seconds": round(seconds, 1), "samples_per_second": round(totals["samples"] / seconds),
        "simulated_MHz": round(totals["cycles"] / seconds / 1e6, 3),
        "state_sha256": state_sha256(counters), "equal_to_model": equal, "counts": totals,
    }
    for name, value in result.items():
        console.print(f"{name}: {value}")
    write("mnist_rtl", result)
    if not equal:
        raise SystemExit("RTL and golden model differ")


if __name__ == "__main__":
    main()
