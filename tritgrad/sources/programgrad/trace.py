"""The source's module of this name; as there is a function of this name too, it can be called."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from types import ModuleType
from typing import Any

from tritgrad.model import soft
from tritgrad.model.soft import recording
from tritgrad.sources.programgrad.reports import TraceContext, check_flag

__all__ = ["TraceContext", "hard_shadow_enabled", "ops_recording_enabled", "soft_only_region",
           "trace", "training_mode", "training_trace"]

hard_shadow_enabled = recording.hard_shadow
ops_recording_enabled = recording.recording_ops


def trace(*, mode: str = "dual", relaxation: str = "soft_gate", fidelity: bool = True,
          record_ops: bool = False, hard_shadow: bool = True) -> TraceContext:
    """A context that records the decisions made inside; see `TraceContext`."""
    return TraceContext(mode=mode, relaxation=relaxation, fidelity=fidelity,
                        record_ops=record_ops, hard_shadow=hard_shadow)


def training_trace(*, mode: str = "dual", relaxation: str = "soft_gate", fidelity: bool = False,
                   record_ops: bool = False, hard_shadow: bool = True) -> TraceContext:
    """`trace` without metrics unless they are asked for."""
    return trace(mode=mode, relaxation=relaxation, fidelity=fidelity, record_ops=record_ops,
                 hard_shadow=hard_shadow)


def training_mode(*, hard_shadow: bool = False) -> AbstractContextManager[None]:
    """A block in which no operation is recorded and, unless asked for, no hard value is kept."""
    check_flag("hard_shadow", hard_shadow)
    return soft.training_mode(hard_shadow)


@contextmanager
def soft_only_region() -> Iterator[None]:
    """A block whose decisions the hard program never gets to."""
    with recording.off_hard_path():
        yield


class _Callable(ModuleType):
    """Python sets a package's attribute to a submodule when that is imported under an alias."""

    def __call__(self, **options: Any) -> TraceContext:
        return trace(**options)


sys.modules[__name__].__class__ = _Callable
