"""What makes ternary layers learn by signs: the numbers of a vote, one at a time.

Digits (64-128-10, 60 epochs, 64 votes) and MNIST (784-128-10, 6 epochs, 256 votes; single samples
see 6,000 rows only, as they take a step each). The state between steps is one trit a weight in all
rows. Test % after the last epoch.
"""

import argparse
import sys

import numpy as np
from _rtl import write

from tritgrad.host.run.learners import ModelLearner
from tritgrad.host.run.options import TrainOptions
from tritgrad.model.discrete.ternary import TernaryMLP
from tritgrad.model.discrete.vote import Ballot
from tritgrad.model.rng import epoch_order
from tritgrad.rules.sign import SIGN
from tritgrad.rules.sign.golden import Sign

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
    method = Sign(SIGN, options.recipe(data), {})
    method.ballot = Ballot(votes if many else 1, 6 if subset else 0, bar, margin, gate)
    learner = ModelLearner(method.recipe, None, method)
    for epoch in range(max(1, epochs // shorter)):
        order = epoch_order(seed, epoch, len(data.x_train))
        learner.train(data.x_train[order], data.y_train[order], ())
    return 100 * float(np.mean(learner.infer(data.x_test)[0] == data.y_test))


def single(rate: float, bias: bool, error: str, seed: int, epochs: int) -> float:
    """Test % on digits of the source's rule, a sample at a time, with one thing changed.

    An input that is always +1 stands for the first layer's bias. The error of outputs is the
    source's sign(target - output), or ``pair``: +1 for the label and -1 for the first largest of
    the others, if that one's sum is not below the label's.
    """
    options = TrainOptions(device="model", rule="sign", seed=seed)
    data = options.load_data()
    x, tests = (np.pad(np.where(2 * part > 15, 1, -1), ((0, 0), (0, int(bias))),
                       constant_values=1) for part in (data.x_train, data.x_test))
    network = TernaryMLP((x.shape[1], 128, 10), seed)
    for epoch in range(epochs):
        for row in epoch_order(seed, epoch, len(x)):
            target = np.where(np.arange(10) == data.y_train[row], 1, -1)
            if error == "pair":
                scores = network.scores(x[row])
                others = np.where(target == 1, -1000, scores)
                if scores[data.y_train[row]] > others.max():
                    continue
                wanted = np.sign(scores)
                wanted[others.argmax()], wanted[data.y_train[row]] = -1, 1
                target = wanted
            network.train_step(x[row], target, rate)
    return 100 * float(np.mean(network.scores(tests).argmax(axis=1) == data.y_test))


def collapse(seed: int, every: int = 100) -> tuple[float, int]:
    """How the source's rule forgets: looked at every so many samples of an epoch of digits.

    Share (%) of the test rows that are predicted to be of the class of the sample just learned, and
    most different patterns of the hidden layer over all test rows.
    """
    data = TrainOptions(device="model", rule="sign", seed=seed).load_data()
    x, tests = (np.where(2 * part > 15, 1, -1) for part in (data.x_train, data.x_test))
    network, same, patterns = TernaryMLP((64, 128, 10), seed), [], 0
    for n, row in enumerate(epoch_order(seed, 0, len(x)), 1):
        network.train_step(x[row], np.where(np.arange(10) == data.y_train[row], 1, -1))
        if n % every == 0:
            same.append(np.mean(network.scores(tests).argmax(axis=1) == data.y_train[row]))
            patterns = max(patterns, len(np.unique(network.layers[0].forward(tests), axis=0)))
    return 100 * float(np.mean(same)), patterns


def print_single(seeds: list[int], epochs: int) -> None:
    """The table of what does not help."""
    found = {}
    for name, changed in (("as it stands", (1.0, False, "sign")), ("lr 0.1", (0.1, False, "sign")),
                          ("an input of +1", (1.0, True, "sign")),
                          ("errors of label and rival", (1.0, False, "pair"))):
        found[name] = [round(single(*changed, seed, epochs), 2) for seed in seeds]
        print(f"| {name} | {', '.join(f'{value:.1f}' for value in found[name])} |", flush=True)
    forgets = [collapse(seed) for seed in seeds]
    for share, patterns in forgets:
        print(f"{share:.1f} % of the test rows are taken for the sample just learned, with at most "
              f"{patterns} patterns of the hidden layer")
    write("sign_vote_single", {"command": f"python {' '.join(sys.argv)}", "test": found,
                               "share and patterns": forgets})


def main() -> None:
    """Print the table, write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--datasets", nargs="+", choices=RUNS, default=list(RUNS))
    parser.add_argument("--single", action="store_true",
                        help="the source's rule on digits with one thing changed, 20 epochs")
    parser.add_argument("--shorter", type=int, default=1, help="divide the epochs by this")
    given = parser.parse_args()
    if given.single:
        print_single(given.seeds, max(1, 20 // given.shorter))
        return
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
