"""The core behind another bus than its own byte streams."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect

from ..model.config import CoreConfig
from .core import Core
from .wrappers.axi_stream import AxiStream
from .wrappers.wishbone import Wishbone

__all__ = ["INTERFACES", "Wrapped", "wrapped"]

#: Buses by name; ``stream`` is the core itself.
INTERFACES = ("stream", "axi", "wishbone")


class Wrapped(wiring.Component):
    """A core and the bus on it, in clock and reset of its own.

    Parameters
    ----------
    config
        The core.
    interface
        ``axi``: ports of `AxiStream`, ``aclk`` and the reset ``aresetn``, active low.
        ``wishbone``: ports of `Wishbone`, ``clk`` and ``rst``. CONTROL's reset reaches the core.
    """

    def __init__(self, config: CoreConfig, interface: str):
        self.config = config
        self.bus = {"axi": AxiStream, "wishbone": Wishbone}[interface]()
        inner = ("to_core", "from_core", "reset")
        members = {name: member for name, member in self.bus.signature.members.items()
                   if name not in inner}
        clock = ("aclk", "aresetn") if interface == "axi" else ("clk", "rst")
        self.clock, self.low = clock, interface == "axi"
        super().__init__({clock[0]: In(1), clock[1]: In(1), **members})

    def elaborate(self, platform):
        m = Module()
        clock, reset = (getattr(self, name) for name in self.clock)
        m.domains.sync = ClockDomain()
        m.d.comb += [ClockSignal().eq(clock), ResetSignal().eq(~reset if self.low else reset)]
        m.submodules.bus = bus = self.bus
        core = Core(self.config)
        m.submodules.core = ResetInserter(bus.reset)(core) if hasattr(bus, "reset") else core
        connect(m, bus.to_core, core.i)
        connect(m, core.o, bus.from_core)
        for name, member in self.signature.members.items():
            if name in self.clock:
                continue
            own, inner = getattr(self, name), getattr(bus, name)
            m.d.comb += own.eq(inner) if member.flow is Out else inner.eq(own)
        return m


def wrapped(config: CoreConfig, interface: str) -> wiring.Component:
    """The core with a bus of `INTERFACES`."""
    return Core(config) if interface == "stream" else Wrapped(config, interface)
