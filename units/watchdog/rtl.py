"""The watchdog: bites when a core has owed something for long and made no progress."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Watchdog"]


class Watchdog(wiring.Component):
    """Counts the cycles in which something is owed, since the last progress.

    It is inside what it resets: the reset clears its counter.

    Parameters
    ----------
    bits
        It bites after 2^bits - 1 cycles.

    Members
    -------
    owing : somebody waits for the core: a frame, a program that runs and has its samples.
    progress : an instruction was dispatched, a sample word taken, a byte sent.
    bite : strobe: reset the core.
    """

    owing: In(1)
    progress: In(1)
    bite: Out(1)

    def __init__(self, bits: int):
        self.bits = bits
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        count = Signal(self.bits)
        m.d.comb += self.bite.eq(count.all())
        with m.If(self.progress | ~self.owing):
            m.d.sync += count.eq(0)
        with m.Else():
            m.d.sync += count.eq(count + 1)
        return m
