"""How a relaxed program does against its hard one, and losses that look at both."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .branch import positive
from .context import TraceContext
from .events import Branch, Fidelity, Plain, Search
from .tensor import Number, Tensor, TraceError, WrongType, hard_data

__all__ = ["EvaluationRow", "TemperatureSensitivityRow", "format_hard_soft_table",
           "format_temperature_table", "hard_soft_rows", "hard_squared_loss", "hybrid_loss",
           "temperature_sensitivity"]

#: Within this an event's outputs are those of a tensor.
SAME = 1e-9


@dataclass(frozen=True)
class EvaluationRow:
    """A decision: hard, soft, the distance of the two, and squared errors if there is a target.

    The other metrics are those of `Fidelity`; None where the trace has none.
    """

    name: str
    kind: str
    hard_value: Plain
    soft_value: Plain
    output_gap: Plain
    target: float | None = None
    hard_loss: float | None = None
    soft_loss: float | None = None
    path_agreement: Plain = None
    entropy: Plain = None
    temperature: float | None = None

    def to_dict(self) -> dict[str, Plain]:
        """The fields by name."""
        return asdict(self)


@dataclass(frozen=True)
class TemperatureSensitivityRow:
    """A program at one temperature; `loss` is the soft value's squared error."""

    temperature: float
    soft_value: Plain
    hard_value: Plain
    output_gap: Plain
    entropy: Plain
    path_agreement: Plain
    loss: float | None = None

    def to_dict(self) -> dict[str, Plain]:
        """The fields by name."""
        return asdict(self)


def hybrid_loss(result: Tensor, target: Tensor | Number, *, gap_weight: float = 1.0) -> Tensor:
    """``(soft - target)^2 + gap_weight * (soft - hard)^2``, the hard value taken as a constant.

    Raises `TraceError` unless `gap_weight` is a finite number of at least 0.
    """
    if isinstance(gap_weight, bool) or not isinstance(gap_weight, (int, float)):
        raise WrongType(f"gap_weight must be a number, not {gap_weight!r}")
    if not 0 <= gap_weight < math.inf:
        raise TraceError(f"gap_weight must be a finite non-negative number, not {gap_weight!r}")
    error = result - target
    if gap_weight == 0:
        return error * error
    gap = result - Tensor(hard_data(result))
    return error * error + gap_weight * (gap * gap)


def hard_squared_loss(result: Tensor, target: Tensor | Number) -> float:
    """The squared error of the hard program, which has no gradient."""
    goal = target.data if isinstance(target, Tensor) else target
    return float(((hard_data(result) - np.asarray(goal)) ** 2).sum())


def hard_soft_rows(trace: TraceContext, *, target: float | None = None) -> list[EvaluationRow]:
    """A row for each branch and search of the hard path, and one for the last loop, in order."""
    rows: list[tuple[int, EvaluationRow]] = []

    def add(number: int, name: str, kind: str, hard: Plain, soft: Plain,
            metrics: Fidelity | None) -> None:
        rows.append((number, EvaluationRow(
            name, kind, hard, soft, None if metrics is None else metrics.output_gap, target,
            _squared(hard, target), _squared(soft, target),
            *((None,) * 3 if metrics is None else
              (metrics.path_agreement, metrics.gate_entropy, metrics.temperature)))))

    for branch in trace.branches:
        if branch.on_hard_path:
            add(branch.id, f"branch#{branch.id}:{branch.selected_path}", "branch",
                branch.output_hard, branch.output_soft, branch.fidelity)
    for search in trace.searches:
        if search.on_hard_path:
            add(search.id, f"search#{search.id}:candidate[{search.selected_index}]", "search",
                search.output_hard, search.output_soft, search.fidelity)
    if any(frame.on_hard_path for frame in trace.loops):
        last = trace.loops[-1]
        add(last.id, f"loop#{last.id}:final", "loop", last.hard_carried_state, last.output_soft,
            last.fidelity)
    return [row for _, row in sorted(rows, key=lambda pair: pair[0])]


def temperature_sensitivity(run_fn: Callable[[float], Any], temperatures: Iterable[float], *,
                            target: float | None = None) -> list[TemperatureSensitivityRow]:
    """A row a temperature.

    Parameters
    ----------
    run_fn
        Makes the program's output at a temperature: a tensor, or a tuple of a tensor and a trace.
        With a trace, metrics are those of the event that made the tensor, and the soft value is
        the event's: a straight-through tensor holds the hard one.
    temperatures
        Above 0.
    target
        Of the loss.

    Raises
    ------
    TraceError
        A temperature is not above 0. A `WrongType` if `run_fn` returns anything else.
    """
    rows = []
    for temperature in temperatures:
        temperature = positive("temperature", temperature)
        out, trace = _result(run_fn(temperature))
        hard = None if out.hard_error is not None else hard_data(out)
        event = None if trace is None else _event_of(trace, out.data, hard)
        soft: Plain = out.data.tolist()
        if event is not None and event.soft_value is not None:
            soft = event.soft_value
        rows.append(TemperatureSensitivityRow(
            temperature, soft, None if hard is None else hard.tolist(),
            None if hard is None else np.abs(hard - np.asarray(soft)).tolist(),
            None if event is None else event.gate_entropy,
            None if event is None else event.path_agreement, _squared(soft, target)))
    return rows


def format_hard_soft_table(rows: Iterable[EvaluationRow]) -> str:
    """The rows as a Markdown table."""
    return _table(
        ("event", "kind", "temp", "hard", "soft", "gap", "agree", "entropy", "hard_loss",
         "soft_loss"),
        [(row.name, row.kind, row.temperature, row.hard_value, row.soft_value, row.output_gap,
          row.path_agreement, row.entropy, row.hard_loss, row.soft_loss) for row in rows])


def format_temperature_table(rows: Iterable[TemperatureSensitivityRow]) -> str:
    """The rows as a Markdown table."""
    return _table(
        ("temp", "hard", "soft", "gap", "agree", "entropy", "loss"),
        [(row.temperature, row.hard_value, row.soft_value, row.output_gap, row.path_agreement,
          row.entropy, row.loss) for row in rows])


def _squared(value: Plain, target: float | None) -> float | None:
    if value is None or target is None:
        return None
    return float(((np.asarray(value) - target) ** 2).sum())


def _result(made: Any) -> tuple[Tensor, TraceContext | None]:
    parts = made if isinstance(made, tuple) else (made,)
    outs = [part for part in parts if isinstance(part, Tensor)]
    traces = [part for part in parts if isinstance(part, TraceContext)]
    if not outs:
        raise WrongType(f"a run at a temperature must return a Tensor or a tuple with one, "
                        f"not {made!r}")
    return outs[0], traces[0] if traces else None


def _event_of(trace: TraceContext, soft: Plain, hard: Plain) -> Fidelity | None:
    """The metrics of the last decision with these outputs, else with this hard one."""
    decisions: list[Branch | Search] = [*trace.branches, *trace.searches]
    events = [event.fidelity for event in sorted(decisions, key=lambda event: event.id)
              if event.fidelity is not None]
    both = [e for e in events if _same(e.soft_value, soft) and _same(e.hard_value, hard)]
    one = [e for e in events if hard is not None and _same(e.hard_value, hard)]
    matching = both or one
    return matching[-1] if matching else None


def _same(a: Plain, b: Plain) -> bool:
    if a is None or b is None or np.shape(a) != np.shape(b):
        return a is None and b is None
    return bool(np.allclose(a, b, rtol=0.0, atol=SAME))


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value).replace("|", "\\|").replace("\n", "<br>")


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [heads, ["---"] * len(heads), *(list(map(_cell, row)) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
