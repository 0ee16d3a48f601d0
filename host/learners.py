"""What trains: the compiled golden model or any device behind the link, bit for bit alike."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from ..model import units
from ..model.discrete.ternary import TernaryMLP
from ..model.errors import BadInput, DeviceError
from ..model.fast import FastNetwork
from ..model.layout import tile_order
from ..model.recipe import Recipe
from ..model.rng import initial_counters, initial_prng
from ..model.scales.rows import RowScales
from .driver import Driver, RunStats, layer_table
from .session import DeviceReset

__all__ = ["DeviceLearner", "Learner", "ModelLearner", "SignLearner"]

Bytes = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]
State = tuple[list[npt.NDArray[np.int16]], int]
Answer = TypeVar("Answer")

#: Resets in a row, none of them survived by a chunk, before a device counts as broken.
MAX_RESETS = 5


class Learner(Protocol):
    """A network in training.

    Attributes
    ----------
    chunk
        Samples that are worth a call: a fraction of a second's work.
    counts_cycles
        Whether the cycles of `RunStats` mean anything.
    """

    chunk: int
    counts_cycles: bool

    def start(self) -> None:
        """Set the state that the recipe's seed says."""

    def load(self, counters: Sequence[npt.NDArray[np.integer]], prng: int,
             scales: RowScales | None = None) -> None:
        """Set counters, PRNG and scales, to go on from a saved run."""

    def train(self, x: Bytes, y: Labels, gains: Sequence[int]) -> RunStats:
        """Learn samples (rows, inputs) in their order."""

    def infer(self, x: Bytes) -> tuple[Labels, Labels, RunStats]:
        """Predictions (rows,) and scores (rows, classes)."""

    def scrub(self) -> None:
        """Compare each row's trits with the sum mod 3 that is kept of them.

        Raises `DeviceError`, which names the rows, if they differ, and `BadInput` if none is kept.
        """

    def state(self) -> State:
        """Counters, per layer int16 (outputs, inputs), and the state of the PRNG."""

    def scales(self) -> RowScales | None:
        """Scales of the rows, if they are learned."""

    def close(self) -> None:
        """Let go of what it holds."""


class ModelLearner:
    """The compiled golden model.

    Parameters
    ----------
    recipe
        Sizes, formats, shifts, margin and seed.
    """

    chunk = 4096
    counts_cycles = False

    def __init__(self, recipe: Recipe):
        self.recipe = recipe
        self.network = FastNetwork(recipe)
        nothing = np.zeros((0, recipe.layers[0]), np.uint8)  # compiles, unless it is in the cache
        self.train(nothing, np.zeros(0, np.int64), recipe.gains)
        self.infer(nothing)

    def start(self) -> None:
        self.network.load(initial_counters(self.recipe.layers, self.recipe.counter_bits,
                                           self.recipe.seed),
                          initial_prng(self.recipe.layers, self.recipe.seed).state)

    def load(self, counters: Sequence[npt.NDArray[np.integer]], prng: int,
             scales: RowScales | None = None) -> None:
        self.network.load(counters, prng, scales)

    def train(self, x: Bytes, y: Labels, gains: Sequence[int]) -> RunStats:
        done = self.network.train(x, y, np.arange(len(x)), gains)
        return RunStats(done.samples, done.correct, done.updates, done.flips)

    def infer(self, x: Bytes) -> tuple[Labels, Labels, RunStats]:
        scores = self.network.scores(x).astype(np.int64)
        return np.argmax(scores, axis=1), scores, RunStats()

    def scrub(self) -> None:
        if rows := self.network.corrupt_rows():
            raise DeviceError(f"the golden model's packed trits of layer {rows[0][0]} row "
                              f"{rows[0][1]} are not those of its counters")

    def state(self) -> State:
        return self.network.counters, self.network.prng.state

    def scales(self) -> RowScales | None:
        return self.network.scales

    def close(self) -> None:
        pass


class SignLearner:
    """Ternary layers that learn by signs: plurigrid/asi, skill discrete-backprop, TernaryMLP.

    An input becomes +1 in the upper half of its range and -1 in the lower. The target is +1 for
    the label and -1 for the other classes. The prediction is the first maximum of the last
    layer's sums. Trits travel as counters in the middle of their cells.

    Parameters
    ----------
    recipe
        Sizes, formats and seed; of no use are gains, shifts and margin.
    """

    chunk = 512
    counts_cycles = False

    def __init__(self, recipe: Recipe):
        self.recipe = recipe
        self.start()

    def start(self) -> None:
        self.network = TernaryMLP(self.recipe.layers, self.recipe.seed)
        self._prng = 1

    def load(self, counters: Sequence[npt.NDArray[np.integer]], prng: int,
             scales: RowScales | None = None) -> None:
        self._prng = prng
        for layer, stored in zip(self.network.layers, counters, strict=True):
            layer.weights = units.trits(stored, self.recipe.counter_bits).astype(np.int8)

    def train(self, x: Bytes, y: Labels, gains: Sequence[int]) -> RunStats:
        correct = updates = flips = 0
        for sample, label in zip(self._trits(x), y, strict=True):
            target = np.full(self.recipe.layers[-1], -1, np.int8)
            target[label] = 1
            scores = self.network.scores(sample)
            correct += int(np.argmax(scores) == label)
            if (np.sign(scores) == target).all():
                continue
            before = [layer.weights for layer in self.network.layers]
            self.network.train_step(sample, target, learning_rate=1.0)
            updates += 1
            flips += sum(int(np.count_nonzero(layer.weights != old))
                         for layer, old in zip(self.network.layers, before, strict=True))
        return RunStats(len(x), correct, updates, flips)

    def infer(self, x: Bytes) -> tuple[Labels, Labels, RunStats]:
        scores = self.network.scores(self._trits(x))
        return np.argmax(scores, axis=1), scores, RunStats()

    def scrub(self) -> None:
        raise BadInput("rule sign keeps no row sums: it cannot scrub")

    def state(self) -> State:
        middle = 3 << (self.recipe.counter_bits - 3)
        return [layer.weights.astype(np.int16) * np.int16(middle)
                for layer in self.network.layers], self._prng

    def scales(self) -> RowScales | None:
        return None

    def close(self) -> None:
        pass

    def _trits(self, x: Bytes) -> npt.NDArray[np.int8]:
        top = (1 << self.recipe.planes) - 1
        return np.sign(2 * x.astype(np.int16) - top).astype(np.int8)


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
    """

    chunk = 512
    counts_cycles = True

    def __init__(self, driver: Driver, recipe: Recipe,
                 image_shape: tuple[int, int] | None = None):
        self.driver = driver
        self.recipe = recipe
        self._order: npt.NDArray[np.intp] | None = None
        dithers = any(recipe.gains_in(epoch)[0] < 0 for epoch in range(recipe.epochs))
        conserves = driver.config.conserve
        if conserves != recipe.conserve:
            raise BadInput(f"the core of {driver.session.name} was built "
                           f"{'to conserve' if conserves else 'without conserving'} row sums: "
                           f"--gf3 conserve {'is needed' if conserves else 'is not possible'}")
        if image_shape is not None and not dithers and not conserves:
            self._order = tile_order(image_shape, driver.config.lanes)
        self._snapshot: State = ([], 1)
        self._since: list[tuple[Bytes, Labels, Sequence[int]]] = []

    def start(self) -> None:
        recipe = self.recipe
        self.load(initial_counters(recipe.layers, recipe.counter_bits, recipe.seed),
                  initial_prng(recipe.layers, recipe.seed).state)
        if self.driver.config.seeder:
            used = sum(outputs * inputs for outputs, inputs in recipe.shapes)
            self._survive(lambda: self.driver.seed(recipe.seed, used))

    def load(self, counters: Sequence[npt.NDArray[np.integer]], prng: int,
             scales: RowScales | None = None) -> None:
        self._snapshot, self._since = ([c.astype(np.int16) for c in counters], prng), []
        self._survive(self._restore)

    def train(self, x: Bytes, y: Labels, gains: Sequence[int]) -> RunStats:
        stats = self._survive(lambda: self._learn(x, y, gains))
        self._since.append((x, y, gains))
        return stats

    def infer(self, x: Bytes) -> tuple[Labels, Labels, RunStats]:
        return self._survive(lambda: self.driver.infer(x))

    def scrub(self) -> None:
        self._survive(self.driver.scrub)

    def state(self) -> State:
        self._snapshot = self._survive(
            lambda: ([c.astype(np.int16) for c in self.driver.counters()], self.driver.prng()))
        self._since = []
        return self._snapshot

    def scales(self) -> RowScales | None:
        return None

    def close(self) -> None:
        self.driver.close()

    def _learn(self, x: Bytes, y: Labels, gains: Sequence[int]) -> RunStats:
        self.driver.set_gains(gains)
        return self.driver.train_chunk(x, y, self.recipe.margin)

    def _restore(self) -> None:
        """Bring the device to the end of the last chunk."""
        self.driver.load(layer_table(self.recipe, self.recipe.gains), *self._snapshot, self._order)
        for chunk in self._since:
            self._learn(*chunk)

    def _survive(self, act: Callable[[], Answer]) -> Answer:
        """Do something; after a reset restore the device and do it again."""
        lost = False
        for _ in range(MAX_RESETS + 1):
            try:
                if lost:
                    self.driver.reconnect()
                    self._restore()
                return act()
            except DeviceReset:
                lost = True
        raise DeviceError(f"{self.driver.session.name} was reset {MAX_RESETS} times in a row")
