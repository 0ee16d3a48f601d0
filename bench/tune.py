"""Thresholds learned on the soft shadow, measured on the RTL: digits, validation rows.

A network is trained by the golden model; its shifts are left as they are, or spoilt by two. Then
they and the margin are learned, and both networks infer on the compiled RTL. Last, both train on
for some epochs with their margins, on the RTL too.
"""

import argparse
from dataclasses import replace

from _rtl import write
from rich.console import Console

from tritgrad.host.cli.console import RunProgress
from tritgrad.host.run.learners import DeviceLearner
from tritgrad.host.run.metrics import accuracy
from tritgrad.host.run.options import TrainOptions
from tritgrad.host.run.training import open_learner
from tritgrad.model.fast import FastNetwork
from tritgrad.model.rng import epoch_order
from tritgrad.model.soft.shadow import Temperatures
from tritgrad.model.soft.thresholds import learn_thresholds
from tritgrad.model.state import NetworkState


def main() -> None:
    """Print the figures and keep them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], metavar="N",
                        help="seeds (default: 1 2 3)")
    parser.add_argument("--more", type=int, default=3, metavar="E",
                        help="epochs to train on (default: %(default)s)")
    options = parser.parse_args()
    console, rows = Console(), []
    for seed in options.seeds:
        for hidden in ((64,), (48, 24)):
            for off in (0, 2):
                rows.append(measure(seed, hidden, off, options.more))
                console.print(rows[-1])
    write("tune", {"dataset": "digits", "epochs": 10, "more": options.more, "rows": rows})


def measure(seed: int, hidden: tuple[int, ...], off: int, more: int) -> dict[str, object]:
    """One network, before and after."""
    options = TrainOptions(hidden=hidden, epochs=10, val_fraction=0.2, seed=seed)
    data = options.load_data()
    recipe = options.recipe(data)
    network = FastNetwork(recipe)
    for epoch in range(recipe.epochs):
        network.train(data.x_train, data.y_train,
                      epoch_order(seed, epoch, len(data.x_train)), recipe.gains_in(epoch))
    counters = [layer.copy() for layer in network.counters]
    old = replace(recipe, shifts=tuple(shift + off for shift in recipe.shifts))
    learned = learn_thresholds(old, counters, data.x_train, data.y_train, Temperatures())
    found: dict[str, object] = {
        "seed": seed, "hidden": hidden, "shifts": [old.shifts, learned.recipe.shifts],
        "margin": [old.margin, learned.recipe.margin]}
    for name, tuned in (("before", old), ("after", learned.recipe)):
        learner = open_learner(options, tuned, RunProgress(Console(stderr=True)), None,
                               data.pixels)
        assert isinstance(learner, DeviceLearner)
        learner.load(NetworkState(counters))
        hits = accuracy(data.y_val, learner.infer(data.x_val)[0])
        for epoch in range(recipe.epochs, recipe.epochs + more):
            order = epoch_order(seed, epoch, len(data.x_train))
            for first in range(0, len(order), learner.chunk):
                part = order[first:first + learner.chunk]
                learner.train(data.x_train[part], data.y_train[part], tuned.gains_in(epoch))
        found[name] = {"val_accuracy": round(hits, 2), "val_accuracy_after_more": round(
            accuracy(data.y_val, learner.infer(data.x_val)[0]), 2)}
        learner.close()
    return found


if __name__ == "__main__":
    main()
