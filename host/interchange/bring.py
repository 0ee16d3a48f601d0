"""A model file from an ONNX file and the data that the network is for."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from ...model.fast import FastNetwork
from ...model.recipe import Recipe
from ...model.state import NetworkState
from ..data.datasets import Dataset
from ..run.checkpoint import Position, fingerprint
from ..run.metrics import accuracy
from ..run.model_file import TrainedModel
from ..run.options import TrainOptions
from ..run.report import as_model
from ..run.training import Outcome
from .parse import Network, read_network
from .ternarise import counters_of, ternarised

__all__ = ["Brought", "brought"]

#: Training rows by which shifts are fitted.
JUDGED = 4000


@dataclass(frozen=True, eq=False)
class Brought:
    """A network that came in.

    Attributes
    ----------
    model
        As a model file.
    notes
        What is not as in the ONNX file, a sentence each.
    original, accuracy
        Per cent of the test rows right, by the ONNX file and by the model; None without such rows.
    """

    model: TrainedModel
    notes: list[str]
    original: float | None
    accuracy: float | None


def brought(path: str | Path, options: TrainOptions, data: Dataset, residuals: str = "scaled",
            divide: float = 1.0) -> Brought:
    """The network of an ONNX file with the coding, classes and test rows of a data set.

    Parameters
    ----------
    path
        The file, see `read_network`.
    options
        Data set, coding and counter bits; sizes come from the file.
    data
        The data set of the options.
    residuals
        One of `ternarise.RESIDUALS`.
    divide
        What the numbers of the data set are divided by before the ONNX network reads them: 255 for
        pixels that it takes from 0 to 1. Only for its own accuracy.

    Raises
    ------
    BadInput
        File and data do not go together.
    """
    network = read_network(path)
    outputs = len(network.layers[-1].weights)
    if outputs != data.classes:
        raise BadInput(f"{path} gives {outputs} scores; {data.name} has {data.classes} classes")
    code = network.code
    if code is not None and code.bits != data.planes:
        raise BadInput(f"{path} takes inputs of {code.bits} bits, the coding {data.coding.text} "
                       f"makes {data.planes}; give another --encode")
    x, y = data.x_train[:JUDGED], data.y_train[:JUDGED]
    made = ternarised(network, data.coding, x, y)
    hidden = tuple(len(trits) for trits in made.trits[:-1])
    if not hidden:
        raise BadInput(f"{path} has one layer; import takes networks with hidden layers")
    options = replace(options, hidden=hidden, act_shift=made.shifts)
    recipe = options.recipe(data)
    if recipe.activation_bits != made.bits:
        recipe = Recipe.default(recipe.layers, recipe.planes, recipe.counter_bits, made.bits,
                                epochs=recipe.epochs, seed=recipe.seed, shifts=made.shifts)
    counters = counters_of(made, recipe.counter_bits, residuals)
    model = as_model(Outcome(options, data, fingerprint(data), recipe, Position(),
                             NetworkState(counters), None))
    model = replace(model, extras={**model.extras, "imported": {
        "file": Path(path).name, "residuals": residuals, "notes": made.notes}})
    original = ours = None
    if len(data.x_test):
        original = accuracy(data.y_test, _original(network, data, divide).argmax(axis=1))
        running = FastNetwork(recipe)
        running.load(counters, 1)
        ours = accuracy(data.y_test, running.predict(data.x_test))
    return Brought(model, made.notes, original, ours)


def _original(network: Network, data: Dataset, divide: float) -> npt.NDArray[np.float64]:
    """Scores of the test rows by the file's own arithmetic."""
    takes = network.layers[0].weights.shape[1]
    if network.code is not None and takes == data.inputs:
        return network.scores(data.x_test.astype(np.float64) * network.code.scale)
    values: npt.NDArray[Any] = data.rows.test
    if network.code is None and takes == data.coding.features:
        return network.scores(values.astype(np.float64) / divide)
    return network.scores(data.x_test.astype(np.float64))
