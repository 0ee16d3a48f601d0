"""A network from a model file, a run's folder, or the checkpoint of a run that has not ended."""

from dataclasses import replace
from pathlib import Path

from ...errors import BadInput
from ..data.npz import read_arrays
from .checkpoint import Checkpoint, check_data
from .model_file import TrainedModel
from .moved import find_data
from .options import TrainOptions
from .report import as_model
from .training import CHECKPOINT, Outcome

__all__ = ["open_model", "with_data_found"]


def open_model(given: str) -> tuple[str, TrainedModel, list[str]]:
    """The network that a file or a folder holds.

    Returns
    -------
    The file, the network, and what the user should know of it, a sentence each.

    Raises
    ------
    BadInput
        There is none, or it needs the data of its run and they are not there or others.
    """
    path = Path(given)
    if path.is_dir():
        names = ("model.npz", CHECKPOINT)
        held = [path / name for name in names if (path / name).is_file()]
        if not held:
            raise BadInput(f"{given} is a folder without {' or '.join(names)}")
        path = held[0]
    if path.is_file() and path.name == CHECKPOINT or _is_checkpoint(path):
        return str(path), *_of_checkpoint(path)
    return str(path) if Path(given).is_dir() else given, TrainedModel.load(path), []


def _is_checkpoint(path: Path) -> bool:
    try:
        return "tritgrad_checkpoint" in read_arrays(path)
    except BadInput:
        return False


def _of_checkpoint(path: Path) -> tuple[TrainedModel, list[str]]:
    checkpoint, told = with_data_found(Checkpoint.load(path), path)
    options, position = checkpoint.options, checkpoint.position
    data = options.load_data()
    check_data(checkpoint, data, path.parent)
    model = as_model(Outcome(options, data, checkpoint.data, options.recipe(data), position,
                             checkpoint.state, checkpoint.best))
    epochs = options.planned(model.recipe) + options.more_epochs
    if position.finished < epochs:
        inside = len(position.epochs) > position.finished
        told.append(f"{path} is of a run that has not ended: "
                    f"{'in' if inside else 'before'} epoch {position.finished + 1} of {epochs}")
    return model, told


def with_data_found(checkpoint: Checkpoint, path: Path) -> tuple[Checkpoint, list[str]]:
    """The checkpoint at `path` with its data where they are now, and what has moved."""
    found, moved = find_data(checkpoint.options.as_json(), path)
    return replace(checkpoint, options=TrainOptions.from_json(found)), moved
