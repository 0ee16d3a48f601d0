"""What a run of training does for a unit: a `RunPart`."""

from collections.abc import Mapping
from typing import Any

__all__ = ["RunPart"]


class RunPart:
    """A unit in runs of training. By default there is nothing to do for it.

    Methods take a ``host.run.options.TrainOptions`` as `options`, a ``model.recipe.Recipe`` as
    `recipe`, a ``host.run.learners.Learner`` as `learner`, and a ``host.run.training.Trainer`` as
    `trainer`, all of a run that may not use the unit. Samples are counted from the start of the
    run, `whole` are those of all its epochs.
    """

    def recipe(self, options: Any) -> Mapping[str, Any]:
        """Fields of a recipe that options of a run ask for."""
        return {}

    def options(self, recipe: Any, parts: Mapping[str, Any]) -> Mapping[str, Any]:
        """Options of a run that goes on with such a network, whose parts of the state these are."""
        return {}

    def check(self, core: Any, recipe: Any, name: str) -> None:
        """Raise `BadInput` unless the core of a device of this name can learn a recipe."""

    def by_place(self, recipe: Any) -> bool:
        """Whether results depend on where on a device an input lies."""
        return False

    def lanes(self, recipe: Any) -> int | None:
        """Lanes of the device that the golden model must lay its inputs out for; None for any."""
        return None

    def begins(self, recipe: Any, rows: int, learner: Any) -> None:
        """A run begins over so many rows; the learner has its first state."""

    def began(self, position: Any, state: Any) -> None:
        """It has begun in a state; the ``Position`` of its checkpoint may tell of it."""

    def ahead(self, recipe: Any, seen: int) -> int | None:
        """Samples that may be learned before the unit's next turn; None for any number."""
        return None

    def rests(self, recipe: Any, seen: int, whole: int) -> bool:
        """Whether the support stays as it is while the next samples are learned."""
        return False

    def learned(self, trainer: Any, seen: int, whole: int, epoch: Any) -> None:
        """A chunk is learned; `epoch` counts what is done."""

    def epoch_learned(self, options: Any, learner: Any) -> None:
        """All rows of an epoch are learned."""

    def report(self, outcome: Any) -> Mapping[str, Any]:
        """What a run's report says of the unit, in JSON types; null where the run did not use it.

        Parameters
        ----------
        outcome
            A ``host.run.training.Outcome``.
        """
        return {}

    def rows(self, report: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Lines of the table that the command shows, of a run's report."""
        return []
