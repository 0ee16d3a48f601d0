"""Thresholds learned on the soft shadow: the activations' shifts and the margin.

The weights stay as they are. Shifts are learned as real exponents through `soft_if` at both ends of
an activation, then rounded to the integers that the layer table has.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from .. import arithmetic
from ..recipe import Recipe
from .branch import soft_if
from .shadow import Temperatures
from .tensor import Array, Tensor

__all__ = ["LearnedThresholds", "cross_entropy", "learn_thresholds"]

#: Samples a step.
BATCH = 256
#: Step of the exponents, and of the margin's natural logarithm, by Adam (Kingma, Ba, 2015).
RATE = 0.05
LARGEST_SHIFT = 31


@dataclass(frozen=True)
class LearnedThresholds:
    """What was learned.

    Parameters
    ----------
    recipe
        With the new shifts and the new margin.
    exponents
        Of each hidden layer, before rounding.
    losses
        Mean cross entropy of the soft network, a step each.
    before, after
        Mean cross entropy of the integer network over all samples, with the old shifts and the new.
    """

    recipe: Recipe
    exponents: tuple[float, ...]
    losses: tuple[float, ...]
    before: float
    after: float


class _Adam:
    """Descent of one array."""

    def __init__(self, value: npt.ArrayLike):
        self.value = np.array(value, np.float64)
        self._mean, self._square, self._step = np.zeros_like(self.value), np.zeros_like(
            self.value), 0

    def tensor(self) -> Tensor:
        return Tensor(self.value, requires_grad=True)

    def descend(self, grad: Array) -> None:
        self._step += 1
        self._mean = 0.9 * self._mean + 0.1 * grad
        self._square = 0.99 * self._square + 0.01 * grad ** 2
        mean = self._mean / (1 - 0.9 ** self._step)
        square = self._square / (1 - 0.99 ** self._step)
        self.value = self.value - RATE * mean / (np.sqrt(square) + 1e-12)


def learn_thresholds(recipe: Recipe, counters: Sequence[npt.NDArray[np.integer]],
                     x: npt.NDArray[np.integer], y: npt.NDArray[np.integer],
                     temperatures: Temperatures, confidence: float = 0.9, steps: int = 100,
                     progress: Callable[[int], None] = lambda done: None) -> LearnedThresholds:
    """Learn shifts, then the margin.

    The margin is the lead at which learning a sample stops to pay: through a soft branch a sample
    costs its cross entropy if it is skipped, and -ln(confidence) if it is learned.

    Parameters
    ----------
    recipe, counters
        The network.
    x, y
        Samples (rows, inputs) and labels.
    temperatures
        Of the gates and scores.
    confidence
        Softmax probability of the label from which on a sample is not to be learned.
    steps
        Of the descent, of the shifts and again of the margin.
    progress
        Is told how many steps are done.

    Raises
    ------
    BadInput
        A number is outside of its range, or there are no samples.
    """
    if not 0 < confidence < 1:
        raise BadInput(f"confidence must be between 0 and 1, not {confidence!r}")
    if steps < 1:
        raise BadInput(f"steps must be at least 1, not {steps!r}")
    if not len(x):
        raise BadInput("thresholds need at least 1 sample, not 0")
    weights = [arithmetic.trits(layer, recipe.counter_bits) for layer in counters]
    tau = temperatures.score * recipe.margin
    rng = np.random.default_rng(recipe.seed)
    exponents, losses = _Adam(recipe.shifts), []
    for step in range(steps if recipe.shifts else 0):
        rows = rng.permutation(len(x))[:BATCH]
        learned = exponents.tensor()
        loss = _soft_loss(_soft_scores(recipe, weights, x[rows], learned, temperatures.gate),
                          y[rows], tau)
        loss.backward()
        losses.append(loss.item())
        exponents.descend(learned.grad)
        progress(step + 1)
    shifts = _rounded(recipe, weights, x, y, exponents.value, tau)
    tuned = replace(recipe, shifts=shifts)
    scores = _scores(tuned, weights, x)
    margin = _learn_margin(recipe.margin, _gaps(scores, y), cross_entropy(scores, y, tau),
                           -math.log(confidence), tau, steps,
                           lambda done: progress(len(losses) + done))
    return LearnedThresholds(
        replace(tuned, margin=margin), tuple(exponents.value.tolist()), tuple(losses),
        float(cross_entropy(_scores(recipe, weights, x), y, tau).mean()),
        float(cross_entropy(scores, y, tau).mean()))


def cross_entropy(scores: npt.NDArray[np.integer], y: npt.NDArray[np.integer],
                  tau: float) -> Array:
    """Of the softmax of scores (rows, classes) at a temperature; (rows,)."""
    scaled = (scores - scores.max(axis=1, keepdims=True)) / tau
    return np.asarray(np.log(np.exp(scaled).sum(axis=1)) - scaled[np.arange(len(y)), y])


def _scores(recipe: Recipe, weights: Sequence[arithmetic.IntArray],
            x: npt.NDArray[np.integer]) -> arithmetic.IntArray:
    """Of the integer network, (rows, classes)."""
    h = np.asarray(x, np.int64)
    for w, shift in zip(weights, recipe.shifts, strict=False):
        h = arithmetic.activate(h @ w.T, shift, recipe.activation_bits)[0]
    return np.asarray(h @ weights[-1].T)


def _soft_scores(recipe: Recipe, weights: Sequence[arithmetic.IntArray], x: npt.NDArray[np.integer],
                 exponents: Tensor, temperature: float) -> Tensor:
    top, h = float((1 << recipe.activation_bits) - 1), Tensor(x)
    for n, w in enumerate(weights[:-1]):
        steps = (h @ w.T.astype(np.float64)) * 2.0 ** (-exponents[n])
        above = soft_if(steps, steps, 0.0, 1 / temperature)
        h = soft_if(steps - (top + 1), top, above, 1 / temperature)
    return h @ weights[-1].T.astype(np.float64)


def _soft_loss(scores: Tensor, y: npt.NDArray[np.integer], tau: float) -> Tensor:
    classes = np.ones(scores.shape[1])
    scaled = (scores - scores.data.max(axis=1, keepdims=True)) / tau
    picked = (scaled * np.eye(len(classes))[y]) @ classes
    return ((scaled.exp() @ classes).log() - picked).sum() / len(y)


def _rounded(recipe: Recipe, weights: Sequence[arithmetic.IntArray], x: npt.NDArray[np.integer],
             y: npt.NDArray[np.integer], exponents: Array, tau: float) -> tuple[int, ...]:
    """The integers next to the exponents, or the old ones, with which the loss is least."""
    near = [sorted({min(LARGEST_SHIFT, max(0, side)) for side in (
        math.floor(value), math.ceil(value))}) for value in exponents.tolist()]
    choices = [recipe.shifts, *product(*near)]
    losses = [cross_entropy(_scores(replace(recipe, shifts=shifts), weights, x), y, tau).mean()
              for shifts in choices]
    return choices[int(np.argmin(losses))]


def _gaps(scores: arithmetic.IntArray, y: npt.NDArray[np.integer]) -> arithmetic.IntArray:
    rows, others = np.arange(len(y)), scores.copy()
    others[rows, y] = np.iinfo(np.int64).min
    return np.asarray(scores[rows, y] - others.max(axis=1))


def _learn_margin(margin: int, gaps: arithmetic.IntArray, costs: Array, price: float, tau: float,
                  steps: int, progress: Callable[[int], None]) -> int:
    logarithm = _Adam(math.log(margin))
    for step in range(steps):
        learned = logarithm.tensor()
        chosen = soft_if(learned.exp() - gaps.astype(np.float64), price, costs, 1 / tau)
        chosen.sum().backward()
        logarithm.descend(learned.grad)
        progress(step + 1)
    return min(2**23 - 1, max(1, round(math.exp(float(logarithm.value)))))
