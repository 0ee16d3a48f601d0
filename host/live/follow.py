"""A run that is trained elsewhere, as its folder shows it: history, checkpoint, model."""

import csv
import io
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from ...errors import BadInput, TritgradError
from ...model.state import NetworkState
from ..data.datasets import Dataset
from ..run.checkpoint import Checkpoint
from ..run.learners import Learner
from ..run.model_file import TrainedModel
from ..run.model_rows import model_rows
from ..run.opening import open_model
from ..run.options import TrainOptions
from ..run.training import CHECKPOINT, Watcher, open_learner
from ..run.watchers import HISTORY
from .runs import Run, held_json
from .shown import shown_layers, trits_of
from .teacher import HELD, Rows, measured

__all__ = ["Follower"]

#: Seconds between two looks into the folder.
BEAT_S = 1.0
MODEL = "model.npz"


class Follower:
    """Reads a run's files again and again; what a page can ask for beside, it refuses.

    Parameters
    ----------
    given
        The run's folder, or its ``history.csv``. Files of it may come later.
    tell
        Called with the whole state after a change.

    Raises
    ------
    BadInput
        There is no such file or folder.
    """

    def __init__(self, given: str, tell: Callable[[dict[str, Any]], None] = lambda state: None):
        path = Path(given)
        if not path.exists():
            raise BadInput(f"--follow {given}: there is no such run")
        if not path.is_dir() and path.name != HISTORY:
            raise BadInput(f"--follow {given} must be a run's folder or its {HISTORY}")
        self.folder = path if path.is_dir() else path.parent
        self.tell, self.failure, self.networks = tell, "", 0
        self.run = Run(self.folder.absolute().name, 0)
        self.model: TrainedModel | None = None
        self._held: Rows | None = None
        self._learner: Learner | None = None
        self._device = ""
        self._seen: dict[str, tuple[int, int]] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="follow")

    def __enter__(self) -> "Follower":
        self.look_again()
        self._thread.start()
        return self

    def __exit__(self, *what: object) -> None:
        self.stop()
        self._thread.join()

    def stop(self) -> None:
        """Read no more."""
        self._over.set()

    def state(self) -> dict[str, Any]:
        """Everything that a page must know when it opens, as `Studio.state`."""
        model = self.model
        known: dict[str, Any] = {
            "dataset": self.run.name, "shape": None, "device": "", "layers": [], "classes": [],
            "planes": 1, "activation_bits": 1, "counter_bits": 0}
        if model is not None:
            recipe = model.recipe
            known |= {"dataset": model.dataset, "device": self._device,
                      "layers": shown_layers(recipe), "classes": list(model.class_names),
                      "planes": recipe.planes, "activation_bits": recipe.activation_bits,
                      "counter_bits": recipe.counter_bits}
        return known | {"phase": "following", "failure": self.failure or None, "lessons": 0,
                        "undos": 0, "old_rows": 0, "networks": self.networks,
                        "run": self.run.as_json()}

    def look_again(self) -> bool:
        """Read what has changed in the folder since the last time, and say whether anything has."""
        changed = False
        try:
            if self._is_new(HISTORY):
                self.run.done = epochs_of((self.folder / HISTORY).read_text())
                self.run.epochs = max(self.run.epochs, len(self.run.done))
                changed = True
            newest = max((CHECKPOINT, MODEL), key=lambda name: _stamp(self.folder / name)[0])
            if self._is_new(newest):
                self._take(self.folder / newest)
                changed = True
            if changed:
                self.failure = ""
        except (TritgradError, OSError) as error:
            changed = changed or self.failure != str(error)
            self.failure = str(error)
        return changed

    def weights(self) -> dict[str, Any]:
        """As `Studio.weights`, of the last checkpoint."""
        if self.model is None:
            raise BadInput(f"{self.folder} has no checkpoint yet")
        return {"layers": trits_of(self.model, self.model.counters)}

    def refuse(self) -> NoReturn:
        """Of all that is for networks that learn here."""
        raise BadInput("this page follows a run; tritgrad live RUN draws for its network")

    def _follow(self) -> None:
        while not self._over.wait(BEAT_S):
            if self.look_again():
                self.tell(self.state())

    def _is_new(self, name: str) -> bool:
        stamp = _stamp(self.folder / name)
        before, self._seen[name] = self._seen.get(name, (0, 0)), stamp
        return stamp not in ((0, 0), before)

    def _take(self, path: Path) -> None:
        """The network of a checkpoint or a model file, and how good it is on rows held back."""
        model, state = self.model, None
        if model is None:
            file, model, _ = open_model(str(path))
            options = _options_of(model, path)
            self._device, state = options.device, model.state
            self.run.epochs = options.planned(model.recipe) + options.more_epochs
            data: Dataset = model_rows(model, file, None, {})[0]
            self._held = Rows(data.x_test[:HELD], data.y_test[:HELD]) if len(data.x_test) else None
            self._learner = open_learner(TrainOptions(device="model", rule=model.forward_rule),
                                         model.recipe, Watcher(), None, model.pixels)
        else:
            state = _state_of(path)
            model = replace(model, counters=state.int16, parts=state.parts)
        self.model, self.networks = model, self.networks + 1
        assert self._learner is not None
        self._learner.load(replace(state, prng=state.prng or 1))
        if self._held is not None:
            self.run.classes = held_json(measured(self._learner, self._held, model.class_names))


def _options_of(model: TrainedModel, path: Path) -> TrainOptions:
    """Those of the run that a model is of; others who make models keep none, or a part."""
    try:
        return TrainOptions.from_json(model.extras["options"])
    except (KeyError, ValueError):
        raise BadInput(f"{path.name} is not of a run of tritgrad train") from None


def _state_of(path: Path) -> NetworkState:
    return Checkpoint.load(path).state if path.name == CHECKPOINT else TrainedModel.load(path).state


def _stamp(path: Path) -> tuple[int, int]:
    """What changes when a file does; zeros where there is none."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


def epochs_of(text: str) -> list[dict[str, Any]]:
    """Epochs of a history as a page shows them; a line that is being written waits."""
    whole = text[:text.rfind("\n") + 1]
    try:
        return [_epoch(row) for row in csv.DictReader(io.StringIO(whole))]
    except (KeyError, TypeError, ValueError):
        raise BadInput(f"{HISTORY} is no history of a run") from None


def _epoch(row: dict[str, str]) -> dict[str, Any]:
    samples, cycles = int(row["samples"]), int(row["cycles"])
    return {"train": float(row["train_accuracy"]),
            "test": float(row["test_accuracy"]) if row["test_accuracy"] else None,
            "updates": int(row["updates"]), "flips": int(row["flips"]),
            "cycles": cycles / samples if cycles and samples else None}
