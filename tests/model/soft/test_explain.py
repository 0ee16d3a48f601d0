"""The soft shadow of a sample against the integers of the golden model, and the ledger's lines."""

import json
from dataclasses import replace
from importlib.resources import files

import jsonschema
import numpy as np
import pytest

from tritgrad.errors import BadInput
from tritgrad.model.soft.decisions import decide
from tritgrad.model.soft.explain import explain, straight_through
from tritgrad.model.soft.kinds import KINDS
from tritgrad.model.soft.shadow import NEAREST, Temperatures, build_shadow

from .networks import NAMES, learn, samples

FOLDER = files("tritgrad.model.soft")
SCHEMA = json.loads((FOLDER / "explanation.schema.json").read_text())
TRACE_SCHEMA = json.loads((FOLDER / "trace.schema.json").read_text())
NETWORKS = {"one layer": {"hidden": ()}, "hidden": {"hidden": (12,)},
            "deep": {"hidden": (10, 8)}, "dither": {"hidden": (12,), "gain": -1},
            "scales": {"hidden": (12,), "scale_refresh": 3}}


def made_of(network, row, temperatures=None, **changes):
    x, y = samples()
    return explain(network, x[row], int(y[row]), network.recipe.gains,
                   temperatures or Temperatures(), NAMES, **changes)


@pytest.mark.parametrize("name", NETWORKS)
def test_hard_values_of_the_shadow_are_the_cores(name):
    network = learn(**NETWORKS[name])
    state, prng = network.state_sha256(), network.prng.state
    learned = 0
    for row in range(12):
        x, y = samples()
        made = made_of(network, row)
        assert (network.state_sha256(), network.prng.state) == (state, prng)
        hard, shadow = made.decisions, made.shadow
        assert np.array_equal(shadow.scores.hard_data(), network.scores(x[row]))
        for soft, layer in zip(shadow.hidden, hard.hidden, strict=True):
            assert np.array_equal(soft.hard_data(), layer.activations)
        assert shadow.gap.hard_data() == hard.gap
        assert shadow.loss.hard_data() == (hard.margin - hard.gap if hard.learned else 0)
        searches = {shadow.events[s.id][0]: s for s in shadow.trace.searches}
        assert searches["argmax"].candidates[searches["argmax"].selected_index] == \
            NAMES[hard.prediction]
        assert searches["rival"].candidates[searches["rival"].selected_index] == NAMES[hard.rival]
        learned += hard.learned
    assert learned > 0
    found = json.loads(json.dumps(made.to_dict(), allow_nan=False))
    jsonschema.validate(found, SCHEMA)
    jsonschema.validate(found["trace"], TRACE_SCHEMA)


@pytest.mark.parametrize("name", ["hidden", "deep", "scales"])
def test_a_cold_shadow_is_the_core_less_rounding(name):
    """With tiny temperatures only the rounding of activations is left between the two."""
    network = learn(**NETWORKS[name])
    made = made_of(network, 3, Temperatures(1e-6, 1e-6, 1e-6, 1e-6))
    first, hidden = made.shadow.hidden[0], made.decisions.hidden[0]
    assert np.abs(first.data - hidden.activations).max() <= 0.5
    lines = {(line.kind, line.layer): line for line in made.lines}
    assert [lines[kind, 1].agreement for kind in ("trit", "gate low", "gate high")] == [1, 1, 1]
    assert lines["trit", 1].gap == 0


def test_gradient_of_the_shadow():
    """Against central differences, for the counters nearest to a threshold."""
    network = learn()
    x, y = samples()
    made = made_of(network, 0, Temperatures(0.5, 2, 1, 1))
    def loss(counters):
        return build_shadow(network.recipe, counters, None, x[0], made.decisions,
                            Temperatures(0.5, 2, 1, 1), NAMES).loss.item()

    eps, cell = 1e-5, 1 << (network.recipe.counter_bits - 2)
    for layer in range(2):
        for row, column in made.shadow.nearest[layer][:6]:
            ends = []
            for way in (1, -1):
                moved = [c.astype(float) for c in network.counters]
                trits = [c.copy() for c in network.counters]
                moved[layer][row, column] += way * eps
                # Hard values need integers; a step this small leaves them as they are.
                ends.append(loss([_Near(m, t) for m, t in zip(moved, trits, strict=True)]))
            numerical = (ends[0] - ends[1]) / (2 * eps) * cell
            assert made.shadow.counters[layer].grad[row, column] == pytest.approx(
                numerical, rel=1e-4, abs=1e-6)


class _Near(np.ndarray):
    """Float counters whose integers, where a function asks for them, are others."""

    def __new__(cls, values, integers):
        made = np.asarray(values).view(cls)
        made.integers = integers
        return made

    def __array_finalize__(self, other):
        self.integers = getattr(other, "integers", None)

    def __array__(self, dtype=None, copy=None):
        if dtype is np.int64:
            return self.integers
        return np.array(self.view(np.ndarray), dtype)


def test_ledger_has_a_line_for_each_kind_of_decision():
    network = learn(gain=-1, margin=500)
    made = made_of(network, 1)
    lines = {(line.kind, line.layer): line for line in made.lines}
    assert {kind for kind, _ in lines} == set(KINDS)
    assert len(lines) == len(made.lines)
    told = [event for line in made.lines for event in line.events]
    assert sorted(told) == sorted(e.id for e in made.shadow.trace.ledger)
    assert lines["flip", 1].count == lines["reload", 1].count == len(made.decisions.flips[0])
    assert lines["gate low", 1].count == lines["error", 1].count == 12
    assert lines["argmax", None].count == lines["margin", None].count == 1
    assert lines["trit", 2].count == 3 * np.count_nonzero(made.decisions.hidden[0].activations)
    assert lines["flip", 1].near is None and lines["rounding", 1].gap is None
    assert len(made.shadow.nearest[0]) == NEAREST


def test_lines_count_what_is_near():
    """By hand, of the lower end of the gates: within one temperature is within that many steps."""
    network = learn()
    x, _ = samples()
    z = network.weights()[0] @ x[2]
    for steps in (0.5, 2.0, 40.0):
        made = made_of(network, 2, Temperatures(gate=steps))
        (line,) = [line for line in made.lines if line.kind == "gate low"]
        expected = np.abs(z + 0.5) <= steps * (1 << network.recipe.shifts[0])
        assert line.near == expected.mean()


def test_straight_through_errors():
    """One hidden layer: the same signs; two: the signs in between make a difference somewhere."""
    x, y = samples()
    network = learn(margin=500)
    made = made_of(network, 0)
    (first, last) = straight_through(network, x[0], made.decisions)
    assert np.array_equal(np.sign(first), made.decisions.hidden[0].errors)
    assert last[y[0]] == 1 and last[made.decisions.rival] == -1
    assert [pair[0] for pair in made.signs] == [1, 1]

    deep = learn(hidden=(10, 8), margin=500)
    found = [made_of(deep, row).signs[0][0] for row in range(20)]
    found = [value for value in found if value is not None]
    assert min(found) < 1 and np.mean(found) > 0.5


def test_decisions_of_a_chip_may_be_given():
    network = learn(hidden=(10, 8), margin=500)
    x, y = samples()
    told = decide(learn(hidden=(10, 8), margin=500), x[4], int(y[4]), network.recipe.gains)
    assert made_of(network, 4, decisions=told).to_dict() == made_of(network, 4).to_dict()
    for changed, name in ((replace(told, scores=told.scores + 1), "scores"),
                          (replace(told, hidden=(told.hidden[0], replace(
                              told.hidden[1], errors=-told.hidden[1].errors))),
                           r"hidden\[1\].errors")):
        with pytest.raises(BadInput, match=f"^{name} of the decisions must be those of the net"):
            made_of(network, 4, decisions=changed)


def test_temperatures():
    assert Temperatures.parse(["2", "gate=0.5"]) == Temperatures(0.25, 0.5, 2.0, 0.5)
    for texts, message in (
            (["-1"], "temperature must be a finite number above 0, not '-1'"),
            (["gate=-1"], "temperature must be a finite number above 0, not 'gate=-1'"),
            (["nan"], "temperature must be a finite number above 0, not 'nan'"),
            (["warm"], "temperature must be NUMBER or NAME=NUMBER, not 'warm'"),
            (["floor=1"], "temperature must be of trit, gate, error, score, not 'floor'")):
        with pytest.raises(BadInput) as caught:
            Temperatures.parse(texts)
        assert str(caught.value) == message
