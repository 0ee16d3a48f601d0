"""Compiled cores in this process: bytes in, bytes out, and a cycle counter."""

import ctypes
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from ..errors import BadInput, DeviceError, ToolError
from .memories.library import Model
from .verilate import SOURCES, Progress, build, component_verilog

__all__ = ["Compiled", "CompiledCore"]

_Self = TypeVar("_Self", bound="Compiled")
_TRACES = {".vcd": "vcd", ".fst": "fst"}


def period_ps(clock_hz: float) -> int:
    """A cycle, picoseconds, rounded up: as many as a least time takes must not be short of it."""
    return math.ceil(1e12 / clock_hz)


class Compiled:
    """A top, compiled by Verilator, as its harness drives it.

    Parameters
    ----------
    make
        Makes the component; called only if its Verilog is not in the cache.
    key
        Names the component and its parameters in the cache.
    vcd
        File for the waveform, ``.vcd`` or ``.fst``; None for none.
    progress
        Is told what is being done while the core compiles.
    power_up
        Seed of what the memories hold that nothing initialises, up to 31 bits; 0: zeros.
    fault
        Which of the faults that are planted in the top it is to have; 0: none.
    memory
        What is at the top's pins for one, from its own time 0 on; checked after each run. The top
        has the pins of `sim.harness_top`, named after its `KIND`.
    clock_hz
        Frequency of the clock, by which a memory's time goes.

    Raises
    ------
    BadInput
        The waveform's file cannot be written, or has another suffix.
    ToolError
        See `build`.
    """

    #: Most bytes of output of one `run`.
    CAPACITY = 1 << 16
    #: Whether the top has the pins of a UART.
    SERIAL = False
    #: Whether bytes pass by that UART too; see `direct`.
    DIRECT = False
    #: Packages that its sources are in.
    FOLDERS: tuple[str, ...] = SOURCES

    def __init__(self, make: Callable[[], Any], key: str, *, vcd: str | Path | None = None,
                 progress: Progress | None = None, power_up: int = 0, fault: int = 0,
                 memory: Model | None = None, clock_hz: float = 0):
        trace = None
        if vcd is not None:
            trace = _TRACES.get(Path(vcd).suffix)
            if trace is None:
                raise BadInput(f"a waveform's file must end in .vcd or .fst, not {str(vcd)!r}")
        verilog = component_verilog(make, key, folders=self.FOLDERS)
        self.memory, self.clock_hz = memory, clock_hz
        library = build(verilog, trace=trace, progress=progress, serial=self.SERIAL,
                        memory=memory.KIND if memory else None, direct=self.DIRECT)
        self._load(library, vcd, power_up, fault)

    def _load(self, library: Path, vcd: str | Path | None = None, power_up: int = 0,
              fault: int = 0) -> None:
        """Make a core of a compiled library. `memory` and `clock_hz` are there."""
        try:
            self._library = ctypes.CDLL(str(library))
        except OSError as error:
            raise ToolError(f"cannot load the compiled core: {error}") from None
        self._declare()
        self._core: int | None = None
        self._power_up, self._fault = power_up, fault
        self._create(vcd)
        self._output = ctypes.create_string_buffer(self.CAPACITY)

    def _declare(self) -> None:
        library, pointer, number = self._library, ctypes.c_void_p, ctypes.c_uint64
        library.tritgrad_create.restype = pointer
        library.tritgrad_create.argtypes = [ctypes.c_char_p, ctypes.c_uint32,
                                           ctypes.c_uint32]
        library.tritgrad_destroy.argtypes = [pointer]
        if self.memory:
            library.tritgrad_attach.argtypes = [pointer, pointer, number]
        library.tritgrad_cycles.restype = number
        library.tritgrad_cycles.argtypes = [pointer]

    def _create(self, vcd: str | Path | None = None) -> None:
        self._core = self._library.tritgrad_create(str(vcd).encode() if vcd else None,
                                                   self._power_up, self._fault)
        if not self._core:
            raise BadInput(f"cannot write {str(vcd)!r}")
        self._attach(self.memory)

    def _attach(self, memory: Model | None) -> None:
        """Put a memory at the pins, or none where the top has pins for one."""
        if self.memory:
            self._library.tritgrad_attach(self._core, memory.handle if memory else None,
                                          period_ps(self.clock_hz))

    def _check_memory(self) -> None:
        """Raise if a rule of the memory has been broken, which has stopped the run."""
        if self.memory:
            self.memory.check()

    def _open(self) -> int:
        if not self._core:
            raise DeviceError("the compiled core is closed")
        return self._core

    @property
    def cycles(self) -> int:
        """Clock cycles since the reset."""
        return self._library.tritgrad_cycles(self._open())

    def close(self) -> None:
        """Free the core, and finish the waveform."""
        if self._core:
            self._library.tritgrad_destroy(self._core)
            self._core = None

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class CompiledCore(Compiled):
    """A top with byte streams ``i`` and ``o``, after its reset. Parameters as of `Compiled`."""

    def __init__(self, make: Callable[[], Any], key: str, *, vcd: str | Path | None = None,
                 progress: Progress | None = None, power_up: int = 0,
                 memory: Model | None = None, clock_hz: float = 0):
        super().__init__(make, key, vcd=vcd, progress=progress, power_up=power_up,
                         memory=memory, clock_hz=clock_hz)
        self.reset()

    def _declare(self) -> None:
        super()._declare()
        library, pointer, number = self._library, ctypes.c_void_p, ctypes.c_uint64
        counter = ctypes.POINTER(number)
        library.tritgrad_reset.argtypes = [pointer]
        library.tritgrad_stall.argtypes = [pointer, number, ctypes.c_uint32, ctypes.c_uint32]
        library.tritgrad_run.restype = number
        library.tritgrad_run.argtypes = [pointer, ctypes.c_char_p, number, counter,
                                         ctypes.c_char_p, number, counter, number, ctypes.c_int]

    def reset(self) -> None:
        """Reset the core for two cycles, and power up its memory; the cycle counter restarts."""
        self._open()
        self._attach(None)
        self._library.tritgrad_reset(self._core)
        if self.memory:
            self.memory.power_cycle()
            self._attach(self.memory)

    def stall(self, seed: int, gap: float, stall: float) -> None:
        """From now on offer no input and take no output in random cycles, with these chances."""
        self._library.tritgrad_stall(self._open(), seed, int(gap * 256), int(stall * 256))

    def run(self, data: bytes, max_cycles: int, stop_at_frame: bool = True) -> tuple[int, bytes]:
        """Run the clock. Ctrl-C waits until it returns.

        Parameters
        ----------
        data
            Bytes offered to the core; it takes at most one a cycle. Those it did not take must be
            offered again next time, or a byte that it was shown is withdrawn.
        max_cycles
            When to stop at the latest.
        stop_at_frame
            Whether to stop as soon as a whole frame has come out.

        Returns
        -------
        How many bytes of `data` the core took, and the bytes that came out.
        """
        consumed, produced = ctypes.c_uint64(), ctypes.c_uint64()
        self._library.tritgrad_run(self._open(), data, len(data), ctypes.byref(consumed),
                                   self._output, self.CAPACITY, ctypes.byref(produced), max_cycles,
                                   stop_at_frame)
        self._check_memory()
        return consumed.value, ctypes.string_at(self._output, produced.value)
