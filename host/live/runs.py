"""A run of training as a page shows it: curve, flips, cycles, each class."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..run.checkpoint import Epoch
from ..run.training import Watcher
from .teacher import HeldBack

__all__ = ["Run", "RunWatcher", "held_json"]

#: Seconds between two messages about the samples of an epoch.
BEAT_S = 0.2


def held_json(held: HeldBack) -> dict[str, Any]:
    """Accuracy in all and of each class, per cent; null of a class without rows."""
    return {"rows": held.rows, "accuracy": held.accuracy,
            "classes": [{"name": c.name, "rows": c.rows, "recall": c.recall}
                        for c in held.classes]}


@dataclass
class Run:
    """What is known of a run so far.

    Attributes
    ----------
    name
        What it is, for its heading.
    epochs
        How many there will be.
    done
        Of each epoch that is over its numbers, see `over`.
    samples, rows
        Of the epoch in hand: samples learned, and all of them.
    classes
        Accuracy on the rows held back after the last epoch, as `held_json`; None if not known.
    """

    name: str
    epochs: int
    done: list[dict[str, Any]] = field(default_factory=list)
    samples: int = 0
    rows: int = 0
    classes: dict[str, Any] | None = None

    def over(self, epoch: Epoch) -> None:
        """Take in an epoch that has ended."""
        self.done.append({
            "train": epoch.train_accuracy, "test": epoch.test_accuracy, "updates": epoch.updates,
            "flips": epoch.flips,
            "cycles": epoch.cycles_per_sample})
        self.samples = 0

    def as_json(self) -> dict[str, Any]:
        """All of it in JSON types."""
        return dict(vars(self))


class RunWatcher(Watcher):
    """Keeps a `Run` up to date and says so.

    Parameters
    ----------
    run
        What to keep.
    measure
        How good the network is on the rows held back.
    tell
        Called after a change.
    """

    def __init__(self, run: Run, measure: Callable[[], HeldBack], tell: Callable[[], None]):
        self.run, self._measure, self._tell = run, measure, tell
        self._told = 0.0

    def trained(self, number: int, epochs: int, epoch: Epoch, rows: int) -> None:
        self.run.samples, self.run.rows = epoch.samples, rows
        if time.monotonic() - self._told >= BEAT_S:
            self._told = time.monotonic()
            self._tell()

    def epoch_over(self, number: int, epochs: int, epoch: Epoch) -> None:
        self.run.over(epoch)
        self.run.classes = held_json(self._measure())
        self._tell()
