"""Learning from losses (`tritgrad.model.discrete.perturbed`): what the rules spsa and fd share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import BadInput
from ..firmware import programs
from ..model.config import CoreConfig
from ..model.discrete import walk
from ..model.discrete.direction import generator_state, step_of
from ..model.discrete.perturbed import PerturbedNetwork, clipped, margin_loss
from ..model.fast import TrainStats
from ..model.recipe import Recipe
from ..model.state import NetworkState
from .method import Method
from .record import Rule

__all__ = ["LossGolden", "Losses", "ProbePlan"]


@dataclass(frozen=True)
class ProbePlan:
    """Numbers of the rules spsa and fd; see `tritgrad.model.discrete.perturbed`."""

    batch: int     #: samples that stay on the chip together, 1 to 1,023
    steps: int     #: on each mini-batch
    sparsity: int  #: k, 1 to 6: a weight in 2^k is perturbed; 0: one weight, in turn (rule fd)

    @property
    def resident(self) -> int:
        """Samples that a core keeps for it: one less than a power of two."""
        return int((1 << self.batch.bit_length()) - 1)

    def first_state(self, seed: int) -> int:
        """What a core's PRNG holds at the start of a run with this seed."""
        return generator_state(seed, 0) if self.sparsity else walk.FIRST


class Losses(Method):
    """Steps downhill on mini-batches that stay on the chip. The last layer's gain is every layer's.

    A subclass says its `defaults`.
    """

    defaults = ProbePlan(1, 1, 1)
    reorders = False  # directions need the inputs in their own order

    def __init__(self, rule: Rule, recipe: Recipe, settings: Mapping[str, int]):
        super().__init__(rule, recipe, settings)
        chosen = {name: settings.get(name, value) for name, value in vars(self.defaults).items()}
        self.plan = ProbePlan(**chosen)
        self.chunk, self.passes = self.plan.batch, 2 * self.plan.steps

    def program(self, samples: int, rest: bool) -> list[int]:
        plan, recipe = self.plan, self.recipe
        return programs.train_spsa(recipe.depth, samples, recipe.margin, plan.steps, plan.sparsity)

    def core(self) -> dict[str, int]:
        return {"resident": self.plan.resident}

    def check(self, core: CoreConfig, name: str) -> None:
        kept = core.resident
        if kept < self.plan.batch:
            raise BadInput(f"the core of {name} keeps {kept} samples: "
                           + (f"--batch must be at most that, not {self.plan.batch}" if kept else
                              "it cannot learn from losses"))

    def gains(self, gains: Sequence[int]) -> Sequence[int]:
        return [gains[-1]] * len(gains)

    def first_prng(self) -> int:
        return self.plan.first_state(self.recipe.seed)

    def report(self) -> dict[str, int]:
        return vars(self.plan)


class LossGolden:
    """`PerturbedNetwork`, as a rule's `Golden`."""

    def __init__(self, method: Losses):
        self.recipe, self.plan = method.recipe, method.plan
        self.chunk = self.plan.batch
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
            self.network.weight = walk.number_of(state.prng, self.recipe.shapes)

    def state(self) -> NetworkState:
        network = self.network
        prng = (generator_state(self.recipe.seed, network.step) if self.plan.sparsity
                else walk.state_of(network.weight, self.recipe.shapes))
        return NetworkState([c.astype(np.int16) for c in network.counters], prng)

    def train(self, x: npt.NDArray[np.uint8], y: npt.NDArray[np.int64], gains: Sequence[int],
              rest: bool) -> TrainStats:
        self._correct = 0
        plan, gain = self.plan, gains[-1]
        if plan.sparsity:
            done = self.network.train_spsa(x, y, plan.steps, gain, plan.sparsity)
        else:
            done = self.network.train_fd(x, y, plan.steps, gain)
        return TrainStats(len(x), self._correct // (2 * plan.steps), 0, done.flips)

    def scores(self, x: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
        return self.network.scores(x)

    def _loss(self, scores: npt.NDArray[np.int64], labels: npt.NDArray[np.int64]) -> int:
        self._correct += int(np.count_nonzero(np.argmax(scores, axis=1) == labels))
        return self._losses(scores, labels)
