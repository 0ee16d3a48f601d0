"""Gradients of the traced Tensor, and the hard value beside each."""

import math

import numpy as np
import pytest

from tritgrad.model.soft import Tensor, TraceError, gradcheck
from tritgrad.model.soft.tensor import stack

OPERATORS = {
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b, "pow": lambda a, b: a ** b,
    "radd": lambda a, b: 2.5 + a * b, "rsub": lambda a, b: 2.5 - a * b,
    "rmul": lambda a, b: 2.5 * (a + b), "rdiv": lambda a, b: 2.5 / (a + b),
    "rpow": lambda a, b: 2.5 ** (a - b), "constant power": lambda a, b: a ** 3 + b ** -1,
    "neg": lambda a, b: -a - b, "exp": lambda a, b: (a - b).exp(),
    "log": lambda a, b: (a * b).log(), "tanh": lambda a, b: (a - b).tanh(),
    "sigmoid": lambda a, b: (a - b).sigmoid(), "relu": lambda a, b: (a - b).relu(),
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_scalar_reverse_mode_tensor(name, seed, shape):
    rng = np.random.default_rng(seed)
    a, b = rng.uniform(0.3, 2, shape), rng.uniform(0.3, 2, shape)
    assert gradcheck(lambda x, y: OPERATORS[name](x, y).sum(), [a, b])


@pytest.mark.parametrize("left, right", [((3, 2), (2,)), ((2,), (2, 3)), ((3, 2), (2, 4)),
                                         ((2,), (2,))])
def test_products_of_matrices_and_vectors(left, right):
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=left), rng.normal(size=right)
    assert np.array_equal((Tensor(a) @ b).data, np.asarray(a @ b))
    assert np.array_equal((a @ Tensor(b)).data, np.asarray(a @ b))
    assert gradcheck(lambda x, y: ((x @ y).tanh()).sum(), [a, b])


def test_elements_and_stacks():
    x = np.arange(6.0).reshape(2, 3)
    assert gradcheck(lambda t: t[1, 2] * t[0, 0] + (t[0] * t[1]).sum(), [x])
    assert gradcheck(lambda a, b: (stack([a, b, a]) ** 2).sum(), [1.0, 2.0])
    assert gradcheck(lambda t: t[[0, 0, 1]].sum(), [x])


def test_quadratic_gradient():
    x = Tensor(3.0, requires_grad=True)
    (x ** 2 + 2 * x + 1).backward()
    assert x.grad == 8.0


def test_exp_log_sigmoid_gradient():
    x = Tensor(0.5, requires_grad=True)
    (x.exp().log().sigmoid()).backward()
    s = 1 / (1 + math.exp(-0.5))
    assert abs(x.grad - s * (1 - s)) < 1e-12


def test_gradients_of_broadcast_product():
    a = Tensor([[1.0], [2.0]], requires_grad=True)
    b = Tensor([3.0, 4.0, 5.0], requires_grad=True)
    out = a * b + a
    for _ in range(2):  # nothing adds up over calls
        out.backward()
        assert np.array_equal(a.grad, [[15.0], [15.0]])
        assert np.array_equal(b.grad, [3.0, 3.0, 3.0])


def test_chain_of_100000_nodes():
    x = Tensor(1.0, requires_grad=True)
    y = x
    for _ in range(100_000):
        y = y + 1.0
    y.backward()
    assert y.data == 100_001.0 and x.grad == 1.0


def test_constants_get_no_gradient():
    a, b = Tensor(2.0, requires_grad=True), Tensor(3.0)
    (a * b).backward(2.0)
    assert (a.grad, b.grad) == (6.0, 0.0)
    a.zero_grad()
    assert a.grad == 0.0
    (a * a.detach()).backward()
    assert a.grad == 2.0
    with pytest.raises(TraceError, match="^backward\\(\\) needs a result of at least one tensor"):
        (b * 2).backward()


def test_an_array_on_the_left():
    x = Tensor(2.0, requires_grad=True)
    out = (np.array([1.0, 3.0]) * x + np.float64(1.0)).sum()
    assert isinstance(out, Tensor)
    out.backward()
    assert (out.item(), x.grad) == (10.0, 4.0)


def test_sigmoid_far_out():
    assert np.array_equal(Tensor([-1e308, -800.0, 0.0, 800.0, 1e308]).sigmoid().data,
                          [0, 0, 0.5, 1, 1])


def test_relu_has_no_slope_at_zero():
    x = Tensor([-1.0, 0.0, 1.0], requires_grad=True)
    x.relu().sum().backward()
    assert np.array_equal(x.grad, [0, 0, 1])


@pytest.mark.parametrize("act, message", [
    (lambda: Tensor(-1.0).log(), "log needs numbers above 0, not -1.0"),
    (lambda: Tensor(0.0).log(), "log needs numbers above 0, not 0.0"),
    (lambda: Tensor(1.0) / 0.0, "div(1.0, 0.0): divide by zero"),
    (lambda: Tensor(0.0) ** -1.0, "0 cannot be raised to a negative power"),
    (lambda: Tensor(1000.0).exp(), "exp(1000.0): overflow"),
    (lambda: Tensor(-1.0) ** 0.5, "a broken power of -1.0 is not in the real number domain"),
    (lambda: Tensor("one"), "a tensor must hold numbers, not 'one'"),
    (lambda: Tensor([1.0, 2.0]).item(), "item() needs one number, not an array of shape (2,)"),
])
def test_out_of_the_domain(act, message):
    with pytest.raises(TraceError) as caught:
        act()
    assert str(caught.value).startswith(message)


def test_hard_values_go_beside_the_soft_ones():
    x = Tensor(0.5, requires_grad=True)
    gate = x.sigmoid().with_hard(Tensor(1.0))
    out = 3.0 * gate - 1.0
    assert out.hard_data() == 2.0
    assert out.detach().hard_data() == 2.0
    assert abs(out.item() - (3 / (1 + math.exp(-0.5)) - 1)) < 1e-12


def test_a_failure_of_the_hard_program_waits_until_it_matters():
    x = Tensor(2.0).with_hard(Tensor(-2.0))
    out = x.log() + 1.0
    assert abs(out.item() - (math.log(2) + 1)) < 1e-12
    assert out.hard_value is None
    with pytest.raises(TraceError, match="^log needs numbers above 0, not -2.0$"):
        out.hard_data()
