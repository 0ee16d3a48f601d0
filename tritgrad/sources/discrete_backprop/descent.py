"""Descent on trits, with the source's lists: what is given as a list comes back as one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tritgrad.model.discrete import gradients
from tritgrad.sources.discrete_backprop.single import TritGradient, vector, views

__all__ = ["DiscreteBackprop", "SimultaneousPerturbation", "color_guided_optimization"]

Loss = Callable[[Any], float]
Params = Sequence[float] | npt.NDArray[np.floating]


class DiscreteBackprop:
    """Finite differences, one parameter at a time: 2 dims + 1 losses a gradient.

    Parameters
    ----------
    dims
        Number of parameters.
    epsilon
        How far on each side the loss is probed.
    threshold
        Differences below it in size give the trit 0.

    Raises
    ------
    BadInput
        As of `tritgrad.model.discrete.gradients.DiscreteBackprop`.
    """

    def __init__(self, dims: int, epsilon: float = 1.0, threshold: float = 0.01):
        self.dims, self.epsilon, self.threshold = dims, epsilon, threshold
        self._rule = gradients.DiscreteBackprop(dims, epsilon, threshold)

    def trit_gradient(self, params: Params, loss_fn: Loss) -> list[TritGradient]:
        """The directions of descent at a point, one for each parameter.

        The loss is given a list if `params` is one, else an array.
        """
        return views(self._rule.trit_gradient(params, _given(loss_fn, params)))

    def step(self, params: Params, gradients: Sequence[TritGradient],
             learning_rate: float = 1.0) -> Any:
        """params + learning_rate * trit * confidence; a list if `params` is one."""
        return _like(params, vector(gradients).moved(params, learning_rate))

    def optimize(self, params: Params, loss_fn: Loss, max_steps: int = 100,
                 learning_rate: float = 1.0) -> tuple[Any, float]:
        """Step until all trits are 0; the best parameters seen and their loss."""
        best, loss = _Steps(self, params).optimize(
            params, _given(loss_fn, params), max_steps, learning_rate)
        return _like(params, best), loss


class SimultaneousPerturbation(DiscreteBackprop):
    """All parameters at once along a random direction of trits: two losses a gradient.

    Parameters
    ----------
    dims, epsilon, threshold
        As in `DiscreteBackprop`.
    seed
        Of the directions; the source draws from Python's generator.
    """

    def __init__(self, dims: int, epsilon: float = 1.0, threshold: float = 0.01, *,
                 seed: int = 1069):
        super().__init__(dims, epsilon, threshold)
        self._rule = gradients.SimultaneousPerturbation(dims, epsilon, threshold, seed)


class _Steps(gradients.DiscreteBackprop):
    """The library's loop around the gradients and steps of a rule that a user may have derived."""

    def __init__(self, rule: DiscreteBackprop, params: Params):
        super().__init__(rule.dims, rule.epsilon, rule.threshold)
        self._outer, self._example = rule, params

    def trit_gradient(self, params: npt.ArrayLike, loss: Loss) -> gradients.TritGradient:
        point = np.asarray(params, np.float64)
        return vector(self._outer.trit_gradient(
            _like(self._example, point), lambda probe: loss(np.asarray(probe, np.float64))))

    def step(self, params: npt.ArrayLike, gradient: gradients.TritGradient,
             learning_rate: float = 1.0) -> npt.NDArray[np.float64]:
        point = np.asarray(params, np.float64)
        return np.asarray(self._outer.step(_like(self._example, point), views(gradient),
                                           learning_rate), np.float64)


def color_guided_optimization(seed: int, loss_fn: Loss, params: Params) -> Any:
    """100 steps in which colour trits decide for parameters with a confidence below 1/2."""
    found = gradients.color_guided_optimization(seed, _given(loss_fn, params), params)
    return _like(params, found)


def _like(example: Params, point: npt.NDArray[np.float64]) -> Any:
    return point if isinstance(example, np.ndarray) else point.tolist()


def _given(loss: Loss, example: Params) -> Loss:
    return lambda point: loss(_like(example, point))
