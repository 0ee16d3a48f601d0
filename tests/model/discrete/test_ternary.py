"""The source's ternary layers: exhaustively where they are small."""

from itertools import product

import numpy as np
import pytest

from tritgrad.errors import BadInput
from tritgrad.model.discrete.splitmix import SplitMixTernary
from tritgrad.model.discrete.ternary import TernaryLayer, TernaryMLP

TRITS = (-1, 0, 1)


def layer_of(weights):
    layer = TernaryLayer(len(weights[0]), len(weights))
    layer.weights = np.array(weights, np.int8)
    return layer


def worked_network():
    network = TernaryMLP((3, 2, 2))
    network.layers = [layer_of([[1, 0, -1], [0, 1, 1]]), layer_of([[1, -1], [0, 1]])]
    return network


def test_ternary_layer_forward_only_adds():
    for row in product(TRITS, repeat=3):
        layer = layer_of([row])
        for x in product(range(-2, 3), repeat=3):
            plus = sum(v for v, w in zip(x, row, strict=True) if w == 1)
            minus = sum(v for v, w in zip(x, row, strict=True) if w == -1)
            z = plus - minus
            assert layer.forward(np.array(x)).tolist() == [(z > 0) - (z < 0)]
            assert layer.scores(np.array(x)).tolist() == [z]


def test_ternary_layer_takes_batches_and_floats():
    layer = layer_of([[1, -1], [0, 1]])
    x = np.array([[0.25, 0.5], [1.0, 1.0]])
    assert layer.scores(x).tolist() == [[-0.25, 0.5], [0.0, 1.0]]
    assert layer.forward(x).tolist() == [[-1, 1], [0, 1]]


def test_ternary_layer_starts_from_the_trit_stream():
    layer = TernaryLayer(4, 3, seed=42)
    assert layer.weights.ravel().tolist() == SplitMixTernary(42).next_trits(12).tolist()
    network = TernaryMLP((4, 3, 2), seed=42)
    flat = [w for layer in network.layers for w in layer.weights.ravel().tolist()]
    assert flat == SplitMixTernary(42).next_trits(18).tolist()


def test_backward_trit_is_the_sign_of_the_outer_product():
    layer = TernaryLayer(3, 2)
    x, error = np.array([5, 0, -2]), np.array([-1, 1])
    assert layer.backward_trit(x, error).tolist() == [[-1, 0, 1], [1, 0, -1]]
    assert layer.backward_trit(x.astype(float), 0.5 * error).tolist() == [[-1, 0, 1], [1, 0, -1]]


@pytest.mark.parametrize("w", TRITS)
@pytest.mark.parametrize("g", TRITS)
def test_update_re_ternarizes(w, g):
    layer = layer_of([[w]])
    layer.update(np.array([[g]]), 1.0)
    assert layer.weights.tolist() == [[max(-1, min(1, w + g))]]
    frozen = layer_of([[w]])
    frozen.update(np.array([[g]]), 0.1)
    assert frozen.weights.tolist() == [[w if w else g]]
    assert frozen.weights.dtype == np.int8


def test_ternary_mlp_train_step():
    network = worked_network()
    x, target = np.array([1, -1, 1]), np.array([1, -1])
    assert network.layers[0].forward(x).tolist() == [0, 0]
    assert network.forward(x).tolist() == [0, 0]
    for _ in range(3):
        network.train_step(x, target)
        assert network.layers[0].weights.tolist() == [[1, -1, 0], [-1, 1, 0]]
        assert network.layers[1].weights.tolist() == [[1, -1], [0, 1]]
        assert network.forward(x).tolist() == [1, -1]


def test_ternary_mlp_propagates_with_updated_weights():
    # the output's weight 0 becomes +1 by its own update, and only then lets the error through
    network = TernaryMLP((2, 1, 1))
    network.layers = [layer_of([[1, 0]]), layer_of([[0]])]
    network.train_step(np.array([1, 1]), np.array([1]))
    assert [layer.weights.tolist() for layer in network.layers] == [[[1, 1]], [[1]]]


def sign(value):
    return (value > 0) - (value < 0)


def plainly(weights, x, target, lr):
    """`train_step` of the source, in loops."""
    activations = [list(x)]
    for layer in weights:
        activations.append([sign(sum(w * v for w, v in zip(row, activations[-1], strict=True)))
                            for row in layer])
    error = [sign(t - a) for t, a in zip(target, activations[-1], strict=True)]
    for n in reversed(range(len(weights))):
        weights[n] = [[sign(max(-1, min(1, w + lr * sign(e * v))))
                       for w, v in zip(row, activations[n], strict=True)]
                      for row, e in zip(weights[n], error, strict=True)]
        error = [sign(sum(row[i] * e for row, e in zip(weights[n], error, strict=True)))
                 for i in range(len(weights[n][0]))]
    return weights


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("lr", [1.0, 0.1])
def test_ternary_mlp_equals_the_source_in_loops(seed, lr):
    network = TernaryMLP((5, 4, 3, 2), seed=seed)
    weights = [layer.weights.tolist() for layer in network.layers]
    draw = np.random.default_rng(seed)
    for _ in range(20):
        x, target = draw.integers(-3, 4, 5), draw.integers(-1, 2, 2)
        network.train_step(x, target, lr)
        weights = plainly(weights, x.tolist(), target.tolist(), lr)
        assert [layer.weights.tolist() for layer in network.layers] == weights
        assert all(np.isin(layer.weights, TRITS).all() for layer in network.layers)


@pytest.mark.parametrize(("sizes", "message"), [
    ((3,), "sizes must be at least two numbers, not (3,)"),
    ((3, 0), "outputs must be an integer of at least 1, not 0"),
    ((2.5, 2), "inputs must be an integer of at least 1, not 2.5"),
])
def test_bad_sizes_are_refused(sizes, message):
    with pytest.raises(BadInput) as error:
        TernaryMLP(sizes)
    assert str(error.value) == message
