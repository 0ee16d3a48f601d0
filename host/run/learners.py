"""What trains: the compiled golden model or any device behind the link, bit for bit alike."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from ...errors import BadInput, DeviceError
from ...model import arithmetic
from ...model.blending.pruning import Pruning
from ...model.discrete.direction import generator_state, step_of
from ...model.discrete.perturbed import PerturbedNetwork, clipped, margin_loss
from ...model.discrete.ternary import TernaryMLP
from ...model.discrete.vote import Ballot, Voting
from ...model.discrete.walk import number_of, state_of
from ...model.fast import FastNetwork
from ...model.layout import tile_order
from ...model.recipe import Recipe
from ...model.state import NetworkState, Part, initial_state, parts_of
from ..device.driver import Driver, RunStats, layer_table
from ..device.session import DeviceAstray, DeviceReset
from .perturb_plan import ProbePlan

__all__ = [
    "DeviceLearner",
    "Learner",
    "ModelLearner",
    "ProbeDeviceLearner",
    "ProbeLearner",
    "SignLearner",
]

Bytes = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]
Answer = TypeVar("Answer")

#: Resets in a row, none of them survived by a chunk, before a device counts as broken.
MAX_RESETS = 5


def input_order(recipe: Recipe, image_shape: tuple[int, int] | None,
                lanes: int) -> npt.NDArray[np.intp] | None:
    """The input at each position on a device: an image's tile by tile, if no result depends on it.

    The dither of negative gains and updates that conserve go by an input's position.
    """
    dithers = any(recipe.gains_in(epoch)[0] < 0 for epoch in range(recipe.epochs))
    if image_shape is None or dithers or recipe.conserve:
        return None
    return tile_order(image_shape, lanes)


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

    def load(self, state: NetworkState) -> None:
        """Set a state, to go on from a saved run. Parts that it lacks are as at a start."""

    def train(self, x: Bytes, y: Labels, gains: Sequence[int], rest: bool = False) -> RunStats:
        """Learn samples (rows, inputs) in their order; with `rest` the support stays as it is."""

    def purge(self, layers: Sequence[int], cutoff: int, k: int) -> None:
        """Purge layers, numbered from 1. Raises `BadInput` if no support is kept."""

    def infer(self, x: Bytes) -> tuple[Labels, Labels, RunStats]:
        """Predictions (rows,) and scores (rows, classes)."""

    def scrub(self) -> None:
        """Compare each row's trits with the sum mod 3 that is kept of them.

        Raises `DeviceError`, which names the rows, if they differ, and `BadInput` if none is kept.
        """

    def state(self) -> NetworkState:
        """Counters, per layer int16 (outputs, inputs), PRNG, and the parts of the recipe."""

    def part(self, name: str) -> Part | None:
        """A unit's part of the state alone, if there is one."""

    def close(self) -> None:
        """Let go of what it holds."""


class ModelLearner:
    """The compiled golden model.

    Parameters
    ----------
    recipe
        Sizes, formats, shifts, margin and seed.
    image_shape
        As for `DeviceLearner`; of use with granules only.
    """

    chunk = 4096
    counts_cycles = False

    def __init__(self, recipe: Recipe, image_shape: tuple[int, int] | None = None):
        self.recipe = recipe
        self.network = FastNetwork(recipe)
        # Granules are the device's, so inputs are in its order.
        self._order = (input_order(recipe, image_shape, recipe.prune.lanes) if recipe.prune
                       else None)
        nothing = np.zeros((0, recipe.layers[0]), np.uint8)  # compiles, unless it is in the cache
        self.train(nothing, np.zeros(0, np.int64), recipe.gains)
        self.infer(nothing)

    def start(self) -> None:
        self.load(initial_state(self.recipe))

    def load(self, state: NetworkState) -> None:
        counters = state.counters
        if self._order is not None:
            counters = [counters[0][:, self._order], *counters[1:]]
        self.network.load_state(replace(state, counters=counters))

    def train(self, x: Bytes, y: Labels, gains: Sequence[int], rest: bool = False) -> RunStats:
        done = self.network.train(self._ordered(x), y, np.arange(len(x)), gains, rest=rest)
        return RunStats(done.samples, done.correct, done.updates, done.flips)

    def purge(self, layers: Sequence[int], cutoff: int, k: int) -> None:
        self.network.purge(layers, cutoff, k)

    def infer(self, x: Bytes) -> tuple[Labels, Labels, RunStats]:
        scores = self.network.scores(self._ordered(x)).astype(np.int64)
        return np.argmax(scores, axis=1), scores, RunStats()

    def scrub(self) -> None:
        if rows := self.network.corrupt_rows():
            raise DeviceError(f"the golden model's packed trits of layer {rows[0][0]} row "
                              f"{rows[0][1]} are not those of its counters")

    def state(self) -> NetworkState:
        state = self.network.state()
        if self._order is None:
            return state
        first, *others = state.counters
        return replace(state, counters=[first[:, np.argsort(self._order)], *others])

    def part(self, name: str) -> Part | None:
        return self.network.state().parts.get(name)
    def close(self) -> None:
        pass

    def _ordered(self, x: Bytes) -> Bytes:
        return x if self._order is None else x[:, self._order]


class SignLearner:
    """Ternary layers that learn by signs: plurigrid/asi, skill discrete-backprop, TernaryMLP.

    An input becomes +1 in the upper half of its range and -1 in the lower. The target is +1 for
    the label and -1 for the other classes. The prediction is the first maximum of the last
    layer's sums. Trits travel as counters in the middle of their cells.

    Parameters
    ----------
    recipe
        Sizes, formats and seed; of no use are gains, shifts and margin.
    ballot
        Numbers of a vote on each step; without one each sample alone makes a step, as in the
        source. Samples that are left over at the end of a chunk vote alone.
    """

    counts_cycles = False

    def __init__(self, recipe: Recipe, ballot: Ballot | None = None):
        self.recipe, self.ballot = recipe, ballot
        self.chunk = 512 if ballot is None else -(-512 // ballot.votes) * ballot.votes
        self.start()

    def start(self) -> None:
        self._prng = 1
        if self.ballot is None:
            self.network = TernaryMLP(self.recipe.layers, self.recipe.seed)
        else:
            self.voting = Voting(self.recipe.layers, self.ballot, self.recipe.seed)
            self.network = self.voting.network

    def load(self, state: NetworkState) -> None:
        self._prng = state.prng
        if self.ballot is not None:
            self.voting.step = step_of(self.recipe.seed, state.prng)
        for layer, stored in zip(self.network.layers, state.counters, strict=True):
            layer.weights = arithmetic.trits(stored, self.recipe.counter_bits).astype(np.int8)

    def train(self, x: Bytes, y: Labels, gains: Sequence[int], rest: bool = False) -> RunStats:
        if self.ballot is not None:
            return self._vote(x, y)
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

    def purge(self, layers: Sequence[int], cutoff: int, k: int) -> None:
        raise BadInput("rule sign keeps no support: it cannot prune")

    def state(self) -> NetworkState:
        middle = 3 << (self.recipe.counter_bits - 3)
        if self.ballot is not None:
            self._prng = generator_state(self.recipe.seed, self.voting.step)
        return NetworkState([layer.weights.astype(np.int16) * np.int16(middle)
                             for layer in self.network.layers], self._prng)

    def part(self, name: str) -> Part | None:
        return None

    def close(self) -> None:
        pass

    def _vote(self, x: Bytes, y: Labels) -> RunStats:
        targets = np.where(np.arange(self.recipe.layers[-1]) == y[:, None], 1, -1).astype(np.int8)
        scores, flips = self.voting.train(self._trits(x), targets)
        correct = int(np.count_nonzero(np.argmax(scores, axis=1) == y))
        wrong = int((np.sign(scores) != targets).any(axis=1).sum())
        return RunStats(len(x), correct, wrong, flips)

    def _trits(self, x: Bytes) -> npt.NDArray[np.int8]:
        top = (1 << self.recipe.planes) - 1
        return np.sign(2 * x.astype(np.int16) - top).astype(np.int8)


class ProbeLearner:
    """Training from losses on the golden model (`PerturbedNetwork`).

    Parameters
    ----------
    recipe
        Sizes, formats, shifts, margin and seed. The last layer's gain is every layer's.
    plan
        Samples of a mini-batch, steps on each, and sparsity.
    """

    counts_cycles = False

    def __init__(self, recipe: Recipe, plan: ProbePlan):
        self.recipe, self.plan = recipe, plan
        self.chunk = plan.batch
        self.start()

    def start(self) -> None:
        recipe = self.recipe
        self._losses = margin_loss(recipe.margin)
        self._correct = 0
        self.network = PerturbedNetwork(
            recipe.layers, recipe.counter_bits, recipe.seed,
            [clipped(shift, recipe.activation_bits) for shift in recipe.shifts], self._loss)

    def load(self, state: NetworkState) -> None:
        self.network.counters = [c.astype(np.int64) for c in state.counters]
        if self.plan.sparsity:
            self.network.step = step_of(self.recipe.seed, state.prng)
        else:
            self.network.weight = number_of(state.prng, self.recipe.shapes)

    def train(self, x: Bytes, y: Labels, gains: Sequence[int], rest: bool = False) -> RunStats:
        self._correct = 0
        plan, gain = self.plan, gains[-1]
        if plan.sparsity:
            done = self.network.train_spsa(x, y, plan.steps, gain, plan.sparsity)
        else:
            done = self.network.train_fd(x, y, plan.steps, gain)
        return RunStats(len(x), self._correct // (2 * plan.steps), 0, done.flips)

    def infer(self, x: Bytes) -> tuple[Labels, Labels, RunStats]:
        scores = self.network.scores(x)
        return np.argmax(scores, axis=1), scores, RunStats()

    def scrub(self) -> None:
        raise BadInput("a rule that learns from losses keeps no row sums: it cannot scrub")

    def purge(self, layers: Sequence[int], cutoff: int, k: int) -> None:
        raise BadInput("a rule that learns from losses keeps no support: it cannot prune")

    def state(self) -> NetworkState:
        network = self.network
        prng = (generator_state(self.recipe.seed, network.step) if self.plan.sparsity
                else state_of(network.weight, self.recipe.shapes))
        return NetworkState([c.astype(np.int16) for c in network.counters], prng)

    def part(self, name: str) -> Part | None:
        return None

    def close(self) -> None:
        pass

    def _loss(self, scores: Labels, labels: Labels) -> int:
        self._correct += int(np.count_nonzero(np.argmax(scores, axis=1) == labels))
        return self._losses(scores, labels)


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
        conserves = driver.config.conserve
        if conserves != recipe.conserve:
            raise BadInput(f"the core of {driver.session.name} was built "
                           f"{'to conserve' if conserves else 'without conserving'} row sums: "
                           f"--gf3 conserve {'is needed' if conserves else 'is not possible'}")
        if recipe.prune is not None:
            self._check_granules(recipe.prune)
        if recipe.scale_refresh is not None and not driver.config.scales:
            raise BadInput(f"{driver.session.name} was built without scales")
        if recipe.skip is not None and not driver.config.skip:
            raise BadInput(f"{driver.session.name} was built without skip connections")
        self._order = input_order(recipe, image_shape, driver.config.lanes)
        self._snapshot = NetworkState([])
        self._since: list[Callable[[], object]] = []

    def start(self) -> None:
        recipe = self.recipe
        self.load(initial_state(recipe))
        if self.driver.config.seeder:
            used = sum(outputs * inputs for outputs, inputs in recipe.shapes)
            self._survive(lambda: self.driver.seed(recipe.seed, used))

    def load(self, state: NetworkState) -> None:
        self._snapshot, self._since = state, []
        self._survive(self._restore)

    def train(self, x: Bytes, y: Labels, gains: Sequence[int], rest: bool = False) -> RunStats:
        def learn() -> RunStats:
            return self._learn(x, y, gains, rest)

        stats = self._survive(learn)
        self._since.append(learn)
        return stats

    def purge(self, layers: Sequence[int], cutoff: int, k: int) -> None:
        def clear() -> None:
            self.driver.purge(layers, cutoff, k)

        self._survive(clear)
        self._since.append(clear)

    def infer(self, x: Bytes) -> tuple[Labels, Labels, RunStats]:
        return self._survive(lambda: self.driver.infer(x))

    def scrub(self) -> None:
        self._survive(self.driver.scrub)

    def state(self) -> NetworkState:
        self._snapshot, self._since = self._survive(
            lambda: self.driver.state(parts_of(self.recipe))), []
        return self._snapshot

    def part(self, name: str) -> Part | None:
        if name not in parts_of(self.recipe):
            return None
        return self._survive(lambda: self.driver.part(name))

    def close(self) -> None:
        self.driver.close()

    def _learn(self, x: Bytes, y: Labels, gains: Sequence[int], rest: bool = False) -> RunStats:
        self.driver.set_gains(gains)
        return self.driver.train_chunk(x, y, self.recipe.margin, rest, self.recipe.scale_refresh)

    def _check_granules(self, prune: Pruning) -> None:
        core, name = self.driver.config, self.driver.session.name
        if not core.support:
            raise BadInput(f"the core of {name} was built without a support: "
                           f"--prune is not possible")
        if (core.banks, core.lanes) != (prune.banks, prune.lanes):
            raise BadInput(f"the core of {name} has granules of {core.banks} x {core.lanes} trits, "
                           f"not {prune.banks} x {prune.lanes}: give --banks {core.banks} "
                           f"--lanes {core.lanes}")

    def _restore(self) -> None:
        """Bring the device to the end of the last chunk."""
        self.driver.load_state(layer_table(self.recipe, self.recipe.gains), self._snapshot,
                               self._order)
        for act in self._since:
            act()

    def _survive(self, act: Callable[[], Answer]) -> Answer:
        """Do something; after a reset or an upset restore the device and do it again."""
        lost: DeviceError | None = None
        for _ in range(MAX_RESETS + 1):
            try:
                if lost:
                    self.driver.reconnect()
                    self._restore()
                return act()
            except (DeviceReset, DeviceAstray) as error:
                lost = error
        if isinstance(lost, DeviceAstray):
            raise lost
        raise DeviceError(f"{self.driver.session.name} was reset {MAX_RESETS} times in a row")


class ProbeDeviceLearner(DeviceLearner):
    """Training from losses on a device that keeps samples.

    Parameters
    ----------
    driver, recipe
        As for `DeviceLearner`. The last layer's gain is every layer's.
    plan
        Samples of a mini-batch, steps on each, and sparsity.

    Raises
    ------
    BadInput
        The device keeps less samples than a mini-batch has.
    """

    def __init__(self, driver: Driver, recipe: Recipe, plan: ProbePlan):
        kept = driver.config.resident
        if kept < plan.batch:
            raise BadInput(f"the core of {driver.session.name} keeps {kept} samples: "
                           + (f"--batch must be at most that, not {plan.batch}" if kept else
                              "it cannot learn from losses"))
        super().__init__(driver, recipe)  # directions need the inputs in their own order
        self.plan = plan
        self.chunk = plan.batch

    def start(self) -> None:
        recipe = self.recipe
        self.load(replace(initial_state(recipe), prng=self.plan.first_state(recipe.seed)))

    def _learn(self, x: Bytes, y: Labels, gains: Sequence[int], rest: bool = False) -> RunStats:
        self.driver.set_gains([gains[-1]] * len(gains))
        plan, margin = self.plan, self.recipe.margin
        done = (self.driver.train_spsa(x, y, margin, plan.steps, plan.sparsity) if plan.sparsity
                else self.driver.train_fd(x, y, margin, plan.steps))
        return replace(done, samples=len(x), correct=done.correct // (2 * plan.steps))
