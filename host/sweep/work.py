"""One run of a sweep, in whatever process: it goes on from its checkpoint, if it has one."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...boards import BOARDS
from ...boards.report import last_report
from ...errors import BadInput
from ...model.recipe import Recipe
from ..data.npz import write_whole
from ..device.address import board_and_port
from ..run.checkpoint import Checkpoint
from ..run.lock import hold
from ..run.options import TrainOptions
from ..run.report import report, write_files
from ..run.running import begun, planned
from ..run.training import CHECKPOINT, Trainer, Watcher, open_learner, resume
from ..run.watchers import HISTORY, History

__all__ = ["RESULT", "finished", "run_point"]

#: What a run that has ended leaves in its folder.
RESULT = "result.json"


def finished(folder: Path, options: TrainOptions) -> dict[str, Any] | None:
    """The result of a run that has ended in a folder; None if there is none.

    Raises
    ------
    BadInput
        It is of a run with other options.
    """
    try:
        stored: dict[str, Any] = json.loads((folder / RESULT).read_text())
        found = stored["options"]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{folder / RESULT} is no result of a sweep: {error}") from None
    wanted = json.loads(json.dumps(options.as_json()))
    others = sorted(name for name in {*found, *wanted} - {*TrainOptions.FREE}
                    if found.get(name) != wanted.get(name))
    if others:
        raise BadInput(f"{folder} holds a run with another {', '.join(others)}; choose another "
                       "--out")
    return stored


def run_point(stored: Mapping[str, Any], folder: str, device: str | None = None) -> dict[str, Any]:
    """Train to the end and keep the result.

    Parameters
    ----------
    stored
        `TrainOptions.as_json`.
    folder
        Of the run; what is there of it already is gone on with.
    device
        In place of that of the options.

    Returns
    -------
    What `report` says, with ``options`` and ``state_bits``.
    """
    options = TrainOptions.from_json(stored)
    if device is not None:
        options = replace(options, device=device)
    place = Path(folder)
    done = finished(place, options)
    if done is not None:
        return done
    with hold(place):
        trainer = _trainer(options, place)
        over = trainer.checkpoint.position
        trainer.watcher = History(place / HISTORY, over.epochs[:over.finished])
        try:
            outcome = trainer.run()
        finally:
            trainer.learner.close()
        _, failure = write_files(outcome, place)
        if failure is not None:
            raise failure
        result = report(outcome) | {
            "options": TrainOptions.from_json(stored).as_json(),
            "state_bits": _state_bits(outcome.recipe),
            "luts": _luts(options.device, outcome.recipe)}
        write_whole(place / RESULT, json.dumps(result, indent=1).encode())
    return result


def _trainer(options: TrainOptions, place: Path) -> Trainer:
    """A run at its beginning, or where its checkpoint is."""
    watcher = Watcher()
    if not (place / CHECKPOINT).exists():
        return begun(planned(options, options.load_data(), watcher), place, watcher)
    checkpoint = Checkpoint.load(place / CHECKPOINT)
    checkpoint.options = replace(checkpoint.options, device=options.device)
    data = checkpoint.options.load_data()
    learner = open_learner(checkpoint.options, checkpoint.options.recipe(data), watcher, None,
                           data.pixels)
    try:
        return resume(checkpoint, data, place, learner, watcher)
    except BaseException:
        learner.close()
        raise


def _state_bits(recipe: Recipe) -> int:
    """Of all counters, those of kernels among them."""
    dense = sum(outputs * inputs for outputs, inputs in recipe.shapes) * recipe.counter_bits
    conv = recipe.conv
    return dense + (conv.size * conv.counter_bits if conv else 0)


def _luts(device: str, recipe: Recipe) -> int | None:
    """Of the board's released bitstream, if the device is a board that has one for the recipe."""
    named = board_and_port(device)
    plain = named and named[0] in BOARDS and recipe.conv is None
    made = last_report(BOARDS[named[0]]) if named and plain else None
    return None if made is None else made.resources["cells"].used
