"""Reproduce the accuracy table of the margin rule on MNIST, digit for digit.

Each row is trained from several seeds with the compiled golden model. The accuracy is that of the
last epoch on the official test set, in percent. ``--rows 1,3`` runs some rows only.
"""

import argparse
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import _mnist
import numpy as np

from tritgrad.model.fast import FastNetwork
from tritgrad.model.recipe import Recipe
from tritgrad.model.rng import epoch_order, shift_offsets

RESULT = Path(__file__).parent / "results" / "learning_table.json"


@dataclass(frozen=True)
class Row:
    """A row of the table: what was trained, and the percentages of seeds 1, 2, ..."""

    planes: int
    counter_bits: int
    hidden: tuple[int, ...]
    augment: int
    epochs: int
    expected: tuple[str, ...]


ROWS = (
    Row(1, 8, (64,), 0, 20, ("96.42", "96.32", "96.05")),
    Row(1, 8, (128,), 0, 20, ("97.00", "96.94", "97.10")),
    Row(1, 8, (128,), 1, 20, ("97.15", "97.07", "96.94")),
    Row(2, 8, (128,), 1, 20, ("97.06", "97.48", "97.13")),
    Row(1, 8, (256,), 1, 20, ("97.86", "97.78", "97.63")),
    Row(2, 8, (256,), 1, 20, ("97.97", "97.69", "97.74")),
    Row(1, 8, (128, 64), 1, 20, ("97.05", "97.05", "96.95")),
    Row(1, 8, (512,), 1, 25, ("98.26", "97.87")),
    Row(2, 8, (512,), 1, 25, ("98.21", "98.33")),
    Row(2, 10, (384,), 1, 25, ("98.50", "98.48")),
    Row(2, 10, (512,), 1, 25, ("98.49", "98.56")),
)


def accuracy(row: Row, seed: int) -> tuple[str, str]:
    """Test accuracy in percent after the last epoch, and the hash of the counters."""
    x, y = _mnist.load("train", row.planes)
    test_x, test_y = _mnist.load("t10k", row.planes)
    recipe = Recipe.default((784, *row.hidden, 10), row.planes, row.counter_bits,
                            epochs=row.epochs, seed=seed)
    net = FastNetwork(recipe)
    for epoch in range(row.epochs):
        net.train(x, y, epoch_order(seed, epoch, len(x)), recipe.gains_in(epoch),
                  offsets=shift_offsets(seed, epoch, len(x), row.augment), columns=28)
    correct = int(np.count_nonzero(net.predict(test_x) == test_y))
    return f"{100 * correct / len(test_y):.2f}", net.state_sha256()


def run(number: int, row: Row) -> dict[str, Any]:
    """Train one row from all its seeds and print it."""
    began = time.perf_counter()
    found = [accuracy(row, seed) for seed in range(1, len(row.expected) + 1)]
    measured = [percent for percent, _ in found]
    match = measured == list(row.expected)
    hidden = ",".join(map(str, row.hidden))
    print(f"{number:3}  {row.planes:6}  {row.counter_bits:2}  {hidden:>7}  {row.augment:3}  "
          f"{row.epochs:6}  {', '.join(measured):20}  {', '.join(row.expected):20}  "
          f"{'yes' if match else 'NO'}", flush=True)
    return {"planes": row.planes, "counter_bits": row.counter_bits, "hidden": row.hidden,
            "augment": row.augment, "epochs": row.epochs, "measured": measured,
            "expected": row.expected, "match": match, "state_sha256": [h for _, h in found],
            "seconds": round(time.perf_counter() - began, 1)}


def main() -> int:
    """Print the table and write it as JSON; 1 if a digit differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", metavar="LIST", default=",".join(map(str, range(1, 12))),
                        help="rows to run, from 1, with commas between (default: all)")
    parser.add_argument("--output", metavar="FILE", type=Path, default=RESULT,
                        help="JSON file to write (default: %(default)s)")
    options = parser.parse_args()
    numbers = [int(n) for n in options.rows.split(",")]
    if not all(1 <= n <= len(ROWS) for n in numbers):
        parser.error(f"rows must be from 1 to {len(ROWS)}, not {options.rows!r}")
    print("row  planes   b   hidden  aug  epochs  measured %            expected %            "
          "match", flush=True)
    rows = [run(n, ROWS[n - 1]) for n in numbers]
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps({"machine": _mnist.machine(), "rows": rows}, indent=1)
                              + "\n")
    return 0 if all(row["match"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
