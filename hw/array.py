"""The MAC array: R banks of L lanes, one plane of one activation word a cycle."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..model.config import CoreConfig, ceil_div
from .columns import Columns, cuts, pipelined_sum

__all__ = ["MacArray", "MacBank", "product_columns"]


def product_columns(m: Module, x: Value, trits: Value, run: int, ones: int) -> Columns:
    """Bits whose sum is that of the products of L bits and L trits, plus L, plus `ones`.

    A lane adds its product and a one, 0 to 2, to the bit that the lane before left over. Of the sum
    one bit is left over for the lane after, and a carry of weight 2 goes to the columns: a LUT of
    four inputs each.

    Parameters
    ----------
    x
        Activation bits.
    trits
        Two bits each, the top two of a counter: 01 is 1, 10 is -1, others are 0.
    run
        Lanes that pass a bit on, one after the other; a LUT of delay each.
    ones
        Runs that begin with a one instead of a zero.
    """
    left, carries = [], []
    for number, begin in enumerate(range(0, len(x), run)):
        over = Const(int(number < ones), 1)
        for n in range(begin, min(begin + run, len(x))):
            low, high = trits[2 * n], trits[2 * n + 1]
            product = Signal(name=f"product{n}")
            carry = Signal(name=f"carry{n}")
            following = Signal(name=f"over{n}")
            m.d.comb += [
                product.eq(x[n] & (low ^ high)),
                carry.eq(Mux(product, low, over)),
                following.eq(over ^ ~product),
            ]
            carries.append(carry)
            over = following
        left.append(over)
    return [left, carries]


class MacBank(wiring.Component):
    """L trits times L activation bits, counted, shifted by the plane's weight and summed.

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
    RUN = 5
    #: Levels of `hw.columns` between registers.
    DEPTH = 2

    def __init__(self, config: CoreConfig):
        self.config = config
        lanes, runs = config.lanes, ceil_div(config.lanes, self.RUN)
        # A run's first lane may add to a one. The less bits the sum of all ones has above its
        # zeros, the less is to be subtracted.
        ones = max(range(runs + 1), key=lambda n: (lanes + n) & -(lanes + n))
        self.ones, self.excess = ones, lanes + ones
        self.plane_delay = len(cuts([runs, lanes], self.DEPTH)) + 1
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
        count = Signal(range(config.lanes + self.excess + 1))
        columns = product_columns(m, self.x, self.trits, self.RUN, self.ones)
        m.d.comb += count.eq(pipelined_sum(m, columns, self.DEPTH))
        zeros = (self.excess & -self.excess).bit_length() - 1
        difference = Signal(signed(config.lanes.bit_length() + 1), reset_less=True)
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
        if len(banks) == 1:
            m.d.sync += left.eq(ends)
        else:
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
