"""Ternary layers with the source's keywords."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tritgrad.model.discrete import ternary

__all__ = ["TernaryLayer", "TernaryMLP"]

Numbers = npt.NDArray[Any]


class TernaryLayer(ternary.TernaryLayer):
    """One layer of weights -1, 0 and +1, with a bias that is 0 and never trained.

    Parameters
    ----------
    in_features, out_features
        Sizes.
    seed, first
        Of the initial weights; the source draws from NumPy's global generator.

    Attributes
    ----------
    weights
        int8 (out_features, in_features).
    bias
        (out_features,), added before the sign.
    """

    def __init__(self, in_features: int, out_features: int, seed: int = 1069, first: int = 0):
        super().__init__(in_features, out_features, seed, first)
        self.bias = np.zeros(out_features)

    def scores(self, x: Numbers) -> Numbers:
        """W x + bias, (..., out_features)."""
        found = super().scores(x)
        return found + self.bias if self.bias.any() else found

    def backward_trit(self, x: Numbers, grad_output: Numbers) -> Numbers:
        """The direction of each weight, sign(grad_output x^T)."""
        return super().backward_trit(x, grad_output)

    def update(self, trit_grad: Numbers, lr: float = 1.0) -> None:
        """W becomes sign(clip(W + lr * trit_grad, -1, 1))."""
        super().update(trit_grad, lr)


class TernaryMLP(ternary.TernaryMLP):
    """Layers of ternary weights, each followed by the sign.

    Parameters
    ----------
    layer_sizes
        Inputs, hidden sizes, outputs.
    seed
        Of the initial weights.
    """

    layers: list[TernaryLayer]  # type: ignore[assignment]
    Layer = TernaryLayer

    def __init__(self, layer_sizes: Sequence[int], seed: int = 1069):
        super().__init__(layer_sizes, seed)

    def train_step(self, x: Numbers, target: Numbers, lr: float = 1.0) -> None:
        """Learn one sample, from the last layer to the first.

        The source's default is ``lr=0.1``, with which weights of +1 and -1 never change.
        """
        super().train_step(np.asarray(x), np.asarray(target), lr)
