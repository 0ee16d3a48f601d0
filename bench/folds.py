"""iris in five folds by the command itself, with no option but its files and ``--device model``.

Each fold is a stratified fifth of the rows (scikit-learn's, shuffled by the number of the round);
``--rounds`` makes it longer. Prints the per cent of test rows of each fold, and the mean.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from _rtl import write
from click.testing import CliRunner
from sklearn.datasets import load_iris
from sklearn.model_selection import StratifiedKFold

from tritgrad.host.cli.main import cli


def trained(folder: Path, train: str, test: str) -> float:
    """Per cent of the test rows that the command ends with."""
    arguments = ["train", "--device", "model", "--dataset", train, "--test", test, "--out",
                 str(folder / "run"), "--json"]
    told = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    return float(json.loads(told.stdout.splitlines()[-1])["test_accuracy"][-1])


def main() -> int:
    """Print a line a round and the mean; write all as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    iris, rounds = load_iris(), []
    names = [name.replace(" ", "_") for name in iris.feature_names]
    lines = np.array([",".join([*map(str, row), str(iris.target_names[label])])
                      for row, label in zip(iris.data, iris.target, strict=True)])
    for number in range(options.rounds):
        found = []
        parts = StratifiedKFold(5, shuffle=True, random_state=number)
        for train, test in parts.split(iris.data, iris.target):
            with tempfile.TemporaryDirectory() as folder:
                files = [Path(folder, "train.csv"), Path(folder, "test.csv")]
                for file, rows in zip(files, (train, test), strict=True):
                    file.write_text("\n".join([",".join([*names, "species"]), *lines[rows]]) + "\n")
                found.append(trained(Path(folder), *map(str, files)))
        rounds.append(found)
        print(f"round {number}: {', '.join(f'{right:.1f}' for right in found)}; mean "
              f"{np.mean(found):.2f} %", flush=True)
    print(f"iris, five folds, {options.rounds} rounds: {np.mean(rounds):.2f} %")
    write("folds", {"iris": rounds, "mean": float(np.mean(rounds))})
    return 0


if __name__ == "__main__":
    sys.exit(main())
