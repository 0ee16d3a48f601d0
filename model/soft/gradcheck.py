"""Gradients against finite differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .tensor import Array, Number, Tensor, TraceError

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
        Where to look; any shapes.
    eps
        Half of the distance of the two points.
    atol, rtol
        A derivative passes within ``atol + rtol * max(|analytical|, |numerical|)``.

    Raises
    ------
    TraceError
        The function's value is no scalar.
    """
    points = [np.array(given.data if isinstance(given, Tensor) else given, np.float64)
              for given in inputs]
    nodes = [Tensor(point, requires_grad=True) for point in points]
    out = fn(*nodes)
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
                ends.append(fn(*map(Tensor, moved)).item())
            slope[index] = (ends[0] - ends[1]) / (2 * eps)
        numerical.append(slope)
    a = np.concatenate([np.ravel(g) for g in analytical] or [np.zeros(0)])
    b = np.concatenate([np.ravel(g) for g in numerical] or [np.zeros(0)])
    error, size = np.abs(a - b), np.maximum(np.abs(a), np.abs(b))
    return GradcheckResult(
        bool((error <= atol + rtol * size).all()), analytical, numerical,
        float(error.max(initial=0.0)),
        float((error / np.maximum(1e-12, size)).max(initial=0.0)))
