"""Searches: the published vectors, ties, noise."""

import numpy as np
import pytest

from tritgrad.model.soft import Tensor, TraceError, gradcheck, soft_argmax, soft_select, trace
from tritgrad.model.soft.search import gumbel_noise

NO_VECTOR = "scores must be at least one number in one dimension, not an array of shape"


def close(found, wanted):
    return np.allclose(found, wanted, rtol=0, atol=1e-12)


def test_soft_argmax_and_soft_select():
    scores = [Tensor(v, requires_grad=True) for v in (1.0, 2.0, 0.5)]
    with trace() as made:
        out = soft_select([10, 20, 30], scores, tau=0.5)
    out.backward()
    (search,) = made.searches
    assert close(search.soft_weights, (.11419519938459449, .8437947344813395, .04201006613406605))
    assert close(out.item(), 19.278148667494715) and out.hard_data() == 20
    assert close([s.grad for s in scores],
                 (-2.1190400740089372, 1.2181887068925974, .9008513671163426))
    assert close(search.fidelity.output_gap, .7218513325052847)
    assert close(search.fidelity.gate_entropy, .5242666167276728)
    assert search.fidelity.path_agreement is True and search.fidelity.temperature == 0.5
    assert made.ledger[0].surrogate_type == "softmax_select"


@pytest.mark.parametrize("seed", range(5))
def test_weights_sum_to_one(seed):
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=20) * 10.0 ** rng.integers(-3, 6)
    weights = soft_argmax(scores, tau=float(rng.uniform(0.1, 10))).data
    assert abs(weights.sum() - 1) < 1e-12 and (weights >= 0).all()


def test_the_first_of_equal_scores_is_the_hard_choice():
    with trace() as made:
        out = soft_select([1.0, 2.0, 3.0], [0.0, 5.0, 5.0])
    assert out.hard_data() == 2.0 and made.searches[0].selected_index == 1


def test_huge_scores_stay_finite():
    assert np.array_equal(soft_argmax([1e300, -1e300], tau=1e-3).data, [1, 0])


def test_gradcheck_of_a_search():
    assert gradcheck(lambda v, s: soft_select(v, s, tau=0.7), [[1.0, 2.0, -1.0], [0.1, 0.4, 0.2]])
    assert gradcheck(lambda s: soft_select([1.0, 2.0], s, mode="gumbel", seed=3), [[0.1, 0.4]])
    assert not gradcheck(lambda s: soft_select([1.0, 2.0], s, mode="gumbel_st", seed=3),
                         [[0.1, 0.4]])


def test_names_and_nested_hard_values():
    with trace() as made:
        inner = soft_select([1.0, 5.0], [0.0, 0.1], tau=1.0)
        out = soft_select([inner, 2.0], [0.2, 0.1], candidate_names=["deep", "flat"])
    assert out.hard_data() == 5.0
    assert made.searches[1].candidates == ["deep", "flat"]


def test_gumbel_noise_is_pythons_and_the_same_for_a_seed():
    import random
    rng = random.Random(8)
    assert close(gumbel_noise(4, 8), [-np.log(-np.log(rng.random())) for _ in range(4)])
    scores = np.array([0.3, 0.2, 0.1])
    for mode in "gumbel", "gumbel_st":
        with trace() as made:
            out = soft_select([1.0, 2.0, 3.0], scores, mode=mode, seed=8)
        best = int(np.argmax(scores + gumbel_noise(3, 8)))
        assert best == 1  # but the hard program knows no noise
        assert made.searches[0].selected_index == 0 and out.hard_data() == 1
        assert made.searches[0].scores == scores.tolist()
        assert (out.item() == best + 1) == (mode == "gumbel_st")
        assert close(made.searches[0].output_soft, np.arange(1, 4) @ made.searches[0].soft_weights)
        assert close(made.searches[0].soft_weights,
                     soft_argmax(scores + gumbel_noise(3, 8)).data)


@pytest.mark.parametrize("act, message", [
    (lambda: soft_select([1.0], [1.0], tau=0.0), "tau must be a finite positive number, not 0.0"),
    (lambda: soft_select([], []), f"{NO_VECTOR} (0,)"),
    (lambda: soft_select([1.0], [1.0, 2.0]),
     "soft_select needs as many values as scores (2), not 1"),
    (lambda: soft_select([1.0], [1.0], candidate_names=[]),
     "candidate_names must be as many as scores (1), not 0"),
    (lambda: soft_select([1.0], [1.0], mode="hard"),
     "mode must be one of softmax, gumbel, gumbel_st, not 'hard'"),
    (lambda: soft_argmax([[1.0]]), f"{NO_VECTOR} (1, 1)"),
])
def test_bad_searches(act, message):
    with pytest.raises(TraceError) as caught:
        act()
    assert str(caught.value) == message
