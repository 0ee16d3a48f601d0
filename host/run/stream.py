"""Going on with a trained network: rows learned one after the other, each predicted before."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from ...model.recipe import Recipe
from ...model.rng import epoch_order
from .learners import Learner
from .metrics import accuracy

__all__ = ["ORDERS", "Old", "Point", "gains_of_the_end", "learn_rows", "measured"]

Bytes = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]

#: Rows as they come, or anew in each epoch as in training.
ORDERS = ("file", "random")
#: New rows between two points of the curve, and between which old ones are learned at the latest.
POINT, TURN = 100, 10


@dataclass(frozen=True, eq=False)
class Old:
    """Rows (rows, inputs) and labels that were learned before, to be learned again among others."""

    x: Bytes
    y: Labels


@dataclass(frozen=True)
class Point:
    """Of some new rows in a row: how many there were, and how many were predicted right before."""

    epoch: int
    rows: int
    correct: int
    updates: int

    @property
    def accuracy(self) -> float:
        """Per cent."""
        return 100.0 * self.correct / self.rows


def gains_of_the_end(recipe: Recipe) -> tuple[int, ...]:
    """The gain exponents in force in the last epoch of a run."""
    return recipe.gains_in(recipe.epochs - 1)


def learn_rows(learner: Learner, x: Bytes, y: Labels, gains: Sequence[int], *, epochs: int = 1,
               order: str = "file", seed: int = 1, old: Old | None = None) -> Iterator[Point]:
    """Learn rows on any device, one by one; the state is the same as if each were sent alone.

    Parameters
    ----------
    learner
        A network in training.
    x, y
        New rows (rows, inputs) and labels.
    gains
        Gain exponents of the layers.
    epochs
        How often all are learned.
    order
        One of `ORDERS`.
    seed
        Of a random order.
    old
        Rows that are spread evenly among the new ones, all of them in each epoch; where they are
        fewer, so often that as many old rows as new ones are learned.

    Yields
    ------
    A point after every 100 new rows and at the end of each epoch.
    """
    if order not in ORDERS:
        raise BadInput(f"order must be {' or '.join(ORDERS)}, not {order!r}")
    if epochs < 1:
        raise BadInput(f"epochs must be at least 1, not {epochs!r}")
    turn = POINT if old is None else TURN
    for epoch in range(epochs):
        new = np.arange(len(x)) if order == "file" else epoch_order(seed, epoch, len(x))
        again = new[:0] if old is None else _often(seed, epoch, len(old.x), len(x))
        rows = correct = updates = done = 0
        for first in range(0, len(x), turn):
            part = new[first:first + turn]
            stats = learner.train(x[part], y[part], gains)
            rows, correct = rows + len(part), correct + stats.correct
            updates += stats.updates
            due = (first + len(part)) * len(again) // len(x)
            if old is not None and due > done:
                learner.train(old.x[again[done:due]], old.y[again[done:due]], gains)
                done = due
            if rows >= POINT or first + turn >= len(x):
                yield Point(epoch + 1, rows, correct, updates)
                rows = correct = updates = 0


def _often(seed: int, epoch: int, old: int, new: int) -> Labels:
    """Old rows in turn, each whole round in an order of its own."""
    rounds = max(1, new // old)
    return np.concatenate([epoch_order(seed ^ 1, epoch * rounds + n, old) for n in range(rounds)])


def measured(learner: Learner, x: Bytes, y: Labels) -> float:
    """Per cent of rows that are right, without learning."""
    parts = [learner.infer(x[first:first + learner.chunk])[0]
             for first in range(0, len(x), learner.chunk)]
    return accuracy(y, np.concatenate(parts))
