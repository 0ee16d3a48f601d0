"""Networks without a derivative: learned by two losses a step, and out of reach of the margin rule.

Run it with ``python examples/no_derivative.py [hash|codes] [SEED]``; it takes half a minute.

Wines are to be told apart by their 13 chemical measurements. In ``hash`` the activation is a
table of 16 entries in random order. In ``codes`` the signs of five scores are an address, and a
table filled by a hash says which wine lives there: no score belongs to a wine. Either is a few LUTs
on an FPGA, and neither has a slope to follow.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tritgrad.host.data.datasets import load
from tritgrad.model import arithmetic
from tritgrad.model.discrete.perturbed import (
    Activation,
    Loss,
    PerturbedNetwork,
    Readout,
    clipped,
    first_maximum,
    margin_loss,
    table,
    table_of_signs,
    wrong_predictions,
)
from tritgrad.model.margin import MarginNetwork
from tritgrad.model.recipe import Recipe
from tritgrad.model.rng import epoch_order, splitmix64

IntArray = npt.NDArray[np.int64]

WINES = Path(__file__).with_name("wine.csv")
HIDDEN, PLANES, COUNTER_BITS = 16, 4, 8
#: One weight in 32 is perturbed.
SPARSITY = 5


@dataclass(frozen=True)
class Task:
    """A network, and what it is to make small."""

    outputs: int
    activation: Activation
    readout: Readout
    loss: Loss
    gain: int
    steps: int


def hashed(entries: int, values: int, seed: int) -> IntArray:
    """A table of numbers from 0 to values - 1, filled by SplitMix64."""
    return (splitmix64(seed, np.arange(entries)) % np.uint64(values)).astype(np.int64)


def shuffled(seed: int) -> IntArray:
    """The numbers 0 to 15 in an order that SplitMix64 decides."""
    return np.argsort(splitmix64(seed, np.arange(16)))


CODES = table_of_signs(hashed(32, values=3, seed=1))
TASKS = {
    "hash": Task(3, table(3, shuffled(seed=3)), first_maximum, margin_loss(32), -6, 20_000),
    "codes": Task(5, clipped(2, 4), CODES, wrong_predictions(CODES), 0, 40_000),
}


def wines() -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Inputs and labels to train on and to test with; an input that is always 15 makes biases."""
    data = load(str(WINES), planes=PLANES)
    return (_with_bias(data.x_train), data.y_train, _with_bias(data.x_test), data.y_test)


def _with_bias(x: npt.NDArray[np.uint8]) -> IntArray:
    return np.column_stack([x, np.full(len(x), (1 << PLANES) - 1)]).astype(np.int64)


def learn(task: Task, seed: int = 1) -> PerturbedNetwork:
    """Train by simultaneous perturbation, with all training rows as the resident mini-batch."""
    x, y, _, _ = wines()
    network = PerturbedNetwork((x.shape[1], HIDDEN, task.outputs), COUNTER_BITS, seed,
                               [task.activation], task.loss)
    for part, lower in ((0.6, 0), (0.2, 1), (0.2, 2)):  # smaller steps towards the end
        network.train_spsa(x, y, int(part * task.steps), task.gain - lower, SPARSITY)
    return network


class MarginWith(MarginNetwork):
    """The margin rule on a network with this activation, whose gates are always open."""

    def __init__(self, recipe: Recipe, activation: Activation):
        super().__init__(recipe)
        self.activation = activation

    def forward_pass(self, x):
        weights = self.weights()
        hidden = self.activation(arithmetic.forward(weights[0], np.asarray(x, np.int64)))
        scores = arithmetic.forward(weights[1], hidden)
        return [np.asarray(x, np.int64), hidden], [hidden >= 0], scores


def learn_by_margin(task: Task, seed: int = 1, epochs: int = 60) -> MarginNetwork:
    """Train the same network by the margin rule, which takes score k for class k."""
    x, y, _, _ = wines()
    recipe = Recipe.default((x.shape[1], HIDDEN, task.outputs), PLANES, COUNTER_BITS,
                            epochs=epochs, seed=seed)
    network = MarginWith(recipe, task.activation)
    for epoch in range(epochs):
        for row in epoch_order(seed, epoch, len(x)):
            network.train_sample(x[row], int(y[row]), recipe.gains_in(epoch))
    return network


def accuracies(task: Task, scores: Callable[[IntArray], IntArray]) -> tuple[float, float]:
    """Per cent of training and test rows that are right; `scores` takes one sample."""
    x, y, x_test, y_test = wines()
    return tuple(100 * float(np.mean(task.readout(np.stack([scores(s) for s in rows])) == labels))
                 for rows, labels in ((x, y), (x_test, y_test)))  # type: ignore[return-value]


if __name__ == "__main__":
    name = sys.argv[1] if len(sys.argv) > 1 else "hash"
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    task = TASKS[name]
    for rule, network in (("margin", learn_by_margin(task, seed)), ("spsa", learn(task, seed))):
        train, test = accuracies(task, network.scores)
        print(f"{name}, {rule}: {train:.1f} % of the training rows, {test:.1f} % of the test rows, "
              f"state {network.state_sha256()[:16]}")
