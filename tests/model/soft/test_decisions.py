"""Recorded decisions against the golden model, and how two records are compared."""

from dataclasses import replace

import numpy as np
import pytest

from tritgrad.errors import BadInput
from tritgrad.model import arithmetic
from tritgrad.model.margin import MarginNetwork
from tritgrad.model.recipe import Recipe
from tritgrad.model.soft.decisions import decide


def recipe(**changes):
    return Recipe.default((12, 8, 6, 4), 2, counter_bits=7, epochs=1, seed=3, **changes)


def samples(seed, count=40, inputs=12, classes=4):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 4, (count, inputs)), rng.integers(0, classes, count)


@pytest.mark.parametrize("changes", [
    {}, {"gain": 3, "output_gain": 3}, {"gain": -2}, {"margin": 1}, {"scale_refresh": 2}])
@pytest.mark.parametrize("seed", range(2))
def test_decisions_are_those_of_training(seed, changes):
    traced, plain = MarginNetwork(recipe(**changes)), MarginNetwork(recipe(**changes))
    flips = saturations = 0
    for x, y in zip(*samples(seed), strict=True):
        before = [c.copy() for c in traced.counters]
        inputs, gates, scores = traced.forward_pass(x)
        made = decide(traced, x, int(y), traced.recipe.gains)
        stats = plain.train_sample(x, int(y), plain.recipe.gains)
        assert (made.prediction == y, made.learned) == (stats.correct, stats.updated)
        assert sum(map(len, made.flips)) == stats.flips
        assert traced.state_sha256() == plain.state_sha256()
        assert traced.prng.state == plain.prng.state
        assert np.array_equal(made.scores, scores)
        assert made.gap == scores[y] - max(np.delete(scores, y))
        assert made.runner_up != made.prediction and made.lead == np.subtract(
            *np.sort(scores)[[-1, -2]])
        for layer, h, gate in zip(made.hidden, inputs[1:], gates, strict=True):
            assert np.array_equal(layer.activations, h) and np.array_equal(layer.gates, gate)
            assert made.learned or not layer.errors.any()
            assert not (layer.errors != 0)[~gate].any()
        for old, new, places in zip(before, traced.counters, made.flips, strict=True):
            change = np.sign(arithmetic.trits(new, 7) - arithmetic.trits(old, 7))
            assert np.count_nonzero(change) == len(places)
            assert all(change[row, column] == way for row, column, way in places)
        for new, places, moved in zip(traced.counters, made.saturations, made.flips, strict=True):
            reloaded = {(row, column) for row, column, _ in moved}
            for row, column, way in places:
                if (row, column) not in reloaded:
                    assert new[row, column] == (63 if way > 0 else -64)
        flips += stats.flips
        saturations += sum(map(len, made.saturations))
    assert flips and (saturations or changes.get("gain") != 3)


def test_saturation_is_wanting_to_leave_the_range():
    network = MarginNetwork(Recipe.default((3, 2), 1, counter_bits=6, gain=2, seed=1))
    network.counters[0][:] = [[31, 28, 27], [-32, -29, -28]]
    made = decide(network, np.array([1, 1, 1]), 0, network.recipe.gains)
    assert made.learned is (made.gap < network.recipe.margin)
    network.recipe = replace(network.recipe, margin=100)
    network.counters[0][:] = [[31, 28, 27], [-32, -29, -28]]
    made = decide(network, np.array([1, 1, 1]), 0, network.recipe.gains)
    assert made.saturations[0].tolist() == [[0, 0, 1], [0, 1, 1], [1, 0, -1], [1, 1, -1]]
    assert network.counters[0].tolist() == [[31, 31, 31], [-32, -32, -32]]


def test_differences_are_named():
    network = MarginNetwork(recipe())
    (x, *_), (y, *_) = samples(0)
    made = decide(network, x, int(y), network.recipe.gains)
    assert made.differences(made) == []
    hidden = replace(made.hidden[1], gates=~made.hidden[1].gates)
    other = replace(made, gap=made.gap + 1, hidden=(made.hidden[0], hidden), flips=made.flips[1:])
    assert made.differences(other) == ["gap", "hidden[1].gates", "flips"]


@pytest.mark.parametrize("x, y, message", [
    (np.zeros(11, int), 0, "a sample must have the network's 12 inputs, not (11,)"),
    (np.full(12, 4), 0, "inputs must be from 0 to 3, not 4 to 4"),
    (np.zeros(12, int), 4, "a label must be from 0 to 3, not 4"),
])
def test_samples_that_do_not_fit(x, y, message):
    network = MarginNetwork(recipe())
    with pytest.raises(BadInput) as caught:
        decide(network, x, y, network.recipe.gains)
    assert str(caught.value) == message
