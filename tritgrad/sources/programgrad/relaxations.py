"""The source's module of this name: gates and weights alone, not recorded."""

from __future__ import annotations

from collections.abc import Sequence

from tritgrad.model.soft import recording
from tritgrad.model.soft.branch import positive
from tritgrad.sources.programgrad.control_flow import soft_argmax
from tritgrad.sources.programgrad.scalar import Tensor, ensure_tensor

__all__ = ["sigmoid_gate", "softmax", "straight_through_gate"]


def sigmoid_gate(score: Tensor | float, beta: float = 10.0) -> Tensor:
    """``sigmoid(beta * score)``."""
    return ensure_tensor((ensure_tensor(score) * positive("beta", beta)).sigmoid())


def straight_through_gate(score: Tensor | float, beta: float = 10.0) -> Tensor:
    """Forward 1 where the hard program's score is above 0, else 0; backward `sigmoid_gate`."""
    given = ensure_tensor(score)
    gate = sigmoid_gate(given, beta)
    decided = given.hard_data() if recording.decides_hard() else given.data
    return ensure_tensor(gate - gate.detach() + (1.0 if decided > 0 else 0.0))


def softmax(scores: Sequence[Tensor | float], tau: float = 1.0) -> list[Tensor]:
    """`soft_argmax`, with `tau` by position."""
    return soft_argmax(scores, tau=tau)
