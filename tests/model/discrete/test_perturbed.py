"""Learning from losses alone: the rules restated in scalars, and networks without a derivative."""

import importlib.util
import re
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tritgrad.errors import BadInput
from tritgrad.model.arithmetic import scan_scores
from tritgrad.model.discrete.direction import directions, step_keys
from tritgrad.model.discrete.perturbed import (
    PerturbedNetwork,
    argmax,
    clipped,
    confident_step,
    first_maximum,
    margin_loss,
    table,
    table_of_signs,
    wrong_predictions,
)
from tritgrad.model.rng import initial_counters

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "no_derivative.py"


def example():
    spec = importlib.util.spec_from_file_location("no_derivative", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def trit(counter, bits):
    return {1: 1, -2: -1}.get(counter >> (bits - 2), 0)


def moved(counter, by, bits):
    """A counter after saturation and hysteresis, as docs/learning-rule.md states them."""
    half, low = 1 << (bits - 1), bits - 2
    after = max(-half, min(half - 1, counter + by))
    if trit(after, bits) == trit(counter, bits):
        return after
    up = trit(after, bits) > trit(counter, bits)
    residual = 0b11 << (low - 2) if up else (1 << (low - 2)) - 1
    return (after >> low << low) + residual


def loss_of(weights, x, y, shift, margin):
    """Forward and margin loss in loops, over two layers."""
    total = 0
    for sample, label in zip(x, y, strict=True):
        h = [max(0, min(15, sum(w * v for w, v in zip(row, sample, strict=True)) >> shift))
             for row in weights[0]]
        scores = [sum(w * v for w, v in zip(row, h, strict=True)) for row in weights[1]]
        gap = scores[label] - max(s for k, s in enumerate(scores) if k != label)
        total += max(0, min(2 * margin, margin - gap))
    return total


def in_loops(counters, probe, d, gain, bits):
    """Counters after the move of one step."""
    size = abs(d)
    exponent = -1 if size == 0 else int(np.floor(np.log2(size))) + gain
    if exponent < 0:
        return counters
    step = 2 ** min(exponent, bits - 3)
    sign = -1 if d > 0 else 1
    return [[[moved(c, sign * t * step, bits) if t else c for c, t in zip(*rows, strict=True)]
             for rows in zip(layer, p, strict=True)]
            for layer, p in zip(counters, probe, strict=True)]


def beside(counters, probe, side, bits):
    return [[[max(-1, min(1, trit(c, bits) + side * t)) for c, t in zip(*rows, strict=True)]
             for rows in zip(layer, p, strict=True)]
            for layer, p in zip(counters, probe, strict=True)]


def small(seed, bits=8):
    draw = np.random.default_rng(seed)
    network = PerturbedNetwork((18, 5, 3), bits, seed, [clipped(2, 4)], margin_loss(12))
    return network, draw.integers(0, 16, (9, 18)), draw.integers(0, 3, 9)


@pytest.mark.parametrize(("seed", "bits", "gain", "sparsity"), [
    (1, 8, -2, 1), (2, 8, 0, 2), (3, 6, 2, 3), (4, 14, 3, 1), (5, 10, -4, 4)])
def test_train_spsa_equals_its_rule_in_loops(seed, bits, gain, sparsity):
    network, x, y = small(seed, bits)
    counters = [c.tolist() for c in network.counters]
    done = network.train_spsa(x, y, 70, gain, sparsity)
    flips = moves = 0
    for n in range(70):
        probe = [d[0].tolist() for d in directions(step_keys(seed, n, 1), [(5, 18), (3, 5)],
                                                   sparsity)]
        d = (loss_of(beside(counters, probe, 1, bits), x, y, 2, 12)
             - loss_of(beside(counters, probe, -1, bits), x, y, 2, 12))
        after = in_loops(counters, probe, d, gain, bits)
        moves += confident_step(d, gain, bits) > 0
        flips += sum(trit(a, bits) != trit(b, bits)
                     for a, b in zip(flat(counters), flat(after), strict=True))
        counters = after
    assert [c.tolist() for c in network.counters] == counters
    assert (done.steps, done.moved, done.flips, done.passes) == (70, moves, flips, 2 * 70 * 9)
    assert done.flips > 0


def flat(counters):
    return [c for layer in counters for row in layer for c in row]


@pytest.mark.parametrize(("seed", "gain"), [(1, 0), (2, 2), (3, -3)])
def test_train_fd_equals_its_rule_in_loops(seed, gain):
    network, x, y = small(seed)
    counters = [c.tolist() for c in network.counters]
    places = [(0, j, i) for j, i in product(range(5), range(18))]
    places += [(1, j, i) for j, i in product(range(3), range(5))]
    done = network.train_fd(x, y, 130, gain)
    for n in range(130):
        probe = [np.zeros((5, 18), int), np.zeros((3, 5), int)]
        layer, j, i = places[n % len(places)]
        probe[layer][j, i] = 1
        probe = [p.tolist() for p in probe]
        d = (loss_of(beside(counters, probe, 1, 8), x, y, 2, 12)
             - loss_of(beside(counters, probe, -1, 8), x, y, 2, 12))
        counters = in_loops(counters, probe, d, gain, 8)
    assert [c.tolist() for c in network.counters] == counters
    assert (done.steps, done.passes) == (130, 2 * 130 * 9)
    assert done.moved > 0
    assert network.weight == 130 - 105


def test_training_in_parts_equals_training_at_once():
    whole, x, y = small(7)
    parts, _, _ = small(7)
    whole.train_spsa(x, y, 150, -1, 2)
    for steps in (1, 63, 0, 64, 22):
        parts.train_spsa(x, y, steps, -1, 2)
    assert whole.state_sha256() == parts.state_sha256()
    assert parts.step == 150


@given(st.integers(-10**6, 10**6), st.integers(-12, 12), st.integers(6, 14))
def test_confident_step(difference, gain, bits):
    step = confident_step(difference, gain, bits)
    wanted = 0.0 if difference == 0 else 2.0 ** (np.floor(np.log2(abs(difference))) + gain)
    assert step == (0 if wanted < 1 else min(wanted, 2 ** (bits - 3)))


def test_a_flat_loss_moves_nothing():
    network = PerturbedNetwork((6, 4, 3), 8, 1, [argmax], lambda scores, labels: 5)
    before = network.state_sha256()
    x, y = np.ones((4, 6), int), np.zeros(4, int)
    assert network.train_spsa(x, y, 20, 9, 1).moved == 0
    assert network.train_fd(x, y, 20, 9).flips == 0
    assert network.state_sha256() == before


def test_it_starts_like_the_margin_rule():
    network = PerturbedNetwork((7, 4, 3), 9, 5, [clipped(1, 4)], margin_loss(4))
    assert all((a == b).all() for a, b in
               zip(network.counters, initial_counters((7, 4, 3), 9, 5), strict=True))


def test_activations():
    z = np.array([[-9, -1, 0, 7, 8, 200]])
    assert clipped(2, 4)(z).tolist() == [[0, 0, 0, 1, 2, 15]]
    entries = [5, 0, 3, 9]
    assert table(2, entries)(z).tolist() == [[entries[(v >> 2) % 4] for v in z[0].tolist()]]
    assert argmax(np.array([[3, 7, 7], [0, -1, -2]])).tolist() == [[0, 1, 0], [1, 0, 0]]


def test_readouts_and_losses():
    scores = np.array([[5, 5, 1], [-1, 2, 9], [0, -3, 4], [7, 1, 2]])
    labels = np.array([1, 2, 2, 1])
    assert first_maximum(scores).tolist() == [0, 2, 2, 0]
    assert wrong_predictions(first_maximum)(scores, labels) == 2
    gaps = [scan_scores(row, int(label)).gap for row, label in zip(scores, labels, strict=True)]
    assert margin_loss(4)(scores, labels) == sum(max(0, min(8, 4 - gap)) for gap in gaps)
    read = table_of_signs([10, 11, 12, 13, 14, 15, 16, 17])
    assert read(scores).tolist() == [17, 16, 14, 17]
    assert wrong_predictions(read)(scores, np.array([17, 16, 14, 0])) == 1


def test_o_params_memory_no_gradient():
    """The forward pass of a probe keeps one activation: nothing is left for a backward pass."""
    alive = []

    def activation(z):
        alive.append(z.shape)
        return np.clip(z >> 2, 0, 15)
    network = PerturbedNetwork((6, 4, 4, 3), 8, 1, [activation] * 2, margin_loss(8))
    network.train_spsa(np.ones((5, 6), int), np.zeros(5, int), 3, 0, 1)
    assert alive == [(5, 4)] * 12
    assert set(vars(network)) == {"counter_bits", "seed", "activations", "loss", "counters", "step",
                                  "weight"}


def test_a_non_differentiable_loss_is_optimized():
    """A winner-takes-all layer and a count of errors: argmax twice, and no derivative at all."""
    draw = np.random.default_rng(3)
    y = draw.integers(0, 3, 90)
    x = np.where(np.arange(12) // 4 == y[:, None], draw.integers(8, 16, (90, 12)),
                 draw.integers(0, 8, (90, 12)))
    for seed in (1, 2):
        network = PerturbedNetwork((12, 8, 3), 8, seed, [argmax],
                                   wrong_predictions(first_maximum))
        network.train_spsa(x, y, 3000, 0, 3)
        right = 100 * np.mean(first_maximum(network.scores(x)) == y)
        assert right >= 95, seed


def test_the_example_learns_a_hashed_activation_that_margin_does_not():
    wine = example()
    task = wine.TASKS["hash"]
    learned = wine.accuracies(task, wine.learn(task, 1).scores)
    margin = wine.accuracies(task, wine.learn_by_margin(task, 1, epochs=10).scores)
    assert learned[0] >= 95
    assert margin[0] < 70


def test_the_example_needs_no_score_of_a_class():
    wine = example()
    task = wine.TASKS["codes"]
    margin = wine.accuracies(task, wine.learn_by_margin(task, 1, epochs=10).scores)
    assert margin[0] < 70


@pytest.mark.parametrize(("make", "message"), [
    (lambda: PerturbedNetwork((3, 2), 8, 1, [argmax], margin_loss(4)),
     "activations of 2 sizes must be 0, not 1"),
    (lambda: PerturbedNetwork((3,), 8, 1, [], margin_loss(4)),
     "layers must be at least two sizes, not (3,)"),
    (lambda: PerturbedNetwork((3, 2), 5, 1, [], margin_loss(4)),
     "counter_bits must be an integer from 6 to 14, not 5"),
    (lambda: PerturbedNetwork((3, 2), 8, -1, [], margin_loss(4)),
     "seed must be an integer from 0 to 2^64 - 1, not -1"),
    (lambda: table(0, [1, 2, 3]),
     "entries of a table must be a power of two in number, not of shape (3,)"),
    (lambda: table_of_signs([]),
     "classes of a table must be a power of two in number, not of shape (0,)"),
    (lambda: table_of_signs([0, 1])(np.zeros((2, 3), int)),
     "a table of 2 classes needs 1 outputs, not 3"),
])
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(BadInput, match="^" + re.escape(message) + "$"):
        make()
