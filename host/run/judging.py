"""How many held-back and test rows a network predicts right, without a word of its scores."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..data.datasets import Dataset
from ..device.stored import MOST_RECORDS
from .learners import Learner, inferred
from .metrics import Counts

__all__ = ["Part", "classes_met", "judged", "parts_of"]


@dataclass(frozen=True, eq=False)
class Part:
    """Rows that are judged together.

    Attributes
    ----------
    name
        ``val`` or ``test``.
    x, y
        Inputs uint8 (rows, inputs) and classes (rows,).
    first
        Number of its first row behind those that are learned.
    """

    name: str
    x: npt.NDArray[np.uint8]
    y: npt.NDArray[np.int64]
    first: int

    @property
    def rows(self) -> Counts:
        """Rows of each class, int64 (classes,)."""
        return np.bincount(self.y)


def parts_of(data: Dataset) -> list[Part]:
    """What is judged after an epoch, in this order; parts without rows are none."""
    found, first = [], len(data.x_train)
    for name, x, y in (("val", data.x_val, data.y_val), ("test", data.x_test, data.y_test)):
        if x is not None and y is not None and len(x):
            found.append(Part(name, x, y, first))
            first += len(x)
    return found


def judged(learner: Learner, part: Part, told: Callable[[int], None]) -> Counts:
    """Rows of each class that are predicted right, int64 (classes,).

    Class by class, as a device counts no more than those that are right.

    Parameters
    ----------
    learner
        The network.
    part
        The rows.
    told
        Is told after each chunk how many rows are judged.
    """
    kept = part.first + len(part.x) <= learner.keeps
    size = MOST_RECORDS if kept else learner.chunk
    right, done = np.zeros_like(part.rows), 0
    for label in np.unique(part.y):
        mine = np.flatnonzero(part.y == label)
        for start in range(0, len(mine), size):
            some = mine[start:start + size]
            right[label] += (learner.judge_kept(part.first + some) if kept
                             else learner.judge(part.x[some], part.y[some]))
            done += len(some)
            told(done)
    return right


def classes_met(learner: Learner, part: Part, right: Counts) -> int:
    """Classes of which rows are predicted right; where those are fewer than two, all predicted."""
    found = int(np.count_nonzero(right))
    return found if found > 1 else len(np.unique(inferred(learner, part.x)[0]))
