"""Watchers of a run: its history on disk epoch by epoch, its curve, and other people's trackers."""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from ...errors import ToolError
from ..data.npz import write_whole
from .checkpoint import Epoch
from .options import TrainOptions
from .training import Trainer, Watcher

__all__ = ["HISTORY", "TRACKERS", "Curve", "History", "MLflow", "TensorBoard", "Watchers",
           "tracker"]

LOG = logging.getLogger(__name__)
#: The file of a run that has a line for each epoch.
HISTORY = "history.csv"
#: Columns of that file: attributes of an `Epoch`, behind its number.
COLUMNS = ("train_accuracy", "val_accuracy", "test_accuracy", "test_balanced", "samples",
           "updates", "flips", "cycles")
#: Seconds between two drawings of the curve, at least.
DRAWN_S = 10.0


class Watchers(Watcher):
    """Several watchers in the place of one; the first one shows what goes on."""

    def __init__(self, *watchers: Watcher):
        self.watchers = watchers

    def working(self, what: str) -> AbstractContextManager[Callable[[str], None]]:
        return self.watchers[0].working(what)

    def trained(self, number: int, epochs: int, epoch: Epoch, rows: int) -> None:
        for watcher in self.watchers:
            watcher.trained(number, epochs, epoch, rows)

    def tested(self, number: int, done: int, rows: int) -> None:
        for watcher in self.watchers:
            watcher.tested(number, done, rows)

    def epoch_over(self, number: int, epochs: int, epoch: Epoch) -> None:
        for watcher in self.watchers:
            watcher.epoch_over(number, epochs, epoch)


class History(Watcher):
    """A CSV file with a line for each epoch, there as soon as the epoch is over.

    Parameters
    ----------
    path
        The file; what it holds is replaced.
    epochs
        Those that are over already.
    """

    def __init__(self, path: Path, epochs: Iterable[Epoch] = ()):
        self.path = path
        lines = [_line("epoch", *COLUMNS), *(_row(n, e) for n, e in enumerate(epochs, 1))]
        write_whole(path, "".join(lines).encode())

    def epoch_over(self, number: int, epochs: int, epoch: Epoch) -> None:
        with suppress(OSError), self.path.open("a", newline="") as file:  # the run is worth more
            file.write(_row(number, epoch))


def _row(number: int, epoch: Epoch) -> str:
    return _line(number, *("" if (value := getattr(epoch, name)) is None else value
                           for name in COLUMNS))


def _line(*cells: object) -> str:
    return ",".join(map(str, cells)) + "\n"


class Curve(Watcher):
    """The learning curve, drawn anew while the run goes on; short runs get it at their end.

    Parameters
    ----------
    trainer
        The run.
    path
        The picture.
    draw
        Draws a history, as `plots.learning_curve`, and raises nothing.
    clock
        Seconds.
    """

    def __init__(self, trainer: Trainer, path: Path, draw: Callable[[dict[str, Any], Path], object],
                 clock: Callable[[], float] = time.monotonic):
        self.trainer, self.path, self._draw, self._clock = trainer, path, draw, clock
        self._drawn = clock()

    def epoch_over(self, number: int, epochs: int, epoch: Epoch) -> None:
        if self._clock() - self._drawn >= DRAWN_S:
            self.draw()

    def draw(self) -> None:
        """Draw the epochs that are over, if there are any."""
        trainer, position = self.trainer, self.trainer.checkpoint.position
        done = position.epochs[:position.finished]
        if done:
            self._draw({
                "dataset": trainer.data.name, "layers": list(trainer.recipe.layers),
                "device": trainer.options.device, "samples": len(trainer.data.x_train),
                "updates": [e.updates for e in done],
                "train_accuracy": [e.train_accuracy for e in done],
                "val_accuracy": _known(e.val_accuracy for e in done),
                "test_accuracy": _known(e.test_accuracy for e in done)}, self.path)
        self._drawn = self._clock()


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


class TensorBoard(Watcher):
    """Scalars of each epoch for TensorBoard, by the package tensorboardX."""

    def __init__(self, folder: Path, options: TrainOptions):
        self._writer = _package("tensorboardX", "tensorboard").SummaryWriter(str(folder))

    def epoch_over(self, number: int, epochs: int, epoch: Epoch) -> None:
        for name, value in _scalars(epoch):
            self._writer.add_scalar(name, value, number)
        self._writer.flush()


class MLflow(Watcher):
    """A run of MLflow, with the options as parameters; where to is MLflow's own setting.

    The run of MLflow that is active is gone on with, else one is begun. Where MLflow fails later,
    it is told no more, and the run goes on.

    Raises
    ------
    ToolError
        MLflow is not installed, or does not take the run: what it says.
    """

    def __init__(self, folder: Path, options: TrainOptions):
        self._mlflow = _package("mlflow", "mlflow")
        try:
            if self._mlflow.active_run() is None:
                self._mlflow.start_run(run_name=folder.parent.name)
            self._mlflow.log_params({name: value for name, value in options.as_json().items()
                                     if value is not None})
        except Exception as error:  # of whatever kind its store has
            raise ToolError(f"--watch mlflow: {_sentence(error)}") from error

    def epoch_over(self, number: int, epochs: int, epoch: Epoch) -> None:
        if self._mlflow is None:
            return
        try:
            self._mlflow.log_metrics(dict(_scalars(epoch)), step=number)
        except Exception as error:
            LOG.warning("MLflow took no more from epoch %d on: %s", number, _sentence(error))
            self._mlflow = None


#: Watchers that write for other programs, by their names on the command line.
TRACKERS: dict[str, Callable[[Path, TrainOptions], Watcher]] = {
    "tensorboard": TensorBoard, "mlflow": MLflow}


def tracker(name: str, folder: Path, options: TrainOptions) -> Watcher:
    """A watcher of `TRACKERS` for the run in a folder. Raises `ToolError` without its package."""
    return TRACKERS[name](folder / name, options)


def _scalars(epoch: Epoch) -> Sequence[tuple[str, float]]:
    return [(name, value) for name in COLUMNS if (value := getattr(epoch, name)) is not None]


def _sentence(error: Exception) -> str:
    """What an error says first, in one line."""
    return (str(error).strip() or type(error).__name__).splitlines()[0].split(". ")[0]


def _package(name: str, extra: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        raise ToolError(f"--watch {extra} needs the package {name}: pip install "
                        f"'tritgrad[{extra}]'") from None
