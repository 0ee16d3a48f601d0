"""A trace that reports as the source's does: lines of text and plain dicts."""

from __future__ import annotations

from typing import Any

from tritgrad.model import soft
from tritgrad.model.soft.events import Loop, as_dict
from tritgrad.model.soft.tensor import TraceError, WrongType

__all__ = ["TraceContext"]


class TraceContext(soft.TraceContext):
    """A ``with`` block whose decisions are recorded.

    Parameters
    ----------
    mode, relaxation
        Labels, kept in the trace; not empty.
    fidelity
        Whether metrics are worked out; needs `hard_shadow`.
    record_ops, hard_shadow
        Whether operations are recorded, and hard values kept.

    Raises
    ------
    TraceError
        A setting is out of range. A `WrongType` if it is of another type.
    """

    def __init__(self, *, mode: str = "dual", relaxation: str = "soft_gate", fidelity: bool = True,
                 record_ops: bool = False, hard_shadow: bool = True):
        for name, text in (("mode", mode), ("relaxation", relaxation)):
            if not isinstance(text, str):
                raise WrongType(f"{name} must be a string, not {text!r}")
            if not text.strip():
                raise TraceError(f"{name} must not be empty, not {text!r}")
        for name, flag in (("fidelity", fidelity), ("record_ops", record_ops),
                           ("hard_shadow", hard_shadow)):
            check_flag(name, flag)
        if fidelity and not hard_shadow:
            raise TraceError("fidelity=True requires hard_shadow=True: metrics compare with hard "
                             "values")
        super().__init__(mode, relaxation, fidelity, record_ops, hard_shadow)

    @property
    def record_ops_enabled(self) -> bool:
        """The source's name of `record_ops`."""
        return self.record_ops

    def hard_path(self) -> list[str]:  # type: ignore[override]
        """What the hard program decided, a line a decision, in the order of events."""
        lines = [(b.id, f"branch#{b.id}:{b.selected_path}(score={_short(b.condition.score)})")
                 for b in self.branches if b.on_hard_path]
        lines += [(s.id, (f"search#{s.id}:candidate[{s.selected_index}]"
                          f"(score={_short(s.scores[s.selected_index])})"))
                  for s in self.searches if s.on_hard_path]
        lines += [(n.id, (f"loop#{n.id}:iteration[{n.iteration_index}]:{_decision(n)}"
                          f"(score={_short(n.hard_continue_score)})"))
                  for n in self.loops if n.on_hard_path and n.hard_continue_score is not None]
        return [line for _, line in sorted(lines)]

    def soft_gates(self) -> list[float]:  # type: ignore[override]
        """The gates of all branches that have one."""
        return [b.condition.gate for b in self.branches if b.condition.gate is not None]

    def gradient_ledger(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """The entries of the ledger as dicts."""
        return [as_dict(entry) for entry in self.ledger]

    def fidelity_report(self) -> dict[str, list[dict[str, Any]]]:
        """The metrics of each branch, each search and the last loop."""
        return {kind: [{name: row[name] for name in row if name != "id"} for row in rows]
                for kind, rows in super().fidelity_report().items()}

    def show(self) -> str:
        """Events and ledger as text."""
        settings = ("mode", "relaxation", "fidelity", "record_ops", "hard_shadow")
        lines = ["ProgramGrad trace",
                 ", ".join(f"{name}={getattr(self, name)}" for name in settings)]
        lines += ["branches:"] * bool(self.branches)
        for b in self.branches:
            lines.append(f"  #{b.id} hard={b.selected_path} gate={_short(b.condition.gate)} "
                         f"hard={_short(b.output_hard)} soft={_short(b.output_soft)} "
                         f"gap={_short(b.fidelity and b.fidelity.output_gap)}")
        lines += ["searches:"] * bool(self.searches)
        for s in self.searches:
            weights = ", ".join(f"{w:.3g}" for w in s.soft_weights)
            lines.append(f"  #{s.id} selected={s.selected_index} weights=[{weights}] "
                         f"gap={_short(s.fidelity and s.fidelity.output_gap)}")
        lines += ["loops:"] * bool(self.loops)
        for n in self.loops:
            lines.append(f"  #{n.id} iteration={n.iteration_index} hard={_decision(n)} "
                         f"hard_state={_short(n.hard_carried_state)} "
                         f"soft_state={_short(n.carried_state)} gate={_short(n.continue_gate)}")
        lines += ["gradient ledger:"] * bool(self.ledger)
        for e in self.ledger:
            lines += [f"  #{e.id} {e.surrogate_type}: {e.gradient_contract}",
                      f"     approximates: {e.approximates}",
                      f"     gradients: {', '.join(e.gradient_flows_to)}",
                      f"     warning: {e.bias_warning}",
                      f"     checks: {', '.join(e.recommended_checks)}"]
        return "\n".join(lines)


def check_flag(name: str, value: object) -> None:
    """Raise `WrongType` unless it is a bool."""
    if not isinstance(value, bool):
        raise WrongType(f"{name} must be a bool, not {value!r}")


def _decision(frame: Loop) -> str:
    if frame.hard_continue_score is None:
        return "soft-unroll"
    return "continue" if frame.hard_alive else "stop"


def _short(value: Any) -> str:
    return "none" if value is None else f"{value:.6g}"
