"""The identity term on MNIST, 784-128-128-128-10 at 1 bit: no skip, and skips of several S.

All runs of a seed see the same samples in the same order, from the same counters. ``--epochs`` and
``--seeds`` make it shorter or longer. The accuracy is that of the last epoch on the official test
set, in percent.
"""

import argparse
import sys
from itertools import product
from typing import Any

import _mnist
import numpy as np
from _rtl import write

from tritgrad.model.fast import FastNetwork
from tritgrad.model.recipe import Recipe
from tritgrad.model.rng import epoch_order

LAYERS = (784, 128, 128, 128, 10)
SKIPS = (None, 0, 1, 2, 3)


def train(seed: int, epochs: int, skip: int | None) -> dict[str, Any]:
    """One run: accuracy, samples that violated the margin, flips."""
    x, y = _mnist.load("train", 1)
    test_x, test_y = _mnist.load("t10k", 1)
    net = FastNetwork(Recipe.default(LAYERS, 1, epochs=epochs, seed=seed, skip=skip))
    updates = flips = 0
    for epoch in range(epochs):
        done = net.train(x, y, epoch_order(seed, epoch, len(x)), net.recipe.gains_in(epoch))
        updates, flips = updates + done.updates, flips + done.flips
    return {"seed": seed, "skip": skip, "updates": updates, "flips": flips,
            "accuracy": 100 * float(np.mean(net.predict(test_x) == test_y)),
            "state_sha256": net.state_sha256()}


def main() -> int:
    """Print the table and write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    rows = []
    print("seed  S     accuracy %  updates       flips", flush=True)
    for seed, skip in product(range(1, options.seeds + 1), SKIPS):
        row = train(seed, options.epochs, skip)
        rows.append(row)
        print(f"{seed:4}  {'none' if skip is None else skip:4}  {row['accuracy']:10.2f}  "
              f"{row['updates']:7,}  {row['flips']:10,}", flush=True)
    write("skip", {"layers": LAYERS, "epochs": options.epochs, "rows": rows})
    return 0


if __name__ == "__main__":
    sys.exit(main())
