"""Which trace listens, and what operations tell it. Knows no tensor, so that tensors may use it.

All of it belongs to a context of `contextvars`, so that threads and tasks do not hear each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

from .events import Branch, Fidelity, Loop, Search

__all__ = ["Recorder", "active", "decides_hard", "hard_shadow", "listening", "off_hard_path",
           "on_hard_path", "record_op", "recording_ops", "settings"]


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
_traces: ContextVar[tuple[Recorder, ...]] = ContextVar("traces", default=())
_off_path: ContextVar[int] = ContextVar("off_path", default=0)
_shadow: ContextVar[bool] = ContextVar("shadow", default=True)
_ops: ContextVar[bool] = ContextVar("ops", default=False)


def active() -> Recorder | None:
    """The trace that receives events now, if any."""
    traces = _traces.get()
    return traces[-1] if traces else None


def hard_shadow() -> bool:
    """Whether operations keep the hard program's values: always, unless somebody says no."""
    return _shadow.get()


def recording_ops() -> bool:
    """Whether operations are recorded."""
    return _ops.get()


def on_hard_path() -> bool:
    """Whether the hard program gets to where the soft one is."""
    return _off_path.get() == 0


def decides_hard() -> bool:
    """Whether decisions are those of the hard program, which does not decide where it never is."""
    return hard_shadow() and on_hard_path()


@contextmanager
def settings(record_ops: bool, hard_shadow: bool) -> Iterator[None]:
    """What operations inside keep."""
    ops, shadow = _ops.set(record_ops), _shadow.set(hard_shadow)
    try:
        yield
    finally:
        _shadow.reset(shadow)
        _ops.reset(ops)


@contextmanager
def listening(trace: Recorder) -> Iterator[None]:
    """The trace receives what happens inside."""
    token = _traces.set((*_traces.get(), trace))
    try:
        with settings(trace.record_ops, trace.hard_shadow):
            yield
    finally:
        _traces.reset(token)


@contextmanager
def off_hard_path(off: bool = True) -> Iterator[None]:
    """What happens inside is what the hard program leaves out, if `off`."""
    token = _off_path.set(_off_path.get() + off)
    try:
        yield
    finally:
        _off_path.reset(token)


def record_op(name: str, parents: Sequence[Any], out: Any) -> None:
    """Tell the active trace of an operation, if it wants to know."""
    trace = active() if _ops.get() else None
    if trace is not None:
        trace.add_op(name, parents, out)
