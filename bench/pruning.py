"""Blending against pruning alone and a fixed support: MNIST 784-256-10, granules of 2 x 16.

All runs see the same samples in the same order. Blended is ``tritgrad train --prune``. Pruning
alone begins with the random counters, keeps as many granules after each purge, and lets none back.
A fixed support keeps as many granules of the first layer, chosen at random, from the start. Gradual
pruning, too, lets none back, but comes down from all granules to as many by the cubic schedule of
Zhu and Gupta ("To prune, or not to prune", 2017): it has the most granules while it learns.
Forward cycles are those of the array for 1,000 test images, by the model; for the dense and one
blended network all cycles are counted on the compiled RTL too. Writes a table, JSON and a plot.
"""

import argparse
import sys
from itertools import pairwise
from typing import Any

import _mnist
import numpy as np
from _rtl import RESULTS, Trained, open_driver, write
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tritgrad.host.run.learners import ModelLearner, input_order
from tritgrad.model.arithmetic import activate, forward, trits
from tritgrad.model.blending.granules import forward_cycles, support
from tritgrad.model.blending.pruning import ALL, Pruning
from tritgrad.model.config import CoreConfig
from tritgrad.model.recipe import Recipe
from tritgrad.model.rng import epoch_order

LAYERS, IMAGE = (784, 256, 10), (28, 28)
BANKS, LANES, EVERY = 2, 16, 120_000
CUTOFFS = (8, 11, 17)
MAIN = 14
PART = 60_000  # what is trained at a time
GRADUAL = 12  # purges of gradual pruning
SEEN = 1000


class Run:
    """A training run of one kind, and what became of it."""

    def __init__(self, kind: str, cutoff: int, seed: int, epochs: int):
        self.kind, self.cutoff, self.seed, self.epochs = kind, cutoff, seed, epochs
        self.prune = Pruning(EVERY, cutoff, BANKS, LANES)
        self.recipe = Recipe.default(LAYERS, 1, epochs=epochs, seed=seed, prune=self.prune)
        self.learner = ModelLearner(self.recipe, IMAGE)
        self.learner.start()
        self.left: list[int] = []  # granules of layer 1 after each purge
        self.births = self.deaths = 0

    def train(self, x: np.ndarray, y: np.ndarray, goals: list[int]) -> None:
        """`goals` are the granules that blended left at each purge, for the other kinds."""
        rows = len(x)
        if self.kind == "blended":
            self.learner.act("purge", [1], 0, ALL)
        if self.kind == "fixed":
            self._choose(goals[-1], x)
        for epoch in range(self.epochs):
            order, gains = epoch_order(self.seed, epoch, rows), self.recipe.gains_in(epoch)
            for start, stop in pairwise(range(0, rows + 1, PART)):
                part, seen = order[start:stop], epoch * rows + stop
                rest = self.kind != "dense" and (
                    self.kind != "blended" or self.prune.rests(seen - PART, rows * self.epochs))
                before = self.inside
                self.learner.train(x[part], y[part], gains, rest)
                self.births += self.inside - before
                self._purge(seen, rows * self.epochs, goals)

    def _purge(self, seen: int, whole: int, goals: list[int]) -> None:
        """What is due after `seen` of the run's samples."""
        cutoff, before = self.prune.cutoff_after(seen, whole), self.inside
        if self.kind == "blended" and cutoff is not None:
            self.learner.act("purge", [1], cutoff, self.prune.small(8))
            self.left.append(self.inside)
        elif self.kind == "pruned" and cutoff is not None:
            self._purge_to(goals[len(self.left)], 0)
        elif self.kind == "gradual" and len(self.left) < GRADUAL:
            all_, last = self.learner.golden.network.support[0].size, goals[-1]
            to_go = (1 - (len(self.left) + 1) / GRADUAL) ** 3
            self._purge_to(int(last + (all_ - last) * to_go), self.prune.small(8))
        self.deaths += before - self.inside

    def _purge_to(self, granules: int, small: int) -> None:
        """Clear small counters, then the granules with the fewest trits but for so many."""
        if small:
            self.learner.act("purge", [1], 0, small)
        alive = self._alive().ravel()
        ties = np.random.default_rng(self.seed + len(self.left)).permutation(alive.size)
        self._keep(ties[np.argsort(-alive[ties], kind="stable")][:granules])
        self.left.append(self.inside)

    def _keep(self, granules: np.ndarray) -> None:
        """Clear all but the granules of these numbers."""
        network = self.learner.golden.network
        counters, shape = network.counters, network.support[0].shape
        kept = np.isin(np.arange(network.support[0].size), granules).reshape(shape)
        mask = np.repeat(np.repeat(kept, BANKS, 0), LANES, 1)
        counters[0] = np.where(mask, counters[0], 0).astype(np.int16)
        network.load(counters, network.prng.state)

    @property
    def inside(self) -> int:
        """Granules of layer 1 inside the support."""
        return int(self.learner.golden.network.support[0].sum())

    def _alive(self) -> np.ndarray:
        """Trits that are not 0 in each granule of layer 1."""
        found = trits(self.learner.golden.network.counters[0], 8) != 0
        return found.reshape(LAYERS[1] // BANKS, BANKS, -1, LANES).sum(axis=(1, 3))

    def _seen_words(self, x: np.ndarray) -> np.ndarray:
        """How often each word of inputs is not zero."""
        ordered = x[:, input_order(self.recipe, IMAGE, LANES)]
        return ordered.reshape(len(x), -1, LANES).any(axis=2).mean(axis=0)

    def _choose(self, granules: int, x: np.ndarray) -> None:
        """Clear all granules but some, of words that are not zero in one image of twenty."""
        rng, bits = np.random.default_rng(self.seed), self.learner.golden.network.support[0]
        used = np.flatnonzero(np.broadcast_to(self._seen_words(x) > 0.05, bits.shape))
        self._keep(rng.choice(used, min(granules, len(used)), replace=False))

    def result(self, x: np.ndarray, y: np.ndarray) -> dict[str, Any]:
        """Accuracy and what a forward pass costs."""
        network = self.learner.golden.network
        predictions = self.learner.infer(x)[0]
        weights = [trits(c, 8) for c in network.counters]
        inside = [support(w, BANKS, LANES) if self.kind != "dense" else
                  np.ones_like(support(w, BANKS, LANES)) for w in weights]
        order, cycles = input_order(self.recipe, IMAGE, LANES), []
        for row in x[:SEEN, order].astype(np.int64):
            h, _ = activate(forward(weights[0], row), self.recipe.shifts[0], 4)
            cycles.append(forward_cycles(inside[0], row, 1, LANES)
                          + forward_cycles(inside[1], h, 4, LANES))
        return {"kind": self.kind, "cutoff": self.cutoff, "seed": self.seed,
                "accuracy": 100 * float(np.mean(predictions == y)),
                "array_cycles": float(np.mean(cycles)),
                "inside": [int(bits.sum()) for bits in inside],
                "granules": [int(bits.size) for bits in inside],
                "zero_trits": sum(int((w == 0).sum()) for w in weights)
                / sum(w.size for w in weights),
                "births": self.births, "deaths": self.deaths}

    def on_rtl(self, test_x: np.ndarray, x: np.ndarray, y: np.ndarray) -> dict[str, float]:
        """Cycles a sample: of forward passes over test images, of all when learning goes on."""
        config = CoreConfig.for_network(LAYERS, 1, lanes=LANES, banks=BANKS, update_lanes=LANES,
                                        support=self.kind != "dense")
        state = self.learner.state()
        network = self.learner.golden.network
        trained = Trained(self.recipe, network, x, y, self.recipe.gains_in(self.epochs - 1))
        driver = open_driver(config, trained)
        driver.restore(state)
        seen = driver.infer(test_x[:SEEN])[2]
        done = driver.train_chunk(x[:SEEN], y[:SEEN], self.recipe.margin,
                                  rest=self.kind != "dense")
        driver.close()
        return {"forward": seen.forward_cycles / SEEN, "infer": seen.cycles / SEEN,
                "train": done.cycles / SEEN}


def plot(rows: list[dict[str, Any]]) -> None:
    """Accuracy over granules inside, and over cycles of the array."""
    figure = Figure(figsize=(10.4, 4.6), layout="constrained")
    by_size, by_cycles = figure.subplots(1, 2, sharey=True)
    names = {"blended": "blended (--prune)", "pruned": "pruning alone", "fixed": "fixed support",
             "gradual": "gradual pruning"}
    mine = [row for row in rows if row["seed"] == 1]
    dense = next(row for row in mine if row["kind"] == "dense")
    for axes, measure, name in (
            (by_size, lambda row: sum(row["inside"]), "granules inside at the end"),
            (by_cycles, lambda row: row["array_cycles"],
             f"cycles of the array a test image ({BANKS} banks of {LANES} lanes)")):
        for (kind, label), colour in zip(names.items(), ("#2563a8", "#d9730d", "#8a9099",
                                                         "#a05ab4"), strict=True):
            points = sorted((measure(row), row["accuracy"]) for row in mine if row["kind"] == kind)
            axes.plot(*zip(*points, strict=True), "o-", color=colour, label=label, markersize=4)
        axes.axhline(dense["accuracy"], color="#3d8b40", linewidth=1, label="dense")
        axes.axhline(dense["accuracy"] - 0.5, color="#3d8b40", linestyle=":", linewidth=1,
                     label="dense less 0.5 points")
        axes.set_xlabel(name)
        axes.grid(alpha=0.25)
    by_cycles.axvline(dense["array_cycles"] / 2, color="#3d8b40", linestyle="--", linewidth=1,
                      label="half of the dense network's cycles")
    by_cycles.legend(loc="lower right", fontsize=8)
    by_size.set_ylabel("test accuracy, %")
    figure.suptitle("MNIST 784-256-10, seed 1", fontsize=11)
    FigureCanvasAgg(figure).print_png(RESULTS.parent.parent / "docs" / "images" / "pruning.png")


def main() -> int:
    """Print the table, write JSON and plot."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    x, y = _mnist.load("train", 1)
    test_x, test_y = _mnist.load("t10k", 1)
    y = y.astype(np.int64)
    rows: list[dict[str, Any]] = []
    print("kind     cutoff  seed  accuracy %  array cycles  granules inside  trits 0  "
          "births  deaths", flush=True)

    def show(run: Run) -> None:
        row = run.result(test_x, test_y)
        rows.append(row)
        print(f"{row['kind']:8} {row['cutoff']:6}  {row['seed']:4}  {row['accuracy']:10.2f}  "
              f"{row['array_cycles']:12.1f}  {sum(row['inside']):6} of {sum(row['granules']):6}  "
              f"{row['zero_trits']:7.1%}  {row['births']:6}  {row['deaths']:6}", flush=True)

    cycles = {}
    for seed in range(1, options.seeds + 1):
        for cutoff in (MAIN, *(CUTOFFS if seed == 1 else ())):
            kinds = ["blended", "pruned", "fixed", "gradual"]
            goals: list[int] = []
            if cutoff == MAIN:
                kinds.insert(0, "dense")
            for kind in kinds:
                run = Run(kind, cutoff, seed, options.epochs)
                run.train(x, y, goals)
                show(run)
                if kind == "blended":
                    goals = run.left
                if seed == 1 and cutoff == MAIN and kind in ("dense", "blended"):
                    cycles[kind] = run.on_rtl(test_x, x, y)
                    print(f"         on the RTL: {cycles[kind]}", flush=True)
    write("pruning", {"layers": LAYERS, "epochs": options.epochs, "banks": BANKS, "lanes": LANES,
                      "every": EVERY, "rows": rows, "rtl": cycles})
    plot(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
