"""The source's scalar: a tensor whose numbers are floats, and whose hard value can be set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tritgrad.model import soft
from tritgrad.model.soft import recording
from tritgrad.model.soft.tensor import TraceError

__all__ = ["Tensor", "ensure_tensor", "gradcheck", "hard_data"]


class Tensor(soft.Tensor):
    """A float with its gradient, and what the hard program has in its place.

    An array is held as one too; the source has scalars only.

    Parameters
    ----------
    data
        A number.
    requires_grad
        Whether `backward` shall reach it.
    name
        In traces.

    Attributes
    ----------
    data, grad
        Floats, and may be set.
    hard_value
        The hard program's float; None where it is that of `data`, or fails. May be set.
    hard_error
        Why the hard program fails here, as text, or None. May be set.
    """

    _data: Any
    _grad: Any
    _error: str | None

    def __init__(self, data: Any, *, requires_grad: bool = False, name: str | None = None):
        super().__init__(data, requires_grad, name)

    @property  # type: ignore[override]
    def data(self) -> Any:
        return self._data[()]

    @data.setter
    def data(self, value: Any) -> None:
        self._data = np.asarray(value, np.float64)

    @property  # type: ignore[override]
    def grad(self) -> Any:
        return self._grad[()]

    @grad.setter
    def grad(self, value: Any) -> None:
        self._grad = np.asarray(value, np.float64)

    @property
    def hard_value(self) -> Any:
        return None if self._hard is None or self._error is not None else np.asarray(self._hard)[()]

    @hard_value.setter
    def hard_value(self, value: float | None) -> None:
        self._hard = None if value is None else np.asarray(value, np.float64)

    @property  # type: ignore[override]
    def hard_error(self) -> str | None:
        return self._error

    @hard_error.setter
    def hard_error(self, error: TraceError | str | None) -> None:
        if isinstance(error, TraceError):
            kind = ZeroDivisionError if isinstance(error, ZeroDivisionError) else ValueError
            error = f"{kind.__name__}: {error}"
        self._error = error

    def hard_data(self) -> Any:
        """As `hard_value`, but `data` where that is None. Raises `TraceError` where it fails."""
        if self._error is not None:
            raise TraceError(f"hard-program value is unavailable: {self._error}")
        return self.data if self._hard is None else np.asarray(self._hard)[()]

    def detach(self) -> Tensor:
        out = Tensor(self.data, name=self.name)
        out._hard, out._error = self._hard, self._error
        return out

    def backward(self, grad: Any = 1.0) -> None:
        """As of the library; a result that depends on nothing keeps `grad` for itself."""
        if self.requires_grad:
            super().backward(grad)
        else:
            self.grad = grad


def ensure_tensor(value: Any) -> Tensor:
    """The tensor itself, one of this class with the same history, or a constant."""
    if isinstance(value, Tensor):
        return value
    made = Tensor(1.0) * value if isinstance(value, soft.Tensor) else Tensor(value)
    assert isinstance(made, Tensor)
    return made


def hard_data(value: Tensor) -> float:
    """What the hard program has there, or the data while no hard values are kept.

    Raises `TraceError`, a ValueError, where the hard program fails.
    """
    return float(value.hard_data() if recording.hard_shadow() else value.data)


def gradcheck(fn: Callable[..., Tensor], inputs: Sequence[float], *, eps: float = 1e-6,
              atol: float = 1e-5, rtol: float = 1e-4) -> soft.GradcheckResult:
    """`tritgrad.model.soft.gradcheck` of a function of scalars; derivatives are floats."""
    found = soft.gradcheck(fn, [Tensor(value) for value in inputs], eps, atol, rtol)
    analytical: list[Any] = [float(g) for g in found.analytical]
    numerical: list[Any] = [float(g) for g in found.numerical]
    return replace(found, analytical=analytical, numerical=numerical)
