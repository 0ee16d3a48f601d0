"""Numbers of a run that follow from its data, where they are not given."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ...model.arithmetic import trits
from ...model.recipe import MIN_GAIN, Recipe
from ...model.rng import initial_counters
from ..data.codings.images import Edges
from ..data.codings.numbers import Signed, Thermometer
from ..data.datasets import Dataset

__all__ = ["adapted", "default_epochs", "filling_shifts", "spread_shifts"]

#: Epochs at least and at most, and the samples that a small set is shown in all.
EPOCHS, MOST_EPOCHS, SHOWN = 20, 400, 40_000
#: Training rows below which signed inputs have so many times the margin: few rows soon lead by the
#: usual one, and most of the epochs would teach nothing.
FEW_ROWS, FEW_TIMES = 300, 4
#: Training rows from which on the first layer's gain is halved late in the run too.
MANY_ROWS = 5000
#: Training rows by which the spread of pre-activations is judged.
JUDGED = 512


def default_epochs(data: Dataset) -> int:
    """Epochs: 20, with signed inputs at least 40,000 samples shown but at most 400 epochs.

    More epochs gain nothing with a thermometer, and `planes` keeps the 20 that it always had.
    """
    if not isinstance(data.coding.steps[0], Signed):
        return EPOCHS
    return min(MOST_EPOCHS, max(EPOCHS, -(-SHOWN // len(data.x_train))))


def adapted(recipe: Recipe, data: Dataset, margin: bool, shifts: bool, floor: bool) -> Recipe:
    """The recipe with what the coding of its inputs asks for.

    Parameters
    ----------
    recipe
        Of the margin rule, with its usual defaults.
    margin, shifts, floor
        Whether these are free: a thermometer wants twice the margin and few rows of signed inputs
        four times, edges want the shifts of `spread_shifts`, and many rows of a thermometer or
        edges want the first layer's gain halved once.
    """
    steps = data.coding.steps
    if margin:
        recipe = replace(recipe, margin=_times(data) * recipe.margin)
    if shifts and recipe.shifts and any(isinstance(step, Edges) for step in steps):
        recipe = replace(recipe, shifts=spread_shifts(recipe, data.x_train[:JUDGED]))
    if floor and len(data.x_train) >= MANY_ROWS and (
            isinstance(steps[0], Thermometer) or any(isinstance(step, Edges) for step in steps)):
        recipe = replace(recipe, floor=max(MIN_GAIN, min(0, recipe.gains[0] - 1)))
    return recipe


def _times(data: Dataset) -> int:
    """The margin in usual ones; rows of the run count, also where only a part of them is learned.
    """
    if isinstance(data.coding.steps[0], Thermometer):
        return 2
    few = len(data.rows.chosen) < FEW_ROWS
    return FEW_TIMES if few and isinstance(data.coding.steps[0], Signed) else 1


def spread_shifts(recipe: Recipe, rows: npt.NDArray[np.uint8]) -> tuple[int, ...]:
    """`filling_shifts` of the initial network's hidden layers."""
    counters = initial_counters(recipe.layers, recipe.counter_bits, recipe.seed)
    return filling_shifts([trits(layer, recipe.counter_bits) for layer in counters[:-1]],
                          recipe.activation_bits, rows)


def filling_shifts(weights: Iterable[npt.NDArray[np.integer]], bits: int,
                   rows: npt.NDArray[np.uint8]) -> tuple[int, ...]:
    """Shifts for which the activations of `bits` bits behind these layers fill their range.

    Layer by layer from the first, for inputs `rows` (rows, inputs): m = floor(log2 max(1, floor(sum
    of abs z / number of z))), shift = max(0, m + 3 - bits), used for the next layer's inputs.
    """
    h, found = rows.astype(np.float64), []
    for layer in weights:
        # products of float64 are fast and, below 2^53, exact
        z = (h @ layer.T.astype(np.float64)).astype(np.int64)
        mean = max(1, int(np.abs(z).sum()) // z.size)
        found.append(max(0, mean.bit_length() - 1 + 3 - bits))
        h = np.clip(z >> found[-1], 0, (1 << bits) - 1).astype(np.float64)
    return tuple(found)
