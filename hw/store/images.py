"""Images of a store on their way to the core: shifted, and put in the order of tiles.

Both units take and give words of L inputs (`sample_word`) of which an image has one for each of its
rows, or the second one's outputs: `model.images.StoredImages.shifted`.
"""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ...model.config import CoreConfig
from ..parts.arith import exceeds_each
from ..parts.ports import sample_word
from .tiles import Tiler

__all__ = ["ImageShifter", "RowShifter"]


class RowShifter(wiring.Component):
    """Shifts images, zeros coming in.

    A word comes a cycle after it was taken, one a cycle. An image takes a cycle more before its
    first word, and one behind its last.

    Members
    -------
    dy, dx : pixels down and right; static from the cycle in which an image's first word is there
        to the one in which it is taken. rows, columns : of an image; static while one is under way.
    clear : forget the image under way.
    idle : there is none.
    i, o : its rows. Lanes behind its columns are ignored, and come out as 0.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        super().__init__({
            "dy": In(signed(4)), "dx": In(signed(4)),
            "rows": In(range(config.store_rows + 1)),
            "columns": In(range(config.store_columns + 1)),
            "clear": In(1), "idle": Out(1),
            "i": In(stream.Signature(sample_word(config))),
            "o": Out(stream.Signature(sample_word(config))),
        })

    def elaborate(self, platform):
        m = Module()
        c, most = self.config, self.config.store_shift
        lanes, width = c.lanes, c.store_columns
        busy, taken_all = Signal(), Signal()
        down, right = Signal(signed(4)), Signal(signed(4))
        left = Signal.like(self.rows)  # rows to come out
        inside = Signal(width)         # columns that the image has
        zero, drop, room, gives = Signal(), Signal(), Signal(), Signal()
        m.d.sync += inside.eq(exceeds_each(self.columns, width))
        m.d.comb += [
            self.idle.eq(~busy & ~self.o.valid),
            room.eq(busy & (~self.o.valid | self.o.ready)),
            zero.eq((left != 0) & (taken_all | (down > 0))),
            drop.eq(~taken_all & ((left == 0) | (down < 0))),
            self.i.ready.eq(busy & ~taken_all & ~zero & (drop | room)),
            gives.eq(room & (zero | ~taken_all & ~drop & self.i.valid)),
        ]
        planes = []
        for p in range(c.store_planes):
            row = self.i.p.planes[p * lanes:p * lanes + width] & inside
            moved = Signal(width, name=f"moved{p}")
            with m.Switch(right):
                for n in range(-most, most + 1):
                    with m.Case(n):
                        m.d.comb += moved.eq(row << n if n > 0 else row >> -n)
            planes.append(moved & inside)
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(gives):
            m.d.sync += [self.o.valid.eq(1), left.eq(left - 1), self.o.p.last.eq(left == 1)]
            for p, moved in enumerate(planes):
                m.d.sync += self.o.p.planes[p * lanes:p * lanes + width].eq(Mux(zero, 0, moved))
        with m.If((gives & (down > 0)) | (self.i.valid & self.i.ready & (down < 0))):
            m.d.sync += down.eq(Mux(down > 0, down - 1, down + 1))
        with m.If(self.i.valid & self.i.ready & self.i.p.last):
            m.d.sync += taken_all.eq(1)
        with m.If(busy & taken_all & (left == 0) & (~self.o.valid | self.o.ready)):
            m.d.sync += busy.eq(0)
        with m.If(~busy & ~self.o.valid & self.i.valid):
            m.d.sync += [busy.eq(1), taken_all.eq(0), left.eq(self.rows), down.eq(self.dy),
                         right.eq(self.dx), self.o.p.label.eq(self.i.p.label)]
        with m.If(self.clear):
            m.d.sync += [busy.eq(0), self.o.valid.eq(0)]
        return m


class ImageShifter(wiring.Component):
    """Shifts images, and of a core without a convolution puts their pixels in the order of tiles.

    Members
    -------
    dy, dx, rows, columns, clear, idle, i : see `RowShifter`.
    o : words of the sample.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        self.shifter = RowShifter(config)
        self.tiler = Tiler(config) if config.lays_images else None
        super().__init__(dict(self.shifter.signature.members.items()))

    def elaborate(self, platform):
        m = Module()
        m.submodules.shifter = shifter = self.shifter
        m.d.comb += [
            shifter.dy.eq(self.dy), shifter.dx.eq(self.dx), shifter.rows.eq(self.rows),
            shifter.columns.eq(self.columns), shifter.clear.eq(self.clear),
            self.idle.eq(shifter.idle),
        ]
        connect(m, flipped(self.i), shifter.i)
        if self.tiler is None:
            connect(m, shifter.o, flipped(self.o))
            return m
        m.submodules.tiler = tiler = self.tiler
        m.d.comb += [tiler.columns.eq(self.columns), tiler.clear.eq(self.clear),
                     self.idle.eq(shifter.idle & tiler.idle)]
        connect(m, shifter.o, tiler.i)
        connect(m, tiler.o, flipped(self.o))
        return m
