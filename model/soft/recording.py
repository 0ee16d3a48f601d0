"""Which trace listens, and what operations tell it. Knows no tensor, so that tensors may use it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from .events import Branch, Fidelity, Loop, Search

__all__ = ["Recorder", "active", "hard_shadow", "off_hard_path", "on_hard_path", "record_op"]


class Recorder(Protocol):
    """What decisions and operations need of a trace; `context.TraceContext` is one."""

    hard_shadow: bool
    record_ops: bool
    branches: list[Branch]
    searches: list[Search]
    loops: list[Loop]

    def number(self) -> int:
        """The next event's."""

    def metrics(self, fidelity: Fidelity) -> Fidelity | None:
        """The metrics, if they are wanted."""

    def enter(self, number: int, surrogate: str, fidelity: Fidelity | None) -> None:
        """Add the ledger's entry of a branch or search."""

    def add_op(self, name: str, parents: Sequence[Any], out: Any) -> None:
        """Record an operation on tensors."""


#: The innermost trace is the last one.
STACK: list[Recorder] = []
_off_path = 0


def active() -> Recorder | None:
    """The trace that receives events now, if any."""
    return STACK[-1] if STACK else None


def hard_shadow() -> bool:
    """Whether operations keep the hard program's values: always, unless a trace says no."""
    return not STACK or STACK[-1].hard_shadow


def on_hard_path() -> bool:
    """Whether the hard program gets to where the soft one is."""
    return _off_path == 0


@contextmanager
def off_hard_path(off: bool) -> Iterator[None]:
    """What happens inside is what the hard program leaves out, if `off`."""
    global _off_path
    _off_path += off
    try:
        yield
    finally:
        _off_path -= off


def record_op(name: str, parents: Sequence[Any], out: Any) -> None:
    """Tell the active trace of an operation, if it wants to know."""
    trace = active()
    if trace is not None and trace.record_ops:
        trace.add_op(name, parents, out)
