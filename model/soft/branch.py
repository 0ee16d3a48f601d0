"""Branches: a hard decision by the sign of a score, and what is differentiated in its place."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np

from . import recording
from .events import Branch, Condition, Fidelity, binary_entropy, plain
from .ledger import contract, relaxation
from .tensor import Number, Tensor, TraceError, as_tensor

__all__ = ["diff_if", "soft_if"]

Side = Tensor | Number | Callable[[], Tensor | Number]
Mode = Literal["pathwise", "soft", "straight_through"]
MODES = ("pathwise", "soft", "straight_through")


def positive(name: str, value: float) -> float:
    """A temperature; raises `TraceError` unless it is a finite positive number."""
    if isinstance(value, bool):
        raise TraceError(f"{name} must be a finite positive number, not bool {value!r}")
    if not isinstance(value, (int, float)) or not 0 < value < math.inf:
        raise TraceError(f"{name} must be a finite positive number, not {value!r}")
    return float(value)


def finite_score(score: Tensor, name: str = "score") -> np.ndarray:
    """The score that decides: the hard program's, where it gets; raises unless it is finite."""
    if not np.isfinite(score.data).all():
        raise TraceError(f"{name} must be finite, not {plain(score.data)!r}")
    hard = score.hard_data() if recording.decides_hard() else score.data
    if not np.isfinite(hard).all():
        raise TraceError(f"hard {name} must be finite, not {plain(hard)!r}")
    return hard


def soft_if(score: Tensor | Number, true_value: Side, false_value: Side,
            beta: float = 10.0) -> Tensor:
    """A mixture of two values in place of a branch: ``g * true_value + (1 - g) * false_value``.

    The gate is ``g = sigmoid(beta * score)``; the hard branch takes `true_value` where the hard
    program's score is above 0. An array of scores decides element by element.

    Parameters
    ----------
    score
        Of the decision.
    true_value, false_value
        Values, or functions that make them; both are evaluated.
    beta
        Slope of the gate.

    Raises
    ------
    TraceError
        `beta` is not above 0, or a score is not finite.
    """
    return _relaxed(as_tensor(score), true_value, false_value, positive("beta", beta),
                    "soft_gate")


def diff_if(score: Tensor | Number, true_fn: Side, false_fn: Side, mode: Mode = "pathwise",
            beta: float = 10.0) -> Tensor:
    """A branch with a choice of what is differentiated.

    Parameters
    ----------
    score, true_fn, false_fn, beta
        As of `soft_if`. With ``pathwise`` only the side that is taken is evaluated.
    mode
        ``soft``: as `soft_if`. ``pathwise``: the side that is taken. ``straight_through``: forward
        the side that is taken, backward the gate of `soft_if`.

    Raises
    ------
    TraceError
        Another mode; `beta` not above 0; ``pathwise`` with an array of scores.
    """
    if mode not in MODES:
        raise TraceError(f"mode must be one of {', '.join(MODES)}, not {mode!r}")
    beta, given = positive("beta", beta), as_tensor(score)
    if mode == "soft":
        return _relaxed(given, true_fn, false_fn, beta, "soft_gate")
    if mode == "straight_through":
        return _relaxed(given, true_fn, false_fn, beta, "straight_through")
    if given.data.ndim:
        raise TraceError(f"pathwise takes one score, not an array of shape {given.shape}")
    hard = bool(finite_score(given) > 0)
    out = _side(true_fn if hard else false_fn)
    if (context := recording.active()) is not None:
        number = context.number()
        fidelity = context.metrics(Fidelity.of(_plain_hard(out), None, None, None, None))
        context.branches.append(Branch(
            number, _condition(given, hard, None, "pathwise", None), _path(hard),
            _plain_hard(out), None, fidelity, recording.on_hard_path()))
        context.enter(number, "pathwise", fidelity)
    return out


def _relaxed(score: Tensor, true: Side, false: Side, beta: float, surrogate: str) -> Tensor:
    hard = finite_score(score) > 0
    with recording.off_hard_path(not np.any(hard)):
        taken = _side(true)
    with recording.off_hard_path(bool(np.all(hard))):
        other = _side(false)
    gate = (score * beta).sigmoid()
    soft_gate = gate.data
    if surrogate == "straight_through":
        # Forward exactly 0 or 1, backward the soft gate.
        gate = gate - gate.data + hard.astype(np.float64)
        gate.data = np.broadcast_to(hard.astype(np.float64), gate.shape).copy()
    out = gate * taken + (1.0 - gate) * other
    if recording.hard_shadow():
        _select(out, hard, taken, other)
    if (context := recording.active()) is not None:
        number = context.number()
        output_hard = _plain_hard(out)
        soft = soft_gate * taken.data + (1.0 - soft_gate) * other.data
        fidelity = context.metrics(Fidelity.of(
            output_hard, soft, (soft_gate >= 0.5) == hard, binary_entropy(soft_gate), beta))
        context.branches.append(Branch(
            number, _condition(score, hard, soft_gate, surrogate, beta), _path(hard), output_hard,
            plain(soft), fidelity, recording.on_hard_path()))
        context.enter(number, surrogate, fidelity)
    return out


def _side(side: Side) -> Tensor:
    return as_tensor(side() if callable(side) else side)


def _select(out: Tensor, hard: np.ndarray, taken: Tensor, other: Tensor) -> None:
    """The hard program's value: that of the side it takes. The other one may have failed."""
    if np.all(hard):
        chosen = taken
    elif not np.any(hard):
        chosen = other
    elif (error := taken.hard_error or other.hard_error) is not None:
        out.hard_error = error
        return
    else:
        chosen = Tensor(np.where(hard, taken.hard_data(), other.hard_data()))
    out.with_hard(chosen)
    if out._hard is not None:
        out._hard = np.broadcast_to(out._hard, out.shape)


def _plain_hard(out: Tensor) -> object:
    return None if out.hard_error is not None else plain(out.hard_data())


def _path(hard: np.ndarray | bool) -> object:
    """``true`` or ``false``, for each element."""
    return np.where(hard, "true", "false").tolist()


def _condition(score: Tensor, hard: np.ndarray | bool, gate: np.ndarray | None, surrogate: str,
               beta: float | None) -> Condition:
    decided = score.hard_data() if recording.decides_hard() else score.data
    return Condition(plain(decided), "> 0", plain(hard), plain(gate), relaxation(surrogate, beta),
                     beta, contract(surrogate), plain(score.data))
