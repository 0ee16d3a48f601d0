"""A whole core as compiled RTL, for the host: bytes in, bytes out, a cycle counter."""

from pathlib import Path

from ..model.config import CoreConfig
from .compiled import CompiledCore
from .verilate import Progress

__all__ = ["open_sim"]


def open_sim(config: CoreConfig, vcd: str | Path | None = None,
             progress: Progress | None = None, power_up: int = 0) -> CompiledCore:
    """The core of a configuration, compiled or taken from the cache, after its reset.

    Parameters
    ----------
    config
        What to compile; a RAM beside it is on the chip here, a large one in pages.
    vcd
        File for the waveform of its signals, if any.
    progress
        Is told what is being done while it compiles.
    power_up
        Seed of what its memories hold at power-up; 0: zeros.
    """
    def make():
        if config.store:
            from .stored import SPARSE_BITS, StoredCore, sparse_verilog

            core = StoredCore(config)
            return core if config.store_bits < SPARSE_BITS else sparse_verilog(core)
        from ..hw.core import Core

        return Core(config)

    return CompiledCore(make, repr(config), vcd=vcd, progress=progress, power_up=power_up)
