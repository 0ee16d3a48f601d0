"""37 real data sets with ``--encode auto`` and nothing else, beside scikit-learn's classifiers.

What `tritgrad train --device model --dataset SET.npz --seed N` ends with, for splits and seeds 1
to 3; a multilayer perceptron of 128 hidden neurons, logistic regression and a random forest on the
same rows, standardised. ``--sets`` and ``--seeds`` make it shorter. Test rows decide nothing.
"""

import argparse
import json
import sys
import tempfile
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from _tables import SETS, Missing, Split, split

from tritgrad.host.run.auto import choose
from tritgrad.host.run.options import TrainOptions
from tritgrad.model.fast import FastNetwork
from tritgrad.model.rng import epoch_order

#: Rows from which on the perceptron gets 60 iterations in place of 200; images get 30.
MANY_ROWS = 3000


def ours(rows: Split, seed: int, folder: Path) -> dict[str, Any]:
    """Accuracy of the last epoch, the coding that was chosen, and the hash of the state."""
    path = folder / "rows.npz"
    np.savez(path, x_train=rows.x, y_train=rows.y, x_test=rows.test_x, y_test=rows.test_y)
    options = TrainOptions(dataset=str(path), device="model", encode="auto", seed=seed)
    data = options.load_data()
    choice = choose(options, data)
    options, data = replace(options, encode=choice.encode), data.coded(choice.encode)
    recipe = options.recipe(data)
    network = FastNetwork(recipe)
    for epoch in range(recipe.epochs):
        network.train(data.x_train, data.y_train,
                      epoch_order(seed, epoch, len(data.x_train)), recipe.gains_in(epoch))
    found = network.predict(data.x_test)
    return {"accuracy": 100 * float(np.mean(found == data.y_test)), "encode": choice.encode,
            "why": choice.why, "layers": recipe.layers, "epochs": recipe.epochs,
            "state_sha256": network.state_sha256()}


def theirs(rows: Split, seed: int) -> dict[str, float]:
    """Accuracy of scikit-learn's classifiers."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier
    from sklearn.preprocessing import StandardScaler

    x, test_x = (part.reshape(len(part), -1).astype(float) for part in (rows.x, rows.test_x))
    if rows.x.ndim == 3:
        x, test_x = x / 255, test_x / 255
    else:
        scaler = StandardScaler().fit(x)
        x, test_x = scaler.transform(x), scaler.transform(test_x)
    turns = 30 if rows.x.ndim == 3 else 60 if len(x) > MANY_ROWS else 200
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, model in (("lr", LogisticRegression(max_iter=2000)),
                            ("mlp", MLPClassifier((128,), max_iter=turns, random_state=seed)),
                            ("rf", RandomForestClassifier(100, random_state=seed))):
            found[name] = 100 * float(model.fit(x, rows.y).score(test_x, rows.test_y))
    return found


def totals(sets: dict[str, list[dict[str, Any]]]) -> dict[str, float]:
    """Over sets, each the mean of its seeds."""
    mean = {name: {arm: float(np.mean([run[arm] for run in runs]))
                   for arm in ("accuracy", "lr", "mlp", "rf")} for name, runs in sets.items()}
    gaps = np.array([m["accuracy"] - m["mlp"] for m in mean.values()])
    linear = np.array([m["accuracy"] - m["lr"] for m in mean.values()])
    return {"sets": len(mean), "mean_gap_to_mlp": float(gaps.mean()),
            "median_gap_to_mlp": float(np.median(gaps)),
            "more_than_1_below_mlp": int((gaps < -1).sum()),
            "more_than_5_below_mlp": int((gaps < -5).sum()),
            "more_than_1_below_lr": int((linear < -1).sum())}


def text(sets: dict[str, list[dict[str, Any]]]) -> str:
    """All of it as JSON, a run a line."""
    runs = {name: ",\n  ".join(map(json.dumps, found)) for name, found in sets.items()}
    lines = ",\n".join(f" {json.dumps(name)}: [\n  {found}]" for name, found in runs.items())
    return f'{{"totals": {json.dumps(totals(sets))},\n"sets": {{\n{lines}}}}}\n'


def main() -> int:
    """Print a line a set, then the totals; write all as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", help="names separated by commas", default=",".join(SETS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path,
                        default=Path(__file__).parent / "results" / "datasets.json")
    options = parser.parse_args()
    sets: dict[str, list[dict[str, Any]]] = {}
    for name in options.sets.split(","):
        try:
            split(name, 1)
        except Missing as why:
            print(f"{name:22} left out: {why}", flush=True)
            continue
        sets[name] = []
        for seed in range(1, options.seeds + 1):
            rows = split(name, seed)
            with tempfile.TemporaryDirectory() as folder:
                run = ours(rows, seed, Path(folder))
            sets[name].append({"seed": seed, "rows_sha256": rows.sha256(), **run,
                               **theirs(rows, seed)})
        runs = sets[name]
        mean = {arm: np.mean([run[arm] for run in runs]) for arm in ("accuracy", "mlp", "lr", "rf")}
        print(f"{name:22} {mean['accuracy']:6.2f} ± {np.std([r['accuracy'] for r in runs]):4.2f}  "
              f"mlp {mean['mlp']:6.2f}  lr {mean['lr']:6.2f}  rf {mean['rf']:6.2f}  "
              f"{mean['accuracy'] - mean['mlp']:+6.2f}  {runs[0]['encode']}", flush=True)
        options.out.write_text(text(sets))
    print(json.dumps(totals(sets)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
