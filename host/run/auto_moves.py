"""Whether small images are moved in training: by held-back rows, as codings are compared."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ...model.fast import FastNetwork
from ...model.moves import Moves
from ...model.rng import epoch_order
from ..data.datasets import Dataset
from .options import TrainOptions
from .parts import held_back

__all__ = ["clean_epochs", "compare_moves", "moves_pay"]

Rows = npt.NDArray[np.intp]

#: Epochs and rows from which on moves are tried; in shorter runs they gained nothing.
LONG, MANY = 40, 1000


def clean_epochs(epochs: int) -> int:
    """Epochs at the end in which images stay as they are: two fifths."""
    return 2 * epochs // 5


def moves_pay(options: TrainOptions, data: Dataset) -> bool:
    """Whether it is worth asking: a long run of many rows."""
    return options.recipe(data).epochs >= LONG and len(data.rows.chosen) >= MANY


def compare_moves(options: TrainOptions, data: Dataset) -> tuple[float, float]:
    """Per cent of held-back rows that are right, as images are and moved by up to a pixel."""
    parts = held_back(data.rows, options.reading.split_rule == "ordered")
    rows = max(1, sum(len(held) for _, held in parts))
    still, moved = (100.0 * sum(_right(options, data, Moves(shift), *part) for part in parts) / rows
                    for shift in (0, 1))
    return still, moved


def _right(options: TrainOptions, data: Dataset, moves: Moves, learned: Rows, held: Rows) -> int:
    """How many held-back rows are right after the others were learned; rows count in `chosen`."""
    coding, shape = data.coding, data.image_shape or (1, 1)
    pictures = coding.pictures(data.rows.train[data.rows.chosen[learned]])
    x, y = data.x_train[learned], data.y_train[learned]
    recipe = replace(options.recipe(data), prune=None, epochs=LONG)
    network = FastNetwork(recipe)
    for epoch in range(LONG):
        order = epoch_order(recipe.seed, epoch, len(learned))
        shown = x[order]
        if moves and epoch < LONG - clean_epochs(LONG):
            shown = coding.moved(pictures[order], shape,
                                 moves.draws(recipe.seed, epoch, len(order)))
        network.train(shown, y[order], np.arange(len(order)), recipe.gains_in(epoch))
    return int(np.count_nonzero(network.predict(data.x_train[held]) == data.y_train[held]))
