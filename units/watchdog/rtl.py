"""The watchdog: bites when a core has owed something for long and made no progress."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from ...hw.parts.sockets import Guard
from ...model.config import CoreConfig

__all__ = ["Watchdog"]


class Watchdog(wiring.Component):
    """Counts the cycles in which something is owed, since the last progress.

    It is inside what it resets: the reset clears its counter. It bites 2^bits - 1 cycles after the
    last progress; `bits` is the option's value. Its socket is guard; see `hw.parts.sockets`.
    """

    def __init__(self, config: CoreConfig):
        self.bits = config.watchdog
        super().__init__({"guard": In(Guard())})

    def elaborate(self, platform):
        m = Module()
        guard, count = self.guard, Signal(self.bits)
        m.d.comb += guard.bite.eq(count.all())
        with m.If(guard.progress | ~guard.owing):
            m.d.sync += count.eq(0)
        with m.Else():
            m.d.sync += count.eq(count + 1)
        return m
