"""A network between two passes over rows, which may be others each time."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from ...units.registry import run_parts
from ..run.checkpoint import Checkpoint, Epoch
from ..run.learners import inferred
from ..run.mixing import sequence
from ..run.model_file import TrainedModel
from ..run.options import TrainOptions
from ..run.report import as_model
from ..run.running import Plan
from ..run.training import Outcome, Watcher, open_learner

__all__ = ["Pass", "first_pass", "next_pass", "scores"]

Bytes = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Pass:
    """Where training is.

    Attributes
    ----------
    model
        The network.
    prng
        State of the core's random generator.
    done
        Passes so far.
    """

    model: TrainedModel
    prng: int
    done: int

    @classmethod
    def over(cls, outcome: Outcome, checkpoint: Checkpoint) -> "Pass":
        """After a run, with the best epoch's network if there was validation."""
        model = as_model(outcome, best=outcome.best is not None)
        return cls(replace(model, extras=_extras(outcome.options)), checkpoint.state.prng,
                   outcome.position.finished)


def _extras(options: TrainOptions) -> dict[str, Any]:
    """What a model file says of its making: rows that were in memory are nowhere to be found."""
    return {"options": {name: value for name, value in options.as_json().items()
                        if name != "dataset"}}


def first_pass(plan: Plan, watcher: Watcher) -> Pass:
    """A network that has learned nothing yet."""
    options, data = plan.options, plan.data
    recipe = options.recipe(data)
    if recipe.prune is not None:
        raise BadInput("prune goes by a plan of all epochs: fit can do it, partial_fit cannot")
    learner = open_learner(options, recipe, watcher, None, data.pixels)
    try:
        learner.start()
        state = learner.state()
    finally:
        learner.close()
    return Pass(TrainedModel(recipe, options.rule, state.int16, data.class_names, data.coding,
                             data.name, data.image_shape, data.columns, _extras(options),
                             parts=state.parts), state.prng, 0)


def next_pass(state: Pass, options: TrainOptions, values: npt.NDArray[Any], labels: Labels,
              watcher: Watcher) -> tuple[Pass, Epoch]:
    """Learn rows (rows, features) once; where training is then, and what was done.

    Gains, order and moves are those of epoch `done` of a run, the gains at most of its last.
    """
    model, recipe = state.model, state.model.recipe
    options = replace(options, encode=model.coding.text, planes=None)
    epoch, rows, number = Epoch(), len(values), state.done
    order = sequence(recipe.seed, number, rows, 0, options.order)
    x = _inputs(model, options, values[order], number)
    y, gains = labels[order], recipe.gains_in(min(number, recipe.epochs - 1))
    learner = open_learner(options, recipe, watcher, None, model.pixels)
    try:
        learner.load(replace(model.state, prng=state.prng))
        for first in range(0, rows, learner.chunk):
            part = slice(first, first + learner.chunk)
            done = learner.train(x[part], y[part], gains)
            epoch.add(done, learner.counts_cycles)
            watcher.trained(number + 1, recipe.epochs, epoch, rows)
        for unit in run_parts():
            unit.epoch_learned(options, learner)
        found = learner.state()
    finally:
        learner.close()
    watcher.epoch_over(number + 1, max(recipe.epochs, number + 1), epoch)
    model = replace(model, counters=found.int16, parts=found.parts)
    return Pass(model, found.prng, number + 1), epoch


def _inputs(model: TrainedModel, options: TrainOptions, values: npt.NDArray[Any],
            number: int) -> Bytes:
    """Inputs of rows in their order, moved if the options say so."""
    recipe = model.recipe
    if not options.moves or number >= recipe.epochs - options.clean_epochs:
        return model.coding.apply(values)
    if model.image_shape is None:
        raise BadInput("shift_augment and augment are for images; give image_shape")
    return model.coding.moved(model.coding.pictures(values), model.image_shape,
                              options.moves.draws(recipe.seed, number, len(values)))


def scores(state: Pass, values: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Scores (rows, classes) of rows (rows, features), on the golden model.

    Each call has a network of its own: estimators are asked by several threads at once.
    """
    model = state.model
    options = TrainOptions(rule=model.forward_rule, device="model")
    learner = open_learner(options, model.recipe, Watcher())
    learner.load(model.state)
    return inferred(learner, model.coding.apply(values))[1]
