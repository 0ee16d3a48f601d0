"""The trace: collects events while a program runs, and reports on them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ...errors import BadInput
from . import recording
from .events import Branch, Fidelity, LedgerEntry, Loop, Op, Plain, Search, as_dict, plain
from .ledger import ledger_entry
from .svg import as_svg
from .tensor import Tensor, TraceError

__all__ = ["TraceContext", "trace", "training_mode"]

Self = TypeVar("Self", bound="TraceContext")


def label(tensor: Tensor) -> str:
    """What a trace calls a tensor."""
    return tensor.name or f"t{tensor.id}"


class TraceContext:
    """A ``with`` block whose decisions are recorded; of nested ones the innermost listens.

    Made by `trace`. Events are numbered 0, 1, 2, ... over all kinds.

    Attributes
    ----------
    ops, branches, searches, loops, ledger
        Lists of `Op`, `Branch`, `Search`, `Loop` and `LedgerEntry`.
    """

    def __init__(self, mode: str, relaxation: str, fidelity: bool, record_ops: bool,
                 hard_shadow: bool):
        self.mode, self.relaxation = mode, relaxation
        self.fidelity, self.record_ops, self.hard_shadow = fidelity, record_ops, hard_shadow
        self.ops: list[Op] = []
        self.branches: list[Branch] = []
        self.searches: list[Search] = []
        self.loops: list[Loop] = []
        self.ledger: list[LedgerEntry] = []
        self._next = 0
        self._open: list[AbstractContextManager[None]] = []

    def __enter__(self: Self) -> Self:
        listening = recording.listening(self)
        listening.__enter__()
        self._open.append(listening)
        return self

    def __exit__(self, *error: object) -> None:
        self._open.pop().__exit__(None, None, None)

    # Events ---------------------------------------------------------------------------------

    def number(self) -> int:
        """The next event's."""
        self._next += 1
        return self._next - 1

    def add_op(self, name: str, parents: Sequence[Tensor], out: Tensor) -> None:
        """Record an operation; called by the tensors."""
        assert out._pull is not None
        try:
            with np.errstate(all="ignore"):
                slopes = out._pull(np.ones_like(out.data))
        except TraceError:
            slopes = (None,) * len(parents)  # type: ignore[assignment]
        self.ops.append(Op(self.number(), name, [label(parent) for parent in parents], label(out),
                           plain(out.data),
                           {label(parent): plain(slope)
                            for parent, slope in zip(parents, slopes, strict=True)}))

    def metrics(self, fidelity: Fidelity) -> Fidelity | None:
        """The metrics, if they are wanted."""
        return fidelity if self.fidelity else None

    def enter(self, number: int, surrogate: str, fidelity: Fidelity | None) -> None:
        """Add the ledger's entry of a branch or search."""
        self.ledger.append(ledger_entry(number, surrogate, fidelity))

    # Reports --------------------------------------------------------------------------------

    def hard_path(self) -> list[dict[str, Plain]]:
        """What the hard program decided, in the order of events, without what it never got to."""
        path = [{"id": branch.id, "kind": "branch", "selected": branch.selected_path,
                 "output": branch.output_hard}
                for branch in self.branches if branch.on_hard_path]
        path += [{"id": search.id, "kind": "search", "selected": search.selected_index,
                  "output": search.output_hard}
                 for search in self.searches if search.on_hard_path]
        path += [{"id": loop.id, "kind": "loop", "selected": loop.hard_alive,
                  "output": loop.hard_carried_state}
                 for loop in self.loops if loop.on_hard_path]
        return sorted(path, key=lambda row: row["id"])

    def soft_gates(self) -> list[dict[str, Plain]]:
        """Gates and weights, in the order of events; None where a branch has no gate."""
        gates = [{"id": branch.id, "kind": "branch", "gate": branch.condition.gate}
                 for branch in self.branches]
        gates += [{"id": search.id, "kind": "search", "gate": search.soft_weights}
                  for search in self.searches]
        gates += [{"id": loop.id, "kind": "loop", "gate": loop.continue_gate}
                  for loop in self.loops]
        return sorted(gates, key=lambda row: row["id"])

    def gradient_ledger(self) -> list[LedgerEntry]:
        """What each decision's gradient means."""
        return list(self.ledger)

    def fidelity_report(self) -> dict[str, list[dict[str, Plain]]]:
        """The metrics of each branch, each search and the last loop, with the event's number."""
        def rows(events: Sequence[Branch | Search | Loop]) -> list[dict[str, Plain]]:
            return [{"id": event.id, **as_dict(event.fidelity)}
                    for event in events if event.fidelity is not None]

        return {"branches": rows(self.branches), "searches": rows(self.searches),
                "loops": rows(self.loops)[-1:]}

    def summary(self) -> dict[str, float | None]:
        """Over all decisions on the hard path: how many, agreement, mean gap and entropy."""
        events: list[Branch | Search] = [*self.branches, *self.searches]
        rows = [event.fidelity for event in events
                if event.on_hard_path and event.fidelity is not None]

        def mean(name: str) -> float | None:
            found = [np.ravel(np.asarray(getattr(row, name), np.float64)) for row in rows
                     if getattr(row, name) is not None]
            return float(np.concatenate(found).mean()) if found else None

        return {"decisions": sum(np.size(row.hard_value) for row in rows),
                "path_agreement": mean("path_agreement"), "output_gap": mean("output_gap"),
                "gate_entropy": mean("gate_entropy")}

    # Export ---------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """All of it, as ``trace.schema.json`` describes."""
        return {
            "mode": self.mode, "relaxation": self.relaxation, "fidelity": self.fidelity,
            "record_ops": self.record_ops, "hard_shadow": self.hard_shadow,
            **{name: [as_dict(event) for event in getattr(self, name)]
               for name in ("ops", "branches", "searches", "loops", "ledger")}}

    def as_svg(self, labels: Mapping[int, str] | None = None) -> str:
        """A picture: a box an event; `labels` say what events are about, by their numbers."""
        return as_svg(self.to_dict(), labels)

    def export_json(self, path: str | Path) -> Path:
        """Write `to_dict` to a file, whose folder is made if need be."""
        return _write(path, json.dumps(self.to_dict(), indent=2, allow_nan=False) + "\n")

    def export_svg(self, path: str | Path) -> Path:
        """Write `as_svg` to a file, whose folder is made if need be."""
        return _write(path, self.as_svg())

    def show(self) -> str:
        """A line a decision."""
        counts = (f"{len(self.branches)} branches, {len(self.searches)} searches, "
                  f"{len(self.loops)} loop frames, {len(self.ops)} operations")
        lines = [f"trace {self.mode}, {self.relaxation}: {counts}"]
        entries = {entry.id: entry for entry in self.ledger}
        gates = {row["id"]: row["gate"] for row in self.soft_gates()}
        for row in self.hard_path():
            line = f"{row['id']:4} {row['kind']:6} {row['selected']} -> {row['output']}"
            if gates[row["id"]] is not None:
                line += f"; soft {gates[row['id']]}"
            if row["id"] in entries:
                line += f"; {entries[row['id']].gradient_contract}"
            lines.append(line)
        return "\n".join(lines)


def trace(mode: str = "dual", relaxation: str = "soft_gate", fidelity: bool = True,
          record_ops: bool = False, hard_shadow: bool = True) -> TraceContext:
    """A context that records the decisions made inside.

    Parameters
    ----------
    mode, relaxation
        Labels, kept in the trace.
    fidelity
        Whether metrics are worked out.
    record_ops
        Whether operations of tensors are recorded too.
    hard_shadow
        Whether tensors made inside keep the hard program's values; without them, decisions are
        made from the soft ones.
    """
    return TraceContext(mode, relaxation, fidelity, record_ops, hard_shadow)


@contextmanager
def training_mode(hard_shadow: bool = False) -> Iterator[None]:
    """A block in which no operation is recorded and, unless asked for, no hard value is kept.

    For steps of training: without hard values, decisions are made from the soft ones.
    """
    with recording.settings(False, hard_shadow):
        yield


def _write(path: str | Path, text: str) -> Path:
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"cannot write {path}: {error.strerror}") from None
    return Path(path)
