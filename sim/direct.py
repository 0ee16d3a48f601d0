"""A board's top level whose bytes can pass by its UART, at up to one a cycle.

What is behind the line is the board's own: frames, receive slots and requests are as ever. So
state comes and goes in a hundredth of the cycles, and what is measured goes by the line.
"""

import ctypes
from typing import TYPE_CHECKING, Any, ClassVar

from amaranth import Module, Mux
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect

from ..boards.top import BoardTop
from ..model.config import CoreConfig
from .board import CompiledBoard
from .exam import Wired

if TYPE_CHECKING:
    from ..boards.board import Board

__all__ = ["DirectBoard", "DirectLine", "DirectTop", "DirectWired"]

#: Ports beside those of a UART or a board.
PORTS = {
    "direct": In(1),
    "direct_i": In(stream.Signature(8)),
    "direct_o": Out(stream.Signature(8)),
}


class DirectLine(wiring.Component):
    """A UART and a way past it, which change only while no byte is under way.

    Parameters
    ----------
    uart
        With members as `hw.link.uart.Uart` has them.

    Members
    -------
    rx, tx, i, o : as of the UART.
    direct : bytes pass by the UART.
    direct_i, direct_o : in place of the line's, while `direct`.
    """

    def __init__(self, uart: wiring.Component):
        self.uart: Any = uart
        super().__init__({
            "rx": In(1, init=1),
            "tx": Out(1, init=1),
            "i": In(stream.Signature(8)),
            "o": Out(stream.Signature(8)),
            **PORTS,
        })

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.uart = uart = self.uart
        m.d.comb += [
            uart.rx.eq(self.rx),
            self.tx.eq(uart.tx),
            self.o.valid.eq(Mux(self.direct, self.direct_i.valid, uart.o.valid)),
            self.o.p.eq(Mux(self.direct, self.direct_i.p, uart.o.p)),
            uart.o.ready.eq(self.o.ready & ~self.direct),
            self.direct_i.ready.eq(self.o.ready & self.direct),
            uart.i.valid.eq(self.i.valid & ~self.direct),
            uart.i.p.eq(self.i.p),
            self.direct_o.valid.eq(self.i.valid & self.direct),
            self.direct_o.p.eq(self.i.p),
            self.i.ready.eq(Mux(self.direct, self.direct_o.ready, uart.i.ready)),
        ]
        return m


class DirectTop(BoardTop):
    """A board's top level with the ports of a `DirectLine`. Parameters as of `BoardTop`."""

    MORE: ClassVar[dict[str, Any]] = PORTS

    def _line(self) -> DirectLine:
        self.line = DirectLine(super()._line())
        return self.line

    def elaborate(self, platform: Any) -> Module:
        m = super().elaborate(platform)
        m.d.comb += self.line.direct.eq(self.direct)
        connect(m, wiring.flipped(self.direct_i), self.line.direct_i)
        connect(m, self.line.direct_o, wiring.flipped(self.direct_o))
        return m


class DirectBoard(CompiledBoard):
    """A compiled `DirectTop`, after its power-up. Parameters and attributes as of the base."""

    DIRECT = True
    FOLDERS = (*CompiledBoard.FOLDERS, "sim")

    @staticmethod
    def _top(board: "Board", config: CoreConfig | None) -> DirectTop:
        return DirectTop(board, config)

    def _declare(self) -> None:
        super()._declare()
        number = ctypes.c_uint64
        counter = ctypes.POINTER(number)
        self._library.tritgrad_direct.restype = number
        self._library.tritgrad_direct.argtypes = [
            ctypes.c_void_p, ctypes.c_char_p, number, counter, ctypes.c_char_p, number, counter,
            number, ctypes.c_int]

    def run_direct(self, data: bytes, max_cycles: int) -> tuple[int, bytes]:
        """As `run`, past the line, until a whole frame has come out."""
        consumed, produced = ctypes.c_uint64(), ctypes.c_uint64()
        self._library.tritgrad_direct(
            self._open(), data, len(data), ctypes.byref(consumed), self._output, self.CAPACITY,
            ctypes.byref(produced), max_cycles, True)
        self._check_memory()
        return consumed.value, ctypes.string_at(self._output, produced.value)


class DirectWired(Wired):
    """As `Wired`; bytes pass by the line while `direct` is set, at first they do not.

    It is to change only where every request has been answered.
    """

    board: DirectBoard
    direct = False

    def read(self, timeout_s: float) -> bytes:
        if not self.direct:
            return super().read(timeout_s)
        cycles = max(1, int(timeout_s * self.board.clock_hz))
        taken, output = self.board.run_direct(bytes(self._queue), cycles)
        del self._queue[:taken]
        return output
