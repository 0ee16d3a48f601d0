"""What a turned bit does to accuracy: digits, 64-128-10, on the compiled golden model.

A bit of T, of R, or of a gain or a shift in the layer table turns in the middle of a chunk of the
run. The last two stay until the table is written again: at the end of the run as it was, or with
the next chunk as it is. Beside them the spread that the PRNG alone makes.
"""

import argparse
import random
from dataclasses import replace

import numpy as np
from _rtl import write
from sklearn.datasets import load_digits

from tritgrad.errors import TritgradError
from tritgrad.model.fast import FastNetwork
from tritgrad.model.recipe import Recipe
from tritgrad.model.rng import epoch_order, initial_counters, initial_prng

LAYERS, EPOCHS, ROWS, CHUNK = (64, 128, 10), 12, 1297, 100
CASES = ("none", "T", "R", "table, to the end", "table, to the next chunk")


def data() -> tuple[np.ndarray, np.ndarray]:
    """Digits in an order of their own."""
    digits = load_digits()
    order = np.random.default_rng(3).permutation(len(digits.target))
    return (np.minimum(digits.data, 15).astype(np.uint8)[order],
            digits.target[order].astype(np.int64))


def turned(recipe: Recipe, rng: random.Random) -> Recipe:
    """The recipe with a bit of a gain or a shift turned; drawn again if no table has that."""
    while True:
        gains, shifts = list(recipe.gains), list(recipe.shifts)
        place, bit = rng.randrange(len(gains) + len(shifts)), 1 << rng.randrange(5)
        if place < len(gains):
            gains[place] = ((gains[place] ^ bit) + 16) % 32 - 16
        else:
            shifts[place - len(gains)] ^= bit
        try:
            return replace(recipe, gains=tuple(gains), shifts=tuple(shifts))
        except TritgradError:
            continue


def accuracy(case: str, seed: int, x: np.ndarray, y: np.ndarray) -> float:
    """Percent right of unseen digits, after a run with an upset of a kind."""
    recipe = Recipe.default(LAYERS, 4, epochs=EPOCHS, seed=1)
    rng = random.Random(seed)
    counters = initial_counters(recipe.layers, recipe.counter_bits, 1)
    prng = initial_prng(recipe.layers, 1 if case != "none" else 1 + seed).state
    chunks = [(epoch, first) for epoch in range(EPOCHS) for first in range(0, ROWS, CHUNK)]
    at = rng.randrange(len(chunks))
    used = recipe
    network = FastNetwork(used)
    network.load(counters, prng)
    for number, (epoch, first) in enumerate(chunks):
        order = epoch_order(recipe.seed, epoch, ROWS)[first:first + CHUNK]
        if number == at and case.startswith("table"):
            used = turned(recipe, rng)
        elif number == at + 1 and case.endswith("next chunk"):
            used = recipe
        if used is not network.recipe:
            kept, state = network.counters, network.prng.state
            network = FastNetwork(used)
            network.load(kept, state)
        network.train(x[:ROWS], y[:ROWS], order, used.gains_in(epoch))
        if number == at and case in ("T", "R"):
            kept, bits = network.counters, recipe.counter_bits
            weights = [c.size for c in kept]
            layer = rng.choices(range(len(kept)), weights)[0]
            row, column = (rng.randrange(size) for size in kept[layer].shape)
            bit = rng.randrange(bits - 2, bits) if case == "T" else rng.randrange(bits - 2)
            kept[layer][row, column] = ((int(kept[layer][row, column]) & (1 << bits) - 1)
                                        ^ 1 << bit)
            kept[layer][row, column] -= (1 << bits) * (kept[layer][row, column] >> (bits - 1))
            network.load(kept, network.prng.state)
    if used is not recipe:
        kept, state = network.counters, network.prng.state
        network = FastNetwork(used)
        network.load(kept, state)
    right = np.argmax(network.scores(x[ROWS:]), axis=1) == y[ROWS:]
    return 100 * float(right.mean())


def main() -> None:
    """Print the quantiles of each case and keep them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=40, metavar="N", help="of each case")
    options = parser.parse_args()
    x, y = data()
    result: dict[str, object] = {"layers": LAYERS, "epochs": EPOCHS, "runs": options.runs}
    for case in CASES:
        found = sorted(accuracy(case, seed, x, y) for seed in range(options.runs))
        result[case] = {"mean": round(float(np.mean(found)), 2), "least": round(found[0], 2),
                        "tenth": round(found[len(found) // 10], 2),
                        "median": round(found[len(found) // 2], 2)}
        print(case, result[case], flush=True)
    write("upset_harm", result)


if __name__ == "__main__":
    main()
