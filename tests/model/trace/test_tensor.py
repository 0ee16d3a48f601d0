"""Gradients of the traced Tensor."""

import numpy as np
from tritgrad.model.trace.tensor import Tensor


def test_gradients_of_broadcast_product() -> None:
    a, b = Tensor([[1.0], [2.0]]), Tensor([3.0, 4.0, 5.0])
    out = a * b + a
    for _ in range(2):
        out.backward()
        assert np.array_equal(a.grad, [[15.0], [15.0]])
        assert np.array_equal(b.grad, [3.0, 3.0, 3.0])


def test_chain_of_100000_nodes() -> None:
    x = Tensor(1.0)
    y = x
    for _ in range(100_000):
        y = y + 1.0
    y.backward()
    assert y.data == 100_001.0 and x.grad == 1.0
