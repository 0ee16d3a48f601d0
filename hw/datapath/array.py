"""The MAC array: R banks of L lanes, one plane of one activation word a cycle."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...model.config import CoreConfig, ceil_div
from ..parts.pipeline import delayed, words_delay
from .compressor import Columns, cuts, pipelined_sum

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
    #: Levels of `hw.datapath.compressor` between registers.
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
    """R banks side by side, and a second register of each sum: those drain one or two sums a cycle.

    A row group's sums leave on `z` while the next group's are made. Timing, from the cycle in which
    a group's last plane's `x` is there: the first `z` comes `latency` cycles later. A group's last
    plane may follow the one before by as many cycles as that group takes to drain, two at least
    unless R is 1. In a pipelined core each group of banks works later than the one behind it (see
    `hw.parts.pipeline`).

    Members
    -------
    x, words : a plane of activation bits, and a T word of each bank; `words_delay` cycles later.
    active, last, plane : valid with `x`.
    rows : rows of this group that exist, 1 to R; valid with `last`.
    room : a group whose last plane's T address is set in this cycle will find the drain empty.
    busy : planes or sums are under way.
    z, z_valid : sums of a group, ascending rows, no back-pressure.

    Where two sums leave a cycle:

    single : only one is to leave; valid with `last`.
    z_next : the sum after `z`, if the group has it.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        self.banks = [MacBank(config) for _ in range(config.banks)]
        #: Cycles by which the first banks are behind.
        self.behind = words_delay(config, 0)
        self.latency = self.banks[0].sum_delay + 1 + self.behind
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
            **({"single": In(1), "z_next": Out(signed(config.score_bits))}
               if config.drain == 2 else {}),
        })

    def elaborate(self, platform):
        m = Module()
        banks, timing, behind = self.banks, self.banks[0], self.behind
        ends = self.active & self.last
        xs = delayed(m, self.x, behind, "x", reset_less=True)
        planes = delayed(m, self.plane, timing.plane_delay + behind, "plane")
        actives = delayed(m, self.active, timing.sum_delay + behind, "active")
        lasts = delayed(m, ends, timing.sum_delay + behind, "last")

        # Cycles that the drain still takes, `sum_delay` cycles ahead of it.
        left = Signal(range(len(banks) + 1))
        takes = self.rows
        if self.config.drain == 2:
            takes = Mux(self.single, self.rows, (self.rows + 1) >> 1)
        if len(banks) == 1:
            m.d.sync += left.eq(ends)
        else:
            with m.If(ends):
                m.d.sync += left.eq(takes)
            with m.Elif(left.any()):
                m.d.sync += left.eq(left - 1)
        leaving = delayed(m, left.any(), timing.sum_delay + behind, "leaving")
        m.d.comb += [
            self.room.eq((~ends & (left <= 2)) if len(banks) > 1 else 1),
            self.busy.eq(self.active | Cat(leaving).any()),
            self.z_valid.eq(leaving[-1]),
        ]

        for n, bank in enumerate(banks):
            m.submodules[f"bank{n}"] = bank
            delay = words_delay(self.config, n)
            m.d.comb += [
                bank.x.eq(xs[delay]),
                bank.trits.eq(self.words[n]),
                bank.plane.eq(planes[timing.plane_delay + delay]),
                bank.active.eq(actives[timing.sum_delay + delay]),
                bank.last.eq(lasts[timing.sum_delay + delay]),
            ]
        if len(banks) == 1:
            m.d.comb += self.z.eq(timing.total)
        else:
            self._drain(m, lasts, ends, left)
        return m

    def _drain(self, m, lasts, ends, left):
        """Shift registers of sums, each from its last bank to the first; one of them or two."""
        config, wide = self.config, self.config.drain
        ahead = self.banks[0].sum_delay
        drain = [Signal.like(self.z, name=f"drain{n}", reset_less=True)
                 for n in range(config.banks)]
        if wide == 2:
            # Where one leaves a cycle, the drains stand still for the even row and move after
            # the odd one.
            single, odd = Signal(), Signal()
            m.d.sync += odd.eq(~ends & left.any() & ~odd)
            with m.If(ends):
                m.d.sync += single.eq(self.single)
            stands = delayed(m, single & ~odd, ahead + self.behind, "stands")
            second = delayed(m, single & odd, ahead + self.behind, "second")[-1]
        for n, bank in enumerate(self.banks):
            delay = words_delay(config, n)
            following = drain[n + wide] if n + wide < config.banks else Const(0)
            if n + wide < config.banks and words_delay(config, n + wide) != delay:
                _, following = delayed(m, following, 1, f"handed{n}", reset_less=True)
            last = lasts[ahead + delay]
            moves = last | ~stands[ahead + delay] if wide == 2 else 1
            with m.If(moves):
                m.d.sync += drain[n].eq(Mux(last, bank.sum, following))
        m.d.comb += self.z.eq(drain[0])
        if wide == 2:
            m.d.comb += [self.z.eq(Mux(second, drain[1], drain[0])), self.z_next.eq(drain[1])]
