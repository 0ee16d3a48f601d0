"""What makes ternary layers learn by signs: the numbers of a vote, one at a time.

Digits (64-128-10, 60 epochs, 64 votes) and MNIST (784-128-10, 6 epochs, 256 votes; single samples
see 6,000 rows only, as they take a step each). The state between steps is one trit a weight in all
rows. Test % after the last epoch.
"""

import argparse
import sys

import numpy as np
from _rtl import write

from tritgrad.host.run.learners import SignLearner
from tritgrad.host.run.options import TrainOptions
from tritgrad.model.discrete.vote import Ballot
from tritgrad.model.rng import epoch_order

RUNS = {"digits": (64, 60), "mnist": (256, 6)}
SINGLE = 6000
#: Votes, subset, bar, margin, gate.
ROWS = {
    "the source as it stands": (False, False, False, False, False),
    "votes": (True, False, False, False, False),
    "votes, bar": (True, False, True, False, False),
    "votes, bar, subset": (True, True, True, False, False),
    "votes, bar, subset, gate": (True, True, True, False, True),
    "votes, bar, subset, margin, gate: --vote N": (True, True, True, True, True),
    "without the gate": (True, True, True, True, False),
    "without the bar": (True, True, False, True, True),
    "without the subset": (True, False, True, True, True),
    "without the votes": (False, True, False, True, True),
}


def accuracy(dataset: str, row: str, seed: int, shorter: int) -> float:
    """Test % after the last epoch of a run."""
    many, subset, bar, margin, gate = ROWS[row]
    votes, epochs = RUNS[dataset]
    options = TrainOptions(dataset=dataset, device="model", rule="sign", seed=seed,
                           limit=None if many else SINGLE)
    data = options.load_data()
    learner = SignLearner(options.recipe(data), Ballot(
        votes if many else 1, 6 if subset else 0, bar, margin, gate))
    for epoch in range(max(1, epochs // shorter)):
        order = epoch_order(seed, epoch, len(data.x_train))
        learner.train(data.x_train[order], data.y_train[order], ())
    return 100 * float(np.mean(learner.infer(data.x_test)[0] == data.y_test))


def main() -> None:
    """Print the table, write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--datasets", nargs="+", choices=RUNS, default=list(RUNS))
    parser.add_argument("--shorter", type=int, default=1, help="divide the epochs by this")
    given = parser.parse_args()
    print(f"| | {' | '.join(given.datasets)} |")
    print("|---" * (1 + len(given.datasets)) + "|")
    results = {}
    for row in ROWS:
        results[row] = {name: [round(accuracy(name, row, seed, given.shorter), 2)
                               for seed in given.seeds] for name in given.datasets}
        cells = (", ".join(f"{value:.1f}" for value in results[row][name])
                 for name in given.datasets)
        print(f"| {row} | {' | '.join(cells)} |", flush=True)
    for name in given.datasets:
        write(f"sign_vote_{name}", {"command": f"python {' '.join(sys.argv)}", "test": {
            row: found[name] for row, found in results.items()}})


if __name__ == "__main__":
    main()
