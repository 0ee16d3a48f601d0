"""Gradients against finite differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .tensor import Array, Number, Tensor, TraceError, WrongType

__all__ = ["GradcheckResult", "gradcheck"]


@dataclass(frozen=True)
class GradcheckResult:
    """What `gradcheck` found: one array of derivatives an input, and the largest errors."""

    passed: bool
    analytical: list[Array]
    numerical: list[Array]
    max_abs_error: float
    max_rel_error: float

    def __bool__(self) -> bool:
        return self.passed


def gradcheck(fn: Callable[..., Tensor], inputs: Sequence[Tensor | Number], eps: float = 1e-6,
              atol: float = 1e-5, rtol: float = 1e-4) -> GradcheckResult:
    """Compare the gradients of a scalar function with central differences.

    A straight-through estimator is not the gradient of what it computes and does not pass.

    Parameters
    ----------
    fn
        Of as many tensors as there are inputs.
    inputs
        Where to look; any shapes. A tensor's class is that of what `fn` is given.
    eps
        Half of the distance of the two points.
    atol, rtol
        A derivative passes within ``atol + rtol * max(|analytical|, |numerical|)``.

    Raises
    ------
    TraceError
        The function's value is no scalar; an input or a setting is not finite; `eps` is not
        above 0; a tolerance is below 0. A `WrongType` if the function returns no tensor.
    """
    for name, value, least in (("eps", eps, "positive"), ("atol", atol, "non-negative"),
                               ("rtol", rtol, "non-negative")):
        if not np.isfinite(value) or value < 0 or (least == "positive" and value == 0):
            raise TraceError(f"{name} must be a finite {least} number, not {value!r}")
    points = [np.array(given.data if isinstance(given, Tensor) else given, np.float64)
              for given in inputs]
    for point in points:
        if not np.isfinite(point).all():
            raise TraceError(f"inputs must contain only finite numbers, not {point.tolist()!r}")
    kinds = [type(given) if isinstance(given, Tensor) else Tensor for given in inputs]

    def value_at(values: Sequence[Array]) -> tuple[list[Tensor], Tensor]:
        made = [kind(value, requires_grad=True) for kind, value in zip(kinds, values, strict=True)]
        found = fn(*made)
        if not isinstance(found, Tensor):
            raise WrongType(f"function of gradcheck must return a Tensor, not {found!r}")
        return made, found

    nodes, out = value_at(points)
    if out.data.size != 1:
        raise TraceError(f"gradcheck needs a scalar, not an array of shape {out.shape}")
    if out.requires_grad:
        out.backward()
        analytical = [node.grad.copy() if node.id in {n.id for n in out._ordered()}
                      else np.zeros_like(node.data) for node in nodes]
    else:
        analytical = [np.zeros_like(point) for point in points]
    numerical = []
    for n, point in enumerate(points):
        slope = np.zeros_like(point)
        for index in np.ndindex(point.shape):
            ends = []
            for side in (eps, -eps):
                moved = [other.copy() for other in points]
                moved[n][index] += side
                ends.append(value_at(moved)[1].item())
            slope[index] = (ends[0] - ends[1]) / (2 * eps)
        numerical.append(slope)
    a = np.concatenate([np.ravel(g) for g in analytical] or [np.zeros(0)])
    b = np.concatenate([np.ravel(g) for g in numerical] or [np.zeros(0)])
    error, size = np.abs(a - b), np.maximum(np.abs(a), np.abs(b))
    return GradcheckResult(
        bool((error <= atol + rtol * size).all()), analytical, numerical,
        float(error.max(initial=0.0)),
        float((error / np.maximum(1e-12, size)).max(initial=0.0)))
