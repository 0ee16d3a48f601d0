"""The source's decisions, on its scalars."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tritgrad.model import soft
from tritgrad.model.soft import recording
from tritgrad.model.soft.tensor import TraceError
from tritgrad.sources.programgrad.scalar import Tensor, ensure_tensor

__all__ = ["bounded_loop", "diff_if", "soft_argmax", "soft_if", "soft_select"]

Scalar = Tensor | float
Side = Scalar | Callable[[], Scalar]


def soft_if(score: Scalar, true_value: Side, false_value: Side, *, beta: float = 10.0) -> Tensor:
    """`tritgrad.model.soft.soft_if`: ``g * true_value + (1 - g) * false_value``.

    Raises `TraceError` at once where the side that the hard program takes fails.
    """
    return _checked(soft.soft_if(ensure_tensor(score), _side(true_value), _side(false_value), beta))


def diff_if(score: Scalar, true_fn: Callable[[], Scalar], false_fn: Callable[[], Scalar], *,
            mode: str = "pathwise", beta: float = 10.0) -> Tensor:
    """`tritgrad.model.soft.diff_if`, mode ``pathwise``, ``soft`` or ``straight_through``."""
    return _checked(soft.diff_if(ensure_tensor(score), _side(true_fn), _side(false_fn),
                                 mode, beta))  # type: ignore[arg-type]


def soft_argmax(scores: Sequence[Scalar], *, tau: float = 1.0) -> list[Tensor]:
    """Weights that sum to 1, ``softmax(scores / tau)``; not recorded."""
    weights = soft.soft_argmax([ensure_tensor(score) for score in scores], tau)
    return [ensure_tensor(weights[n]) for n in range(len(scores))]


def soft_select(values: Sequence[Scalar], scores: Sequence[Scalar], *, tau: float = 1.0,
                mode: str = "softmax", seed: int | None = None,
                candidate_names: Sequence[str] | None = None) -> Tensor:
    """`tritgrad.model.soft.soft_select`, mode ``softmax``, ``gumbel`` or ``gumbel_st``.

    Without a seed the noise is another one each time.
    """
    return _checked(soft.soft_select(
        [ensure_tensor(value) for value in values], [ensure_tensor(score) for score in scores], tau,
        candidate_names, mode, seed))  # type: ignore[arg-type]


def bounded_loop(init_state: Scalar, steps: int, body_fn: Callable[[int, Tensor], Scalar],
                 continue_score_fn: Callable[[int, Tensor], Scalar], *, beta: float = 10.0,
                 mode: str = "survival") -> Tensor:
    """`tritgrad.model.soft.bounded_loop`, mode ``survival`` or ``exit_distribution``.

    Raises `TraceError` too if a body that the hard program runs makes a number without its hard
    value from a state that has one: it read ``.data``.
    """
    def body(index: int, state: soft.Tensor) -> Tensor:
        before = ensure_tensor(state)
        made = ensure_tensor(body_fn(index, before))
        if recording.decides_hard() and before.hard_value is not None and (
                made.hard_value is None and made.hard_error is None):
            raise TraceError(f"body of bounded_loop dropped hard_value in iteration {index}: it "
                             "must return what operations on the state make, not use its .data")
        return made

    def score(index: int, state: soft.Tensor) -> Tensor:
        return ensure_tensor(continue_score_fn(index, ensure_tensor(state)))

    out = soft.bounded_loop(ensure_tensor(init_state), steps, body, score, beta,
                            mode)  # type: ignore[arg-type]
    if recording.hard_shadow():
        out.with_hard(out)
    return _checked(out)


def _side(side: Any) -> Any:
    return (lambda: ensure_tensor(side())) if callable(side) else ensure_tensor(side)


def _checked(out: soft.Tensor) -> Tensor:
    made = ensure_tensor(out)
    if recording.decides_hard() and made.hard_error is not None:
        made.hard_data()
    return made
