"""The MAC array: R banks of L lanes, one plane of one activation word a cycle."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..model.config import CoreConfig, ceil_div
from .columns import Columns, last_sum, levels, reduce_level

__all__ = ["MacArray", "MacBank"]


class MacBank(wiring.Component):
    """L trits times L activation bits, counted, shifted by the plane's weight and summed.

    A lane adds its product, -1, 0 or 1, and a one to the bit that the lane before left over. Of
    the 0 to 3, one bit is left over for the lane after and a carry of weight 2 goes to the sum: a
    LUT of four inputs each. The columns of carries and of bits left over after `RUN` lanes are
    summed by `hw.columns`; then the lanes' ones are subtracted.

    Takes a plane a cycle. No back-pressure.

    Members
    -------
    x : L activation bits of a plane.
    trits : L two-bit trits, valid with `x`.
    plane : `plane_delay` cycles after `x`: its weight is 2^plane.
    active, last : `sum_delay` cycles after `x`: a plane was there; it was a sum's last.
    sum : with `active`: the sum up to this plane, signed, exact; for a drain that takes it with
        `last`.
    total : the same one cycle later. A lone bank has no drain and keeps it until the next plane
        comes; others are 0 after a sum's last plane, as a reset costs no LUT.
    """

    #: Lanes that pass a bit on within a cycle.
    RUN = 4
    #: Levels of `hw.columns` between registers.
    DEPTH = 2

    def __init__(self, config: CoreConfig):
        self.config = config
        lanes, runs = config.lanes, ceil_div(config.lanes, self.RUN)
        # A run's first lane may add to a one. The less bits the sum of all ones has above its
        # zeros, the less is to be subtracted.
        ones = max(range(runs + 1), key=lambda n: (lanes + n) & -(lanes + n))
        self.ones, self.excess = ones, lanes + ones
        self.levels = levels([runs, lanes])
        # The last addition has a register behind it: the difference's.
        self.cuts = [n for n in range(0, self.levels + 1, self.DEPTH)
                     if not n or n + self.DEPTH <= self.levels]
        self.plane_delay = len(self.cuts) + 1
        self.sum_delay = self.plane_delay + (config.word_bits > 1)
        super().__init__({
            "x": In(lanes),
            "trits": In(2 * lanes),
            "plane": In(range(config.word_bits)),
            "active": In(1),
            "last": In(1),
            "sum": Out(signed(config.score_bits)),
            "total": Out(signed(config.score_bits)),
        })

    def elaborate(self, platform):
        m = Module()
        config = self.config
        columns = self._lanes(m)
        for level in range(self.levels + 1):
            if level in self.cuts:
                columns = self._register(m, columns)
            if level < self.levels:
                columns = reduce_level(m, columns)

        count = Signal(range(config.lanes + self.excess + 1))
        zeros = (self.excess & -self.excess).bit_length() - 1
        difference = Signal(signed(config.lanes.bit_length() + 1), reset_less=True)
        m.d.comb += count.eq(last_sum(columns))
        m.d.sync += difference.eq(Cat(count[:zeros], count[zeros:] - (self.excess >> zeros)))
        if config.word_bits > 1:
            shifted = Signal.like(self.sum, reset_less=True)
            m.d.sync += shifted.eq(difference << self.plane)
        else:
            shifted = difference

        restart = Signal(init=1)
        m.d.comb += self.sum.eq(self.total + shifted)
        with m.If(self.active):
            if config.banks == 1:
                m.d.sync += [restart.eq(self.last), self.total.eq(Mux(restart, shifted, self.sum))]
            else:
                m.d.sync += self.total.eq(Mux(self.last, 0, self.sum))
        return m

    def _lanes(self, m: Module) -> Columns:
        """Bits left over, and carries, of all lanes."""
        left, carries = [], []
        for run, first in enumerate(range(0, self.config.lanes, self.RUN)):
            over = Const(int(run < self.ones), 1)
            for n in range(first, min(first + self.RUN, self.config.lanes)):
                # The top two counter bits: 01 is +1, 10 is -1.
                low, high = self.trits[2 * n], self.trits[2 * n + 1]
                product = Signal(name=f"product{n}")
                carry = Signal(name=f"carry{n}")
                following = Signal(name=f"over{n}")
                m.d.comb += [
                    product.eq(self.x[n] & (low ^ high)),
                    carry.eq(Mux(product, low, over)),
                    following.eq(over ^ ~product),
                ]
                carries.append(carry)
                over = following
            left.append(over)
        return [left, carries]

    @staticmethod
    def _register(m: Module, columns: Columns) -> Columns:
        """The bits one cycle later. They need no reset: `active` says when they count."""
        delayed = []
        for column in columns:
            register = Signal(len(column), reset_less=True)
            m.d.sync += register.eq(Cat(column))
            delayed.append(list(register))
        return delayed


class MacArray(wiring.Component):
    """R banks side by side, and a second register of each sum: those drain one sum a cycle.

    A row group's sums leave on `z` while the next group's are made. Timing, from the cycle in which
    a group's last plane's `x` and `words` are there: the first `z` comes `latency` cycles later.
    A group's last plane may follow the one before by as many cycles as that group has rows, two at
    least unless R is 1.

    Members
    -------
    x, words : a plane of activation bits, and a T word of each bank; the same cycle.
    active, last, plane : valid with `x`.
    first : a group's first plane. Sums end with `last`, so that nothing depends on it.
    rows : rows of this group that exist, 1 to R; valid with `last`.
    room : a group whose last plane's T address is set in this cycle will find the drain empty.
    busy : planes or sums are under way.
    z, z_valid : sums of a group, ascending rows, no back-pressure.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        self.banks = [MacBank(config) for _ in range(config.banks)]
        self.latency = self.banks[0].sum_delay + 1
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
        banks, timing = self.banks, self.banks[0]
        ends = self.active & self.last
        plane = self._delayed(m, self.plane, timing.plane_delay)[-1]
        active = self._delayed(m, self.active, timing.sum_delay)[-1]
        last = self._delayed(m, ends, timing.sum_delay)[-1]

        # Sums that are still to leave the drain, `sum_delay` cycles ahead of it.
        left = Signal(range(len(banks) + 1))
        with m.If(ends):
            m.d.sync += left.eq(self.rows)
        with m.Elif(left.any()):
            m.d.sync += left.eq(left - 1)
        leaving = self._delayed(m, left.any(), timing.sum_delay)
        m.d.comb += [
            self.room.eq((~ends & (left <= 2)) if len(banks) > 1 else 1),
            self.busy.eq(self.active | Cat(leaving).any()),
            self.z_valid.eq(leaving[-1]),
        ]

        for n, bank in enumerate(banks):
            m.submodules[f"bank{n}"] = bank
            m.d.comb += [
                bank.x.eq(self.x),
                bank.trits.eq(self.words[n]),
                bank.plane.eq(plane),
                bank.active.eq(active),
                bank.last.eq(last),
            ]
        if len(banks) == 1:
            m.d.comb += self.z.eq(timing.total)
        else:
            drain = [Signal.like(self.z, name=f"drain{n}", reset_less=True)
                     for n in range(len(banks))]
            for register, following, bank in zip(drain, [*drain[1:], 0], banks, strict=True):
                m.d.sync += register.eq(Mux(last, bank.sum, following))
            m.d.comb += self.z.eq(drain[0])
        return m

    @staticmethod
    def _delayed(m: Module, value: Value, cycles: int) -> list[Value]:
        """The value in this cycle and as it was up to so many cycles before."""
        values = [value]
        for _ in range(cycles):
            values.append(Signal.like(value))
            m.d.sync += values[-1].eq(values[-2])
        return values
