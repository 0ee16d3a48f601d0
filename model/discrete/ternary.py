"""A network of ternary weights that learns by the signs of its errors.

Activations and weights are trits, so a forward pass only adds. Biases exist in the source and are
never trained: they are 0 here and left out. Source: plurigrid/asi, skill discrete-backprop,
classes TernaryLayer and TernaryMLP.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from ..rng import check_seed, splitmix64
from .splitmix import Trits, trits_of

__all__ = ["TernaryLayer", "TernaryMLP"]

Numbers = npt.NDArray[Any]


class TernaryLayer:
    """One layer of weights -1, 0 and +1.

    Parameters
    ----------
    inputs, outputs
        Sizes, at least 1.
    seed
        Of the initial weights, each trit with probability 1/3.
    first
        Index of the SplitMix64 output that gives the first weight; the others follow row by row.

    Attributes
    ----------
    weights
        int8 (outputs, inputs).
    """

    def __init__(self, inputs: int, outputs: int, seed: int = 1069, first: int = 0):
        for name, size in (("inputs", inputs), ("outputs", outputs)):
            if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size < 1:
                raise BadInput(f"{name} must be an integer of at least 1, not {size!r}")
        drawn = splitmix64(check_seed(seed), np.arange(first, first + outputs * inputs))
        self.weights: Trits = trits_of(drawn).reshape(outputs, inputs)

    def scores(self, x: Numbers) -> Numbers:
        """Sums before the sign: W x, (..., outputs) for inputs (..., inputs).

        int64 for integers, which is exact, else float64.
        """
        x = np.asarray(x)
        wide = np.float64 if x.dtype.kind == "f" else np.int64
        return x.astype(wide) @ self.weights.T.astype(wide)

    def forward(self, x: Numbers) -> Trits:
        """sign(W x) with sign(0) = 0, int8 (..., outputs)."""
        return np.sign(self.scores(x)).astype(np.int8)

    def backward_trit(self, x: Numbers, error: Numbers) -> Trits:
        """The direction of each weight, sign(error x^T), int8 (outputs, inputs)."""
        return np.multiply.outer(np.sign(error).astype(np.int8), np.sign(x).astype(np.int8))

    def update(self, trits: Numbers, learning_rate: float = 1.0) -> None:
        """W becomes sign(clip(W + learning_rate * trits, -1, 1)).

        Below a learning rate of 1 a weight of +1 or -1 never changes again, and a weight of 0
        takes the first trit that comes.
        """
        moved = self.weights + learning_rate * np.asarray(trits)
        self.weights = np.sign(np.clip(moved, -1, 1)).astype(np.int8)


class TernaryMLP:
    """Layers of ternary weights, each followed by the sign.

    Parameters
    ----------
    sizes
        Inputs, hidden sizes, outputs: at least two numbers.
    seed
        Of the initial weights, layer by layer, row by row.

    Attributes
    ----------
    layers
        Of the class `Layer`, which a derived network may change.
    """

    Layer: type[TernaryLayer] = TernaryLayer

    def __init__(self, sizes: Sequence[int], seed: int = 1069):
        if len(sizes) < 2:
            raise BadInput(f"sizes must be at least two numbers, not {tuple(sizes)!r}")
        self.layers: list[TernaryLayer] = []
        first = 0
        for inputs, outputs in zip(sizes, sizes[1:], strict=False):
            self.layers.append(self.Layer(inputs, outputs, seed, first))
            first += inputs * outputs

    def forward(self, x: Numbers) -> Trits:
        """Outputs, int8 (..., outputs) for inputs (..., inputs)."""
        return np.sign(self.scores(x)).astype(np.int8)

    def scores(self, x: Numbers) -> Numbers:
        """Sums of the last layer before the sign, (..., outputs): they tell equals apart."""
        for layer in self.layers[:-1]:
            x = layer.forward(x)
        return self.layers[-1].scores(x)

    def train_step(self, x: Numbers, target: Numbers, learning_rate: float = 1.0) -> None:
        """Learn one sample.

        The error of the last layer is sign(target - output). From the last layer to the first,
        a layer is updated with sign(error a^T), a its input, and then sends sign(W^T error) down
        with its *updated* weights.

        Parameters
        ----------
        x
            (inputs,), numbers.
        target
            (outputs,), trits.
        learning_rate
            The source's default is 0.1, with which weights of +1 and -1 never change: see
            `TernaryLayer.update`.
        """
        activations: list[Numbers] = [x]
        for layer in self.layers:
            activations.append(layer.forward(activations[-1]))
        error = np.sign(np.asarray(target) - activations[-1]).astype(np.int64)
        for layer, below in zip(reversed(self.layers), reversed(activations[:-1]), strict=True):
            layer.update(layer.backward_trit(below, error), learning_rate)
            error = np.sign(error @ layer.weights)
