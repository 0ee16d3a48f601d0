"""Group scales on MNIST, 784-128-10: the margin rule with and without, from the same seeds.

Once trits learn too, and once they stand still (gain exponents of -15), as in the source; then for
three epochs. ``--epochs`` and ``--seeds`` make it shorter. The accuracy is that of the last epoch
on the official test set, in percent.
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

LAYERS = (784, 128, 10)
REFRESH = 6
#: Gain exponents with which a trit practically never flips.
STILL = (-15, -15)
STILL_EPOCHS = 3


def train(seed: int, epochs: int, refresh: int | None, still: bool) -> dict[str, Any]:
    """One run: accuracy, steps, and what the scales of its rows are."""
    x, y = _mnist.load("train", 1)
    test_x, test_y = _mnist.load("t10k", 1)
    recipe = Recipe.default(LAYERS, 1, epochs=epochs, seed=seed, scale_refresh=refresh)
    net, updates, flips, farthest = FastNetwork(recipe), 0, 0, 0.0
    for epoch in range(epochs):
        order = epoch_order(seed, epoch, len(x))
        for start in range(0, len(x), 1000):
            done = net.train(x, y, order, STILL if still else recipe.gains_in(epoch), start=start,
                             stop=start + 1000)
            updates, flips = updates + done.updates, flips + done.flips
            if net.scales is not None:
                farthest = max(farthest, float(net.scales.distance(LAYERS[:-1])))
    found: dict[str, Any] = {"seed": seed, "refresh": refresh, "still": still,
                             "updates": updates, "flips": flips,
                             "accuracy": 100 * float(np.mean(net.predict(test_x) == test_y)),
                             "state_sha256": net.state_sha256()}
    if net.scales is not None:
        exact = [float(s) for layer in net.scales.exact(LAYERS[:-1]) for s in layer]
        applied = [float(s) for layer in net.scales.applied() for s in layer]
        found |= {"exact": [min(exact), max(exact)], "applied": [min(applied), max(applied)],
                  "distance": float(net.scales.distance(LAYERS[:-1])),
                  "largest_distance": farthest}
    return found


def main() -> int:
    """Print the table and write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    rows = []
    print("seed  trits  scales  accuracy %  updates       flips   exact S              "
          "applied S       distance at the end, ever", flush=True)
    for still, seed, refresh in product((False, True), range(1, options.seeds + 1),
                                        (None, REFRESH)):
        row = train(seed, STILL_EPOCHS if still else options.epochs, refresh, still)
        rows.append(row)
        text = ""
        if refresh is not None:
            text = (f"{row['exact'][0]:.6f} {row['exact'][1]:.6f}  "
                    f"{row['applied'][0]:.4f} {row['applied'][1]:.4f}   "
                    f"{row['distance']:.6f} {row['largest_distance']:.6f}")
        print(f"{seed:4}  {'still' if still else 'learn'}  "
              f"{'no' if refresh is None else 'yes':6}  {row['accuracy']:10.2f}  "
              f"{row['updates']:7,}  {row['flips']:10,}   {text}", flush=True)
    write("scales", {"layers": LAYERS, "epochs": options.epochs, "rows": rows})
    return 0


if __name__ == "__main__":
    sys.exit(main())
