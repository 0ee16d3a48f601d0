"""Branches: a hard decision by the sign of a score, and what is differentiated in its place."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np

from . import recording
from .events import Branch, Fidelity, binary_entropy, plain
from .ledger import relaxation
from .tensor import Number, Tensor, TraceError, as_tensor

__all__ = ["diff_if", "soft_if"]

Side = Tensor | Number | Callable[[], Tensor | Number]
Mode = Literal["pathwise", "soft", "straight_through"]
MODES = ("pathwise", "soft", "straight_through")


def positive(name: str, value: float) -> float:
    """A temperature; raises `TraceError` unless it is a finite number above 0."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not (
            0 < value < math.inf):
        raise TraceError(f"{name} must be a finite number above 0, not {value!r}")
    return float(value)


def soft_if(score: Tensor | Number, true: Side, false: Side, beta: float = 10.0) -> Tensor:
    """A mixture of two values in place of a branch: ``g * true + (1 - g) * false``.

    The gate is ``g = sigmoid(beta * score)``; the hard branch takes `true` where the hard program's
    score is above 0. An array of scores decides element by element.

    Parameters
    ----------
    score
        Of the decision.
    true, false
        Values, or functions that make them; both are evaluated.
    beta
        Slope of the gate.

    Raises
    ------
    TraceError
        `beta` is not above 0.
    """
    return _relaxed(as_tensor(score), true, false, positive("beta", beta), "soft_gate")


def diff_if(score: Tensor | Number, true: Side, false: Side, mode: Mode = "pathwise",
            beta: float = 10.0) -> Tensor:
    """A branch with a choice of what is differentiated.

    Parameters
    ----------
    score, true, false, beta
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
        return _relaxed(given, true, false, beta, "soft_gate")
    if mode == "straight_through":
        return _relaxed(given, true, false, beta, "straight_through")
    if given.data.ndim:
        raise TraceError(f"pathwise takes one score, not an array of shape {given.shape}")
    hard = bool(_hard_score(given) > 0)
    out = _side(true if hard else false)
    if (context := recording.active()) is not None:
        number = context.number()
        fidelity = context.metrics(Fidelity.of(_plain_hard(out), None, None, None, beta))
        context.branches.append(Branch(
            number, _condition(given, hard, None, "pathwise", beta), _path(hard),
            _plain_hard(out), None, fidelity, recording.on_hard_path()))
        context.enter(number, "pathwise", fidelity)
    return out


def _relaxed(score: Tensor, true: Side, false: Side, beta: float, surrogate: str) -> Tensor:
    hard = _hard_score(score) > 0
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
        fidelity = context.metrics(Fidelity.of(
            output_hard, out.data, (soft_gate >= 0.5) == hard, binary_entropy(soft_gate), beta))
        context.branches.append(Branch(
            number, _condition(score, hard, soft_gate, surrogate, beta), _path(hard), output_hard,
            plain(out.data), fidelity, recording.on_hard_path()))
        context.enter(number, surrogate, fidelity)
    return out


def _hard_score(score: Tensor) -> np.ndarray:
    """The hard program's, where there is one."""
    return score.hard_data() if recording.hard_shadow() else score.data


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
    return plain(out.hard_value)


def _path(hard: np.ndarray | bool) -> object:
    """``true`` or ``false``, for each element."""
    return np.where(hard, "true", "false").tolist()


def _condition(score: Tensor, hard: np.ndarray | bool, gate: np.ndarray | None, surrogate: str,
               beta: float) -> dict[str, object]:
    record = relaxation(surrogate, beta)
    return {
        "score": plain(_hard_score(score)), "comparator": "> 0", "hard_value": plain(hard),
        "gate": plain(gate), "relaxation": vars(record), "temperature": beta,
        "gradient_contract": surrogate, "soft_score": plain(score.data),
    }
