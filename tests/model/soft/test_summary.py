"""Summaries of samples, and planted faults that they name."""

from dataclasses import replace

import numpy as np
import pytest

from tritgrad.errors import BadInput
from tritgrad.model.margin import MarginNetwork
from tritgrad.model.recipe import Recipe
from tritgrad.model.soft.explain import explain
from tritgrad.model.soft.shadow import Temperatures
from tritgrad.model.soft.summary import summarise

from .networks import NAMES, learn, samples

ROWS = 30


def summary_of(network, gains=None):
    x, y = samples()
    return summarise(network, x[:ROWS], y[:ROWS], gains or network.recipe.gains, Temperatures(),
                     NAMES)


def sound(margin=4):
    """A network made by hand: neuron k sums the pixels where class k mod 3 is bright."""
    network = MarginNetwork(Recipe.default((16, 6, 3), 2, shifts=(1,), margin=margin))
    places, neurons = np.arange(16) // 6, np.arange(6) % 3
    network.counters = [90 * (places == neurons[:, None]).astype(int),
                        90 * (neurons == np.arange(3)[:, None]).astype(int)]
    return network


def test_a_sound_network_has_no_faults():
    summary = summary_of(sound())
    assert summary.faults == () and summary.samples == ROWS
    assert summary.correct > 0.8


def test_means_are_those_of_the_samples():
    network, (x, y) = learn(hidden=(10, 8)), samples()
    summary = summary_of(network)
    made = [explain(network, x[n], int(y[n]), network.recipe.gains, Temperatures(), NAMES)
            for n in range(ROWS)]
    assert summary.learned == np.mean([m.decisions.learned for m in made])
    for n, layer in enumerate(summary.layers):
        signs = [m.signs[n] for m in made if m.signs[n][0] is not None]
        assert (layer.straight_through, layer.soft) == pytest.approx(np.mean(signs, axis=0))
        near = [line.near for m in made for line in m.lines
                if line.kind == "trit" and line.layer == n + 1 and line.near is not None]
        assert layer.near_trits == pytest.approx(np.mean(near))
        if n < 2:
            hidden = [m.decisions.hidden[n] for m in made]
            assert layer.full == pytest.approx(
                np.mean([(h.activations > 0) & ~h.gates for h in hidden]))
            assert layer.off == pytest.approx(
                np.mean([(h.activations == 0) & ~h.gates for h in hidden]))
    assert summary.layers[2].off is None and summary.layers[2].near_gates is None


def test_dead_units_are_named():
    network = sound()
    network.counters[0][[1, 4]] = -100
    (fault,) = [line for line in summary_of(network).faults if "dead" in line]
    assert fault == (f"dead units: layer 1, 2 of 6 neurons are at 0 on all {ROWS} samples (1, 4)")


def test_stuck_units_are_named():
    network = sound()
    network.counters[0][5] = 100
    network.recipe = replace(network.recipe, shifts=(0,), activation_bits=3)
    (fault,) = summary_of(network).faults
    assert fault == (f"stuck units: layer 1, 1 of 6 neurons are at the top on all "
                     f"{ROWS} samples (5)")


def test_a_margin_too_large_is_named():
    (fault,) = summary_of(sound(margin=5000)).faults
    assert fault.startswith("margin too large: 100 % of the samples predicted right are still "
                            "learned; M is 5000, their median gap ")


def test_a_gain_too_high_is_named():
    network = sound(margin=11)
    first, _ = network.recipe.gains
    (fault,) = summary_of(network, (first, 5)).faults
    assert fault.startswith("gain too high: layer 2, a sample flips ")
    assert fault.endswith("; its gain exponent is 5")


def test_no_samples():
    x, y = samples()
    with pytest.raises(BadInput, match="^a summary needs at least 1 sample, not 0$"):
        summarise(sound(), x[:0], y[:0], (0, 0), Temperatures(), NAMES)
