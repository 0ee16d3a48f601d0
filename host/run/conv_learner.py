"""A network behind a convolution, on the compiled golden model."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from ...model.convolution.fast import FastConvNetwork
from ...model.convolution.shape import Convolution
from ...model.recipe import Recipe
from ...model.state import NetworkState, Part, initial_state
from ..device.driver import RunStats

__all__ = ["ConvLearner"]

Bytes = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]


class ConvLearner:
    """A convolution and its dense layers; counters of its states begin with the kernels'.

    Parameters
    ----------
    recipe
        Of the dense layers, behind `conv`.
    conv
        The convolution.
    """

    chunk = 4096
    counts_cycles = False

    def __init__(self, recipe: Recipe, conv: Convolution):
        self.recipe = recipe
        self.network = FastConvNetwork(recipe, conv)
        nothing = np.zeros((0, conv.inputs), np.uint8)  # compiles, unless it is in the cache
        self.train(nothing, np.zeros(0, np.int64), recipe.gains)
        self.infer(nothing)

    def start(self) -> None:
        self.load(initial_state(self.recipe))

    def load(self, state: NetworkState) -> None:
        kernels, *layers = state.counters
        self.network.load(kernels, layers, state.prng)

    def train(self, x: Bytes, y: Labels, gains: Sequence[int], rest: bool = False) -> RunStats:
        done = self.network.train(x, y, gains, self.recipe.wrong)
        return RunStats(done.samples, done.correct, done.updates, done.flips)

    def act(self, name: str, *arguments: Any) -> None:
        raise BadInput(f"a network behind a convolution has nothing to {name}")

    def infer(self, x: Bytes) -> tuple[Labels, Labels, RunStats]:
        scores = self.network.scores(x).astype(np.int64)
        return np.argmax(scores, axis=1), scores, RunStats()

    def state(self) -> NetworkState:
        return NetworkState([self.network.kernels, *self.network.counters],
                            self.network.prng_state)

    def part(self, name: str) -> Part | None:
        return None

    def close(self) -> None:
        pass
