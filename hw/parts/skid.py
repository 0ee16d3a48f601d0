"""A stage of a stream that cuts the paths of its payload, `valid` and `ready` alike."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Skid"]


class Skid(wiring.Component):
    """Passes items on a cycle later, one a cycle; room for two.

    Parameters
    ----------
    shape
        Of an item.

    Members
    -------
    i, o : items; `o` and `i.ready` come from registers.
    """

    def __init__(self, shape):
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    def elaborate(self, platform):
        m = Module()
        kept, held = Signal.like(self.i.p), Signal()  # an item that came while `o` stood still
        m.d.comb += self.i.ready.eq(~held)
        with m.If(self.o.ready | ~self.o.valid):
            m.d.sync += [self.o.p.eq(Mux(held, kept, self.i.p)), held.eq(0),
                         self.o.valid.eq(held | self.i.valid)]
        with m.Elif(self.i.valid & ~held):
            m.d.sync += [kept.eq(self.i.p), held.eq(1)]
        return m
