"""Training speed of the golden model on MNIST 784-128-10, one plane, one core."""

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import _mnist
import numpy as np

from tritgrad.model.fast import FastNetwork
from tritgrad.model.margin import MarginNetwork
from tritgrad.model.recipe import Recipe
from tritgrad.model.rng import epoch_order, shift_offsets

RESULT = Path(__file__).parent / "results" / "model_speed.json"


def rate(samples: int, work: Callable[[], object]) -> float:
    """Samples a second of wall time."""
    began = time.perf_counter()
    work()
    return samples / (time.perf_counter() - began)


def main() -> None:
    """Print the speeds and write them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", metavar="N", type=int, default=20,
                        help="epochs to train with the compiled model (default: %(default)s)")
    parser.add_argument("--output", metavar="FILE", type=Path, default=RESULT,
                        help="JSON file to write (default: %(default)s)")
    options = parser.parse_args()
    machine = _mnist.machine()
    x, y = _mnist.load("train", 1)
    n = len(x)
    recipe = Recipe.default((784, 128, 10), 1, epochs=options.epochs)
    warm = FastNetwork(recipe)
    began = time.perf_counter()
    warm.train(x, y, np.arange(100), recipe.gains_in(0))
    warm.scores(x[:100])
    results: dict[str, float] = {"compile or load, s": round(time.perf_counter() - began, 2)}

    for name, augment in (("compiled", 0), ("compiled, shifted images", 1)):
        net = FastNetwork(recipe)
        rates = []
        for epoch in range(recipe.epochs):
            order, gains = epoch_order(1, epoch, n), recipe.gains_in(epoch)
            offsets = shift_offsets(1, epoch, n, augment) if augment else None
            rates.append(rate(n, partial(net.train, x, y, order, gains, offsets=offsets,
                                         columns=28)))
        results[f"{name}: training samples/s, first epoch"] = round(rates[0])
        results[f"{name}: training samples/s, run"] = round(len(rates) / sum(1 / r for r in rates))
        results[f"{name}: training samples/s, fastest epoch"] = round(max(rates))
    results["compiled: samples/s, evaluation"] = round(rate(n, lambda: net.scores(x)))

    slow = MarginNetwork(recipe)
    order, gains = epoch_order(1, 0, n)[:500], recipe.gains_in(0)
    results["reference: training samples/s"] = round(rate(len(order), lambda: [
        slow.train_sample(x[i], int(y[i]), gains) for i in order]))

    for name, value in results.items():
        print(f"{value:>10}  {name}")
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps({"machine": machine, "network": recipe.layers,
                                          "results": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
