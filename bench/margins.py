"""Margins for signed inputs, by training rows that are held back: no test row is looked at.

Of each set split 1; five parts of its training rows are held back in turn, for seeds 1 and 2, and
networks of 1, 4 and 8 times the usual margin learn the others as ``--encode auto`` would compare
them. Prints what each gains over the usual margin; ``--sets`` and ``--seeds`` make it shorter.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
from _rtl import write
from _tables import split

from tritgrad.host.run.auto import held_back_score
from tritgrad.host.run.defaults import FEW_ROWS
from tritgrad.host.run.options import TrainOptions
from tritgrad.host.run.parts import held_back
from tritgrad.model.recipe import Recipe

SETS = (
    "coffee", "arrowhead", "basicmotions", "pickupgesturewiimotez", "gunpoint", "italypowerdemand",
    "acsf1", "iris", "wine", "sonar", "osuleaf", "ionosphere", "movement_libras", "japanesevowels",
    "breast_cancer", "pima", "plaid", "vehicle", "vowel", "german_onehot", "phishing")
TIMES = (1, 4, 8)
#: As `auto` repeats signed inputs: to at most so many.
INPUTS = 1568


def measured(name: str, seeds: int) -> dict[str, list[float]]:
    """Per cent of the held-back rows, for each coding and margin; and how many rows there are."""
    rows, found = split(name, 1), {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "rows.npz")
        np.savez(path, x_train=rows.x, y_train=rows.y, x_test=rows.x, y_test=rows.y)
        data = TrainOptions(dataset=str(path), device="model", encode="signed").load_data()
    parts = held_back(data.rows, False)
    usual = Recipe.default((1, 128, data.classes), 4).margin
    times = min(16, INPUTS // (2 * data.coding.features))
    for text in ("signed", *([f"signed,repeat:{times}"] if times > 1 else [])):
        found[text] = [float(np.mean([held_back_score(
            TrainOptions(device="model", seed=seed, margin=n * usual), data, text, parts)
            for seed in range(1, seeds + 1)])) for n in TIMES]
    return {"rows": len(data.x_train), **found}


def main() -> int:
    """Print a line a set and coding, then the means of fewer rows and of more; write as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", help="names separated by commas", default=",".join(SETS))
    parser.add_argument("--seeds", type=int, default=2)
    options = parser.parse_args()
    sets = {}
    for name in options.sets.split(","):
        sets[name] = found = measured(name, options.seeds)
        for text in list(found)[1:]:
            first, *others = found[text]
            print(f"{name:22} {found['rows']:4} rows  {text:17} {first:6.2f}  " + "  ".join(
                f"x {n} {score - first:+6.2f}" for n, score in zip(TIMES[1:], others, strict=True)),
                flush=True)
    for few in True, False:
        gains = np.array([np.subtract(scores[1:], scores[0]) for found in sets.values()
                          if (found["rows"] < FEW_ROWS) == few
                          for text, scores in found.items() if text != "rows"])
        if len(gains):
            print(f"{'fewer' if few else 'not fewer'} than {FEW_ROWS} rows, {len(gains)} lines: "
                  + ", ".join(f"x {n} {mean:+.2f}" for n, mean
                              in zip(TIMES[1:], gains.mean(axis=0), strict=True)))
    write("margins", sets)
    return 0


if __name__ == "__main__":
    sys.exit(main())
