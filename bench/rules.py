"""All learning rules side by side, on digits (64-64-10) and MNIST (784-128-10).

Each rule trains on the compiled golden model with the options of ``tritgrad train`` that the table
names. Its last state then goes to the compiled RTL, and cycles are counted while it learns on,
`SEEN` samples with the gains of the last epoch. A sample that takes part in a step of spsa or fd
counts once a step, and its cycles are those of both passes. State bits a weight are all that a core
keeps between samples: counters, and sums, scales or support beside them.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from _rtl import RESULTS, before, write

from tritgrad.host.run.options import TrainOptions
from tritgrad.host.run.training import Watcher, open_learner, start
from tritgrad.model.rng import epoch_order

DATA = {"digits": {"hidden": (64,), "epochs": 40}, "mnist": {"hidden": (128,), "epochs": 20}}
#: What `tritgrad train` is given for each rule.
RULES: dict[str, dict[str, Any]] = {
    "margin": {},
    "margin --scales": {"scales": True},
    "margin --gf3 conserve": {"gf3": "conserve"},
    "margin --prune": {"prune": {"digits": (2874, 40), "mnist": (120_000, 56)}},
    "spsa": {"rule": "spsa", "steps": {"digits": 128, "mnist": 8},
             "epochs": {"digits": 40, "mnist": 1}},
    "fd": {"rule": "fd", "steps": {"digits": 128, "mnist": 8},
           "epochs": {"digits": 40, "mnist": 1}},
    "sign": {"rule": "sign"},
    "sign --vote": {"rule": "sign", "vote": {"digits": 64, "mnist": 256}},
}
SEEN = 1016
STEPS = 2  # of spsa and fd on the RTL, where each takes the same time


def options(name: str, dataset: str, device: str, shorter: int) -> TrainOptions:
    """The options of a run."""
    chosen = {key: value[dataset] if isinstance(value, dict) else value
              for key, value in RULES[name].items()}
    plan = DATA[dataset]
    epochs = max(1, chosen.pop("epochs", plan["epochs"]) // shorter)
    if "steps" in chosen and device == "sim":
        chosen["steps"] = STEPS
    if "prune" in chosen:
        every, cutoff = chosen["prune"]
        chosen["prune"] = every // shorter, cutoff
    return TrainOptions(dataset=dataset, hidden=plan["hidden"], epochs=epochs, device=device,
                        **chosen)


def state_bits(chosen: TrainOptions, layers: tuple[int, ...]) -> float:
    """Bits that a core keeps for each weight."""
    weights = sum(a * b for a, b in zip(layers, layers[1:], strict=False))
    rows = sum(layers[1:])
    if chosen.rule == "sign":
        return 2.0
    bits = chosen.counter_bits * weights
    bits += 2 * rows if chosen.gf3 else 0
    bits += 56 * rows if chosen.scales else 0
    bits += weights / (chosen.banks * chosen.lanes) if chosen.prune else 0
    return bits / weights


def cycles(chosen: TrainOptions, data: Any, outcome: Any, learner: Any) -> float | None:
    """Cycles a sample on the RTL while the rule learns on."""
    recipe = outcome.recipe
    learner.load(outcome.state)
    order = epoch_order(recipe.seed, recipe.epochs, len(data.x_train))[:SEEN]
    found = total = 0
    gains = recipe.gains_in(recipe.epochs - 1)
    for first in range(0, len(order), learner.chunk):
        part = order[first:first + learner.chunk]
        done = learner.train(data.x_train[part], data.y_train[part], gains,
                             chosen.prune is not None)
        found, total = found + done.cycles, total + len(part)
    return found / total / (STEPS if chosen.rule in ("spsa", "fd") else 1)


def main() -> int:
    """Print the table and write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--datasets", nargs="*", default=list(DATA), choices=list(DATA))
    parser.add_argument("--rules", nargs="*", default=list(RULES), choices=list(RULES))
    parser.add_argument("--shorter", type=int, default=1, help="Divide the epochs.")
    given = parser.parse_args()
    rows: list[dict[str, Any]] = []
    print("data    rule                     test %    samples      cycles a sample  state bits",
          flush=True)
    for name in given.rules:
        for dataset in given.datasets:
            chosen = options(name, dataset, "model", given.shorter)
            data = chosen.load_data()
            recipe = chosen.recipe(data)
            with TemporaryDirectory() as folder:
                learner = open_learner(chosen, recipe, Watcher(), None, data.pixels)
                trainer = start(chosen, data, Path(folder), learner, Watcher())
                outcome = trainer.run()
                learner.close()
            test = outcome.position.epochs[-1].test_accuracy
            row = {"data": dataset, "rule": name, "layers": recipe.layers, "accuracy": test,
                   "samples": recipe.epochs * len(data.x_train) * (chosen.steps or 1),
                   "cycles_per_sample": None,
                   "state_bits": state_bits(chosen, recipe.layers),
                   "options": {key: value for key, value in asdict(chosen).items()
                               if key in ("rule", "vote", "scales", "gf3", "prune", "batch",
                                          "steps", "sparsity", "epochs", "lanes", "banks")},
                   "state_sha256": outcome.state_sha256}
            if chosen.rule != "sign":
                there = options(name, dataset, "sim", given.shorter)
                device = open_learner(there, recipe, Watcher(), None, data.pixels)
                row["cycles_per_sample"] = cycles(chosen, data, outcome, device)
                device.close()
            rows.append(row)
            spent = row["cycles_per_sample"]
            print(f"{dataset:7} {name:24} {test:6.2f}  {row['samples']:9,}  "
                  f"{'-' if spent is None else format(spent, ',.1f'):>19}  "
                  f"{row['state_bits']:10.3f}", flush=True)
    done = {(row["data"], row["rule"]) for row in rows}
    rows += [row for row in before("rules").get("rows", ())  # those that were not asked for stay
             if (row["data"], row["rule"]) not in done]
    rows.sort(key=lambda row: (list(RULES).index(row["rule"]), list(DATA).index(row["data"])))
    write("rules", {"rows": rows})
    print(f"written to {RESULTS / 'rules.json'}: {len(json.dumps(rows))} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
