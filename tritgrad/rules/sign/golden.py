"""The sign rule on the golden model.

An input becomes +1 in the upper half of its range and -1 in the lower. The target is +1 for the
label and -1 for the other classes. The prediction is the first maximum of the last layer's sums.
Trits travel as counters in the middle of their cells.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from ...model import arithmetic
from ...model.discrete.direction import MAX_SPARSITY, generator_state, step_of
from ...model.discrete.ternary import TernaryMLP
from ...model.discrete.vote import Ballot, Voting
from ...model.fast import TrainStats
from ...model.recipe import Recipe
from ...model.state import NetworkState
from ..method import Method
from ..record import Rule

__all__ = ["Sign", "SignGolden"]


class Sign(Method):
    """The sign rule, with a vote on each step if one is asked for.

    Without one each sample alone makes a step, as in the source. Samples that are left over at the
    end of a chunk vote alone.
    """

    def __init__(self, rule: Rule, recipe: Recipe, settings: Mapping[str, int]):
        super().__init__(rule, recipe, settings)
        votes = settings.get("vote", 1)
        self.ballot = (None if votes == 1 else
                       Ballot(votes, settings.get("sparsity", MAX_SPARSITY)))

    def report(self) -> dict[str, int]:
        return {"vote": self.ballot.votes, "sparsity": self.ballot.sparsity} if self.ballot else {}


class SignGolden:
    """Ternary layers in training."""

    def __init__(self, method: Sign):
        self.recipe, self.ballot = method.recipe, method.ballot
        self.chunk = (512 if self.ballot is None
                      else -(-512 // self.ballot.votes) * self.ballot.votes)
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

    def state(self) -> NetworkState:
        middle = 3 << (self.recipe.counter_bits - 3)
        if self.ballot is not None:
            self._prng = generator_state(self.recipe.seed, self.voting.step)
        return NetworkState([layer.weights.astype(np.int16) * np.int16(middle)
                             for layer in self.network.layers], self._prng)

    def train(self, x: npt.NDArray[np.uint8], y: npt.NDArray[np.int64], gains: Sequence[int],
              rest: bool) -> TrainStats:
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
        return TrainStats(len(x), correct, updates, flips)

    def scores(self, x: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
        return self.network.scores(self._trits(x))

    def _vote(self, x: npt.NDArray[np.uint8], y: npt.NDArray[np.int64]) -> TrainStats:
        targets = np.where(np.arange(self.recipe.layers[-1]) == y[:, None], 1, -1).astype(np.int8)
        scores, flips = self.voting.train(self._trits(x), targets)
        correct = int(np.count_nonzero(np.argmax(scores, axis=1) == y))
        wrong = int((np.sign(scores) != targets).any(axis=1).sum())
        return TrainStats(len(x), correct, wrong, flips)

    def _trits(self, x: npt.NDArray[np.uint8]) -> npt.NDArray[np.int8]:
        top = (1 << self.recipe.planes) - 1
        return np.sign(2 * x.astype(np.int16) - top).astype(np.int8)
