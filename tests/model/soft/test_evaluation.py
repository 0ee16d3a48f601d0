"""Hard against soft, over decisions and temperatures."""

import numpy as np
import pytest

from tritgrad.model.soft import (
    Tensor,
    TraceError,
    bounded_loop,
    diff_if,
    soft_if,
    soft_select,
    trace,
)
from tritgrad.model.soft.evaluation import (
    EvaluationRow,
    format_hard_soft_table,
    format_temperature_table,
    hard_soft_rows,
    hard_squared_loss,
    hybrid_loss,
    temperature_sensitivity,
)
from tritgrad.model.soft.tensor import WrongType

GAP = 0.23840584404423515


def program(score, beta):
    return soft_if(score, 3.0, 1.0, beta=beta)


def traced(beta):
    with trace() as made:
        out = program(0.2, beta)
        soft_if(1.0, 100.0, 0.0, beta=beta)
    return out, made


def test_losses_that_look_at_both():
    score = Tensor(0.2, requires_grad=True)
    out = program(score, 10.0)
    loss = hybrid_loss(out, 2.0, gap_weight=0.5)
    soft = out.item()
    assert np.isclose(loss.item(), (soft - 2) ** 2 + 0.5 * (soft - 3) ** 2, atol=1e-12)
    loss.backward()
    gate = 1 / (1 + np.exp(-2.0))
    slope = 2 * 10 * gate * (1 - gate)
    assert np.isclose(score.grad, slope * (2 * (soft - 2) + (soft - 3)), atol=1e-12)
    assert hard_squared_loss(out, 2.0) == hard_squared_loss(out, Tensor(2.0)) == 1.0
    assert np.isclose(hybrid_loss(out, 2.0, gap_weight=0).item(), (soft - 2) ** 2, atol=1e-12)


@pytest.mark.parametrize("weight", [-1.0, np.inf, np.nan, True, "1"])
def test_gap_weights_that_are_none(weight):
    with pytest.raises(TraceError, match="^gap_weight must be a "):
        hybrid_loss(Tensor(1.0), 1.0, gap_weight=weight)


def test_a_row_a_decision_of_the_hard_path_and_one_for_the_loop():
    with trace() as made:
        a = soft_if(0.2, lambda: program(0.2, 10.0), lambda: program(-1.0, 10.0))
        b = soft_select([a, 7.0], [0.5, 0.4])
        bounded_loop(b, 2, lambda i, s: s + 1.0, lambda i, s: 1.0 if i < 1 else -1.0)
    rows = hard_soft_rows(made, target=2.0)
    assert [row.kind for row in rows] == ["branch", "branch", "search", "loop"]
    assert rows[0].name == "branch#0:true" and np.isclose(rows[0].output_gap, GAP, atol=1e-12)
    assert (rows[0].hard_loss, rows[0].temperature, rows[0].path_agreement) == (1.0, 10.0, True)
    assert np.isclose(rows[0].soft_loss, (1 - GAP) ** 2, atol=1e-12)
    assert rows[2].name == "search#3:candidate[0]" and rows[2].entropy > 0
    assert rows[3].name == "loop#5:final" and rows[3].hard_value == 4.0
    table = format_hard_soft_table(rows).splitlines()
    assert len(table) == 6 and table[0].startswith("| event | kind | temp | hard | soft | gap |")
    assert table[2].split(" | ")[:5] == ["| branch#0:true", "branch", "10", "3", "2.76159"]


def test_rows_without_metrics_and_of_arrays():
    with trace(fidelity=False) as made:
        soft_if([0.2, -0.2], 3.0, 1.0)
    (row,) = hard_soft_rows(made, target=1.0)
    assert row.hard_value == [3.0, 1.0] and row.hard_loss == 4.0
    assert row.output_gap is row.entropy is row.temperature is row.path_agreement is None
    assert " | - | - | - | " in format_hard_soft_table([row])


def test_cells_that_would_break_a_table():
    row = EvaluationRow("a|b\nc", "branch", 1.0, 1.0, 0.0)
    assert "| a\\|b<br>c | branch |" in format_hard_soft_table([row])


def test_temperatures_with_and_without_a_trace():
    for run in traced, lambda beta: traced(beta)[0]:
        rows = temperature_sensitivity(run, [1.0, 10.0, 100.0], target=3.0)
        assert [row.temperature for row in rows] == [1.0, 10.0, 100.0]
        assert [row.hard_value for row in rows] == [3.0] * 3
        assert rows[0].output_gap > rows[1].output_gap > rows[2].output_gap
        assert np.allclose([row.loss for row in rows], [row.output_gap ** 2 for row in rows])
        assert all((row.entropy is None) == (run is not traced) for row in rows)
        assert len(format_temperature_table(rows).splitlines()) == 5


def test_straight_through_shows_the_soft_value_of_its_event():
    def run(beta):
        with trace() as made:
            out = diff_if(-0.5, 10.0, 2.0, mode="straight_through", beta=beta)
        return out, made

    (row,) = temperature_sensitivity(run, [2.0])
    gate = 1 / (1 + np.exp(1.0))
    assert row.hard_value == 2.0 and np.isclose(row.soft_value, 2 + 8 * gate, atol=1e-12)
    with pytest.raises(TraceError, match="^temperature must be a finite positive number, not 0.0"):
        temperature_sensitivity(run, [0.0])
    with pytest.raises(WrongType, match="^a run at a temperature must return a Tensor or a tuple"):
        temperature_sensitivity(lambda t: 1.0, [1.0])
