"""Bounded loops: the published vectors, and what the relaxations tend to."""

import random

import numpy as np
import pytest

from tritgrad.model.soft import Tensor, TraceError, bounded_loop, gradcheck, trace


def close(found, wanted):
    return np.allclose(found, wanted, rtol=0, atol=1e-12)


def counting(limit, beta, mode="survival", steps=4):
    return bounded_loop(0, steps, lambda i, s: s + 1.0, lambda i, s: limit - s, beta=beta,
                        mode=mode)


def test_bounded_loop_relaxation():
    limit = Tensor(2.5, requires_grad=True)
    with trace() as made:
        out = counting(limit, 2.0)
    out.backward()
    assert np.allclose([loop.continue_gate for loop in made.loops],
                       [.993307149, .953175198, .753950545, .423632266], rtol=0, atol=1e-9)
    assert close(out.item(), 2.9563445058544096) and close(limit.grad, .8384756994013596)
    assert out.hard_data() == 3.0
    exits = counting(limit, 2.0, "exit_distribution")
    assert close(exits.item(), 3.3926447581698995) and exits.hard_data() == 3.0
    assert made.ledger == []
    (row,) = made.fidelity_report()["loops"]
    assert row["path_agreement"] is row["temperature"] is None
    assert close(row["output_gap"], 3 - 2.9563445058544096)
    gate = made.loops[-1].continue_gate
    assert close(row["gate_entropy"], -gate * np.log(gate) - (1 - gate) * np.log(1 - gate))


def test_survival_tends_to_the_hard_loop_and_exit_distribution_to_one_more_body():
    assert abs(counting(2.5, 300.0).item() - 3.0) < 1e-12
    assert abs(counting(2.5, 300.0, "exit_distribution").item() - 4.0) < 1e-12


@pytest.mark.parametrize("mode", ["survival", "exit_distribution"])
def test_gradcheck_of_a_loop(mode):
    assert gradcheck(lambda limit, step: bounded_loop(
        0.1, 5, lambda i, s: s + step * (i + 1.0), lambda i, s: limit - s * s, beta=1.5,
        mode=mode), [2.5, 0.4])


@pytest.mark.parametrize("seed", range(5))
def test_the_hard_loop_is_the_plain_one(seed):
    rng = random.Random(seed)
    for _ in range(50):
        limit, steps = rng.randint(-2, 8), rng.randint(0, 8)
        with trace() as made:
            out = counting(float(limit), 0.5, steps=steps)
        state = frames = 0
        while frames < steps and limit - state > 0:
            state, frames = state + 1, frames + 1
        assert out.hard_data() == state
        assert [loop.hard_alive for loop in made.loops] == [n < frames for n in range(steps)]
        # The score that stops the loop is the last that the hard program works out.
        assert [loop.on_hard_path for loop in made.loops] == [n <= frames for n in range(steps)]


def test_after_the_stop_nothing_of_the_hard_loop_fails():
    # 2 -> log(2), which stops it; one body more would take the logarithm of a negative number.
    out = bounded_loop(2.0, 3, lambda i, s: (s - 1.0 + 1.0).log(), lambda i, s: s - 0.8, beta=0.1)
    assert abs(out.hard_data() - np.log(2)) < 1e-12
    failing = bounded_loop(2.0, 3, lambda i, s: s.log(), lambda i, s: s + 0.8, beta=0.1)
    with pytest.raises(TraceError, match="^log needs numbers above 0"):
        failing.hard_data()


def test_a_loop_of_no_steps_and_bad_ones():
    for mode in "survival", "exit_distribution":
        with trace() as made:
            assert counting(2.5, 2.0, mode, steps=0).item() == 0.0
        assert made.loops == [] and made.fidelity_report()["loops"] == []
    for steps in -1, 1.5, True:
        with pytest.raises(TraceError, match="^steps must be a non-negative integer, not "):
            counting(2.5, 2.0, steps=steps)
    with pytest.raises(TraceError, match="^mode must be one of survival, exit_distribution, not"):
        counting(2.5, 2.0, "soft")
    with pytest.raises(TraceError, match="^beta must be a finite positive number, not -2.0$"):
        counting(2.5, -2.0)
    with pytest.raises(TraceError, match="^the state of a loop must be a scalar"):
        bounded_loop([1.0, 2.0], 1, lambda i, s: s, lambda i, s: 1.0)
