"""The walk of a window over an image."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from . import Sizes

__all__ = ["WindowWalk"]


class WindowWalk(wiring.Component):
    """Slides a window of k + P - 1 rows and columns of pixels down each column of windows.

    It moves by P rows of pixels at a time, a row a cycle, in a register that fills while the window
    before is used: the first window of a column is there side + 2 cycles after the last one of the
    column before was taken, each other one P + 2 cycles after its forerunner was.

    Members
    -------
    start, stop : strobes: begin with the first window; there are none any more.
    rows, columns : of windows, at least 1; static while windows are left.
    address : row of the image to read; `pixels` is that row of all channels one cycle later, the
        first channel's first pixel lowest.
    valid : the next window is whole; `last` : it is the image's last. `take` uses it.
    blank : of a unit that skips, valid with `valid`: the next window's pixels are all 0.
    window : from the cycle after `take` until the next: row by row, of all channels, the first
        one's first pixel lowest.
    """

    def __init__(self, sizes: Sizes):
        self.sizes = sizes
        rows, columns = sizes.windows
        super().__init__({
            "start": In(1),
            "stop": In(1),
            "rows": In(range(rows + 1)),
            "columns": In(range(columns + 1)),
            "address": Out(range(sizes.rows)),
            "pixels": In(sizes.row_bits),
            "valid": Out(1),
            "last": Out(1),
            **({"blank": Out(1)} if sizes.skips else {}),
            "take": In(1),
            "window": Out(sizes.side * sizes.line_bits),
        })

    def elaborate(self, platform):
        m = Module()
        sizes = self.sizes
        side, pool, planes = sizes.side, sizes.pool, sizes.planes
        column, row = Signal(range(sizes.windows[1])), Signal(range(sizes.windows[0]))
        missing = Signal(range(side + 1))   # rows of pixels to read until the window is whole
        walking, arriving = Signal(), Signal()
        filling = [Signal(sizes.line_bits, name=f"row{y}", reset_less=True) for y in range(side)]
        part = Signal(sizes.line_bits)
        bottom = row + 1 == self.rows
        with m.Switch(column):
            for n in range(sizes.windows[1]):
                with m.Case(n):
                    m.d.comb += part.eq(Cat(
                        self.pixels[(c * sizes.columns + n * pool) * planes:][:side * planes]
                        for c in range(sizes.channels)))
        m.d.comb += [
            self.valid.eq(walking & (missing == 0) & ~arriving),
            self.last.eq(bottom & (column + 1 == self.columns)),
        ]
        m.d.sync += arriving.eq(missing.any())
        with m.If(missing.any()):
            m.d.sync += [missing.eq(missing - 1), self.address.eq(self.address + 1)]
        with m.If(arriving):
            m.d.sync += [old.eq(new) for old, new in zip(filling, [*filling[1:], part],
                                                         strict=True)]
        if sizes.skips:
            lit = Signal(side)  # which rows are not blank
            with m.If(arriving):
                m.d.sync += lit.eq(Cat(lit, part.any())[1:])
            m.d.comb += self.blank.eq(~lit.any())
        with m.If(self.valid & self.take):
            m.d.sync += [self.window.eq(Cat(filling)), row.eq(row + 1), missing.eq(pool)]
            with m.If(bottom):
                m.d.sync += [row.eq(0), column.eq(column + 1), self.address.eq(0),
                             missing.eq(side)]
            with m.If(self.last):
                m.d.sync += [walking.eq(0), missing.eq(0)]
        with m.If(self.start):
            m.d.sync += [walking.eq(1), row.eq(0), column.eq(0), self.address.eq(0),
                         missing.eq(side)]
        with m.If(self.stop):
            m.d.sync += [walking.eq(0), missing.eq(0)]
        return m
