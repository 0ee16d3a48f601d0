"""discrete-backprop's and gay's own programs, run as written under their own names."""

import random
import subprocess
import sys

import numpy as np
import pytest

from tritgrad.errors import BadInput
from tritgrad.model.discrete import gradients as library
from tritgrad.sources import discrete_backprop, gay
from tritgrad.sources.discrete_backprop import (
    DiscreteBackprop,
    GF3ConservativeOptimizer,
    SimultaneousPerturbation,
    TernaryLayer,
    TernaryMLP,
    TritGradient,
    color_guided_optimization,
)
from tritgrad.sources.discrete_backprop.single import views

from .alias import alias

#: The skill's integration with gay-mcp.
INTEGRATION = '''
from gay import SplitMixTernary
from discrete_backprop import DiscreteBackprop, TritGradient
from typing import List

def color_guided_optimization(seed: int, loss_fn, params: List[float]):
    """Use deterministic colors to guide perturbation directions."""
    gen = SplitMixTernary(seed)
    backprop = DiscreteBackprop(dims=len(params))

    for step in range(100):
        # Use color trits as perturbation directions
        color = gen.color_at(step)
        perturbation_trit = color['trit']

        # Guided gradient estimation
        gradients = backprop.trit_gradient(params, loss_fn)

        # Blend with color guidance
        for i, g in enumerate(gradients):
            if g.confidence < 0.5:
                # Low confidence: use color guidance
                g.value = perturbation_trit

        params = backprop.step(params, gradients)

    return params
'''
#: What the skill's `optimize` does, written out.
LOOP = '''
from discrete_backprop import DiscreteBackprop
backprop = DiscreteBackprop(2, epsilon=1.0, threshold=0.01)
params = [5, 5]
for step in range(100):
    gradients = backprop.trit_gradient(params, loss_fn)
    params = backprop.step(params, gradients, 1.0)
    if all(g.value == 0 for g in gradients):
        break
'''


def square(p):
    return sum(x * x for x in p)


def bowl(p):
    assert type(p) is list
    return 0.02 * (p[0] - 3.3) ** 2 + abs(p[1])


def run(code, **names):
    with alias(gay=gay, discrete_backprop=discrete_backprop):
        exec(code, names)
    return names


def test_the_integration_runs_as_written():
    made = run(INTEGRATION)["color_guided_optimization"]
    start = [0.25, 4.0]
    found = made(1069, bowl, start)
    assert start == [0.25, 4.0] and type(found) is list
    # The same by hand, with the published trits of the first colours in the place of unsure ones.
    trits = gay.SplitMixTernary(1069).trits_at(np.arange(100))
    assert trits[:16].tolist() == [0, -1, 0, 1, -1, 0, -1, 1, 0, 1, 1, 0, 1, 1, 1, 0]
    p = list(start)
    for trit in trits.tolist():
        steps = []
        for i in range(2):
            d = bowl([x + (i == k) for k, x in enumerate(p)]) - bowl(
                [x - (i == k) for k, x in enumerate(p)])
            sure = 1 - abs(d) / 0.01 if abs(d) < 0.01 else min(1.0, abs(d))
            value = 0 if abs(d) < 0.01 else -1 if d > 0 else 1
            steps.append((trit if sure < 0.5 else value) * sure)
        p = [x + s for x, s in zip(p, steps, strict=True)]
    assert found == pytest.approx(p, abs=1e-12)
    assert color_guided_optimization(1069, bowl, start) == found


def test_the_loop_runs_as_written():
    made = run(LOOP, loss_fn=square)
    assert (made["params"], made["step"]) == ([0.0, 0.0], 5)
    assert all(type(g).__name__ == "TritGradient" for g in made["gradients"])


def test_gradients_are_views_of_one_vector():
    found = library.TritGradient([1, 0, -1], [0.5, 0.25, 1.0])
    singles = views(found)
    assert [(g.value, g.confidence) for g in singles] == [(1, 0.5), (0, 0.25), (-1, 1.0)]
    singles[1].value = -1
    singles[0].confidence = 0.125
    assert found.value.tolist() == [1, -1, -1] and found.confidence[0] == 0.125
    assert singles[2] == TritGradient(-1, 1.0) and singles[2] != TritGradient(1, 1.0)
    for act in (lambda: TritGradient(2, 0.5), lambda: setattr(singles[0], "value", 2)):
        with pytest.raises(BadInput, match="^value of a gradient must be -1, 0 or 1, not 2$"):
            act()


def test_trit_gradient_is_a_list_whatever_the_points_are():
    for point in [5.0, 0.0], np.array([5.0, 0.0]):
        seen = []

        def loss(p, seen=seen):
            seen.append(type(p))
            return square(p)

        found = DiscreteBackprop(dims=2).trit_gradient(point, loss)
        assert type(found) is list and found == [TritGradient(-1, 1.0), TritGradient(0, 1.0)]
        assert set(seen) == {type(point)} and len(seen) == 5
        assert type(DiscreteBackprop(2).step(point, found)) is type(point)
    exact = DiscreteBackprop(1, epsilon=1.0, threshold=0.5).trit_gradient([0.125], square)
    assert exact == [TritGradient(-1, 0.5)]  # a difference of just the threshold counts


def test_optimize():
    best, loss = DiscreteBackprop(2).optimize([5, 5], square, max_steps=100, learning_rate=1.0)
    assert (best, loss) == ([0.0, 0.0], 0.0)
    best, loss = DiscreteBackprop(2).optimize([0.3, -1.2], square)
    assert best == pytest.approx([0.3, 0.6]) and loss == pytest.approx(0.45)

    class Half(DiscreteBackprop):
        def step(self, params, gradients, learning_rate=1.0):
            return super().step(params, gradients, learning_rate / 2)

    assert Half(1).optimize([2.0], square, max_steps=1) == ([1.5], 2.25)


def test_simultaneous_perturbation_takes_two_losses():
    calls = []
    rule = SimultaneousPerturbation(5, epsilon=0.5, seed=7)
    found = rule.trit_gradient([1.0] * 5, lambda p: calls.append(p) or square(p))
    assert len(calls) == 2 and len(found) == 5
    delta = (np.array(calls[0]) - calls[1]).astype(int)
    sign = np.sign(square(calls[1]) - square(calls[0]))
    assert [g.value for g in found] == (sign * delta).tolist()
    assert all(g.confidence == 0 for g, d in zip(found, delta, strict=True) if d == 0)


def test_ternary_layers_and_the_published_step():
    mlp = TernaryMLP([3, 2, 2])
    assert all(type(layer) is TernaryLayer for layer in mlp.layers)
    mlp.layers[0].weights = np.array([[1, 0, -1], [0, 1, 1]])
    mlp.layers[1].weights = np.array([[1, -1], [0, 1]])
    x, target = np.array([1, -1, 1]), np.array([1, -1])
    mlp.train_step(x, target, lr=1.0)
    assert mlp.layers[0].weights.tolist() == [[1, -1, 0], [-1, 1, 0]]
    assert mlp.layers[1].weights.tolist() == [[1, -1], [0, 1]]
    assert mlp.forward(x).tolist() == target.tolist()


def test_the_literal_learning_rate_freezes():
    mlp = TernaryMLP([4, 3, 2], seed=3)
    for layer in mlp.layers:
        layer.weights = np.where(layer.weights == 0, 1, layer.weights)
    before = [layer.weights.copy() for layer in mlp.layers]
    x, target = np.array([1, -1, 1, 1]), -np.sign(mlp.forward(np.array([1, -1, 1, 1])) + 0.5)
    mlp.train_step(x, target, lr=0.1)
    assert all((a == b.weights).all() for a, b in zip(before, mlp.layers, strict=True))
    mlp.train_step(x, target)
    assert any((a != b.weights).any() for a, b in zip(before, mlp.layers, strict=True))


def test_a_layer_with_its_bias():
    layer = TernaryLayer(in_features=2, out_features=3)
    layer.weights = np.array([[1, 1], [0, 0], [-1, 1]])
    assert layer.bias.tolist() == [0, 0, 0]
    assert layer.forward(np.array([1, -1])).tolist() == [0, 0, -1]
    assert layer.backward_trit(np.array([1, -1]), grad_output=np.array([1, 0, -1])).tolist() == [
        [1, -1], [0, 0], [-1, 1]]
    layer.update(trit_grad=np.array([[1, -1], [1, 0], [-1, -1]]), lr=1.0)
    assert layer.weights.tolist() == [[1, 0], [1, 0], [-1, 0]]
    layer.bias[:] = [0, 5, 0]
    assert layer.forward(np.array([-1, 0])).tolist() == [-1, 1, 1]


def groups(values, sure=(0.5, 0.9, 0.1)):
    return [[TritGradient(v, c) for v in group] for group, c in zip(values, sure, strict=True)]


def test_gf3_balances_and_the_literal_formula_does_not():
    rng, seen = random.Random(5), 0
    for _ in range(300):
        values = [[rng.choice((-1, 0, 1)) for _ in range(rng.randint(1, 4))] for _ in range(3)]
        params = [[1.0] * len(group) for group in values]
        for literal in False, True:
            gradients = groups(values)
            optimizer = GF3ConservativeOptimizer(3, literal=literal)
            moved = optimizer.balanced_update(params, gradients)
            after = [[g.value for g in group] for group in gradients]
            total = sum(map(sum, after))
            conserved = total % 3 == 0 and sum(optimizer.trit_sums) % 3 == 0
            if not literal:
                assert conserved
            elif sum(map(sum, values)) % 3 and any(values[1]):
                assert not conserved
                seen += 1
            assert all(m == pytest.approx([1.0 + v * c for v in group])
                       for m, group, c in zip(moved, after, (0.5, 0.9, 0.1), strict=True))
    assert seen > 50
    with pytest.raises(BadInput, match="^params and gradients must be of 3 groups, not of 2 and 3"):
        GF3ConservativeOptimizer().balanced_update([[1.0]] * 2, groups([[0]] * 3))


def test_gay():
    stream = gay.SplitMixTernary()
    assert stream.seed == 1069 == 0x42D and f"{stream.at(0):X}" == "97629500787D9C76"
    color = stream.color_at(3)
    assert list(color) == ["L", "C", "H", "trit", "index", "hex"]
    assert 10 <= color["L"] <= 95 and 0 <= color["C"] <= 100 and 0 <= color["H"] <= 360
    assert gay.hue_to_trit(color["H"]) == color["trit"] == 1 and color["index"] == 3
    assert [gay.hue_to_trit(h) for h in (0, 59.9, 60, 179.9, 180, 299.9, 300, 360)] == [
        1, 1, 0, 0, -1, -1, 1, 1]
    assert gay.palette(4) == [stream.color_at(n) for n in range(4)]
    for rule, trits in (("jump", [-1, 0, -1, 0, 1]), ("fields", [-1, -1, -1, -1, 1]),
                        ("raw", [1, -1, 0, 1, 0])):
        assert [c["trit"] for c in gay.palette(5, rule=rule)] == trits
    assert gay.SplitMixTernary.prove_out_of_order(7) == {
        "ordered_equals_reversed": True, "ordered_equals_shuffled": True,
        "proof": "QED: Math is doable out of order"}
    assert gay.oklch_to_hex(0, 0, 0) == "#000000" and gay.oklch_to_hex(100, 0, 0) == "#FFFFFF"
    assert gay.oklch_to_hex(50, 0.1, 0) == "#47101E"
    triple = [gay.SplitMixTernary(42).next_trit_conserved() for _ in range(1)]
    assert triple == [0]
    assert gay.TripartiteStreams(42).next_triplet() == {
        "minus": -1, "ergodic": 0, "plus": 1, "gf3_sum": 0, "conserved": True}


def test_commands(tmp_path):
    def command(*words):
        return subprocess.run([sys.executable, "-W", "error", "-m", *words], capture_output=True,
                              text=True, cwd=tmp_path)

    done = command("tritgrad.sources.discrete_backprop", "--loss", "x**2 + y**2", "--init",
                   "[5, 5]", "--steps", "100")
    assert done.returncode == 0 and "x = 0, y = 0" in done.stderr + done.stdout
    wrong = command("tritgrad.sources.discrete_backprop", "--loss", "x**2 + y**2", "--init", "[5]")
    assert wrong.returncode == 2 and len(wrong.stderr.splitlines()) == 1
    check = ("from tritgrad.sources.discrete_backprop import GF3ConservativeOptimizer, "
             "TritGradient as T; g = [[T(1, .5)], [T(1, .5)], [T(0, 1.)]]; "
             "GF3ConservativeOptimizer().balanced_update([[0.]] * 3, g); "
             "print(sum(t.value for group in g for t in group) % 3)")
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True)
    assert done.stdout == "0\n"
