"""Classes of rows, by a model on a device."""

from collections.abc import Sequence

import click
import numpy as np
import numpy.typing as npt
from click.core import ParameterSource
from rich.console import Console

from ...errors import BadInput
from ...model.config import CoreConfig
from ..device.address import board_and_port
from ..run.ensemble import check_alike, members
from ..run.learners import DeviceLearner
from ..run.model_file import TrainedModel
from ..run.opening import open_model
from ..run.options import TrainOptions
from ..run.training import open_learner
from .console import RunProgress, counting, warn

__all__ = ["heed_core", "opened", "opened_all", "predicted"]


def opened(given: str) -> tuple[str, TrainedModel]:
    """The model that a file or a run's folder holds, and its file; tells what is odd of it."""
    file, model, told = open_model(given)
    for sentence in told:
        warn(sentence)
    return file, model


def opened_all(given: str) -> tuple[str, list[TrainedModel]]:
    """As `opened`; of a folder with an ensemble all its models, and the folder."""
    files = members(given)
    if not files:
        file, model = opened(given)
        return file, [model]
    models = [opened(str(file))[1] for file in files]
    check_alike(files, models)
    return given, models


def predicted(models: Sequence[TrainedModel], options: TrainOptions, x: npt.NDArray[np.uint8],
              what: str, console: Console, vcd: str | None = None,
              ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The class of each row (rows, inputs) and its scores (rows, classes); shows progress.

    Parameters
    ----------
    models
        The network, or several, whose scores are added; of equal sums the first class.
    options
        Device and core.
    x
        The rows.
    what
        What they are, for the progress.
    console
        Where progress goes.
    vcd
        Waveform of a simulation.
    """
    if vcd is not None and len(models) > 1:
        raise BadInput(f"--vcd {vcd} is of one network; name one of the ensemble")
    total = np.zeros((len(x), len(models[0].class_names)), np.int64)
    for number, model in enumerate(models, 1):
        told = what if len(models) == 1 else f"network {number} of {len(models)}, {what}"
        total += _scores(model, options, x, told, console, vcd)
    return np.argmax(total, axis=1), total


def _scores(model: TrainedModel, options: TrainOptions, x: npt.NDArray[np.uint8], what: str,
            console: Console, vcd: str | None) -> npt.NDArray[np.int64]:
    learner = open_learner(options, model.recipe, RunProgress(console), vcd, model.pixels)
    try:
        if isinstance(learner, DeviceLearner):
            heed_core(options.device, learner.driver.config)
        learner.load(model.state)
        parts = []
        with counting(console, f"{what} on {options.device}", len(x)) as show:
            for first in range(0, len(x), learner.chunk):
                parts.append(learner.infer(x[first:first + learner.chunk])[1])
                show(first + len(parts[-1]))
    finally:
        learner.close()
    return np.concatenate(parts) if parts else np.zeros((0, len(model.class_names)), np.int64)


def heed_core(device: str, core: CoreConfig) -> None:
    """Refuse sizes of a core that were given and that the one on a board does not have.

    The options are those of the command that runs; for a simulation, they are what is compiled.
    """
    context = click.get_current_context()
    if not board_and_port(device):
        return
    for name in ("lanes", "banks", "update_lanes"):
        given, has = context.params.get(name), getattr(core, name)
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE and given != has:
            option = "--" + name.replace("_", "-")
            raise BadInput(f"{option} {given}: the core on {device} has {has}; leave {option} away")
