"""A training run: epochs in chunks, so that it can be watched, stopped, killed and continued."""

import shlex
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...errors import BadInput, OutputError, TritgradError
from ...model.recipe import Recipe
from ...model.state import NetworkState
from ...units.registry import run_parts
from ..data.datasets import Dataset
from ..device.address import board_and_port
from ..device.driver import Driver
from ..device.open import open_board
from ..device.runner import RunStats
from ..device.session import Session
from ..device.transport import GoldenTransport, SimTransport
from .checkpoint import Checkpoint, Epoch, Position, check_data, fingerprint
from .judging import Part, classes_met, judged, parts_of
from .learners import DeviceLearner, Learner, ModelLearner
from .metrics import Counts, balanced
from .options import TrainOptions
from .storing import kept_rows

__all__ = ["CHECKPOINT", "Outcome", "Stopped", "Trainer", "Watcher",
           "open_learner", "resume", "start"]

CHECKPOINT = "checkpoint.npz"
#: Seconds between two checkpoints, at least, and times as long as the last one took.
CHECKPOINT_S, RARELY = 5.0, 20

Bytes = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]


class Stopped(TritgradError):
    """The run was asked to stop, and can be continued: exit code 130."""

    exit_code = 130


class Watcher:
    """Is told how a run goes. This one does not care."""

    def __deepcopy__(self, memo: object) -> "Watcher":
        """Itself: copies of what is watched are watched by the same."""
        return self

    def working(self, what: str) -> AbstractContextManager[Callable[[str], None]]:
        """Something of unknown length is done inside; the function is told what, step by step."""
        return nullcontext(lambda text: None)

    def trained(self, number: int, epochs: int, epoch: Epoch, rows: int) -> None:
        """A chunk is done: epoch `number` (from 1) of `epochs` has `rows` samples in all."""

    def storing(self, done: int, whole: int) -> None:
        """`done` of `whole` bytes of rows are written to the memory beside a core."""

    def noted(self, text: str) -> None:
        """Something worth a line."""

    def tested(self, number: int, done: int, rows: int) -> None:
        """`done` of `rows` test or validation samples of an epoch are inferred."""

    def epoch_over(self, number: int, epochs: int, epoch: Epoch) -> None:
        """An epoch and its tests are over."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """A run that has come to its end.

    Attributes
    ----------
    state, best
        After the last epoch, and after the one with the best validation accuracy if there was
        validation.
    unsaved
        Why the last checkpoint is not on the disk, if it is not.
    """

    options: TrainOptions
    data: Dataset
    fingerprint: dict[str, str]
    recipe: Recipe
    position: Position
    state: NetworkState
    best: NetworkState | None
    unsaved: TritgradError | None = None

    @property
    def state_sha256(self) -> str:
        """The hash by which two runs are compared."""
        return self.state.sha256


def open_learner(options: TrainOptions, recipe: Recipe, watcher: Watcher,
                 vcd: str | None = None, image_shape: tuple[int, int] | None = None) -> Learner:
    """The device that the options name, ready for `Learner.start` or `Learner.load`."""
    if options.device != "sim" and vcd is not None:
        raise BadInput(f"--vcd {vcd} needs --device sim, not {options.device}")
    method = options.method(recipe)
    if options.device == "model" and method.rule.golden:
        with watcher.working("compiling the golden model"):
            return ModelLearner(recipe, image_shape, method)
    if board_and_port(options.device):
        with watcher.working(f"connecting to {options.device}"):
            return DeviceLearner(open_board(options.device, recipe), recipe, image_shape, method)
    config = options.core(recipe.layers, recipe.planes, recipe.conv)
    if options.device == "model":  # a program runs on the reference machine
        return DeviceLearner(Driver(Session(GoldenTransport(config))), recipe, image_shape, method)
    with watcher.working("compiling the RTL") as say:
        transport = SimTransport(config, vcd, say)
    return DeviceLearner(Driver(Session(transport)), recipe, image_shape, method)


def start(options: TrainOptions, data: Dataset, folder: Path | None, learner: Learner,
          watcher: Watcher, **settings: object) -> "Trainer":
    """A new run, with its first checkpoint written, if there is a folder for it."""
    recipe, position = options.recipe(data), Position()
    if options.origin is None:
        learner.start()
    else:
        learner.load(options.origin.state(recipe))
    for part in run_parts():
        part.begins(recipe, len(data.x_train), learner)
    state = learner.state()
    for part in run_parts():
        part.began(position, state)
    checkpoint = Checkpoint(options, fingerprint(data), position, state)
    if folder is not None:
        checkpoint.save(folder / CHECKPOINT)
    _keep_rows(options, data, learner, watcher)
    return Trainer(checkpoint, data, folder, learner, watcher, **settings)  # type: ignore[arg-type]


def resume(checkpoint: Checkpoint, data: Dataset, folder: Path, learner: Learner,
           watcher: Watcher, **settings: object) -> "Trainer":
    """A run from its checkpoint. Raises `BadInput` if the data are others."""
    check_data(checkpoint, data, folder)
    learner.load(checkpoint.state)
    _keep_rows(checkpoint.options, data, learner, watcher)
    return Trainer(checkpoint, data, folder, learner, watcher, **settings)  # type: ignore[arg-type]


def _keep_rows(options: TrainOptions, data: Dataset, learner: Learner, watcher: Watcher) -> None:
    """Write the rows to a memory beside the core, if there is one and it is wanted."""
    moves = options.moves
    if (options.store == "off" or not learner.stores
            or moves and not (moves.only_shift and data.coding.moves_inputs)):
        return
    x, y, learned = kept_rows(data)
    if note := learner.keep(x, y, watcher.storing, moves.shift, learned, watcher.noted):
        watcher.noted(note)


class Trainer:
    """Carries a run to its end.

    Parameters
    ----------
    checkpoint
        Where the run is; the learner is in that state.
    data
        The data of the run.
    folder
        Where checkpoints go; None for none.
    learner
        The device.
    watcher
        Is told of progress.
    stop
        Asked after each chunk: whether to write a checkpoint and raise `Stopped`.
    checkpoint_s
        Least seconds between two checkpoints; by default `CHECKPOINT_S`.
    """

    def __init__(self, checkpoint: Checkpoint, data: Dataset, folder: Path | None,
                 learner: Learner,
                 watcher: Watcher, stop: Callable[[], bool] = lambda: False,
                 checkpoint_s: float | None = None):
        self.checkpoint = checkpoint
        self.options = checkpoint.options
        self.data = data
        self.recipe = checkpoint.options.recipe(data)
        self.planned = self.options.planned(self.recipe)
        self.epochs = self.planned + self.options.more_epochs
        self.folder = folder
        self.learner = learner
        self.watcher = watcher
        self.stop = stop
        self.checkpoint_s = CHECKPOINT_S if checkpoint_s is None else checkpoint_s
        self.moves = self.options.moves
        numbers = data.rows.train[data.rows.chosen] if self.moves else None
        self.pictures = (np.zeros((0, 0), np.uint8) if numbers is None
                         else data.coding.pictures(numbers))
        self.shape = data.image_shape or (1, 1)
        self._clock = self._saved = time.monotonic()
        self._wait = self.checkpoint_s
        self._over = False

    @property
    def how_to_go_on(self) -> str:
        """What to type after this run has stopped."""
        more = f" --epochs {self.epochs}" if self.options.more_epochs else ""
        return f"continue with: tritgrad train --resume {shlex.quote(str(self.folder))}{more}"

    def run(self) -> Outcome:
        """Train to the end; raises `Stopped` if told to stop."""
        position = self.checkpoint.position
        self._clock = self._saved = time.monotonic()
        self._over = position.finished >= self.epochs
        for number in range(position.finished, self.epochs):
            if len(position.epochs) == number:
                position.epochs.append(Epoch())
            epoch = position.epochs[number]
            self._train_epoch(number, epoch)
            self._test_epoch(number, epoch)
            position.finished = number + 1
            self.watcher.epoch_over(number + 1, self.epochs, epoch)
            self._pause()
        unsaved = None
        try:
            self._save()
        except OutputError as error:  # a disk that is full must not cost the results
            unsaved = error
        return self.outcome(unsaved)

    def outcome(self, unsaved: TritgradError | None = None) -> Outcome:
        """What there is by the last checkpoint."""
        c = self.checkpoint
        return Outcome(c.options, self.data, c.data, self.recipe, c.position, c.state, c.best,
                       unsaved)

    def _train_epoch(self, number: int, epoch: Epoch) -> None:
        order = self.options.order_in(self.data, number)
        rows = len(order)
        clean = number >= self.planned - self.options.clean_epochs
        amounts = (self.moves.draws(self.recipe.seed, number, rows)
                   if self.moves and not clean else None)
        gains = self.options.gains_in(self.recipe, number)
        recipe, whole = self.recipe, self.recipe.epochs * rows
        while epoch.samples < rows:
            size = self.learner.chunk
            seen = number * rows + epoch.samples
            ahead = [more for part in run_parts()
                     if (more := part.ahead(recipe, seen)) is not None]
            chunk = slice(epoch.samples, min(rows, (epoch.samples // size + 1) * size,
                                             *(epoch.samples + more for more in ahead)))
            before = time.monotonic()
            done = self._learn(order[chunk], None if amounts is None else amounts[chunk], gains,
                               any(p.rests(recipe, seen, whole) for p in run_parts()))
            for part in run_parts():
                part.learned(self, seen + len(order[chunk]), whole, epoch)
            self.checkpoint.position.train_seconds += time.monotonic() - before
            epoch.add(done, self.learner.counts_cycles)
            self.watcher.trained(number + 1, self.epochs, epoch, rows)
            self._pause()
        for part in run_parts():
            part.epoch_learned(self.options, self.learner)

    def _learn(self, rows: Labels, amounts: Labels | None, gains: Sequence[int], rest: bool,
               ) -> RunStats:
        """A chunk: rows by their numbers, moved by their amounts if there are any."""
        if self.learner.keeps:
            offsets = None if amounts is None else amounts[:, :2]
            return self.learner.train_kept(rows, gains, rest, offsets)
        if amounts is not None:
            x = self.data.coding.moved(self.pictures[rows], self.shape, amounts)
        else:
            x = self.data.x_train[rows]
        return self.learner.train(x, self.data.y_train[rows], gains, rest)

    def _test_epoch(self, number: int, epoch: Epoch) -> None:
        position, parts = self.checkpoint.position, parts_of(self.data)
        before, rows = 0, sum(len(part.x) for part in parts)
        for part in parts:
            right = self._judged(number, part, before, rows)
            accuracy = 100.0 * int(right.sum()) / len(part.x)
            if part.name == "val":
                epoch.val_accuracy = accuracy
            else:
                epoch.test_accuracy, epoch.test_balanced = accuracy, balanced(right, part.rows)
                epoch.test_classes = classes_met(self.learner, part, right)
            before += len(part.x)
        if epoch.val_accuracy is not None:
            best = position.best_epoch
            record = None if best is None else position.epochs[best - 1].val_accuracy
            if record is None or epoch.val_accuracy > record:
                position.best_epoch = number + 1
                self.checkpoint.best = self.learner.state()

    def _judged(self, number: int, part: Part, before: int, rows: int) -> Counts:
        def told(done: int) -> None:
            self.watcher.tested(number + 1, before + done, rows)
            if self.stop():
                self._pause()

        return judged(self.learner, part, told)

    def _pause(self) -> None:
        """Between two chunks: write a checkpoint if it is time, stop if told to."""
        stopping = self.stop()
        due = time.monotonic() - self._saved >= self._wait
        if stopping or due:
            self._save()
        if stopping:
            raise Stopped(f"stopped; {self.how_to_go_on}")

    def _save(self) -> None:
        now = time.monotonic()
        if not self._over:  # what is only read again takes no time of the run
            self.checkpoint.position.seconds += now - self._clock
        self._clock = now
        self.checkpoint.state = self.learner.state()
        if self.folder is not None:
            try:
                self.checkpoint.save(self.folder / CHECKPOINT)
            except BadInput as error:  # the folder was good when the run began
                raise OutputError(str(error)) from None
        self._saved = time.monotonic()
        if self.checkpoint_s:
            self._wait = max(self.checkpoint_s, RARELY * (self._saved - now))
