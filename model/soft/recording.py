"""Which trace listens, and what operations tell it. Knows no tensor, so that tensors may use it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .context import TraceContext
    from .tensor import Tensor

__all__ = ["active", "hard_shadow", "off_hard_path", "on_hard_path", "record_op"]

#: The innermost trace is the last one.
STACK: list[TraceContext] = []
_off_path = 0


def active() -> TraceContext | None:
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


def record_op(name: str, parents: Sequence[Tensor], out: Tensor) -> None:
    """Tell the active trace of an operation, if it wants to know."""
    trace: Any = active()
    if trace is not None and trace.record_ops:
        trace.add_op(name, parents, out)
