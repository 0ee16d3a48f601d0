"""The store of a board's core, from the link's port to the pins."""

from typing import TYPE_CHECKING, Any

from amaranth.hdl import Const, Module, Signal
from amaranth.lib import io, wiring
from amaranth.lib.wiring import In, connect, flipped

from ..firmware.store import Kind
from ..hw.store.flash import FLASH_PINS, FlashStore
from ..hw.store.hyper import HYPER_PINS, HyperTiming
from ..hw.store.ports import FlashSignature, RamSignature
from ..hw.store.ram import HyperStore, SdramStore
from ..hw.store.sdram import SDRAM_PINS, SdramTiming, phases
from ..model.config import CoreConfig

if TYPE_CHECKING:
    from .store import StoreMemory

__all__ = ["READ_PHASES", "StorePins", "pin_members"]

#: Cycles that registers at the pins of an SDRAM take: those of outputs, which are of double data
#: rate, as the data pins take both edges; and of inputs. What is not as expected, its test finds.
OUT_DELAY, IN_DELAY, SPREAD = 3, 1, 3
#: The same of PSRAMs, whose FPGA has no room for more: at 54 MHz ways of up to 20 ns.
HYPER_SPREAD = 1
#: Half cycles behind a command at which an SDRAM's word may be taken, as CHECK numbers them.
READ_PHASES = phases(OUT_DELAY + IN_DELAY, SPREAD)


def pin_members(config: CoreConfig, memory: "StoreMemory | None") -> dict[str, Any]:
    """The pins of a core's memory, as members of a top without a platform."""
    prefix, pins = _pins(config, memory)
    return {f"{prefix}_{name}": member for name, member in pins.items()}


def _pins(config: CoreConfig, memory: "StoreMemory | None") -> tuple[str, dict[str, Any]]:
    """The pins, and what their names begin with."""
    ram = ("hyper", HYPER_PINS) if _hyper(memory) else ("sdram", SDRAM_PINS)
    return {Kind.NONE: ("", {}), Kind.RAM: ram,
            Kind.FLASH: ("flash", FLASH_PINS[_lines(memory)])}[Kind(config.store)]


def _hyper(memory: "StoreMemory | None") -> bool:
    return memory is not None and memory.hyper


def _lines(memory: "StoreMemory | None") -> int:
    return memory.lines if memory else 1


def _store(config: CoreConfig, memory: "StoreMemory | None", clock_hz: float) -> Any:
    if config.store == Kind.FLASH:
        return FlashStore(clock_hz, _lines(memory))
    if _hyper(memory):
        return HyperStore(config, HyperTiming(clock_hz, byte_bits=config.store_bits),
                          OUT_DELAY + IN_DELAY, HYPER_SPREAD)
    rows = memory.row_bits if memory else SdramTiming.row_bits
    # A refresh each 15.6 us, or 7.8 us where there are 8,192 rows.
    timing = SdramTiming(clock_hz, column_bits=config.store_bits - 2 - rows, row_bits=rows,
                         refresh=min(SdramTiming.refresh, 15.625 * (1 << rows)))
    return SdramStore(config, timing, OUT_DELAY + IN_DELAY, SPREAD)


class StorePins(wiring.Component):
    """A store and what is between it and the pins.

    With a platform the pins are the board's; without one they are members, with as many registers.

    Parameters
    ----------
    config
        The core, which has a store.
    memory
        What is at the pins; None is an SDRAM of 8,192 rows, or a flash that is read by one line.
    clock_hz
        Of `sync`.

    Members
    -------
    port : the link.
    """

    def __init__(self, config: CoreConfig, memory: "StoreMemory | None", clock_hz: float):
        self.config, self.memory = config, memory
        self.store = _store(config, memory, clock_hz)
        ram = config.store == Kind.RAM
        super().__init__({
            "port": In(RamSignature(config) if ram else FlashSignature()),
            **pin_members(config, memory),
        })

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.store = self.store
        connect(m, flipped(self.port), self.store.port)
        if self.config.store == Kind.FLASH:
            self._flash(m, platform)
        elif platform is None:
            self._registers(m)
        elif _hyper(self.memory):
            self._hyper_pins(m, platform)
        else:
            self._sdram_pins(m, platform)
        return m

    def _flash(self, m: Module, platform: Any) -> None:
        store = self.store
        if platform is None:
            for name, member in FLASH_PINS[store.lines].items():
                ours, theirs = getattr(self, f"flash_{name}"), getattr(store, name)
                m.d.comb += theirs.eq(ours) if member.flow is In else ours.eq(theirs)
            return
        assert self.memory is not None
        port = platform.request(self.memory.resource, 0, dir="-")
        levels = {"cs": ~store.cs_n, "clk": store.sck}
        if self.memory.lines == 1:
            levels["copi"] = store.copi
        # A flash that has them is neither protected nor held.
        levels |= {name: 0 for name in ("wp", "hold") if hasattr(port, name)}
        for name, level in levels.items():
            m.submodules[name] = buffer = io.Buffer("o", getattr(port, name))
            m.d.comb += buffer.o.eq(level)
        m.submodules.cipo = cipo = io.Buffer("i", port.cipo)
        m.d.comb += store.cipo.eq(cipo.i)
        if self.memory.lines == 2:
            m.submodules.copi = copi = io.Buffer("io", port.copi)
            m.d.comb += [copi.o.eq(store.copi), copi.oe.eq(store.copi_oe),
                         store.copi_i.eq(copi.i)]

    def _registers(self, m: Module) -> None:
        """Registers as those of the pins, which are in the FPGA's input and output cells."""
        prefix, pins = _pins(self.config, self.memory)
        for name, member in pins.items():
            ours, theirs = getattr(self, f"{prefix}_{name}"), getattr(self.store, name)
            inward = member.flow is In
            value = ours if inward else theirs
            for n in range(IN_DELAY if inward else OUT_DELAY):
                late = Signal(len(value), init=0 if inward else theirs.init, name=f"{name}_{n}")
                m.d.sync += late.eq(value)
                value = late
            m.d.comb += theirs.eq(value) if inward else ours.eq(value)

    def _sdram_pins(self, m: Module, platform: Any) -> None:
        assert self.memory is not None
        store = self.store
        port = platform.request(self.memory.resource, 0, dir="-")
        levels = {"clk_en": store.cke, "cs": ~store.cs_n, "ras": ~store.ras_n,
                  "cas": ~store.cas_n, "we": ~store.we_n, "ba": store.ba,
                  "a": store.a, "dqm": store.dqm.replicate(2)}
        for name, level in levels.items():
            if not hasattr(port, name):  # held on the board: selected, enabled, no byte masked
                continue
            m.submodules[name] = buffer = io.DDRBuffer("o", getattr(port, name))
            m.d.comb += [half.eq(level) for half in buffer.o]
        m.submodules.clk = clk = io.DDRBuffer("o", port.clk)  # inverted
        m.d.comb += [clk.o[0].eq(0), clk.o[1].eq(Const(1))]
        # Of a part of 32 bits the lower half is read; the upper one is written with what floats.
        m.submodules.dq = dq = io.DDRBuffer("io", port.dq[:len(store.dq_o)])
        m.d.comb += [half.eq(store.dq_o) for half in dq.o]
        # A cycle's first half is taken with the rise of the clock before the one that tells it.
        m.d.comb += [dq.oe.eq(store.dq_oe), store.dq_rise.eq(dq.i[0])]
        m.d.sync += store.dq_fall.eq(dq.i[1])

    def _hyper_pins(self, m: Module, platform: Any) -> None:
        """Both parts get the same commands; a clock that is inverted goes with each one's."""
        assert self.memory is not None
        store = self.store
        port = platform.request(self.memory.resource, 0, dir="-")
        levels = {"reset": ~store.reset_n, "cs": ~store.cs_n}
        for name, level in levels.items():
            m.submodules[name] = buffer = io.DDRBuffer("o", getattr(port, name))
            m.d.comb += [half.eq(level.replicate(2)) for half in buffer.o]
        for name, value in {"ck": store.ck, "ck_n": ~store.ck}.items():
            m.submodules[name] = buffer = io.DDRBuffer("o", getattr(port, name))
            m.d.comb += [half.eq(value[n].replicate(2)) for n, half in enumerate(buffer.o)]
        m.submodules.rwds = rwds = io.DDRBuffer("o", port.rwds)
        m.d.comb += [half.eq(store.rwds_o.replicate(2)) for half in rwds.o]
        m.submodules.dq = dq = io.DDRBuffer("io", port.dq)
        m.d.comb += [half.eq(store.dq_o) for half in dq.o]
        m.d.comb += [rwds.oe.eq(store.rwds_oe), dq.oe.eq(store.dq_oe), store.dq_rise.eq(dq.i[0])]
        m.d.sync += store.dq_fall.eq(dq.i[1])
