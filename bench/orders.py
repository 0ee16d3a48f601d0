"""Test accuracy of the two orders of training, ``--order random`` and ``--order rotate``.

784-128-10 at 1 bit and b = 8 on MNIST's and Fashion-MNIST's official parts, golden model, the last
epoch's accuracy in per cent; mean, standard deviation, and the standard error of the difference.
"""

import argparse
import json
import sys
from pathlib import Path

import _mnist
import numpy as np

from tritgrad.host.data.datasets import load
from tritgrad.model.fast import FastNetwork
from tritgrad.model.recipe import Recipe
from tritgrad.model.rng import epoch_order, rotated_order

RESULT = Path(__file__).parent / "results" / "orders.json"
ORDERS = {"random": epoch_order, "rotate": rotated_order}


def accuracy(data, order: str, seed: int, epochs: int) -> tuple[float, str]:
    """Per cent after the last epoch, and the hash of the counters."""
    recipe = Recipe.default((784, 128, 10), 1, 8, epochs=epochs, seed=seed)
    net = FastNetwork(recipe)
    for epoch in range(epochs):
        net.train(data.x_train, data.y_train, ORDERS[order](seed, epoch, len(data.x_train)),
                  recipe.gains_in(epoch))
    right = np.count_nonzero(net.predict(data.x_test) == data.y_test)
    return 100 * right / len(data.y_test), net.state_sha256()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--datasets", default="mnist,fashion-mnist")
    options = parser.parse_args()
    found = []
    for name in options.datasets.split(","):
        data = load(name)
        runs = {order: [accuracy(data, order, seed, options.epochs)
                        for seed in range(1, options.seeds + 1)] for order in ORDERS}
        scores = {order: np.array([score for score, _ in runs[order]]) for order in ORDERS}
        error = float(np.sqrt(sum(s.var(ddof=1) / len(s) for s in scores.values())))
        for order, values in scores.items():
            print(f"{name:14} {order:7} {' '.join(f'{v:.2f}' for v in values)}   mean "
                  f"{values.mean():.3f}, sd {values.std(ddof=1):.3f}", flush=True)
        change = float(scores["rotate"].mean() - scores["random"].mean())
        print(f"{name:14} rotate - random {change:+.3f}, standard error {error:.3f}", flush=True)
        found.append({"dataset": name, "epochs": options.epochs, "change": change,
                      "standard_error": error, "runs": runs})
    RESULT.write_text(json.dumps({"machine": _mnist.machine(), "found": found}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
