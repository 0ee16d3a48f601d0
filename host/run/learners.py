"""What trains by any rule: its golden model or any device behind the link, bit for bit alike."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from ...errors import DeviceError
from ...firmware.store import Kind
from ...model.recipe import Recipe
from ...model.state import NetworkState, Part, initial_state, parts_of
from ...rules import MARGIN
from ...rules.method import Method, method_of
from ...units.registry import run_parts
from ..device.driver import Driver, layer_table
from ..device.keeping import keepable
from ..device.runner import RunStats
from ..device.session import DeviceAstray, DeviceReset
from ..device.shifted import shiftable
from ..device.stored import MOST_RECORDS, Progress, StoredRows
from ..device.table import check_front
from .model_learner import ModelLearner, input_order

__all__ = ["DeviceLearner", "Learner", "ModelLearner", "inferred", "worth_a_call"]

Bytes = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]
Answer = TypeVar("Answer")

#: Resets in a row, none of them survived by a chunk, before a device counts as broken.
MAX_RESETS = 5
#: What a lost row leads to.
AGAIN = ("they are written again, and what was learned since the last checkpoint is repeated; "
         "counts and accuracies since then may be of them")
#: Cycles that a chunk of kept rows is to take, and rows that any chunk has at least.
CHUNK_CYCLES, LEAST_CHUNK = 6_000_000, Method.chunk
#: Seconds that a chunk over the line is to take, and rows that it has at most: the host waits for
#: the end of each.
SENT_S, MOST_SENT = 0.5, 4096


class Learner(Protocol):
    """A network in training.

    Attributes
    ----------
    chunk
        Samples that are worth a call: a fraction of a second's work.
    counts_cycles
        Whether the cycles of `RunStats` mean anything.
    keeps
        Rows that it has of those that `keep` gave it, the first ones, and takes by their numbers.
    stores
        Whether it has a memory for rows.
    """

    chunk: int
    counts_cycles: bool
    keeps: int
    stores: bool

    def start(self) -> None:
        """Set the state that the recipe's seed says."""

    def load(self, state: NetworkState) -> None:
        """Set a state, to go on from a saved run. Parts that it lacks are as at a start."""

    def train(self, x: Bytes, y: Labels, gains: Sequence[int], rest: bool = False) -> RunStats:
        """Learn samples (rows, inputs) in their order; with `rest` the support stays as it is."""

    def keep(self, x: Bytes, y: Labels, progress: Progress, shift: int = 0,
             learned: int | None = None, told: Callable[[str], None] = lambda text: None) -> str:
        """Write the rows of the run to a memory beside the device, if they fit.

        Once the network is there. Returns what came of it, in words; "" if it has no such memory.

        Parameters
        ----------
        x, y
            Inputs (rows, inputs) and labels.
        progress
            Is told how it goes.
        shift
            Above 0 they are images that are shifted by up to so many pixels.
        learned
            How many, the first ones, are learned; by default all. The others are judged, and left
            away if they do not fit too.
        told
            Is told, by and by, what else is worth a line.
        """

    def train_kept(self, numbers: Labels, gains: Sequence[int], rest: bool = False,
                   offsets: Labels | None = None) -> RunStats:
        """Learn kept rows by their numbers, in this order; else as `train`.

        Images move by `offsets` (numbers, 2), down and right.
        """

    def judge(self, x: Bytes, y: Labels) -> int:
        """How many rows (rows, inputs) are predicted right; nothing changes."""

    def judge_kept(self, numbers: Labels) -> int:
        """As `judge`, of kept rows by their numbers."""

    def act(self, name: str, *arguments: Any) -> None:
        """Do what a unit can do beside learning: ``scrub``, ``purge`` (layers, cutoff, k).

        Raises
        ------
        BadInput
            The unit is not there.
        DeviceError
            A scrub found rows whose trits have not the sum that is kept: names them.
        """

    def infer(self, x: Bytes) -> tuple[Labels, Labels, RunStats]:
        """Predictions (rows,) and scores (rows, classes)."""

    def state(self) -> NetworkState:
        """Counters, per layer int16 (outputs, inputs), PRNG, and the parts of the recipe."""

    def part(self, name: str) -> Part | None:
        """A unit's part of the state alone, if there is one."""

    def close(self) -> None:
        """Let go of what it holds."""


def worth_a_call(samples: int, seconds: float) -> int:
    """Samples of a chunk over the line, as so many took so long."""
    return min(MOST_SENT, max(LEAST_CHUNK, int(SENT_S * samples / max(seconds, 1e-6))))


def inferred(learner: Learner, x: Bytes) -> tuple[Labels, Labels]:
    """Predictions (rows,) and scores (rows, classes) of rows (rows, inputs), chunk by chunk."""
    parts = [learner.infer(x[first:first + learner.chunk])[:2]
             for first in range(0, len(x), learner.chunk)]
    predictions, scores = zip(*parts, strict=True)
    return np.concatenate(predictions), np.concatenate(scores)


class DeviceLearner:
    """A device behind the link. If it is reset, what it has forgotten is repeated, exactly.

    Parameters
    ----------
    driver
        The device.
    recipe
        Sizes, formats, shifts, margin and seed.
    image_shape
        Rows and columns, if the inputs are an image's pixels. They go to the device tile by tile
        where that changes no result, because then more of their words are zero.
    method
        The rule; by default the margin rule.

    Raises
    ------
    BadInput
        The core of the device cannot learn the recipe or the rule: names what it lacks.
    """

    counts_cycles = True

    def __init__(self, driver: Driver, recipe: Recipe,
                 image_shape: tuple[int, int] | None = None, method: Method | None = None):
        self.driver = driver
        self.recipe = recipe
        self.method = method or method_of(MARGIN, recipe, {})
        self.method.check(driver.config, driver.session.name)
        self.chunk = self.method.chunk
        check_front(driver.config, recipe, driver.name)
        for part in run_parts():
            part.check(driver.config, recipe, driver.name)
        self._order = (input_order(recipe, image_shape, driver.config.lanes)
                       if self.method.reorders and recipe.conv is None else None)
        self._image_shape = image_shape
        self._rows: StoredRows | None = None
        self.keeps = 0
        self.stores = driver.config.store != Kind.NONE
        self._told: Callable[[str], None] = lambda text: None
        self._snapshot = NetworkState([])
        self._since: list[Callable[[], object]] = []

    def start(self) -> None:
        recipe = self.recipe
        self.load(replace(initial_state(recipe), prng=self.method.first_prng()))

    def load(self, state: NetworkState) -> None:
        self._snapshot, self._since = state, []
        self._survive(self._restore)

    def train(self, x: Bytes, y: Labels, gains: Sequence[int], rest: bool = False) -> RunStats:
        def learn() -> RunStats:
            return self._learn(x, y, gains, rest)

        began = time.monotonic()
        stats = self._survive(learn)
        self._since.append(learn)
        if self.method.rule is MARGIN and self.chunk >= LEAST_CHUNK:
            self.chunk = worth_a_call(len(x), time.monotonic() - began)
        return stats

    def keep(self, x: Bytes, y: Labels, progress: Progress, shift: int = 0,
             learned: int | None = None, told: Callable[[str], None] = lambda text: None) -> str:
        driver, images = self.driver, None
        if not self.stores:
            return ""
        driver.check_trainable()
        if shift:
            images, why_not = shiftable(driver, self._image_shape, shift)
            if images is None:
                return why_not
        rows, said = self._survive(lambda: keepable(driver, x, y, learned, images=images))
        if rows is not None:
            self._survive(lambda: rows.fill(progress))
            self._rows, self.keeps, self._told = rows, rows.kept, told
            if rows.kept < len(x):
                said += f"; {len(x) - rows.kept:,} more for tests go over the line"
        return said

    def train_kept(self, numbers: Labels, gains: Sequence[int], rest: bool = False,
                   offsets: Labels | None = None) -> RunStats:
        rows = self._rows
        assert rows is not None

        def learn() -> RunStats:
            method = self.method
            self.driver.set_gains(method.gains(gains))
            done = rows.play(method.program(len(numbers), rest), numbers, method.passes, offsets)
            if method.counts:
                self.driver.check_count(done, method.passes * len(numbers))
            return replace(done, samples=len(numbers), correct=done.correct // method.passes)

        stats = self._survive(learn)
        self._since.append(learn)
        # To other rules a chunk means more than a call; and a device that counts no cycles is none.
        if self.method.rule is MARGIN and stats.cycles:
            self.chunk = min(MOST_RECORDS, max(
                LEAST_CHUNK, CHUNK_CYCLES * len(numbers) // stats.cycles))
        return stats

    def lay_out(self) -> Driver:
        """The device with the layer table, for rows of later runs to be stored; no network."""
        self.driver.lay(layer_table(self.recipe, self.recipe.gains, self.driver.config),
                        self._order)
        return self.driver

    def judge(self, x: Bytes, y: Labels) -> int:
        return self._survive(lambda: self.driver.judge(x, y))

    def judge_kept(self, numbers: Labels) -> int:
        rows = self._rows
        assert rows is not None

        def judged() -> int:
            done = rows.play(self.driver.judging(len(numbers)), numbers)
            self.driver.check_count(done, len(numbers))
            return done.correct

        return self._survive(judged)

    def act(self, name: str, *arguments: Any) -> None:
        def done() -> None:
            self.driver.act(name, *arguments)

        self._survive(done)
        self._since.append(done)

    def infer(self, x: Bytes) -> tuple[Labels, Labels, RunStats]:
        return self._survive(lambda: self.driver.infer(x))

    def state(self) -> NetworkState:
        def read() -> NetworkState:
            self._check_rows()
            return self.driver.state(parts_of(self.recipe))

        self._snapshot, self._since = self._survive(read), []
        return self._snapshot

    def part(self, name: str) -> Part | None:
        if name not in parts_of(self.recipe):
            return None
        return self._survive(lambda: self.driver.part(name))

    def close(self) -> None:
        self.driver.close()

    def _learn(self, x: Bytes, y: Labels, gains: Sequence[int], rest: bool = False) -> RunStats:
        method = self.method
        self.driver.set_gains(method.gains(gains))
        done = self.driver.learn(lambda samples: method.program(samples, rest), x, y,
                                 method.passes, method.counts)
        return replace(done, samples=len(x), correct=done.correct // method.passes)

    def _check_rows(self) -> None:
        """What was learned of other rows must not become a snapshot."""
        try:
            if self._rows is not None:
                self._rows.check()
        except DeviceAstray as lost:
            self._told(f"{lost}: {AGAIN}")
            raise

    def _restore(self) -> None:
        """Bring the device to the end of the last chunk."""
        self.driver.load_state(layer_table(self.recipe, self.recipe.gains, self.driver.config),
                               self._snapshot, self._order)
        if self._rows is not None and not self._rows.intact():
            self._told(f"the memory beside the core of {self.driver.name} has lost rows: {AGAIN}")
            self._rows.fill()
        for act in self._since:
            act()

    def _survive(self, act: Callable[[], Answer]) -> Answer:
        """Do something; after a reset or an upset restore the device and do it again."""
        return self.survive(act, self._restore)

    def survive(self, act: Callable[[], Answer], restore: Callable[[], object]) -> Answer:
        """Do something; after a reset or an upset reconnect, restore the device and do it again.

        Raises
        ------
        DeviceError
            That happens `MAX_RESETS` times in a row.
        """
        lost: DeviceError | None = None
        for _ in range(MAX_RESETS + 1):
            try:
                if lost:
                    self.driver.reconnect()
                    restore()
                return act()
            except (DeviceReset, DeviceAstray) as error:
                lost = error
        if isinstance(lost, DeviceAstray):
            raise lost
        raise DeviceError(f"{self.driver.session.name} was reset {MAX_RESETS} times in a row")
