"""The table of defaults, the gain schedule, and what a recipe refuses."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tritgrad.errors import BadInput
from tritgrad.model.recipe import Recipe


@pytest.mark.parametrize(("layers", "planes", "bits", "gains", "shifts", "margin"), [
    ((784, 128, 10), 1, 8, (0, -3), (1,), 32),
    ((784, 512, 10), 2, 10, (1, -1), (2,), 64),
    ((784, 48, 20, 10), 1, 8, (0, -3, -3), (1, 2), 16),
    ((64, 64, 10), 4, 8, (-3, -3), (3,), 32),
    ((16, 2), 8, 6, (-9,), (), 16),
    ((1, 3, 2), 1, 14, (6, 3), (0,), 4),
])
def test_defaults(layers, planes, bits, gains, shifts, margin):
    recipe = Recipe.default(layers, planes, bits)
    assert (recipe.gains, recipe.shifts, recipe.margin) == (gains, shifts, margin)
    assert (recipe.activation_bits, recipe.epochs, recipe.seed) == (4, 20, 1)


def test_sizes():
    recipe = Recipe.default([784, 48, 20, 10], 1)
    assert recipe.depth == 3
    assert recipe.shapes == [(48, 784), (20, 48), (10, 20)]


def test_gain_by_hand():
    layers = (784, 48, 20, 10)
    assert Recipe.default(layers, 1, gain=2).gains == (2, 2, -3)
    assert Recipe.default(layers, 1, output_gain=1).gains == (0, -3, 1)
    assert Recipe.default((784, 10), 1, gain=2).gains == (2,)
    assert Recipe.default((784, 10), 1, output_gain=1).gains == (1,)
    assert Recipe.default((784, 10), 1, gain=2, output_gain=1).gains == (1,)


def test_everything_by_hand():
    recipe = Recipe.default((9, 4, 3), 2, counter_bits=9, activation_bits=3, epochs=7, seed=5,
                            margin=11, shifts=[6])
    assert recipe == Recipe((9, 4, 3), 9, 3, 2, (0, -1), (6,), 11, 7, 5)


def test_schedule():
    recipe = Recipe.default((784, 128, 10), 1, gain=3, epochs=10)
    assert [recipe.gains_in(e) for e in range(10)] == (
        [(3, -3)] * 4 + [(2, -4)] * 3 + [(1, -5)] * 3)


def test_schedule_never_goes_below_the_floor():
    assert Recipe.default((784, 128, 10), 1).gains_in(19) == (0, -5)
    assert Recipe.default((784, 128, 10), 1, gain=1).gains_in(19) == (0, -5)
    assert Recipe.default((64, 32, 10), 4).gains_in(19) == (-3, -5)
    assert Recipe.default((64, 10), 4, output_gain=-15).gains_in(19) == (-15,)
    assert Recipe.default((64, 32, 10), 4, output_gain=-14).gains_in(19) == (-3, -15)


@given(st.integers(1, 200))
def test_schedule_boundaries(epochs):
    recipe = Recipe.default((9, 3), 1, gain=6, epochs=epochs)
    for epoch in range(epochs):
        passed = (5 * epoch >= 2 * epochs) + (10 * epoch >= 7 * epochs)
        assert recipe.gains_in(epoch) == (6 - passed,)


LAYERS = ("layers must be inputs, hidden sizes and classes, at least two numbers from 1 to 65535, "
          "not ")


@pytest.mark.parametrize(("options", "message"), [
    ({"counter_bits": 5}, "counter_bits must be an integer from 6 to 14, not 5"),
    ({"counter_bits": 15}, "counter_bits must be an integer from 6 to 14, not 15"),
    ({"activation_bits": 0}, "activation_bits must be an integer from 1 to 8, not 0"),
    ({"planes": 9}, "planes must be an integer from 1 to 8, not 9"),
    ({"margin": 0}, "margin must be an integer from 1 to 8388607, not 0"),
    ({"margin": 2**23}, "margin must be an integer from 1 to 8388607, not 8388608"),
    ({"margin": 1.5}, "margin must be an integer from 1 to 8388607, not 1.5"),
    ({"epochs": 0}, "epochs must be an integer from 1 to 2147483647, not 0"),
    ({"seed": -1}, "seed must be an integer from 0 to 2^64 - 1, not -1"),
    ({"gain": 7}, "gains must be from -15 to 6, not (7, -3)"),
    ({"output_gain": -16}, "gains must be from -15 to 6, not (0, -16)"),
    ({"shifts": [32]}, "shifts must be from 0 to 31, not (32,)"),
    ({"shifts": [-1]}, "shifts must be from 0 to 31, not (-1,)"),
    ({"shifts": [1, 1]}, "shifts of 2 layers must be 1 integers, not (1, 1)"),
    ({"shifts": ["1"]}, "shifts must be a sequence of integers, not ('1',)"),
    ({"layers": (5,)}, LAYERS + "(5,)"),
    ({"layers": (5, 0, 2)}, LAYERS + "(5, 0, 2)"),
    ({"layers": (65536, 2)}, LAYERS + "(65536, 2)"),
    ({"layers": (5, 1)}, "layers must end with at least 2 classes, not 1"),
])
def test_refused(options, message):
    with pytest.raises(BadInput, match=f"^{re.escape(message)}$"):
        Recipe.default(**{"layers": (784, 128, 10), "planes": 1, **options})
