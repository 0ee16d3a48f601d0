"""Going on with a trained network: rows learned one after the other, each predicted before."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from .adapting import Adapting
from .learners import Learner, inferred
from .metrics import accuracy
from .mixing import TURN, check_order, turns

__all__ = ["POINT", "Old", "Point", "learn_rows", "measured"]

Bytes = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]

#: New rows between two points of the curve.
POINT = 100


@dataclass(frozen=True, eq=False)
class Old:
    """Rows (rows, inputs) and labels that were learned before, to be learned again among others."""

    x: npt.NDArray[Any]
    y: Labels


@dataclass(frozen=True)
class Point:
    """Of some new rows in a row: how many there were, and how many were predicted right before.

    Attributes
    ----------
    recoded
        Part of the codes of the last rows that the coding fitted anew after these rows changed;
        None if it was not.
    places
        Which rows these were.
    """

    epoch: int
    rows: int
    correct: int
    updates: int
    recoded: float | None = None
    places: Labels = field(default_factory=lambda: np.zeros(0, np.int64), compare=False)

    @property
    def accuracy(self) -> float:
        """Per cent."""
        return 100.0 * self.correct / self.rows


def learn_rows(learner: Learner, x: npt.NDArray[Any], y: Labels, gains: Sequence[int], *,
               epochs: int = 1, order: str = "file", seed: int = 1, old: Old | None = None,
               adapting: Adapting | None = None) -> Iterator[Point]:
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
        One of `mixing.ORDERS`.
    seed
        Of a random order.
    old
        Rows that are spread among the new ones, see `mixing.turns`.
    adapting
        Codes the rows, which are then numbers (rows, features), by what it has seen of them.

    Yields
    ------
    A point after every 100 new rows and at the end of each epoch.
    """
    check_order(order)
    if epochs < 1:
        raise BadInput(f"epochs must be at least 1, not {epochs!r}")

    def coded(rows: npt.NDArray[Any]) -> Bytes:
        return rows if adapting is None else adapting.apply(rows)

    again, size = (0, POINT) if old is None else (len(old.x), TURN)
    for epoch in range(epochs):
        correct = updates = learned = 0
        since: list[Labels] = []
        for part, repeated in turns(seed, epoch, len(x), again, order, size):
            stats = learner.train(coded(x[part]), y[part], gains)
            correct, updates = correct + stats.correct, updates + stats.updates
            learned += len(part)
            since.append(part)
            if old is not None and len(repeated):
                learner.train(coded(old.x[repeated]), old.y[repeated], gains)
            if len(since) * size >= POINT or learned == len(x):
                places = np.concatenate(since)
                recoded = None if adapting is None else adapting.saw(x[places])
                yield Point(epoch + 1, len(places), correct, updates, recoded, places)
                correct = updates = 0
                since = []


def measured(learner: Learner, x: Bytes, y: Labels) -> float:
    """Per cent of rows that are right, without learning."""
    return accuracy(y, inferred(learner, x)[0])
