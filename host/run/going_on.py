"""Going on from a trained model: what a run takes over from it, and what is new."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from ...model.recipe import Recipe
from ...model.state import NetworkState, initial_state
from ..data.datasets import Dataset, load
from ..data.reading import Reading
from .kept import Kept, check_size
from .layouts import model_layout, model_limits
from .model_file import TrainedModel

__all__ = ["EPOCHS", "Origin", "gains_of_the_end", "kept_rows"]

#: Epochs of a run that goes on, where none are given.
EPOCHS = 3


def kept_rows(model: TrainedModel, file: str,
              count: int) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
    """Numbers and labels of so many rows that a model keeps, or of all. Raises `BadInput`."""
    kept = model.kept
    if kept is None:
        raise BadInput(f"--replay {count}: {file} keeps no rows; give a file of old rows, or "
                       f"--replay N when a model is trained")
    return kept.values[:check_size(count)], kept.labels[:count]


def gains_of_the_end(recipe: Recipe) -> tuple[int, ...]:
    """The gain exponents in force in the last epoch of a run."""
    return recipe.gains_in(recipe.epochs - 1)


@dataclass(frozen=True, eq=False)
class Origin:
    """A model that a run goes on from.

    Attributes
    ----------
    file, model
        The model and where it came from.
    classes
        Names of the outputs: the model's own, then new ones.
    """

    file: str
    model: TrainedModel
    classes: tuple[str, ...]

    @classmethod
    def open(cls, file: str, sha256: str | None, classes: Sequence[str] | None) -> "Origin":
        """A model from its file.

        Parameters
        ----------
        file
            As `TrainedModel.save` wrote it.
        sha256
            The state it must have; None for any.
        classes
            All of its classes in any order, and new ones; None for its own.

        Raises
        ------
        BadInput
            It is no model, another one, or none that a run can go on from.
        """
        model = TrainedModel.load(file)
        if sha256 is not None and model.state_sha256 != sha256:
            raise BadInput(f"--from {file} is another model than the run was started from")
        if model.rule != "margin":
            raise BadInput(f"{file} was trained by rule {model.rule}; only the margin rule goes "
                           f"on from a model")
        own = model.class_names
        lacking = [name for name in own if classes is not None and name not in classes]
        if lacking:
            raise BadInput(f"--classes must name the classes of {file} too; {lacking[0]!r} is "
                           f"missing")
        new = tuple(name for name in classes or () if name not in own)
        if new and "scales" in model.parts:
            raise BadInput(f"--classes: {file} has scales of its rows, and no output can be added; "
                           f"its classes are {', '.join(own)}")
        return cls(file, model, own + new)

    def load(self, name: str, **settings: Any) -> Dataset:
        """A data set as the model reads it; settings as of `datasets.load`."""
        model, layout = self.model, model_layout(self.model)
        data = load(name, coding=model.coding, class_names=self.classes, layout=layout,
                    limits=model_limits(model), planes=model.recipe.planes, **settings)
        return replace(data, columns=data.columns or model.columns, layout=data.layout or layout)

    def old_rows(self, replay: str, reading: Reading,
                 ) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
        """Numbers and labels of rows to learn again: of a file, or so many that the model keeps."""
        if not replay.isdecimal():
            data = self.load(replay, reading=replace(
                reading, classes=None, balance=False, split=None, window=None), whole=True)
            return data.in_order(data.rows.train, data.rows.test)
        return kept_rows(self.model, self.file, int(replay))

    def kept(self, size: int | None, seed: int, values: npt.NDArray[Any],
             labels: npt.NDArray[np.int64]) -> Kept | None:
        """What the new model keeps: of the old one's rows and of new ones."""
        before = self.model.kept
        if size is None and before is None:
            return None
        return Kept.of(size or (before.size if before else 0), seed, values, labels, before)

    def recipe(self, seed: int, margin: int | None = None, gain: int | None = None,
               output_gain: int | None = None, floor: int | None = None,
               epochs: int | None = None) -> Recipe:
        """The model's recipe with what is given; with gains its epochs are those of the run.

        Without gains the epochs remain those of the model's schedule, behind which a run goes on.
        """
        recipe = self.model.recipe
        recipe = replace(recipe, layers=(*recipe.layers[:-1], len(self.classes)), seed=seed,
                         margin=recipe.margin if margin is None else margin)
        if gain is None and output_gain is None:
            if floor is not None:
                raise BadInput(f"--floor {floor} goes with --gain: a run that goes on from a model "
                               f"has the gains of its end")
            return recipe
        gains = list(recipe.gains)
        if gain is not None:
            gains[:max(1, recipe.depth - 1)] = [gain] * max(1, recipe.depth - 1)
        if output_gain is not None:
            gains[-1] = output_gain
        return replace(recipe, gains=tuple(gains), epochs=EPOCHS if epochs is None else epochs,
                       floor=recipe.floor if floor is None else floor)

    def state(self, recipe: Recipe) -> NetworkState:
        """The model's, with the PRNG of a new run; new outputs are those of an untrained network.
        """
        *others, last = self.model.counters
        fresh = initial_state(recipe)
        more = fresh.counters[-1][len(last):].astype(np.int16)
        return NetworkState([*others, np.concatenate([last, more])], fresh.prng, self.model.parts)
