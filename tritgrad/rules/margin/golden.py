"""The margin rule on the golden model, compiled."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ...errors import DeviceError
from ...model.convolution.fast import FastConvNetwork
from ...model.fast import FastNetwork, TrainStats
from ...model.state import NetworkState, initial_state
from ..method import Method

__all__ = ["ConvGolden", "MarginGolden", "golden"]


class MarginGolden:
    """`FastNetwork`, as a rule's `Golden`."""

    chunk = 4096

    def __init__(self, method: Method):
        self.recipe = method.recipe
        self.network = FastNetwork(method.recipe)
        nothing = np.zeros((0, self.recipe.layers[0]), np.uint8)
        self.train(nothing, np.zeros(0, np.int64), self.recipe.gains, False)  # compiles, unless
        self.scores(nothing)                                                  # it is in the cache

    def start(self) -> None:
        self.load(initial_state(self.recipe))

    def load(self, state: NetworkState) -> None:
        self.network.load_state(state)

    def state(self) -> NetworkState:
        return self.network.state()

    def train(self, x: npt.NDArray[np.uint8], y: npt.NDArray[np.int64], gains: Sequence[int],
              rest: bool) -> TrainStats:
        return self.network.train(x, y, np.arange(len(x)), gains, rest=rest)

    def scores(self, x: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
        return self.network.scores(x).astype(np.int64)

    def purge(self, layers: Sequence[int], cutoff: int, k: int) -> None:
        """As `FastNetwork.purge`."""
        self.network.purge(layers, cutoff, k)

    def scrub(self) -> None:
        """Raise `DeviceError` if packed trits have not the sum mod 3 of their counters'."""
        if rows := self.network.corrupt_rows():
            raise DeviceError(f"the golden model's packed trits of layer {rows[0][0]} row "
                              f"{rows[0][1]} are not those of its counters")


class ConvGolden:
    """`FastConvNetwork`, as a rule's `Golden`; counters of its states begin with the kernels'."""

    chunk = 4096

    def __init__(self, method: Method):
        self.recipe = recipe = method.recipe
        assert recipe.conv is not None
        self.network = FastConvNetwork(recipe, recipe.conv)
        nothing = np.zeros((0, recipe.conv.inputs), np.uint8)
        self.train(nothing, np.zeros(0, np.int64), recipe.gains, False)  # as above
        self.scores(nothing)

    def start(self) -> None:
        self.load(initial_state(self.recipe))

    def load(self, state: NetworkState) -> None:
        kernels, *layers = state.counters
        self.network.load(kernels, layers, state.prng)

    def state(self) -> NetworkState:
        return NetworkState([self.network.kernels, *self.network.counters],
                            self.network.prng_state)

    def train(self, x: npt.NDArray[np.uint8], y: npt.NDArray[np.int64], gains: Sequence[int],
              rest: bool) -> TrainStats:
        return self.network.train(x, y, gains, self.recipe.wrong)

    def scores(self, x: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
        return self.network.scores(x).astype(np.int64)


def golden(method: Method) -> MarginGolden | ConvGolden:
    """The golden model of a run's network, behind a convolution or not."""
    return MarginGolden(method) if method.recipe.conv is None else ConvGolden(method)
