"""A board's top level as compiled RTL: its clock, and a UART at its pins."""

import ctypes
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..firmware.store import Kind
from ..model.config import CoreConfig
from .compiled import Compiled
from .memories import FLASHES, HYPERS, SDRAMS, Hypers, Sdram, SerialFlash
from .memories.library import Model
from .verilate import SOURCES, Progress

if TYPE_CHECKING:
    from ..boards.board import Board

__all__ = ["CompiledBoard", "memory_of"]


def memory_of(board: "Board", path: str | Path | None = None) -> Model:
    """The model of the memory beside a board's FPGA.

    Parameters
    ----------
    board
        It has one.
    path
        File of a flash's contents, which stay; without one they are new each time.
    """
    memory = board.memory
    assert memory is not None
    if memory.hyper:
        return Hypers(HYPERS[memory.part])
    if memory.kind == Kind.RAM:
        return Sdram(SDRAMS[memory.part])
    # An iCE40 that has configured itself leaves its flash asleep.
    return SerialFlash(FLASHES[memory.part], path, guard=memory.reserved,
                       asleep=board.fpga.family == "ice40", repeats=True)


class CompiledBoard(Compiled):
    """A top with the pins ``clk``, ``rx`` and ``tx``, after its power-up: a `virtual.Device`.

    Parameters
    ----------
    make, key, progress, power_up, fault, memory
        As of `Compiled`.
    clock_hz
        Frequency of the clock, by which the UART at the pins keeps its rate.

    Attributes
    ----------
    sent
        Bytes that have gone to the top since it was made.
    """

    SERIAL = True
    FOLDERS: tuple[str, ...] = (*SOURCES, "boards")
    #: Cycles of an `exchange` at most, and without a byte either way before a board counts as idle.
    BURST, QUIET = 20_000, 3_000_000
    #: Bytes that may wait to be sent.
    BUFFER = 512

    def __init__(self, make: Callable[[], Any], key: str, clock_hz: float, *,
                 progress: Progress | None = None, power_up: int = 0, fault: int = 0,
                 memory: Model | None = None):
        self.sent = 0
        self._queue = bytearray()
        self._quiet = 0
        super().__init__(make, key, progress=progress, power_up=power_up, fault=fault,
                         memory=memory, clock_hz=clock_hz)

    @classmethod
    def of(cls, board: "Board", config: CoreConfig | None = None,
           progress: Progress | None = None, memory: Model | None = None) -> "CompiledBoard":
        """The top level of a board, with its own core or another one.

        A core with a store has a new memory at its pins, unless one is given.
        """
        if memory is None and (config or board.config).store:
            memory = memory_of(board)
        key = f"{board.name} {config or board.config!r} {board.pll.output_hz} {board.rates}"
        return cls(lambda: cls._top(board, config), key, float(board.pll.output_hz),
                   progress=progress, memory=memory)

    @staticmethod
    def _top(board: "Board", config: CoreConfig | None) -> Any:
        from ..boards.top import BoardTop

        return BoardTop(board, config)

    def _declare(self) -> None:
        super()._declare()
        number = ctypes.c_uint64
        counter = ctypes.POINTER(number)
        self._library.tritgrad_serial.restype = number
        self._library.tritgrad_serial.argtypes = [
            ctypes.c_void_p, ctypes.c_char_p, number, counter, ctypes.c_char_p, number, counter,
            number, ctypes.c_int, number]

    def run(self, data: bytes, rate: int, max_cycles: int,
            stop_at_frame: bool = True) -> tuple[int, bytes]:
        """Run the clock while a UART at a rate talks to the board.

        Parameters
        ----------
        data
            Bytes to send, without gaps.
        rate
            Bits a second, both ways.
        max_cycles
            When to stop at the latest.
        stop_at_frame
            Whether to stop as soon as a whole frame has come out.

        Returns
        -------
        How many bytes of `data` have begun to leave, and the bytes that came out.
        """
        consumed, produced = ctypes.c_uint64(), ctypes.c_uint64()
        self._library.tritgrad_serial(
            self._open(), data, len(data), ctypes.byref(consumed), self._output, self.CAPACITY,
            ctypes.byref(produced), max_cycles, stop_at_frame,
            round(65536 * self.clock_hz / rate))
        self._check_memory()
        self.sent += consumed.value
        return consumed.value, ctypes.string_at(self._output, produced.value)

    def exchange(self, data: bytes, rate: int) -> bytes:
        if rate == 0:
            return b""
        self._queue += data
        before = self.cycles
        consumed, out = self.run(bytes(self._queue), rate, self.BURST)
        del self._queue[:consumed]
        self._quiet = 0 if consumed or out else self._quiet + self.cycles - before
        return out

    @property
    def busy(self) -> bool:
        """Whether bytes wait, or have come or gone lately."""
        return bool(self._queue) or self._quiet < self.QUIET

    @property
    def room(self) -> int:
        return max(0, self.BUFFER - len(self._queue))

    def unplug(self) -> None:
        self._queue.clear()

    def reset(self) -> None:
        """Power the board up anew. The cycle counter restarts."""
        self.close()
        if self.memory:
            self.memory.power_cycle()
        self._create()
        self.unplug()
        self._quiet = 0
