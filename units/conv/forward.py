"""The forward pass of an image: windows outside, Q kernels a cycle inside."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...hw.parts.pipeline import delayed
from . import Sizes
from .greatest import Greatest

__all__ = ["Forward"]


class Forward(wiring.Component):
    """Takes each window of a walk and goes through all groups of kernels with it.

    A group a cycle, but at least P + 2 cycles a window, as long as `WindowWalk` takes; of a unit
    that skips one cycle for a blank window, if all groups are in use. Outputs come in their order:
    column of windows, row, kernel. No back-pressure.

    Members
    -------
    start : strobe, with the walk's: begin. stop : strobe: no output comes any more.
    groups, shift : of kernels, at least 1, and of sums; static while `busy`.
    busy : until the last output.
    window, valid, last, take : see `WindowWalk`.
    group : of kernels that is next; their trits, `Greatest.trits`, one cycle later.
    o_valid, h, gate, place : Q outputs, see `Greatest`; `o_last` : the image's last; `o_all` : of a
        unit that skips, those of all groups of a window are as these.
    """

    def __init__(self, sizes: Sizes):
        self.sizes = sizes
        self.greatest = Greatest(sizes)
        made = {name: Out(self.greatest.signature.members[name].shape)
                for name in ("h", "gate", "place")}
        super().__init__({
            "start": In(1),
            "stop": In(1),
            "groups": In(range(sizes.groups + 1)),
            "shift": In(4),
            "busy": Out(1),
            "window": In(sizes.side * sizes.line_bits),
            "valid": In(1),
            "last": In(1),
            **({"blank": In(1), "o_all": Out(1)} if sizes.skips else {}),
            "take": Out(1),
            "group": Out(range(sizes.groups)),
            "trits": In(data.ArrayLayout(2 * sizes.taps, sizes.at_once)),
            "o_valid": Out(1),
            "o_last": Out(1),
            **made,
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.greatest = greatest = self.greatest
        active, last, ends, skips = Signal(), Signal(), Signal(), Signal()
        coming = Signal(greatest.latency)
        lasting = Signal(greatest.latency)
        m.d.comb += [
            ends.eq(skips | (self.group + 1 == self.groups)),
            self.take.eq(self.busy & self.valid & (~active | ends)),
            greatest.window.eq(self.window),
            greatest.trits.eq(self.trits),
            greatest.shift.eq(self.shift),
            self.o_valid.eq(coming[-1]),
            self.o_last.eq(lasting[-1]),
            self.h.eq(greatest.h),
            self.gate.eq(greatest.gate),
            self.place.eq(greatest.place),
        ]
        m.d.sync += [
            coming.eq(Cat(active, coming)),
            lasting.eq(Cat(active & ends & last, lasting)),
        ]
        with m.If(active):
            m.d.sync += [self.group.eq(Mux(ends, 0, self.group + 1)), active.eq(~ends)]
        with m.If(self.take):
            m.d.sync += [active.eq(1), self.group.eq(0), last.eq(self.last)]
        if self.sizes.skips:
            skipped = delayed(m, skips, greatest.latency, "skipped", reset_less=True)
            m.d.comb += self.o_all.eq(skipped[-1])
            with m.If(self.take):
                m.d.sync += skips.eq(self.blank & (self.groups == self.sizes.groups))
        with m.If(self.o_last):
            m.d.sync += self.busy.eq(0)
        with m.If(self.start | self.stop):
            m.d.sync += [self.busy.eq(self.start), active.eq(0), self.group.eq(0), coming.eq(0),
                         lasting.eq(0)]
        return m
