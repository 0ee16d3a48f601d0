"""Q kernels at all places of a window, and the greatest sum of each."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...hw.datapath.array import product_columns
from ...hw.datapath.compressor import cuts, pipelined_sum
from ...hw.parts.pipeline import delayed
from . import Sizes

__all__ = ["Greatest", "KernelSum"]


class KernelSum(wiring.Component):
    """The sum of taps times pixels, plus a constant, `latency` cycles later; a sum a cycle.

    All planes are in the same columns of bits. What `product_columns` adds is left in, as sums that
    are compared have it alike.

    Members
    -------
    pixels, trits : of each tap p bits, and the top two bits of its counter.
    sum : unsigned, by `excess` too large.
    """

    #: As of `hw.datapath.array.MacBank`.
    RUN = 5
    DEPTH = 2

    def __init__(self, taps: int, planes: int):
        self.taps, self.planes = taps, planes
        runs = -(-taps // self.RUN)
        # The more zeros the constant ends with, the less there is to subtract.
        self.ones = max(range(runs + 1), key=lambda n: (taps + n) & -(taps + n))
        self.excess = (taps + self.ones) * ((1 << planes) - 1)
        heights = [(runs if n < planes else 0) + (taps if n else 0) for n in range(planes + 1)]
        self.latency = len(cuts(heights, self.DEPTH))
        super().__init__({
            "pixels": In(taps * planes),
            "trits": In(2 * taps),
            "sum": Out(range(self.excess + taps * ((1 << planes) - 1) + 1)),
        })

    def elaborate(self, platform):
        m = Module()
        columns = [[] for _ in range(self.planes + 1)]
        for n in range(self.planes):
            m.submodules[f"plane{n}"] = plane = Module()
            bits = Cat(self.pixels[n::self.planes])
            for weight, made in enumerate(product_columns(plane, bits, self.trits, self.RUN,
                                                          self.ones), n):
                columns[weight] += made
        m.d.comb += self.sum.eq(pipelined_sum(m, columns, self.DEPTH))
        return m


class Greatest(wiring.Component):
    """Of Q kernels a cycle the greatest sum in a window, its place, and what becomes of it.

    Places go row by row; of equal sums the first one counts. Latency: `latency` cycles.

    Members
    -------
    window : see `WindowWalk`.
    trits : of each kernel its taps' trits, one cycle after the window that they are for.
    shift : of sums; static.
    h, gate, place : of each kernel clip(sum >> shift, 0, 2^n - 1), whether nothing was clipped,
        and the number of the sum's place.
    """

    def __init__(self, sizes: Sizes):
        self.sizes = sizes
        self.sums = [[KernelSum(sizes.taps, sizes.planes) for _ in range(sizes.places)]
                     for _ in range(sizes.at_once)]
        #: One to choose the pixels, one behind the sums, one for each level of comparisons and one
        #: to clip.
        self.latency = 3 + self.sums[0][0].latency + (sizes.places - 1).bit_length()
        super().__init__({
            "window": In(sizes.side * sizes.line_bits),
            "trits": In(data.ArrayLayout(2 * sizes.taps, sizes.at_once)),
            "shift": In(4),
            "h": Out(data.ArrayLayout(sizes.bits, sizes.at_once)),
            "gate": Out(sizes.at_once),
            "place": Out(data.ArrayLayout(sizes.place_bits, sizes.at_once)),
        })

    def elaborate(self, platform):
        m = Module()
        seen = [delayed(m, patch, 1, f"patch{n}", reset_less=True)[1]
                for n, patch in enumerate(patches(self.window, self.sizes))]
        for q, places in enumerate(self.sums):
            found = []
            for n, kernel in enumerate(places):
                m.submodules[f"sum{q}_{n}"] = kernel
                m.d.comb += [kernel.pixels.eq(seen[n]),
                             kernel.trits.eq(self.trits[q])]
                total = delayed(m, kernel.sum, 1, f"total{q}_{n}", reset_less=True)[1]
                found.append((total, Const(n, self.sizes.place_bits)))
            best, place = self._first_greatest(m, q, found)
            self._clip(m, q, best, place, places[0].excess)
        return m

    def _first_greatest(self, m, q, found):
        """Of sums and their places, neighbours compared, a level a cycle."""
        level = 0
        while len(found) > 1:
            made = []
            for n in range(0, len(found), 2):
                (sum, place), *other = found[n:n + 2]
                best = Signal.like(found[0][0], name=f"best{q}_{level}_{n}", reset_less=True)
                where = Signal(self.sizes.place_bits, name=f"where{q}_{level}_{n}",
                               reset_less=True)
                if other:
                    (second, behind), = other
                    greater = second > sum
                    sum, place = Mux(greater, second, sum), Mux(greater, behind, place)
                m.d.sync += [best.eq(sum), where.eq(place)]
                made.append((best, where))
            found, level = made, level + 1
        return found[0]

    def _clip(self, m, q, best, place, excess):
        bits = self.sizes.bits
        value = Signal(signed(len(best) + 1), name=f"value{q}")
        over = Signal(name=f"over{q}")
        m.d.comb += [
            value.eq((best - excess) >> self.shift),
            over.eq(value >= 1 << bits),
        ]
        m.d.sync += [
            self.h[q].eq(Mux(value < 0, 0, value[:bits] | over.replicate(bits))),
            self.gate[q].eq((value >= 0) & ~over),
            self.place[q].eq(place),
        ]


def patches(window: Value, sizes: Sizes) -> list[Value]:
    """The pixels below a kernel at each place of a window, row by row; by channel, row, column."""
    side, kernel, planes = sizes.side, sizes.kernel, sizes.planes
    return [Cat(window[(y + i) * sizes.line_bits + (c * side + u) * planes:][:kernel * planes]
                for c in range(sizes.channels) for i in range(kernel))
            for y in range(sizes.pool) for u in range(sizes.pool)]
