"""New classes after a training, with old rows replayed or not; streams predicted, then learned.

Classes: seven of ten are trained, then the other three are learned for three epochs with the gains
of the end, as ``tritgrad learn --epochs 3 --order random`` does; accuracy over the test rows of the
old classes, the new ones, and all. Streams: the coding is fitted to the first 200 rows, which train
the network first; then every row is predicted and learned once. ``--seeds`` makes it shorter.
"""

import argparse
import sys
from dataclasses import replace
from typing import Any

import numpy as np
from _rtl import write
from _tables import WHOLE, split

from tritgrad.host.data.codings.numbers import Thermometer
from tritgrad.host.data.codings.spec import fit
from tritgrad.host.run.going_on import EPOCHS, gains_of_the_end
from tritgrad.host.run.learners import ModelLearner
from tritgrad.host.run.stream import Old, learn_rows, measured
from tritgrad.model.recipe import Recipe
from tritgrad.model.rng import epoch_order

CLASSES = (("digits", "planes:4"), ("penbased", "thermometer:16"))
STREAMS = (("phishing", "thermometer:16"), ("shuttle", "thermometer:16"))
REPLAYED = (0.0, 0.02, 0.05, 0.2)
FIRST = 200


def _trained(x: Any, y: Any, coding: Any, classes: int, seed: int) -> ModelLearner:
    recipe = Recipe.default((coding.inputs, 128, classes), coding.planes, seed=seed)
    if isinstance(coding.steps[0], Thermometer):
        recipe = replace(recipe, margin=2 * recipe.margin)
    learner = ModelLearner(recipe)
    learner.start()
    for epoch in range(recipe.epochs):
        order = epoch_order(seed, epoch, len(x))
        learner.train(x[order], y[order], recipe.gains_in(epoch))
    return learner


def new_classes(name: str, encode: str, seed: int) -> list[dict[str, Any]]:
    """A row for each share of old rows that is replayed."""
    rows = split(name, seed)
    y, test_y = (np.asarray(part).astype(float).astype(int) for part in (rows.y, rows.test_y))
    old, found = y < 7, []
    coding = fit(encode, rows.x[old], np.arange(int(old.sum())))
    x, test_x = coding.apply(rows.x), coding.apply(rows.test_x)
    for share in REPLAYED:
        learner = _trained(x[old], y[old], coding, 10, seed)
        kept = np.flatnonzero(old)[epoch_order(seed, 0, int(old.sum()))][:int(share * old.sum())]
        list(learn_rows(learner, x[~old], y[~old], gains_of_the_end(learner.recipe), epochs=EPOCHS,
                        order="random", seed=seed,
                        old=Old(x[kept], y[kept]) if len(kept) else None))
        late = test_y >= 7
        found.append({"set": name, "seed": seed, "replayed": share,
                      "old": measured(learner, test_x[~late], test_y[~late]),
                      "new": measured(learner, test_x[late], test_y[late]),
                      "all": measured(learner, test_x, test_y)})
    return found


def stream(name: str, encode: str, seed: int) -> dict[str, Any]:
    """Prequential accuracy after the first rows."""
    read, _ = WHOLE[name]
    values, labels = read()
    values, labels = values[:8000], labels[:8000].astype(int)
    coding = fit(encode, values[:FIRST], np.arange(FIRST))
    x = coding.apply(values)
    learner = _trained(x[:FIRST], labels[:FIRST], coding, 2, seed)
    points = list(learn_rows(learner, x[FIRST:], labels[FIRST:],
                             gains_of_the_end(learner.recipe)))
    return {"set": name, "seed": seed, "rows": len(x) - FIRST,
            "accuracy": 100 * sum(p.correct for p in points) / (len(x) - FIRST),
            "last_label": 100 * float(np.mean(labels[FIRST - 1:-1] == labels[FIRST:]))}


def main() -> int:
    """Print both tables and write them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2)
    options = parser.parse_args()
    seeds = range(1, options.seeds + 1)
    classes = [row for name, encode in CLASSES for seed in seeds
               for row in new_classes(name, encode, seed)]
    streams = [stream(name, encode, seed) for name, encode in STREAMS for seed in seeds]
    for name, _ in CLASSES:
        for share in REPLAYED:
            runs = [r for r in classes if r["set"] == name and r["replayed"] == share]
            print(f"{name:10} replayed {share:4.0%}  old {np.mean([r['old'] for r in runs]):5.1f}  "
                  f"new {np.mean([r['new'] for r in runs]):5.1f}  "
                  f"all {np.mean([r['all'] for r in runs]):5.1f}")
    for row in streams:
        print(f"{row['set']:10} seed {row['seed']}  {row['rows']} rows, {row['accuracy']:.2f} % "
              f"predicted right before; repeating the last label {row['last_label']:.2f} %")
    write("continual", {"classes": classes, "streams": streams})
    return 0


if __name__ == "__main__":
    sys.exit(main())
