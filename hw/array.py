"""The MAC array: R banks of L lanes, one plane of one activation word a cycle."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..model.config import CoreConfig
from .arith import popcount

__all__ = ["MacArray", "MacBank"]


class MacBank(wiring.Component):
    """L trits times L activation bits, counted, shifted by the plane's weight and summed.

    Latency: `total` holds a sum two cycles after its last plane came with `words`; a plane a cycle.

    Members
    -------
    x : L activation bits of a plane.
    trits : L two-bit trits, valid with `x`.
    active, first, plane : one cycle after `x`: a plane was there; it was a sum's first; its weight
        is 2^plane.
    total : the sum, signed, exact.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        super().__init__({
            "x": In(config.lanes),
            "trits": In(2 * config.lanes),
            "active": In(1),
            "first": In(1),
            "plane": In(range(config.word_bits)),
            "total": Out(signed(config.score_bits)),
        })

    def elaborate(self, platform):
        m = Module()
        # The top two counter bits: 01 is +1, 10 is -1.
        low, high = self.trits[0::2], self.trits[1::2]
        plus = Signal(self.config.lanes)
        minus = Signal(self.config.lanes)
        difference = Signal(signed(self.config.lanes.bit_length() + 1))
        m.d.comb += [plus.eq(self.x & low & ~high), minus.eq(self.x & high & ~low)]
        m.d.sync += difference.eq(popcount(plus) - popcount(minus))

        base = Signal.like(self.total)
        m.d.comb += base.eq(Mux(self.first, 0, self.total))
        with m.If(self.active):
            m.d.sync += self.total.eq(base + (difference << self.plane))
        return m


class MacArray(wiring.Component):
    """R banks side by side, and the double of their accumulators that drains one sum a cycle.

    A row group's sums leave on `z` while the next group's are made. Timing, from the cycle in which
    a plane's `x` and `words` are there: sum complete two cycles later, loaded into the drain at the
    end of the third, first `z` in the fourth.

    Members
    -------
    x, words : a plane of activation bits, and a T word of each bank; the same cycle.
    active, first, last, plane : valid with `x`.
    rows : rows of this group that exist, 1 to R; valid with `last`.
    room : a group whose last plane's T address is set in this cycle will find the drain empty.
    busy : planes or sums are under way.
    z, z_valid : sums of a group, ascending rows, no back-pressure.
    """

    #: Cycles from a plane's address to its sum's load into the drain.
    LOAD_LATENCY = 4

    def __init__(self, config: CoreConfig):
        self.config = config
        super().__init__({
            "x": In(config.lanes),
            "words": In(data.ArrayLayout(2 * config.lanes, config.banks)),
            "active": In(1),
            "first": In(1),
            "last": In(1),
            "plane": In(range(config.word_bits)),
            "rows": In(range(config.banks + 1)),
            "room": Out(1),
            "busy": Out(1),
            "z": Out(signed(config.score_bits)),
            "z_valid": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        config = self.config
        active, first, last = Signal(), Signal(), Signal()
        load = Signal()
        plane = Signal.like(self.plane)
        rows, load_rows = Signal.like(self.rows), Signal.like(self.rows)
        m.d.sync += [
            active.eq(self.active), first.eq(self.first), last.eq(self.active & self.last),
            plane.eq(self.plane), rows.eq(self.rows),
            load.eq(last), load_rows.eq(rows),
        ]
        drain = Array(Signal(signed(config.score_bits), name=f"drain{n}")
                      for n in range(config.banks))
        left = Signal(range(config.banks + 1))
        for n in range(config.banks):
            m.submodules[f"bank{n}"] = bank = MacBank(config)
            m.d.comb += [
                bank.x.eq(self.x),
                bank.trits.eq(self.words[n]),
                bank.active.eq(active),
                bank.first.eq(first),
                bank.plane.eq(plane),
            ]
            following = drain[n + 1] if n + 1 < config.banks else 0
            m.d.sync += drain[n].eq(Mux(load, bank.total, following))
        with m.If(load):
            m.d.sync += left.eq(load_rows)
        with m.Elif(left.any()):
            m.d.sync += left.eq(left - 1)

        pending = Signal()  # a last plane is between its address and the drain
        m.d.comb += [
            self.z.eq(drain[0]),
            self.z_valid.eq(left.any()),
            pending.eq((self.active & self.last) | last | load),
            self.room.eq(~pending & (left <= self.LOAD_LATENCY)),
            self.busy.eq(self.active | active | load | left.any()),
        ]
        return m
