"""Thresholds learned through soft branches."""

from dataclasses import replace

import numpy as np
import pytest

from tritgrad.errors import BadInput
from tritgrad.model import arithmetic
from tritgrad.model.fast import FastNetwork
from tritgrad.model.recipe import Recipe
from tritgrad.model.rng import epoch_order
from tritgrad.model.soft.shadow import Temperatures
from tritgrad.model.soft.thresholds import cross_entropy, learn_thresholds


@pytest.fixture(scope="module")
def trained():
    """A network of two hidden layers on clusters, and its samples."""
    rng = np.random.default_rng(1)
    centres = rng.integers(0, 16, (5, 16))
    y = rng.integers(0, 5, 300)
    x = np.clip(centres[y] + rng.normal(0, 4, (300, 16)), 0, 15).astype(np.uint8)
    recipe = Recipe.default((16, 16, 12, 5), 4, epochs=8, seed=1)
    network = FastNetwork(recipe)
    for epoch in range(recipe.epochs):
        network.train(x, y, epoch_order(recipe.seed, epoch, len(x)), recipe.gains_in(epoch))
    return recipe, network.counters, x, y


def accuracy(recipe, counters, x, y):
    network = FastNetwork(recipe)
    network.load(counters, 1)
    return float((network.predict(x) == y).mean())


@pytest.mark.parametrize("wrong", [(2, 2), (-2, -2)])
def test_wrong_shifts_are_learned_back(trained, wrong):
    recipe, counters, x, y = trained
    bad = replace(recipe, shifts=tuple(max(0, s + d) for s, d in zip(
        recipe.shifts, wrong, strict=True)))
    found = learn_thresholds(bad, counters, x, y, Temperatures())
    assert len(found.losses) == 100 and found.after < found.before
    assert all(abs(shift - exponent) < 1 for shift, exponent in zip(
        found.recipe.shifts, found.exponents, strict=True))
    right = accuracy(recipe, counters, x, y)
    assert accuracy(bad, counters, x, y) < right - 0.1
    assert accuracy(found.recipe, counters, x, y) >= right - 0.02


def test_the_loss_never_gets_worse(trained):
    recipe, counters, x, y = trained
    found = learn_thresholds(recipe, counters, x, y, Temperatures(), steps=3)
    assert found.after <= found.before


@pytest.mark.parametrize("confidence", [0.6, 0.9, 0.99])
def test_the_margin_is_about_the_cheapest(trained, confidence):
    recipe, counters, x, y = trained
    found = learn_thresholds(recipe, counters, x, y, Temperatures(), confidence)
    weights = [arithmetic.trits(layer, recipe.counter_bits) for layer in counters]
    h = x.astype(np.int64)
    for w, shift in zip(weights, found.recipe.shifts, strict=False):
        h = arithmetic.activate(h @ w.T, shift, recipe.activation_bits)[0]
    scores = h @ weights[-1].T
    costs = cross_entropy(scores, y, 0.25 * recipe.margin)
    others = np.where(np.eye(5, dtype=bool)[y], -10**6, scores).max(axis=1)
    gaps = scores[np.arange(len(y)), y] - others

    def cost(margin):
        return np.where(gaps < margin, -np.log(confidence), costs).sum()

    best = min(cost(margin) for margin in range(1, 200))
    # The soft branch is a quarter of the old margin wide: it cannot find the very best.
    assert cost(found.recipe.margin) < best + 0.25 * (cost(0) - best)
    assert cost(found.recipe.margin) < min(cost(0), cost(10**6))


def test_more_confidence_needs_a_larger_margin(trained):
    recipe, counters, x, y = trained
    margins = [learn_thresholds(recipe, counters, x, y, Temperatures(), p).recipe.margin
               for p in (0.5, 0.9, 0.999)]
    assert margins[0] < margins[1] < margins[2]


def test_a_network_of_one_layer_has_a_margin_only():
    recipe = Recipe.default((6, 3), 2, seed=1)
    x, y = np.random.default_rng(1).integers(0, 4, (50, 6)), np.arange(50) % 3
    found = learn_thresholds(recipe, FastNetwork(recipe).counters, x, y, Temperatures(), steps=5)
    assert found.recipe.shifts == found.exponents == found.losses == ()


@pytest.mark.parametrize("given, message", [
    ({"confidence": 1.0}, "confidence must be between 0 and 1, not 1.0"),
    ({"steps": 0}, "steps must be at least 1, not 0")])
def test_bad_numbers(trained, given, message):
    with pytest.raises(BadInput, match=f"^{message}$"):
        learn_thresholds(*trained, Temperatures(), **given)
