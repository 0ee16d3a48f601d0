"""Reverse-mode differentiation of float64 scalars and arrays, as ProgramGrad's Tensor."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Array = np.ndarray


def _reduce(grad: Array, shape: tuple[int, ...]) -> Array:
    """Sum `grad` over the axes along which `shape` was broadcast."""
    grad = grad.sum(axis=tuple(range(grad.ndim - len(shape))))
    axes = tuple(i for i, n in enumerate(shape) if n == 1 and grad.shape[i] != 1)
    return np.asarray(grad.sum(axis=axes, keepdims=True))


class Tensor:
    """A float64 value of any shape; `backward` fills `grad` of every node it reaches."""

    def __init__(self, data: object, parents: tuple[Tensor, ...] = (),
                 pull: Callable[[Array], tuple[Array, ...]] | None = None) -> None:
        self.data = np.asarray(data, dtype=np.float64)
        self.grad = np.zeros_like(self.data)
        self._parents, self._pull = parents, pull

    def __add__(self, other: Tensor | float) -> Tensor:
        b = other if isinstance(other, Tensor) else Tensor(other)
        return Tensor(self.data + b.data, (self, b), lambda g: (g, g))

    def __mul__(self, other: Tensor | float) -> Tensor:
        b = other if isinstance(other, Tensor) else Tensor(other)
        return Tensor(self.data * b.data, (self, b), lambda g: (g * b.data, g * self.data))

    def backward(self) -> None:
        """Zero the gradient of every reachable node, then sweep in reverse topological order."""
        order: list[Tensor] = []
        seen: set[int] = set()
        stack = [(self, False)]
        while stack:
            node, done = stack.pop()
            if done:
                order.append(node)
            elif id(node) not in seen:
                seen.add(id(node))
                stack.append((node, True))
                stack.extend((p, False) for p in node._parents)
        for node in order:
            node.grad = np.zeros_like(node.data)
        self.grad = np.ones_like(self.data)
        for node in reversed(order):
            if node._pull is not None:
                for parent, g in zip(node._parents, node._pull(node.grad), strict=True):
                    parent.grad = parent.grad + _reduce(np.asarray(g), parent.data.shape)
