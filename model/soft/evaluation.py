"""How a relaxed program does against its hard one, and losses that look at both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple, dataclass

from .tensor import Number, Tensor, as_tensor

__all__ = ["EvaluationRow", "TemperatureRow", "format_hard_soft_table", "format_temperature_table",
           "hard_soft_rows", "hard_squared_loss", "hybrid_loss", "temperature_sensitivity"]


@dataclass(frozen=True)
class EvaluationRow:
    """A named output: hard, soft, and the distance of the two."""

    name: str
    hard_value: float
    soft_value: float
    output_gap: float


@dataclass(frozen=True)
class TemperatureRow:
    """Outputs and squared errors at one temperature."""

    temperature: float
    hard_value: float
    soft_value: float
    output_gap: float
    hard_loss: float
    soft_loss: float


def hybrid_loss(output: Tensor, target: Tensor | Number, gap_weight: float = 1.0) -> Tensor:
    """``(soft - target)^2 + gap_weight * (soft - hard)^2``, the hard value taken as a constant."""
    gap = output - Tensor(output.hard_data())
    error = output - target
    return error * error + gap_weight * (gap * gap)


def hard_squared_loss(output: Tensor, target: Tensor | Number) -> float:
    """The squared error of the hard program, which has no gradient."""
    return float(((output.hard_data() - as_tensor(target).data) ** 2).sum())


def hard_soft_rows(outputs: Mapping[str, Tensor]) -> list[EvaluationRow]:
    """A row an output, all of them scalars."""
    rows = []
    for name, output in outputs.items():
        hard, soft = float(output.hard_data()), output.item()
        rows.append(EvaluationRow(name, hard, soft, abs(hard - soft)))
    return rows


def temperature_sensitivity(run: Callable[[float], Tensor], temperatures: Iterable[float],
                            target: float) -> list[TemperatureRow]:
    """A row a temperature; `run` makes the program's output at one."""
    rows = []
    for temperature in temperatures:
        (row,) = hard_soft_rows({"": run(temperature)})
        rows.append(TemperatureRow(
            temperature, row.hard_value, row.soft_value, row.output_gap,
            (row.hard_value - target) ** 2, (row.soft_value - target) ** 2))
    return rows


def format_hard_soft_table(rows: Iterable[EvaluationRow]) -> str:
    """The rows as text, in columns."""
    return _table(("output", "hard", "soft", "gap"), [astuple(row) for row in rows])


def format_temperature_table(rows: Iterable[TemperatureRow]) -> str:
    """The rows as text, in columns."""
    return _table(("temperature", "hard", "soft", "gap", "hard loss", "soft loss"),
                  [astuple(row) for row in rows])


def _table(heads: tuple[str, ...], rows: list[tuple[str | float, ...]]) -> str:
    cells = [heads, *(tuple(f"{cell:.6g}" if isinstance(cell, float) else str(cell)
                            for cell in row) for row in rows)]
    widths = [max(len(row[n]) for row in cells) for n in range(len(heads))]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
                     for row in cells)
