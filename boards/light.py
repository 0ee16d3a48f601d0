"""The board's light: beats when idle, flickers with traffic, shows a fault."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Light"]

#: Seconds of a heartbeat, at most; at least half of it.
BEAT_S = 1.5


class Light(wiring.Component):
    """What a light tells somebody who has nothing but eyes.

    ============  ==========================================================
    dark          no clock: no bitstream, or the PLL has not locked
    two flashes   a beat, every second or so: idle
    flicker       about ten times a second: bytes come or go
    blinking      evenly, as long on as off, about twice a second: a fault
    ============  ==========================================================

    Parameters
    ----------
    clock_hz
        Of the domain `sync`.

    Members
    -------
    busy : a byte comes or goes in this cycle.
    fault : for as long as there is one.
    led : on.
    """

    def __init__(self, clock_hz: float):
        #: Bits of the counter that goes round in a beat.
        self.bits = max(6, int(BEAT_S * clock_hz).bit_length() - 1)
        super().__init__({"busy": In(1), "fault": In(1), "led": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        time = Signal(self.bits)
        was, seen = Signal(), Signal()  # traffic in the last sixteenth of a beat, and in this one
        m.d.sync += time.eq(time + 1)
        with m.If(~time[:-4].any()):
            m.d.sync += [was.eq(seen), seen.eq(self.busy)]
        with m.Elif(self.busy):
            m.d.sync += seen.eq(1)
        with m.If(self.fault):
            m.d.sync += self.led.eq(time[-2])
        with m.Elif(was | seen):
            m.d.sync += self.led.eq(time[-5])
        with m.Else():
            m.d.sync += self.led.eq((time[-4:] == 0) | (time[-4:] == 2))
        return m
