"""A whole core as compiled RTL, for the host: bytes in, bytes out, a cycle counter."""

from collections.abc import Callable
from typing import Any

from ..model.config import CoreConfig
from .compiled import CompiledCore

__all__ = ["open_sim"]


def open_sim(config: CoreConfig, vcd: str | None = None,
             progress: Callable[[str], None] | None = None) -> CompiledCore:
    """The core of a configuration, compiled or taken from the cache, after its reset.

    Parameters
    ----------
    config
        What to compile.
    vcd
        File for the waveform of its signals, .vcd or .fst, if any.
    progress
        Is told what is being done while the core compiles.
    """
    def make() -> Any:
        from ..hw.core import Core  # loads Amaranth, which a cached core does without
        return Core(config)

    return CompiledCore(make, f"core {config}", vcd=vcd, progress=progress)
