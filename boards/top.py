"""The top level of a board: clock, reset, UART, core, and a light."""

from typing import Any, ClassVar

from amaranth.build import ResourceError
from amaranth.hdl import ClockDomain, ClockSignal, Const, Module, ResetSignal, Signal
from amaranth.lib import io, wiring
from amaranth.lib.wiring import In, Out, connect

from ..hw.core import Core
from ..hw.link.uart import Uart
from ..hw.parts.ports import RunState
from ..model.config import CoreConfig
from .board import Board
from .clocks import ClockSource, ResetTimer
from .light import Light
from .store_pins import StorePins, pin_members

__all__ = ["BoardTop"]


class BoardTop(wiring.Component):
    """All that a bitstream holds.

    With a platform, the members are the board's pins; without one, they are ports, and `clk` is
    the clock of the core, in place of crystal and PLL.

    Parameters
    ----------
    board
        Gives the clock and the rates of the UART.
    config
        The core, if not the board's own.
    bypass_pll
        Run the core at the crystal's frequency.

    Members
    -------
    clk : clock, only without a platform.
    rx, tx : the UART, idle high; `rx` is asynchronous.
    led : see `Light`; a fault is a program that stopped at one.
    sdram_*, flash_* : of a core with a store, see `hw.store`; those of an SDRAM's data are as
        input registers take them.
    """

    #: Members that a board has not.
    MORE: ClassVar[dict[str, Any]] = {}

    def __init__(self, board: Board, config: CoreConfig | None = None, *, bypass_pll: bool = False):
        self.board = board
        self.config = board.config if config is None else config
        self.bypass_pll = bypass_pll
        super().__init__({
            "clk": In(1),
            "rx": In(1, init=1),
            "tx": Out(1, init=1),
            "led": Out(1),
            **pin_members(self.config, board.memory),
            **self.MORE,
        })

    @property
    def clock_hz(self) -> float:
        """Frequency of the core's clock, where there is a platform to make it."""
        return float(self.board.input_hz if self.bypass_pll else self.board.pll.output_hz)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        clk, locked, rx = self.clk, Const(1), self.rx
        if platform is not None:
            m.submodules.clock = clock = ClockSource(self.board, self.bypass_pll)
            clk, locked = clock.clk, clock.locked
            rx = self._pins(m, platform)
        m.submodules.timer = timer = ResetTimer(clk, locked, self.clock_hz)
        m.domains.sync = ClockDomain("sync")
        m.d.comb += [ClockSignal("sync").eq(clk), ResetSignal("sync").eq(timer.reset)]

        m.submodules.uart = uart = self._line()
        m.submodules.core = core = Core(self.config)
        connect(m, uart.o, core.i)
        # A byte waits here while the line is busy, so that the core's logic ends at a register.
        byte, full = Signal(8), Signal()
        m.d.comb += [core.o.ready.eq(~full), uart.i.valid.eq(full), uart.i.p.eq(byte)]
        with m.If(core.o.valid & ~full):
            m.d.sync += [byte.eq(core.o.p), full.eq(1)]
        with m.Elif(uart.i.ready):
            m.d.sync += full.eq(0)
        if self.config.store:
            self._connect_store(m, core)
        m.d.comb += [uart.rx.eq(rx), self.tx.eq(uart.tx)]
        m.submodules.light = light = Light(self.clock_hz)
        m.d.comb += [
            light.busy.eq(uart.o.valid | ~uart.tx),
            light.fault.eq((core.run == RunState.FAULT) | (core.run == RunState.CORRUPT)),
            self.led.eq(light.led),
        ]
        return m

    def _line(self) -> Any:
        """What bytes come and go by."""
        return Uart(self.clock_hz, self.board.rates_at(self.clock_hz))

    def _connect_store(self, m: Module, core: Core) -> None:
        """The store and its pins, or what stands for them."""
        m.submodules.store = store = StorePins(self.config, self.board.memory, self.clock_hz)
        connect(m, core.store, store.port)
        for name, member in pin_members(self.config, self.board.memory).items():
            ours, theirs = getattr(self, name), getattr(store, name)
            m.d.comb += theirs.eq(ours) if member.flow is In else ours.eq(theirs)

    def _pins(self, m: Module, platform: Any) -> Any:
        """Connect the outputs to the board's pins; what `rx` reads there."""
        port = platform.request("uart", 0, dir="-")
        m.submodules.rx = rx = io.Buffer("i", port.rx)
        m.submodules.tx = tx = io.Buffer("o", port.tx)
        m.d.comb += tx.o.eq(self.tx)
        for name, member in (("led", None), ("rgb_led", "g")):
            try:
                light = platform.request(name, 0, dir="-")
            except ResourceError:
                continue
            m.submodules.led = led = io.Buffer("o", getattr(light, member) if member else light)
            m.d.comb += led.o.eq(self.led)
            break
        self._hold_still(m, platform)
        return rx.i

    def _hold_still(self, m: Module, platform: Any) -> None:
        """On a ULX3S, keep the ESP32 beside the FPGA from booting, which may reset the board."""
        try:
            other = platform.request("esp32", 0, dir="-")
        except ResourceError:
            return
        m.submodules.gpio0 = gpio0 = io.Buffer("o", other.gpio0)
        m.d.comb += gpio0.o.eq(1)
