"""The post's loop in twenty lines, its worked vector, and every function against its derivative."""

import random
from fractions import Fraction as F

import pytest

from tritgrad.errors import BadInput
from tritgrad.sources import blending
from tritgrad.sources.blending import (
    Blending,
    Differentiable,
    atom,
    big_sum,
    combination,
    constant,
    dot,
    evaluate,
    formal,
    identity,
    iterate,
    move,
    normalized,
    normalizing,
    pair,
    part,
    plus,
    product,
    purge,
    purge_fd,
    raw_feedback,
    scaled,
    times,
    total,
)

#: The post's "Code", with the worked numbers.
POST = '''
functions = {"f": {"a": "b"}, "g": {"b": "a"}}

def evolution(support=frozenset()):
    return total(
        scaled(F(1, 2), identity()),
        scaled(F(1, 5), move({"f": "g"})),
        scaled(F(3, 10), big_sum(
            lambda mu: functions.keys() & mu.keys(),
            lambda v: product(evaluate(v), move(functions[v])),
            support=functions.keys() & support)))

mu = {"a": F(1, 2), "b": F(3, 10), "f": F(1, 5)}
image = evolution()(mu)
gradient = evolution(image.keys()).gradient(mu, {"a": 1})
run = Blending(evolution, mu, lambda image: {"a": 1}, F(1, 4), every=3, cutoff=F(1, 10))
for _ in range(6):
    run.loop()
'''


def ran():
    names = {name: getattr(blending, name) for name in blending.__all__} | {"F": F}
    exec(POST, names)
    return names


def test_the_worked_vector():
    made = ran()
    evolution, mu, image = made["evolution"], made["mu"], made["image"]
    assert image == {"a": F(1, 4), "b": F(9, 50), "f": F(1, 10), "g": F(1, 25)}
    assert made["gradient"] == {"a": F(1, 2), "g": F(9, 100)}
    everything = evolution(image.keys())
    assert everything(mu) == image
    assert evolution().gradient(mu, {"a": 1}) == {"a": F(1, 2)}
    for f in evolution(), everything:
        assert f.gradient(mu, {"g": 1}) == {"g": F(1, 2), "f": F(1, 5)}
        assert f.gradient(mu, {"b": 1}) == {"b": F(1, 2), "f": F(3, 20), "a": F(3, 50)}


def test_births_and_deaths():
    run = ran()["run"]
    assert (run.births, run.deaths) == (2, 3) and set(run.mu) == {"a", "b"}
    assert run.trace == ["forward", "support", "rebuild", "feedback", "backward", "update",
                         "purge"]
    still = Blending(ran()["evolution"], ran()["mu"], lambda image: {"a": 1}, F(1, 4), every=99,
                     cutoff=0, union=False)
    for _ in range(6):
        still.loop()
    assert still.births == 0


def test_moves_are_learned_as_objects_are():
    """A move whose weight is an object's: the one that leads to the target gains weight."""
    moves = {"right": {"a": "z"}, "wrong": {"a": "y"}}

    def evolution(support=frozenset()):
        return total(scaled(F(1, 2), identity()), *(
            product(evaluate(name), move(f)) for name, f in moves.items()))

    mu = {"a": F(1, 2), "right": F(1, 10), "wrong": F(4, 10)}
    run = Blending(evolution, mu, lambda image: {"z": 1}, F(1, 2), every=20, cutoff=F(1, 20))
    for _ in range(20):
        run.loop()
    assert run.mu["z"] > F(49, 100) and "y" not in run.mu
    assert run.mu.get("right", 0) > run.mu.get("wrong", 0)


def drawn(rng, support="abcd"):
    return {v: F(rng.randint(1, 9), 10) for v in support}


FUNCTIONS = {
    "identity": identity(), "move": move({"a": "b", "c": "b", "d": "e"}),
    "move of a function": move(lambda v: v.upper() if v != "c" else None),
    "combination": combination(lambda x, y: x + y if x < y else None),
    "combination of a mapping": combination({("a", "b"): "c", ("b", "b"): "d"}),
    "scaled": scaled(F(2, 3), move({"a": "b"})),
    "total": total(identity(), move({"a": "b"}), constant({"c": F(1)})),
    "product": product(evaluate("a"), move({"a": "b", "b": "c"})),
    "big sum": big_sum(lambda mu: mu.keys(), lambda v: product(evaluate(v), move({"a": v}))),
    "iterate": iterate(total(scaled(F(1, 2), identity()), move({"a": "b", "b": "c"})), 4),
    "composition": evaluate("b").then(atom("z")),
    "of pairs": pair(identity(), move({"a": "b"})).then(part(1)),
    "pair": pair(move({"a": "b"}), evaluate("c")),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients_are_adjoint_to_derivatives(name):
    """<f'(mu) v, w> = <v, grad f(mu) w>, exactly: all of these are at most quadratic in mu."""
    f = FUNCTIONS[name]
    for seed in range(20):
        rng = random.Random(seed)
        mu, v = drawn(rng), drawn(rng)
        image = f(mu)
        w = ((drawn(rng, "bcz"), F(3, 7)) if isinstance(image, tuple)
             else drawn(rng, {*image, "q"} if isinstance(image, dict) else ""))
        up, down = f(plus(mu, v)), f(plus(mu, times(-1, v)))
        slope = times(F(1, 2), plus(up, times(-1, down)))
        assert dot(slope, w) == dot(v, f.gradient(mu, w)), f"seed {seed}"


def test_functions_without_a_true_derivative():
    kept = formal(lambda mu: {v: w for v, w in mu.items() if w > F(1, 2)})
    assert kept({"a": F(1, 4), "b": F(3, 4)}) == {"b": F(3, 4)}
    assert kept.gradient({"a": F(1, 4)}, {"a": 1}) == {"a": 1}
    norm = normalizing()
    assert norm({"a": F(1), "b": F(3)}) == {"a": F(1, 4), "b": F(3, 4)}
    assert norm.gradient({"a": F(1), "b": F(3)}, {"a": F(1)}) == {"a": F(1, 4)}
    with pytest.raises(BadInput, match="^a distribution must have a weight that is not 0$"):
        norm({})


def test_the_support_changes_the_gradient_and_not_the_value():
    def f(support):
        return big_sum(lambda mu: mu.keys(), lambda v: product(evaluate(v), move({"a": v})),
                       support)
    mu = {"a": F(1, 2)}
    assert f(frozenset())(mu) == f({"x"})(mu) == {"a": F(1, 4)}
    assert f({"x"}).gradient(mu, {"x": 1}) == {"x": F(1, 2)}
    assert f(frozenset()).gradient(mu, {"x": 1}) == {}
    assert big_sum(lambda mu: set(), lambda v: identity())(mu) == {}
    assert big_sum(lambda mu: set(), lambda v: identity()).gradient(mu, {"a": 1}) == {}


def test_feedback_and_purges():
    feedback = raw_feedback({"a": F(1, 2), "b": F(1, 2), "c": 0}, F(1, 10))
    assert feedback({"a": F(1, 2), "z": F(1, 2)}) == {"a": F(10, 11) - F(60, 11),
                                                      "b": 10 - F(60, 11)}
    assert raw_feedback({})({"a": 1}) == {}
    mu = {"a": F(6, 10), "b": F(3, 10), "c": F(1, 10)}
    assert purge(mu, F(1, 10)) == {"a": F(2, 3), "b": F(1, 3)}
    kept = [purge_fd(mu, 2, seed) for seed in range(400)]
    assert all("a" in found and sum(found.values()) == 1 for found in kept)
    assert [sum(v in found for found in kept) / 400 for v in "bc"] == pytest.approx(
        [0.6, 0.2], abs=0.06)
    assert purge_fd(mu, 2, 7) == purge_fd(mu, 2, 7)
    with pytest.raises(BadInput, match="^size must be above 0, not 0$"):
        purge_fd(mu, 0, 1)
    with pytest.raises(BadInput, match="^a total must be of one function at least$"):
        total()
    with pytest.raises(BadInput, match="^iterations must be an integer of at least 0, not -1$"):
        iterate(identity(), -1)
    assert normalized({"a": 1, "b": -1}) == {"a": 1.0}
    assert isinstance(iterate(identity(), 0), Differentiable)
