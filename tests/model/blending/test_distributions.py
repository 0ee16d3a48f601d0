"""The capabilities of blending pruning and back-propagation, on its worked vector."""

from fractions import Fraction as F

import pytest

from tritgrad.errors import BadInput
from tritgrad.model.blending.distributions import Blending, Evolution, purged

EVOLUTION = Evolution(F(1, 2), ((F(1, 5), {"f": "g"}),), {"f": {"a": "b"}, "g": {"b": "a"}},
                      F(3, 10))
MU = {"a": F(1, 2), "b": F(3, 10), "f": F(1, 5)}
ALL = frozenset("abfg")


def credit(image):
    return {v: F(v == "a") for v in image}


def test_worked_vector():
    assert EVOLUTION.forward(MU) == {"a": F(1, 4), "b": F(9, 50), "f": F(1, 10), "g": F(1, 25)}
    for support in (frozenset(), ALL):
        assert EVOLUTION.gradient(MU, {"b": 1}, support) == {"b": F(1, 2), "f": F(3, 20),
                                                             "a": F(3, 50)}


def test_identity_term():
    assert EVOLUTION.gradient(MU, {"z": 1}) == {"z": F(1, 2)}
    assert EVOLUTION.gradient(MU, {"g": 1}) == {"g": F(1, 2), "f": F(1, 5)}


def test_gradient_at_zero_weight_terms():
    found = EVOLUTION.gradient(MU, {"a": 1}, ALL)
    assert found == {"a": F(1, 2), "g": F(9, 100)}
    h = F(1, 1000)
    moved = EVOLUTION.forward(MU | {"g": h})["a"] - EVOLUTION.forward(MU)["a"]
    assert moved / h == found["g"]


def test_big_sum_with_explicit_support():
    assert EVOLUTION.gradient(MU, {"a": 1}, frozenset()) == {"a": F(1, 2)}


def test_value_invariance_on_recompute():
    assert EVOLUTION.forward(MU, ALL) == EVOLUTION.forward(MU)


def test_union_support_gradient():
    wide = Evolution(EVOLUTION.identity, EVOLUTION.moves,
                     {**EVOLUTION.functions, "k": {"b": "a"}}, EVOLUTION.scale)
    assert "k" not in wide.gradient(MU, {"a": 1}, ALL)
    assert wide.gradient(MU, {"a": 1}, ALL | {"k"})["k"] == F(9, 100)


def test_loop_phases_in_order():
    run = Blending(EVOLUTION, MU, credit, F(1, 4), every=2, cutoff=F(1, 100))
    six = ["forward", "support", "rebuild", "feedback", "backward", "update"]
    run.loop()
    assert run.trace == six
    run.loop()
    assert run.trace == [*six, "purge"]


@pytest.mark.parametrize("cutoff, kept", [(F(1, 100), True), (F(1, 10), False)])
def test_periodic_prune_after_enough_flow(cutoff, kept):
    run = Blending(EVOLUTION, MU, credit, F(1, 4), every=3, cutoff=cutoff)
    for _ in range(2):
        run.loop()
        assert run.mu["g"] > 0
    run.loop()
    assert ("g" in run.mu) == kept


def test_support_changes_both_ways():
    run = Blending(EVOLUTION, MU, credit, F(1, 4), every=3, cutoff=F(1, 10))
    for _ in range(6):
        run.loop()
    assert run.births > 0 and run.deaths > 0
    plain = Blending(EVOLUTION, MU, credit, F(1, 4), every=1000, cutoff=0, union=False)
    for _ in range(6):
        plain.loop()
    assert plain.births == 0


def test_better_credit_than_fixed_support_and_pruning():
    # Only g makes t, and only the move from f makes g; h makes junk with much weight.
    planted = Evolution(0.5, ((0.2, {"f": "g"}),), {"g": {"x": "t"}, "h": {"x": "u"}}, 0.3)
    start = {"x": 0.4, "f": 0.2, "h": 0.4}

    def loss(mu):
        image = planted.forward(mu)
        return 1 - image.get("t", 0) / sum(image.values())

    def blend(**options):
        run = Blending(planted, start, lambda _: {"t": 1.0}, 0.5,
                       cutoff=1e-3, **options)
        for _ in range(12):
            run.loop()
        return loss(run.mu)

    evolved = start
    for n in range(1, 13):
        evolved = planted.forward(evolved)
        evolved = purged(evolved, 1e-3 if n % 3 == 0 else 0)
    assert blend(every=3) < min(loss(evolved), blend(every=3, union=False))


def test_identity_variant():
    g, a = ({v: 1} for v in "ga")
    assert EVOLUTION.gradient(MU, g) == EVOLUTION.gradient(MU, g, ALL)
    assert EVOLUTION.gradient(MU, a) != EVOLUTION.gradient(MU, a, ALL)


def test_bad_input_is_refused():
    with pytest.raises(BadInput, match="positive weight"):
        purged(MU, 1)
    with pytest.raises(BadInput, match="every must be at least 1, not 0"):
        Blending(EVOLUTION, MU, credit, 1, every=0, cutoff=0)
