"""Rows of images to words of tiles (`model.layout.tile_order`)."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ...model.config import CoreConfig, ceil_div
from ...model.layout import tile_shape
from ..parts.arith import exceeds_each
from ..parts.ports import sample_word

__all__ = ["Tiler"]


class Tiler(wiring.Component):
    """Puts the pixels of an image in the order of tiles, words of L without a gap.

    As many rows as a tile has are collected in a band, a row a cycle; then a tile of it goes to the
    word that is being filled, a plane a cycle of all `store_planes`. The word comes in the cycle
    after its last pixel. The last tile of each row may have fewer columns, those of the last band
    fewer rows.

    Members
    -------
    columns : of an image, at least 1; static from a cycle before its first row on.
    clear : forget the image under way.
    idle : there is none.
    i : its rows, lanes behind its columns 0; the label is valid with all of them.
    o : words of its pixels.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        #: Rows of a tile, and its columns.
        self.height, self.width = tile_shape(config.lanes)
        super().__init__({
            "columns": In(range(config.store_columns + 1)),
            "clear": In(1), "idle": Out(1),
            "i": In(stream.Signature(sample_word(config))),
            "o": Out(stream.Signature(sample_word(config))),
        })

    def elaborate(self, platform):
        m = Module()
        c, lanes, height, width = self.config, self.config.lanes, self.height, self.width
        slots, depth = ceil_div(c.store_columns, width), c.store_planes
        #: A tile of each slot, of it each plane; the next one to go first.
        band = [[Signal(lanes, name=f"tile{s}_{p}") for p in range(depth)] for s in range(slots)]
        row = Signal(range(height))
        whole = Signal(range(lanes + 1))  # pixels of a tile of the band, and of its last one
        edge = Signal(range(lanes + 1))
        slot, plane = Signal(range(slots)), Signal(range(depth))
        started, emits, final, rest = Signal(), Signal(), Signal(), Signal()
        last_slot, columns = Signal(range(slots)), Signal(range(width + 1))
        fill, room, step = Signal(), Signal(), Signal()
        m.d.comb += [
            self.idle.eq(~started & ~emits & ~self.o.valid),
            fill.eq(self.i.valid & self.i.ready),
            self.i.ready.eq(~emits & (started | ~self.o.valid)),  # the label is the image's
            room.eq(~self.o.valid | self.o.ready), step.eq(emits & room),
        ]
        with m.Switch(self.columns):
            for n in range(1, c.store_columns + 1):
                with m.Case(n):
                    m.d.sync += [last_slot.eq((n - 1) // width), columns.eq((n - 1) % width + 1)]
        self._collect(m, band, row, fill, step)
        with m.If(fill):
            m.d.sync += [
                started.eq(1), row.eq(row + 1), final.eq(self.i.p.last), rest.eq(0),
                self.o.p.label.eq(self.i.p.label),
                whole.eq(Mux(row == 0, 0, whole) + width),
                edge.eq(Mux(row == 0, 0, edge) + columns),
            ]
            with m.If((row == height - 1) | self.i.p.last):
                m.d.sync += [emits.eq(1), row.eq(0), slot.eq(0), plane.eq(0)]
        last_plane, at_edge = plane == depth - 1, slot == last_slot
        pixels, ends = Signal.like(whole), Signal()
        m.d.comb += [pixels.eq(Mux(rest, 0, Mux(at_edge, edge, whole))), ends.eq(at_edge | rest)]
        tile = self._compact(m, band[0][0], columns, at_edge & ~rest)
        over = self._append(m, tile, pixels, step, last_plane, final & ends)
        with m.If(step):
            m.d.sync += plane.eq(plane + 1)
            with m.If(last_plane):
                m.d.sync += [plane.eq(0), slot.eq(slot + 1)]
                with m.If(ends):
                    m.d.sync += [emits.eq(final & over), rest.eq(1)]
                    with m.If(final & ~over):
                        m.d.sync += started.eq(0)
        with m.If(self.clear):
            m.d.sync += [started.eq(0), emits.eq(0), row.eq(0)]
        return m

    def _collect(self, m, band, row, fill, step):
        """A row goes to the row's place in each tile; each step takes the first tile's plane."""
        lanes, width = self.config.lanes, self.width
        with m.If(fill):
            with m.Switch(row):
                for k in range(self.height):
                    with m.Case(k):
                        for s, tiles in enumerate(band):
                            for p, tile in enumerate(tiles):
                                piece = self.i.p.planes[p * lanes:(p + 1) * lanes].word_select(
                                    s, width)
                                m.d.sync += tile[k * width:(k + 1) * width].eq(piece)
        line = [tile for tiles in band for tile in tiles]
        with m.If(step):
            m.d.sync += [tile.eq(after) for tile, after in zip(line, [*line[1:], 0], strict=True)]
        with m.If(self.clear):
            m.d.sync += [tile.eq(0) for tile in line]

    def _compact(self, m, tile, columns, narrow):
        """The pixels of a tile of so many columns without gaps."""
        width, compact = self.width, Signal.like(tile)
        m.d.comb += compact.eq(tile)
        with m.If(narrow):
            with m.Switch(columns):
                for n in range(1, width):
                    with m.Case(n):
                        m.d.comb += compact.eq(Cat(tile[k * width:k * width + n]
                                                   for k in range(self.height)))
        return compact

    def _append(self, m, tile, pixels, step, last_plane, final):
        """Pixels of a plane behind those of its word; whether some are left when all have come."""
        lanes, depth = self.config.lanes, self.config.store_planes
        #: Of each plane the word that is being filled, the next plane's first; and what has been.
        parts = [Signal(lanes, name=f"part{p}") for p in range(depth)]
        made = self.o.p.planes
        place, total = Signal(range(lanes)), Signal(range(2 * lanes))
        full, over, ended = Signal(), Signal(), Signal()
        turned = tile
        for n in range(len(place)):
            step_by = (1 << n) % lanes
            turned = Mux(place[n], Cat(turned[lanes - step_by:], turned[:lanes - step_by]), turned)
        above = ~exceeds_each(place, lanes)
        word = Signal(lanes)
        m.d.comb += [
            total.eq(place + pixels), full.eq(total >= lanes), over.eq(total > lanes),
            ended.eq(final & ~over), word.eq(parts[0] | (turned & above)),
        ]
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(step):
            m.d.sync += [part.eq(after) for part, after in zip(parts, parts[1:], strict=False)]
            m.d.sync += parts[-1].eq(Mux(ended, 0, Mux(full, turned & ~above, word)))
            for p in range(depth):
                after = word if p == depth - 1 else made[(p + 1) * lanes:(p + 2) * lanes]
                m.d.sync += made[p * lanes:(p + 1) * lanes].eq(after)
            with m.If(last_plane):
                m.d.sync += [
                    self.o.valid.eq(full | final), self.o.p.last.eq(ended),
                    place.eq(Mux(ended, 0, Mux(full, total - lanes, total))),
                ]
        with m.If(self.clear):
            m.d.sync += [self.o.valid.eq(0), place.eq(0), *(part.eq(0) for part in parts)]
        return over
