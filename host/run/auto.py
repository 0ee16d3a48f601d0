"""``--encode auto``: the coding that follows from rows, features and room, by held-back rows.

The candidates are trained on the golden model, briefly, on training rows only. Test rows and
validation rows are never looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ...model.fast import FastNetwork
from ...model.rng import epoch_order
from ..data.codings.spec import fit
from ..data.datasets import Dataset
from ..device.address import board_and_port
from ..device.open import board_holds
from .auto_moves import clean_epochs, compare_moves, moves_pay
from .defaults import MOST_EPOCHS
from .options import TrainOptions
from .parts import held_back

__all__ = ["Choice", "choose", "held_back_score"]

Rows = npt.NDArray[np.intp]

#: Inputs at most: on a board as many as MNIST has, elsewhere twice that.
BOARD_ROOM, ROOM = 784, 1568
#: Levels of a thermometer, and times that signed inputs are repeated at most.
LEVELS, REPEAT = (32, 16, 8), 16
#: Features up to which few rows get a thermometer, where they are too few to compare.
FEW_FEATURES = 48
#: Rows from which on candidates are compared, and samples shown in a comparison.
COMPARED, SHOWN = 40, 16_000
#: Epochs of a comparison of codings of images, and the least side of an image.
IMAGE_EPOCHS, SIDE = 4, 16
EDGES = ("edges:128:8:2,select:784", "edges:6+16+36+72:4:2")


@dataclass(frozen=True)
class Choice:
    """A coding, the one line that says why it was chosen, and whether there was any choice.

    Images may also be moved by `shift_augment` pixels but in the last `clean_epochs`.
    """

    encode: str
    why: str
    open: bool = True
    shift_augment: int = 0
    clean_epochs: int = 0


def choose(options: TrainOptions, data: Dataset) -> Choice:
    """The coding for a run.

    Parameters
    ----------
    options
        Of the run; what they say about the network holds for the comparison too.
    data
        Its rows, in whatever coding.
    """
    if options.rule != "margin":
        return Choice("planes", f"rule {options.rule} takes one input a feature",
                      False)
    shape, features = data.image_shape, data.coding.features
    rows = len(data.rows.chosen)
    if shape is not None and min(shape) >= SIDE:
        kind, texts = f"images of {shape[0]} x {shape[1]}", list(EDGES)
    elif data.rows.scaling is not None:
        return _of_known_range(options, data)
    else:
        room = BOARD_ROOM if board_and_port(options.device) else ROOM
        kind, texts = f"{features} features", _of_features(features, room)
    fitting = [text for text in texts if _fits(options, data, text)]
    what = f"{rows} rows of {kind}"
    if not fitting:
        return Choice("planes", f"{what}: nothing else has room on {options.device}")
    if len(fitting) == 1 or rows < COMPARED:
        plain = [t for t in fitting if t.startswith("thermometer")] if features <= FEW_FEATURES \
            else [t for t in fitting if t == "signed"]
        return Choice((plain or fitting)[-1], f"{what} are too few to compare codings"
                      if rows < COMPARED else f"{what}: no other has room on {options.device}")
    parts = held_back(data.rows, options.reading.split_rule == "ordered")
    if not parts:
        return Choice(fitting[0], f"{what} are one group, of which nothing can be held back")
    found = {text: held_back_score(options, data, text, parts) for text in fitting}
    best = max(found, key=lambda text: found[text])  # of equals the first
    scores = ", ".join(f"{text} {score:.1f}" for text, score in found.items())
    return Choice(best, f"{what}; % of held-back training rows: {scores}")


def _of_known_range(options: TrainOptions, data: Dataset) -> Choice:
    """Planes as they are; small images are moved too in a long run, if held-back rows say so."""
    shape, rows = data.image_shape, len(data.rows.chosen)
    if shape is None or options.moves or options.clean_epochs or not moves_pay(options, data):
        return Choice("planes", "their range is known", False)
    still, moved = compare_moves(options, data)
    what = f"{rows} rows of images of {shape[0]} x {shape[1]}"
    scores = f"% of held-back training rows: as they are {still:.1f}, moved {moved:.1f}"
    if moved <= still:
        return Choice("planes", f"{what}; {scores}")
    clean = clean_epochs(options.recipe(data).epochs)
    return Choice("planes", f"{what}, moved by up to a pixel but in the last {clean} epochs; "
                  f"{scores}", True, 1, clean)


def _of_features(features: int, room: int) -> list[str]:
    times = min(REPEAT, room // (2 * features))
    texts = [f"signed,repeat:{times}"] if times > 1 else []
    texts.append("signed")
    texts += [f"thermometer:{n}" for n in LEVELS if n * features <= room][:2]
    return [*texts, "planes"]


def _fits(options: TrainOptions, data: Dataset, text: str) -> bool:
    few = data.rows.chosen[:1]
    coding = fit(text, data.rows.train[few] if "select" not in text else data.rows.train[:64],
                 few * 0, scaling=data.rows.scaling, image_shape=data.image_shape)
    layers = coding.inputs, *options.hidden, data.classes
    return board_holds(options.device, options.plain_recipe(layers, coding.planes))


def held_back_score(options: TrainOptions, data: Dataset, text: str,
                    parts: Sequence[tuple[Rows, Rows]]) -> float:
    """Per cent of held-back training rows that networks get right which have not seen them."""
    right = sum(_right(options, data, text, learned, held) for learned, held in parts)
    return 100.0 * right / sum(len(held) for _, held in parts)


def _right(options: TrainOptions, data: Dataset, text: str, learned: Rows, held: Rows) -> int:
    """How many held-back rows are right after the others were learned; rows count in `chosen`."""
    values = data.rows.train[data.rows.chosen]
    coding = fit(text, values[learned], np.arange(len(learned)), scaling=data.rows.scaling,
                 image_shape=data.image_shape)
    part = replace(data, coding=coding, x_train=coding.apply(values[learned]),
                   y_train=data.y_train[learned])
    recipe = replace(options, encode=None, planes=None, prune=None, epochs=None).recipe(part)
    if data.image_shape is not None and min(data.image_shape) >= SIDE:
        epochs = IMAGE_EPOCHS
    else:
        epochs = min(recipe.epochs, MOST_EPOCHS, max(20, -(-SHOWN // len(learned))))
    recipe = replace(recipe, epochs=epochs)
    network = FastNetwork(recipe)
    for epoch in range(epochs):
        network.train(part.x_train, part.y_train, epoch_order(recipe.seed, epoch, len(learned)),
                      recipe.gains_in(epoch))
    found = network.predict(coding.apply(values[held]))
    return int(np.count_nonzero(found == data.y_train[held]))
