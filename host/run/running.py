"""The one way from options and data to a run, for the command line and for Python."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ...model.config import CoreConfig
from ..data.datasets import Dataset
from ..device.address import board_and_port
from .auto import Choice, choose
from .learners import DeviceLearner, Learner
from .options import AUTO, TrainOptions
from .training import Trainer, Watcher, open_learner, start

__all__ = ["Plan", "begun", "planned", "with_core"]


@dataclass(frozen=True, eq=False)
class Plan:
    """What a run will do.

    Attributes
    ----------
    options
        Those given, with the coding that was chosen.
    data
        Coded so.
    choice
        Of the coding, if it was left open.
    """

    options: TrainOptions
    data: Dataset
    choice: Choice | None


def planned(options: TrainOptions, data: Dataset, watcher: Watcher) -> Plan:
    """What follows from options and data before anything is opened or written.

    Raises
    ------
    BadInput
        The options do not go with the data.
    """
    options.recipe(data)  # refuses sizes before anything is compared
    if options.encode != AUTO:
        return Plan(options, data, None)
    with watcher.working("comparing codings"):
        choice = choose(options, data)
    options, data = replace(options, encode=choice.encode), data.coded(choice.encode)
    if choice.shift_augment:
        options = replace(options, shift_augment=choice.shift_augment,
                          clean_epochs=choice.clean_epochs)
    options.recipe(data)
    return Plan(options, data, choice)


def begun(plan: Plan, folder: Path | None, watcher: Watcher, vcd: str | None = None,
          heed: Callable[[str, CoreConfig], None] = lambda device, core: None) -> Trainer:
    """The run at its beginning, its device opened.

    Parameters
    ----------
    plan
        What to do.
    folder
        Where checkpoints go; None for none.
    watcher
        Is told of progress.
    vcd
        Waveform of a simulation.
    heed
        Is shown the core that is on a board, and may raise.
    """
    options, data = plan.options, plan.data
    learner = open_learner(options, options.recipe(data), watcher, vcd, data.pixels)
    try:
        return start(with_core(options, learner, heed), data, folder, learner, watcher)
    except BaseException:
        learner.close()
        raise


def with_core(options: TrainOptions, learner: Learner,
              heed: Callable[[str, CoreConfig], None] = lambda device, core: None) -> TrainOptions:
    """The options with the sizes of a board's core, which are its own; see `begun`."""
    if not (isinstance(learner, DeviceLearner) and board_and_port(options.device)):
        return options
    core = learner.driver.config
    heed(options.device, core)
    return replace(options, lanes=core.lanes, banks=core.banks, update_lanes=core.update_lanes)
