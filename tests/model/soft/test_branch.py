"""Branches: the published vectors, and the hard program beside the soft one."""

import math
import random

import numpy as np
import pytest

from tritgrad.model.soft import Tensor, TraceError, diff_if, gradcheck, soft_if, trace


def close(found, wanted):
    return np.allclose(found, wanted, rtol=0, atol=1e-12)


def test_readme_example():
    x, threshold = Tensor(0.7), Tensor(1.0, requires_grad=True)
    with trace() as made:
        y = soft_if(x - threshold, lambda: x * 2.0, lambda: x ** 2.0, beta=5)
    loss = (y - 1.4) ** 2
    loss.backward()
    assert close(y.item(), 0.6560072266637842) and close(y.hard_data(), 0.49)
    assert close(loss.item(), 0.5535252467765137)
    assert close(threshold.grad, 1.0097713308324812)
    (row,) = made.fidelity_report()["branches"]
    assert close(row["output_gap"], 0.16600722666378426)
    assert row["path_agreement"] is True and row["temperature"] == 5
    assert close(row["gate_entropy"], 0.47505156369228685)


@pytest.mark.parametrize("mode, value, slopes", [
    ("soft", 2.761594155955765, (2.0998717080701326, 0.8807970779778823, 0.11920292202211769)),
    ("straight_through", 3.0, (2.0998717080701326, 1.0, 0.0)),
    ("pathwise", 3.0, (0.0, 1.0, 0.0))])
def test_soft_if_and_diff_if_in_three_modes(mode, value, slopes):
    inputs = [Tensor(v, requires_grad=True) for v in (0.2, 3.0, 1.0)]
    with trace() as made:
        out = diff_if(*inputs, mode=mode, beta=10)
    out.backward()
    assert close(out.item(), value)
    assert close([t.grad for t in inputs], slopes)
    assert out.hard_data() == 3.0
    (branch,), (entry,) = made.branches, made.ledger
    assert entry.surrogate_type == {"soft": "soft_gate"}.get(mode, mode)
    assert entry.gradient_contract and entry.bias_warning and entry.id == branch.id == 0
    if mode == "soft":
        assert close(branch.fidelity.output_gap, 0.23840584404423515)
    if mode == "pathwise":
        metrics = branch.fidelity
        assert branch.output_soft is branch.condition.gate is metrics.soft_value is None
        assert metrics.output_gap is metrics.path_agreement is metrics.gate_entropy is None
    else:
        assert close(branch.fidelity.gate_entropy, 0.36533385508720784)


def test_score_zero_takes_false_and_disagrees():
    for mode in "soft", "pathwise", "straight_through":
        with trace() as made:
            out = diff_if(0.0, 3.0, 1.0, mode=mode)
        assert out.hard_data() == 1.0
        assert made.branches[0].selected_path == "false"
        assert made.branches[0].fidelity.path_agreement is (None if mode == "pathwise" else False)


@pytest.mark.parametrize("score", [-1e6, 1e6])
def test_closed_gates_have_a_finite_entropy(score):
    with trace() as made:
        soft_if(score, 3.0, 1.0)
    assert 0 < made.branches[0].fidelity.gate_entropy < 1e-10


def test_gradcheck_of_soft_if_and_its_failure_for_straight_through():
    def program(mode):
        return lambda s, a, b: diff_if(s, a * a, b + a, mode=mode, beta=3)

    assert gradcheck(program("soft"), [0.3, 1.5, -0.4])
    assert not gradcheck(program("straight_through"), [0.3, 1.5, -0.4])


def test_pathwise_evaluates_only_the_side_that_is_taken():
    def fail():
        raise AssertionError("evaluated")

    assert diff_if(1.0, 2.0, fail).item() == 2.0
    assert diff_if(-1.0, fail, 2.0).item() == 2.0


def test_an_array_of_decisions_is_one_node():
    rng = np.random.default_rng(4)
    scores, high, low = rng.normal(size=(3, 50))
    scores[7] = 0.0
    nodes = [Tensor(v, requires_grad=True) for v in (scores, high, low)]
    with trace() as made:
        out = soft_if(*nodes, beta=4.0)
    out.sum().backward()
    (branch,) = made.branches
    for n in range(50):
        alone = [Tensor(v[n], requires_grad=True) for v in (scores, high, low)]
        with trace() as one:
            single = soft_if(*alone, beta=4.0)
        single.backward()
        assert close(out.data[n], single.item())
        assert out.hard_data()[n] == single.hard_data()
        assert close([node.grad[n] for node in nodes], [node.grad for node in alone])
        for name in "output_gap", "path_agreement", "gate_entropy":
            assert close(getattr(branch.fidelity, name)[n],
                         getattr(one.branches[0].fidelity, name))
        assert branch.selected_path[n] == one.branches[0].selected_path


@pytest.mark.parametrize("seed", range(5))
def test_hard_vs_soft_dual_execution(seed):
    """Nested decisions of integers: the recorded hard path is the plain program's."""
    rng = random.Random(seed)
    for _ in range(100):
        a, b, c = (rng.randint(-3, 3) for _ in range(3))
        with trace() as made:
            inner = soft_if(a - b, float(a), float(b), beta=0.3)
            out = soft_if(inner - c, inner * 2.0, inner - 1.0, beta=0.3)
        largest = a if a > b else b
        assert out.hard_data() == (largest * 2 if largest > c else largest - 1)
        assert [row["selected"] for row in made.hard_path()] == [
            "true" if a > b else "false", "true" if largest > c else "false"]
        assert made.branches[1].condition.score == largest - c


def test_the_hard_decision_follows_the_hard_score():
    soft_first = soft_if(0.1, 1.0, -1.0, beta=0.01)  # soft near 0, hard 1
    with trace() as made:
        out = soft_if(soft_first - 0.5, 10.0, 20.0)
    assert out.hard_data() == 10.0 and out.item() > 19
    assert made.branches[0].fidelity.path_agreement is False
    with trace(hard_shadow=False) as made:
        assert soft_if(soft_first - 0.5, 10.0, 20.0).hard_data() > 19
    assert made.branches[0].selected_path == "false"


def test_what_the_hard_program_leaves_out_may_fail_there():
    x = Tensor(2.0).with_hard(Tensor(-2.0))
    out = soft_if(x, lambda: x.log(), lambda: x * 3.0, beta=1.0)
    assert out.hard_data() == -6.0
    with pytest.raises(TraceError):
        soft_if(-x, lambda: x.log(), 0.0).hard_data()


def test_events_inside_a_side_know_whether_the_hard_program_gets_there():
    with trace() as made:
        soft_if(1.0, lambda: soft_if(1.0, 1.0, 2.0), lambda: soft_if(1.0, 3.0, 4.0))
    assert [branch.on_hard_path for branch in made.branches] == [True, False, True]
    assert [row["id"] for row in made.hard_path()] == [0, 2]


@pytest.mark.parametrize("beta", [0, -1.0, math.inf, math.nan, "5", True])
def test_beta_out_of_range(beta):
    with pytest.raises(TraceError, match="^beta must be a finite positive number, not "):
        soft_if(1.0, 1.0, 0.0, beta=beta)


def test_unknown_mode_and_arrays_on_one_path():
    with pytest.raises(TraceError, match="^mode must be one of pathwise, soft, straight_through, "
                                         "not 'hard'$"):
        diff_if(1.0, 1.0, 0.0, mode="hard")
    with pytest.raises(TraceError, match="^pathwise takes one score, not an array of shape"):
        diff_if([1.0, -1.0], 1.0, 0.0)


@pytest.mark.parametrize("score", [math.nan, math.inf, [1.0, -math.inf]])
def test_scores_must_be_finite(score):
    for act in soft_if, lambda *given: diff_if(*given, mode="straight_through"):
        with pytest.raises(TraceError, match="^score must be finite, not "):
            act(score, 1.0, 0.0)
    with pytest.raises(TraceError, match="^score must be finite, not inf$"):
        diff_if(math.inf, 1.0, 0.0)
    with pytest.raises(TraceError, match="^hard score must be finite, not inf$"):
        soft_if(Tensor(1.0).with_hard(Tensor(math.inf)), 1.0, 0.0)


def test_off_the_hard_path_the_soft_score_decides():
    """A hard score may have failed where the hard program never gets."""
    bad = Tensor(1.0) / Tensor(1.0).with_hard(Tensor(0.0))
    assert bad.hard_error is not None
    with trace() as made:
        out = soft_if(1.0, 0.0, lambda: soft_if(bad, 5.0, 7.0, beta=1.0))
    assert out.hard_data() == 0.0
    assert [(b.selected_path, b.on_hard_path) for b in made.branches] == [
        ("true", False), ("true", True)]
    with pytest.raises(TraceError, match="divide by zero"):
        soft_if(-1.0, 0.0, lambda: soft_if(bad, 5.0, 7.0, beta=1.0))
