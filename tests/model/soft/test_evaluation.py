"""Hard against soft, over outputs and temperatures."""

import numpy as np

from tritgrad.model.soft import Tensor, soft_if
from tritgrad.model.soft.evaluation import (
    format_hard_soft_table,
    format_temperature_table,
    hard_soft_rows,
    hard_squared_loss,
    hybrid_loss,
    temperature_sensitivity,
)


def program(score, beta):
    return soft_if(score, 3.0, 1.0, beta=beta)


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
    assert hard_squared_loss(out, 2.0) == 1.0


def test_rows_and_tables():
    (row,) = hard_soft_rows({"y": program(0.2, 10.0)})
    assert (row.name, row.hard_value) == ("y", 3.0)
    assert np.isclose(row.output_gap, 0.23840584404423515, atol=1e-12)
    lines = format_hard_soft_table([row]).splitlines()
    assert lines[0].split() == ["output", "hard", "soft", "gap"]
    assert lines[1].split() == ["y", "3", "2.76159", "0.238406"]


def test_the_gap_shrinks_with_the_slope():
    rows = temperature_sensitivity(lambda beta: program(0.2, beta), [1.0, 10.0, 100.0], 3.0)
    assert [row.temperature for row in rows] == [1.0, 10.0, 100.0]
    assert rows[0].output_gap > rows[1].output_gap > rows[2].output_gap
    assert all(row.hard_loss == 0 and row.soft_loss == row.output_gap ** 2 for row in rows)
    assert len(format_temperature_table(rows).splitlines()) == 4
