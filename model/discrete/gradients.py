"""Descent on trits, for losses that need no derivative.

A loss is probed on both sides of a point, and what comes of it is a trit and a confidence for each
parameter. Memory is that of the parameters and one probe. Source: plurigrid/asi, skill
discrete-backprop; simultaneous perturbation is Spall's, "Multivariate stochastic approximation
using a simultaneous perturbation gradient approximation", 1992.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from .splitmix import ColorRule, SplitMixTernary, Trits

__all__ = ["DiscreteBackprop", "Loss", "Params", "SimultaneousPerturbation", "TritGradient",
           "color_guided_optimization"]

Params = npt.NDArray[np.float64]
Loss = Callable[[Params], float]
#: Is told of each step: its number from 0, where it ended, the loss there.
Watch = Callable[[int, Params, float], None]

#: Below this confidence a colour decides; the source's number.
SURE = 0.5


class TritGradient:
    """Directions of descent: for each parameter a trit and how sure it is.

    Iterates and indexes like the source's list of single gradients.

    Parameters
    ----------
    value
        -1, 0 or +1, any shape; a parameter moves by value * confidence * learning rate.
    confidence
        Same shape, finite numbers.

    Raises
    ------
    BadInput
        A value is no trit, or the shapes differ.
    """

    value: Trits
    confidence: Params

    def __init__(self, value: npt.ArrayLike, confidence: npt.ArrayLike):
        given = np.asarray(value)
        if not np.isin(given, (-1, 0, 1)).all():
            wrong = given[~np.isin(given, (-1, 0, 1))].flat[0]
            raise BadInput(f"value of a gradient must be -1, 0 or 1, not {wrong.item()!r}")
        self.value = given.astype(np.int8)
        self.confidence = np.asarray(confidence, np.float64)
        if self.value.shape != self.confidence.shape:
            raise BadInput(f"value and confidence of a gradient must have one shape, "
                           f"not {self.value.shape} and {self.confidence.shape}")

    def __len__(self) -> int:
        return len(self.value)

    def __getitem__(self, key: Any) -> "TritGradient":
        return TritGradient(self.value[key], self.confidence[key])

    def __iter__(self) -> Iterator["TritGradient"]:
        return (self[k] for k in range(len(self)))

    def __eq__(self, other: object) -> bool:
        return (isinstance(other, TritGradient) and np.array_equal(self.value, other.value)
                and np.array_equal(self.confidence, other.confidence))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"TritGradient({self.value.tolist()!r}, {self.confidence.tolist()!r})"

    def moved(self, params: npt.ArrayLike, learning_rate: float = 1.0) -> Params:
        """params + learning_rate * value * confidence. Raises `BadInput` on another shape."""
        params = np.asarray(params, np.float64)
        if params.shape != self.value.shape:
            raise BadInput(f"a gradient of shape {self.value.shape} cannot move parameters of "
                           f"shape {params.shape}")
        return params + learning_rate * self.value * self.confidence


class DiscreteBackprop:
    """Finite differences, one parameter at a time: 2 * dims + 1 losses a gradient.

    Parameters
    ----------
    dims
        Number of parameters, at least 1.
    epsilon
        How far on each side the loss is probed, above 0.
    threshold
        Differences below it in size give the trit 0, at least 0.

    Raises
    ------
    BadInput
        One of them is outside what is allowed.
    """

    def __init__(self, dims: int, epsilon: float = 1.0, threshold: float = 0.01):
        if isinstance(dims, bool) or not isinstance(dims, (int, np.integer)) or dims < 1:
            raise BadInput(f"dims must be an integer of at least 1, not {dims!r}")
        if not (np.isfinite(epsilon) and epsilon > 0):
            raise BadInput(f"epsilon must be a number above 0, not {epsilon!r}")
        if not (np.isfinite(threshold) and threshold >= 0):
            raise BadInput(f"threshold must be a number of at least 0, not {threshold!r}")
        self.dims, self.epsilon, self.threshold = int(dims), float(epsilon), float(threshold)

    def trit_gradient(self, params: npt.ArrayLike, loss: Loss) -> TritGradient:
        """The direction of descent at a point.

        With d = loss(p + epsilon e_i) - loss(p - epsilon e_i), trit i is 0 where |d| is below the
        threshold, else -sign(d). Its confidence is 1 - |d| / threshold or min(1, |d| / epsilon).

        Parameters
        ----------
        params
            (dims,).
        loss
            From parameters (dims,) to a number. It may be infinite: between two infinities of one
            sign the trit is 0 with confidence 0.

        Raises
        ------
        BadInput
            The parameters have another shape, or the loss is not a number.
        """
        params = self._checked(params)
        _value(loss, params)
        plus, minus = np.empty(self.dims), np.empty(self.dims)
        for i in range(self.dims):
            for sides, shift in ((plus, self.epsilon), (minus, -self.epsilon)):
                probe = params.copy()
                probe[i] += shift
                sides[i] = _value(loss, probe)
        difference = _difference(plus, minus)
        flat = np.abs(difference) < self.threshold
        known = ~((plus == minus) & np.isinf(plus))
        value = np.where(flat, 0, np.where(difference > 0, -1, 1)) * known
        sure = np.minimum(1.0, np.abs(difference) / self.epsilon)
        if self.threshold > 0:
            sure = np.where(flat, 1.0 - np.abs(difference) / self.threshold, sure)
        return TritGradient(value, sure * known)

    def step(self, params: npt.ArrayLike, gradient: TritGradient,
             learning_rate: float = 1.0) -> Params:
        """Parameters after a step: params + learning_rate * trit * confidence."""
        return gradient.moved(params, learning_rate)

    def optimize(self, params: npt.ArrayLike, loss: Loss, max_steps: int = 100,
                 learning_rate: float = 1.0, patience: int = 1,
                 watch: Watch | None = None) -> tuple[Params, float]:
        """Step until nothing moves, and remember the best.

        Parameters
        ----------
        params
            (dims,), where to start.
        loss
            As in `trit_gradient`.
        max_steps
            Steps at most.
        learning_rate
            As in `step`.
        patience
            Stop after this many steps in a row whose trits are all 0. The source stops at the
            first, which for `SimultaneousPerturbation` may be a draw of zeros.
        watch
            Is told of each step.

        Returns
        -------
        params, loss
            Of the best point seen, the start included.
        """
        params = self._checked(params)
        best, best_loss = params, _value(loss, params)
        still = 0
        for number in range(max_steps):
            gradient = self.trit_gradient(params, loss)
            params = self.step(params, gradient, learning_rate)
            current = _value(loss, params)
            if current < best_loss:
                best, best_loss = params, current
            if watch is not None:
                watch(number, params, current)
            still = 0 if gradient.value.any() else still + 1
            if still >= patience:
                break
        return best.copy(), best_loss

    def _checked(self, params: npt.ArrayLike) -> Params:
        try:
            point = np.array(params, np.float64)
        except (TypeError, ValueError):
            raise BadInput(f"params must be {self.dims} numbers, not {params!r}") from None
        if point.shape != (self.dims,):
            raise BadInput(f"params must be {self.dims} numbers, not of shape {point.shape}")
        return point


class SimultaneousPerturbation(DiscreteBackprop):
    """All parameters at once along a random direction of trits: two losses a gradient.

    Parameters
    ----------
    dims, epsilon, threshold
        As in `DiscreteBackprop`.
    seed
        Of the directions, which are the trits of `SplitMixTernary`, drawn in order.
    """

    def __init__(self, dims: int, epsilon: float = 1.0, threshold: float = 0.01, seed: int = 1069):
        super().__init__(dims, epsilon, threshold)
        self.stream = SplitMixTernary(seed)

    def trit_gradient(self, params: npt.ArrayLike, loss: Loss) -> TritGradient:
        """The direction of descent along one random line.

        With the direction t and d = loss(p + epsilon t) - loss(p - epsilon t), the trits are
        -t where d is above the threshold, +t where it is below its negative, else 0; the confidence
        is min(1, |d| / epsilon), but 0 where t is 0. Raises as `DiscreteBackprop.trit_gradient`.
        """
        params = self._checked(params)
        direction = self.stream.next_trits(self.dims)
        plus = _value(loss, params + self.epsilon * direction)
        minus = _value(loss, params - self.epsilon * direction)
        d = float(_difference(np.array(plus), np.array(minus)))
        sign = -1 if d > self.threshold else 1 if d < -self.threshold else 0
        sure = min(1.0, abs(d) / self.epsilon)
        return TritGradient(sign * direction, np.where(direction != 0, sure, 0.0))


def color_guided_optimization(seed: int, loss: Loss, params: npt.ArrayLike, steps: int = 100,
                              rule: ColorRule = "sequential") -> Params:
    """Finite differences in which a colour decides for parameters that are not sure.

    In step n each trit with a confidence below 1/2 becomes the trit of colour n and keeps its
    confidence. There is no early stop.

    Parameters
    ----------
    seed
        Of the colours.
    loss, params
        As in `DiscreteBackprop.trit_gradient`.
    steps
        The source takes 100.
    rule
        Of the colours, see `SplitMixTernary`.

    Returns
    -------
    array
        Parameters after the last step.
    """
    point = np.atleast_1d(np.array(params, np.float64))
    backprop = DiscreteBackprop(point.size)
    for trit in SplitMixTernary(seed, rule).trits_at(np.arange(steps)):
        found = backprop.trit_gradient(point, loss)
        guided = np.where(found.confidence < SURE, trit, found.value)
        point = backprop.step(point, TritGradient(guided, found.confidence))
    return point


def _value(loss: Loss, params: Params) -> float:
    value = float(loss(params.copy()))
    if np.isnan(value):
        raise BadInput(f"the loss must be a number, not nan as at {params.tolist()}")
    return value


def _difference(plus: Params, minus: Params) -> Params:
    """plus - minus, and 0 between equal infinities."""
    finite = plus != minus
    return np.subtract(plus, minus, out=np.zeros_like(plus), where=finite)
