"""The golden model of a rule as what a run trains, and the order of inputs that all have."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from ...model.layout import tile_order
from ...model.recipe import Recipe
from ...model.state import NetworkState, Part
from ...rules import MARGIN
from ...rules.method import Method, method_of
from ...units.registry import run_parts
from ..device.runner import RunStats
from ..device.stored import Progress

__all__ = ["ModelLearner", "input_order"]

Bytes = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]


def input_order(recipe: Recipe, image_shape: tuple[int, int] | None,
                lanes: int) -> npt.NDArray[np.intp] | None:
    """The input at each position on a device: an image's tile by tile, if no result depends on it.

    The dither of negative gains goes by an input's position, and what some units do.
    """
    dithers = any(recipe.gains_in(epoch)[0] < 0 for epoch in range(recipe.epochs))
    if image_shape is None or dithers or any(part.by_place(recipe) for part in run_parts()):
        return None
    return tile_order(image_shape, lanes)


class ModelLearner:
    """The golden model of a rule.

    Parameters
    ----------
    recipe
        Sizes, formats, shifts, margin and seed.
    image_shape
        As for `DeviceLearner`; of use where a unit goes by the inputs' places.
    method
        The rule, one that has a golden run; by default the margin rule.
    """

    counts_cycles = False
    keeps = 0
    stores = False

    def __init__(self, recipe: Recipe, image_shape: tuple[int, int] | None = None,
                 method: Method | None = None):
        self.recipe = recipe
        golden = (method or method_of(MARGIN, recipe, {})).golden()
        assert golden is not None
        self.golden = golden
        self.chunk = golden.chunk
        lanes = next((n for part in run_parts() if (n := part.lanes(recipe)) is not None), None)
        self._order = None if lanes is None else input_order(recipe, image_shape, lanes)

    def start(self) -> None:
        self.golden.start()

    def load(self, state: NetworkState) -> None:
        if self._order is not None:
            first, *others = state.counters
            state = replace(state, counters=[first[:, self._order], *others])
        self.golden.load(state)

    def train(self, x: Bytes, y: Labels, gains: Sequence[int], rest: bool = False) -> RunStats:
        done = self.golden.train(self._ordered(x), y, gains, rest)
        return RunStats(done.samples, done.correct, done.updates, done.flips)

    def keep(self, x: Bytes, y: Labels, progress: Progress, shift: int = 0,
             learned: int | None = None, told: Callable[[str], None] = lambda text: None) -> str:
        return ""

    def train_kept(self, numbers: Labels, gains: Sequence[int], rest: bool = False,
                   offsets: Labels | None = None) -> RunStats:
        raise NotImplementedError

    def judge(self, x: Bytes, y: Labels) -> int:
        return int(np.count_nonzero(self.infer(x)[0] == y))

    def judge_kept(self, numbers: Labels) -> int:
        raise NotImplementedError

    def act(self, name: str, *arguments: Any) -> None:
        act = getattr(self.golden, name, None)
        if act is None:
            raise BadInput(f"the golden model of this rule has nothing to {name}")
        act(*arguments)

    def infer(self, x: Bytes) -> tuple[Labels, Labels, RunStats]:
        scores = self.golden.scores(self._ordered(x))
        return np.argmax(scores, axis=1), scores, RunStats()

    def state(self) -> NetworkState:
        state = self.golden.state()
        if self._order is None:
            return state
        first, *others = state.counters
        return replace(state, counters=[first[:, np.argsort(self._order)], *others])

    def part(self, name: str) -> Part | None:
        return self.golden.state().parts.get(name)

    def close(self) -> None:
        pass

    def _ordered(self, x: Bytes) -> Bytes:
        return x if self._order is None else x[:, self._order]
