"""Reverse-mode differentiation of float64 scalars and arrays, with a hard value beside each.

After the Tensor of ProgramGrad (sanowl/ProgramGrad), extended from scalars to NumPy arrays.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from . import recording

__all__ = ["Array", "Tensor", "TraceError", "WrongType", "ZeroDivision", "as_tensor", "hard_data",
           "stack"]

Array = npt.NDArray[np.float64]
Pull = Callable[[Array], tuple[Array, ...]]
Number = float | int | npt.ArrayLike

_ids = itertools.count()


class TraceError(BadInput, ArithmeticError):
    """A value outside the domain of an operation, or a setting that has no meaning."""


class ZeroDivision(TraceError, ZeroDivisionError):
    """A division by zero, or zero to a negative power."""


class WrongType(TraceError, TypeError):
    """Something of another type than the setting has."""


def _reduce(grad: Array, shape: tuple[int, ...]) -> Array:
    """Sum `grad` over the axes along which `shape` was broadcast."""
    grad = grad.sum(axis=tuple(range(grad.ndim - len(shape))))
    axes = tuple(i for i, n in enumerate(shape) if n == 1 and grad.shape[i] != 1)
    return np.asarray(grad.sum(axis=axes, keepdims=True))


class Tensor:
    """A float64 value of any shape, a node of the graph that `backward` goes through.

    Beside `data`, each operation computes what the hard program, without any relaxation, would
    have there. A failure of that shadow, such as the logarithm of a negative number, is kept until
    somebody asks for the hard value, as the hard program may never get there.

    Parameters
    ----------
    data
        A number or an array.
    requires_grad
        Whether `backward` shall reach it.
    name
        In traces; an operation's result has the operation's name and its id.

    Attributes
    ----------
    data, grad
        Arrays of one shape, ``()`` for a scalar.
    id
        Of this node; ascending.
    hard_error
        Why there is no hard value, or None.

    Raises
    ------
    TraceError
        What is given is no number.
    """

    __array_ufunc__ = None  # so that an array on the left leaves the operation to Tensor

    def __init__(self, data: Number, requires_grad: bool = False, name: str | None = None):
        try:
            self.data: Array = np.array(data, np.float64)
        except (TypeError, ValueError):
            raise TraceError(f"a tensor must hold numbers, not {data!r}") from None
        self.grad: Array = np.zeros_like(self.data)
        self.requires_grad = requires_grad
        self.id = next(_ids)
        self.name = name
        self.hard_error: TraceError | None = None
        self._hard: Array | None = None  # None: as `data`
        self._parents: tuple[Tensor, ...] = ()
        self._pull: Pull | None = None

    @classmethod
    def _result(cls, name: str, data: Array, parents: Sequence[Tensor], pull: Pull) -> Tensor:
        out = cls(data)
        out.name = f"{name}{out.id}"
        out.requires_grad = any(parent.requires_grad for parent in parents)
        out._parents, out._pull = tuple(parents), pull
        return out

    # Values ---------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the data."""
        return self.data.shape

    @property
    def hard_value(self) -> Array | None:
        """What the hard program has here; None where it fails."""
        if self.hard_error is not None:
            return None
        return self.data if self._hard is None else self._hard

    def hard_data(self) -> Array:
        """What the hard program has here. Raises the `TraceError` with which it fails."""
        if self.hard_error is not None:
            raise self.hard_error
        return self.data if self._hard is None else self._hard

    def with_hard(self, value: Tensor) -> Tensor:
        """This node with the hard value of another one, or with its failure."""
        self._hard = None if value.hard_error is not None else value.hard_data()
        self.hard_error = value.hard_error
        return self

    def item(self) -> float:
        """The number, if it is one."""
        if self.data.size != 1:
            raise TraceError(f"item() needs one number, not an array of shape {self.shape}")
        return float(self.data.reshape(()))

    def detach(self) -> Tensor:
        """The same values without their history."""
        out = Tensor(self.data, name=self.name)
        return out.with_hard(self)

    def zero_grad(self) -> None:
        """Forget the gradient."""
        self.grad = np.zeros_like(self.data)

    def __repr__(self) -> str:
        label = f", name={self.name!r}" if self.name else ""
        return f"Tensor({self.data.tolist()!r}{label})"

    # Gradients ------------------------------------------------------------------------------

    def backward(self, grad: Number = 1.0) -> None:
        """Gradients of this node with regard to each that it depends on.

        Those of all reachable nodes start at 0: nothing adds up over calls.

        Parameters
        ----------
        grad
            Of this node; broadcast to its shape.

        Raises
        ------
        TraceError
            No input of it has `requires_grad`.
        """
        if not self.requires_grad:
            raise TraceError("backward() needs a result of at least one tensor with requires_grad")
        order = self._ordered()
        for node in order:
            node.grad = np.zeros_like(node.data)
        self.grad = np.broadcast_to(np.asarray(grad, np.float64), self.shape).copy()
        for node in reversed(order):
            if node._pull is None:
                continue
            for parent, part in zip(node._parents, node._pull(node.grad), strict=True):
                if parent.requires_grad:
                    parent.grad = np.asarray(
                        parent.grad + _reduce(np.asarray(part), parent.shape))

    def _ordered(self) -> list[Tensor]:
        """All nodes that this one depends on and that require gradients, inputs first."""
        order: list[Tensor] = []
        seen: set[int] = set()
        waiting = [(self, False)]
        while waiting:
            node, done = waiting.pop()
            if done:
                order.append(node)
            elif node.id not in seen:
                seen.add(node.id)
                waiting.append((node, True))
                waiting.extend((parent, False) for parent in node._parents if parent.requires_grad)
        return order

    # Operations -----------------------------------------------------------------------------

    def __add__(self, other: Tensor | Number) -> Tensor:
        return _apply("add", lambda a, b: a + b, lambda g, a, b: (g, g), self, other)

    def __sub__(self, other: Tensor | Number) -> Tensor:
        return _apply("sub", lambda a, b: a - b, lambda g, a, b: (g, -g), self, other)

    def __mul__(self, other: Tensor | Number) -> Tensor:
        return _apply("mul", lambda a, b: a * b, lambda g, a, b: (g * b, g * a), self, other)

    def __truediv__(self, other: Tensor | Number) -> Tensor:
        return _apply("div", lambda a, b: a / b, lambda g, a, b: (g / b, -g * a / (b * b)),
                      self, other)

    def __pow__(self, other: Tensor | Number) -> Tensor:
        exponent = as_tensor(other)

        def power(a: Array, b: Array) -> Array:
            if ((a == 0) & (b < 0)).any():
                raise ZeroDivision("0 cannot be raised to a negative power")
            if ((a < 0) & (b != np.rint(b))).any():
                raise TraceError(f"a broken power of {float(np.min(a))!r} is not in the real "
                                 "number domain")
            return np.asarray(a ** b)

        def pull(g: Array, a: Array, b: Array) -> tuple[Array, ...]:
            # The slope of a constant is 0, also where the base is 0.
            base = np.where(b == 0, 0.0, g * b * a ** np.where(b == 0, 1.0, b - 1))
            return base, g * a ** b * _log(a) if exponent.requires_grad else np.zeros_like(g)

        return _apply("pow", power, pull, self, exponent)

    def __neg__(self) -> Tensor:
        return _apply("neg", lambda a: -a, lambda g, a: (-g,), self)

    def __radd__(self, other: Number) -> Tensor:
        return as_tensor(other) + self

    def __rsub__(self, other: Number) -> Tensor:
        return as_tensor(other) - self

    def __rmul__(self, other: Number) -> Tensor:
        return as_tensor(other) * self

    def __rtruediv__(self, other: Number) -> Tensor:
        return as_tensor(other) / self

    def __rpow__(self, other: Number) -> Tensor:
        return as_tensor(other) ** self

    def __matmul__(self, other: Tensor | Number) -> Tensor:
        """The product of a matrix and a vector, or of a matrix or a vector and a matrix."""
        def pull(g: Array, a: Array, b: Array) -> tuple[Array, ...]:
            if b.ndim == 1:
                return np.multiply.outer(g, b) if a.ndim == 2 else g * b, g @ a if a.ndim == 2 \
                    else g * a
            return g @ b.T, np.outer(a, g) if a.ndim == 1 else a.T @ g

        return _apply("matmul", lambda a, b: np.asarray(a @ b), pull, self, other)

    def __rmatmul__(self, other: Number) -> Tensor:
        return as_tensor(other) @ self

    def __getitem__(self, index: Any) -> Tensor:
        def pull(g: Array, a: Array) -> tuple[Array, ...]:
            out = np.zeros_like(a)
            np.add.at(out, index, g)
            return (out,)

        return _apply("item", lambda a: np.asarray(a[index]), pull, self)

    def sum(self) -> Tensor:
        """Of all elements."""
        return _apply("sum", lambda a: np.asarray(a.sum()),
                      lambda g, a: (np.broadcast_to(g, a.shape),), self)

    def exp(self) -> Tensor:
        """e to the power of each element."""
        return _apply("exp", np.exp, lambda g, a: (g * np.exp(a),), self)

    def log(self) -> Tensor:
        """Natural logarithm of elements above 0."""
        return _apply("log", _log, lambda g, a: (g / a,), self)

    def tanh(self) -> Tensor:
        """Hyperbolic tangent."""
        return _apply("tanh", np.tanh, lambda g, a: (g * (1 - np.tanh(a) ** 2),), self)

    def sigmoid(self) -> Tensor:
        """1 / (1 + e^-x), without overflow on either side."""
        def pull(g: Array, a: Array) -> tuple[Array, ...]:
            s = sigmoid(a)
            return (g * s * (1 - s),)

        return _apply("sigmoid", sigmoid, pull, self)

    def relu(self) -> Tensor:
        """The larger of each element and 0; its slope at 0 is 0."""
        return _apply("relu", lambda a: np.maximum(a, 0.0), lambda g, a: (g * (a > 0),), self)


def as_tensor(value: Tensor | Number) -> Tensor:
    """The tensor itself, or a constant."""
    return value if isinstance(value, Tensor) else Tensor(value)


def hard_data(value: Tensor) -> Array:
    """What the hard program has there, or the data while no hard values are kept.

    Raises the `TraceError` with which the hard program fails.
    """
    return value.hard_data() if recording.hard_shadow() else value.data


def stack(tensors: Sequence[Tensor | Number]) -> Tensor:
    """An array of tensors of one shape, along a new first axis."""
    return _apply("stack", lambda *parts: np.stack(parts), lambda g, *parts: tuple(g),
                  *tensors)


def sigmoid(x: Array) -> Array:
    """The logistic function of an array."""
    small = np.exp(-np.abs(x))
    return np.asarray(np.where(x >= 0, 1.0, small) / (1.0 + small))


def _log(x: Array) -> Array:
    if not (x > 0).all():
        raise TraceError(f"log needs numbers above 0, not {float(np.min(x))!r}")
    return np.log(x)


def _evaluate(name: str, act: Callable[..., Array], values: Sequence[Array]) -> Array:
    try:
        with np.errstate(divide="raise", over="raise", invalid="raise"):
            return np.asarray(act(*values), np.float64)
    except FloatingPointError as error:
        given = ", ".join(str(value.tolist()) for value in values if value.ndim == 0)
        kind = ZeroDivision if "divide by zero" in str(error) else TraceError
        raise kind(f"{name}({given}): {error}") from None


def _apply(name: str, act: Callable[..., Array], pull: Callable[..., tuple[Array, ...]],
           *operands: Tensor | Number) -> Tensor:
    """The result of an operation, and the hard program's beside it.

    It is of the class of the operands, where some are of a class derived from `Tensor`.
    """
    parents = [as_tensor(operand) for operand in operands]
    values = [parent.data for parent in parents]
    kind = next((type(p) for p in parents if type(p) is not Tensor), Tensor)
    out = kind._result(name, _evaluate(name, act, values), parents,
                       lambda g: pull(g, *values))
    if recording.hard_shadow():
        failed = next((p.hard_error for p in parents if p.hard_error is not None), None)
        if failed is not None:
            out.hard_error = failed
        elif any(parent._hard is not None for parent in parents):
            try:
                out._hard = _evaluate(name, act, [parent.hard_data() for parent in parents])
            except TraceError as error:
                out.hard_error = error
    recording.record_op(name, parents, out)
    return out
