"""Lanes of the update unit (step, saturating add, reload on a flip) and of the backward pass."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...model.config import MAX_SKIP, CoreConfig
from ...units.registry import takes
from ..parts.sockets import BEGIN

__all__ = ["BackwardLane", "DebtLane", "StepLane", "StepPlan", "UpdateLane"]


class StepPlan(wiring.Component):
    """What all step lanes share: the places to shift by, and the dither of each lane.

    A dithered ``(x + r) >> s`` needs no adder of s bits, as x has only P (planes of the widest
    word): the low P bits of r are added to x, and the carry counts further up only where all other
    bits of r are set. Combinational.

    Members
    -------
    gain : exponent, -15 to b - 2.
    draw : random word of the row; used where the gain is negative.
    position : input of lane 0, a multiple of U.
    places : one bit set, n: the step is ``sum << n >> P``; P + b - 1 bits.
    low : P bits of dither a lane, 0 where the gain is not negative.
    carry : a bit a lane: a carry out of the lane's P bits reaches the step.
    """

    #: Most places a step is shifted right, and bits of dither.
    MAX_SHIFT = 15

    def __init__(self, config: CoreConfig):
        self.config = config
        planes = config.word_bits
        super().__init__({
            "gain": In(signed(5)),
            "draw": In(16),
            "position": In(range(config.max_words * config.lanes)),
            "places": Out(planes + config.counter_bits - 1),
            "low": Out(data.ArrayLayout(planes, config.update_lanes)),
            "carry": Out(config.update_lanes),
        })

    def elaborate(self, platform):
        m = Module()
        planes, lanes = self.config.word_bits, self.config.update_lanes
        mask = Signal(self.MAX_SHIFT)
        with m.If(self.gain < 0):
            m.d.comb += mask.eq((1 << (-self.gain)[:4]) - 1)
        m.d.comb += self.places[0].eq(self.gain <= -planes)
        for n in range(1, len(self.places)):
            m.d.comb += self.places[n].eq(self.gain == n - planes)

        # Inputs of a cycle differ in their low bits and a carry; what is above is made only once
        # for each number of carries.
        position = Signal(self.MAX_SHIFT)
        m.d.comb += position.eq(self.position)
        above = []
        for n in range(((lanes - 1) >> planes) + 2):
            reaches = Signal(name=f"reaches{n}")
            upper = (position[planes:] + n)[:self.MAX_SHIFT - planes]
            m.d.comb += reaches.eq(((self.draw[planes:self.MAX_SHIFT] ^ upper)
                                    | ~mask[planes:]).all())
            above.append(reaches)
        aligned = lanes & (lanes - 1) == 0
        for n in range(lanes):
            lane_low = n & ((1 << planes) - 1)
            near = Signal(planes + 1, name=f"near{n}")
            m.d.comb += [
                near.eq(position[:planes] | lane_low if aligned
                        else position[:planes] + lane_low),
                self.low[n].eq((self.draw ^ near) & mask[:planes]),
                self.carry[n].eq(Mux(near[planes], above[(n >> planes) + 1],
                                     above[n >> planes])),
            ]
        return m


class StepLane(wiring.Component):
    """How far an error of +1 moves a counter: ``x << gain``, or dithered ``x >> -gain``.

    Combinational. A step of 2^b - 1 saturates any counter, so larger ones are given as that.

    Members
    -------
    x : input activation.
    places, low, carry : of this lane, see `StepPlan`.
    step : magnitude, b bits.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        planes = config.word_bits
        super().__init__({
            "x": In(planes),
            "places": In(planes + config.counter_bits - 1),
            "low": In(planes),
            "carry": In(1),
            "step": Out(config.counter_bits),
        })

    def elaborate(self, platform):
        m = Module()
        bits, planes = self.config.counter_bits, self.config.word_bits
        total = Signal(planes + 1)
        term = Signal(planes + 1)
        wide = Signal(planes + bits - 2)
        m.d.comb += [
            total.eq(self.x + self.low),
            term.eq(Cat(total[:planes], total[planes] & self.carry)),
        ]
        # The places are known a bit each, so an output bit is an OR of the sum's bits, no shifter.
        for n in range(len(wide)):
            m.d.comb += wide[n].eq(Cat(
                term[i] & self.places[n + planes - i] for i in range(planes + 1)
                if 0 <= n + planes - i < len(self.places)).any())
        m.d.comb += self.step.eq(wide | wide[bits:].any().replicate(bits))
        return m


class UpdateLane(wiring.Component):
    """Adds a step to a counter, saturates, and reloads the residual where the trit changed.

    Combinational.

    Members
    -------
    trit, residual : the counter: its top two bits and the others.
    step, negative : how far it moves, and whether down.
    new_trit, new_residual : the counter after.
    flip : whether the trit changed; a move between 00 and 11 is no change.
    saturated : whether the sum was out of range; where a unit follows changes.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        low = config.residual_bits
        traced = {"saturated": Out(1)} if takes(config, "changes") else {}
        super().__init__({
            "trit": In(2),
            "residual": In(low),
            "step": In(config.counter_bits),
            "negative": In(1),
            "new_trit": Out(2),
            "new_residual": Out(low),
            "flip": Out(1),
            **traced,
        })

    def elaborate(self, platform):
        m = Module()
        bits, low = self.config.counter_bits, self.config.residual_bits
        up_residual = Const(0b11 << (low - 2), low)
        down_residual = Const((1 << (low - 2)) - 1, low)

        total = Signal(signed(bits + 2))
        moved = Signal(bits)
        counter = Cat(self.residual, self.trit).as_signed()
        m.d.comb += total.eq(counter + (self.step ^ self.negative.replicate(bits + 1)).as_signed()
                             + self.negative)
        # In range where the bits above agree with the sign; otherwise the largest of that sign.
        with m.If((total[bits - 1] == total[-1]) & (total[bits] == total[-1])):
            m.d.comb += moved.eq(total)
        with m.Else():
            m.d.comb += moved.eq(Cat((~total[-1]).replicate(bits - 1), total[-1]))
            if takes(self.config, "changes"):
                m.d.comb += self.saturated.eq(1)

        def is_nonzero(trit):
            return trit[0] ^ trit[1]

        new_trit = moved[low:]
        m.d.comb += [
            self.new_trit.eq(new_trit),
            self.flip.eq((is_nonzero(self.trit) | is_nonzero(new_trit))
                         & (self.trit != new_trit)),
            self.new_residual.eq(Mux(self.flip, Mux(self.negative, down_residual, up_residual),
                                     moved)),
        ]
        return m


class DebtLane(wiring.Component):
    """Holds a trit that would change while its row has a debt, and pays with the change.

    Combinational. A held counter stops one short of the change. From lane to lane the debt is a
    function of four bits.

    Members
    -------
    debt, rest : what is to be left out of the row's changes, before and after this one: 0, 1 or 2.
    flip, negative, trit, new_trit, new_residual : of the lane's counter, see `UpdateLane`.
    held_trit, held_residual : the counter after.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        super().__init__({
            "debt": In(2),
            "rest": Out(2),
            "flip": In(1),
            "negative": In(1),
            "trit": In(2),
            "new_trit": In(2),
            "new_residual": In(config.residual_bits),
            "held_trit": Out(2),
            "held_residual": Out(config.residual_bits),
        })

    def elaborate(self, platform):
        m = Module()
        # Up by one or down by two is a change of 1 mod 3, else it is one of 2.
        by_two, one = Signal(), Signal()
        nonzero = self.trit[0] ^ self.trit[1]
        m.d.comb += [
            by_two.eq(nonzero & (self.new_trit[0] ^ self.new_trit[1])),
            one.eq(self.negative == by_two),
            self.rest.eq(Mux(self.flip, Cat(one & self.debt[1], ~one & self.debt[0]), self.debt)),
            self.held_trit.eq(self.new_trit),
            self.held_residual.eq(self.new_residual),
        ]
        with m.If(self.flip & self.debt.any()):
            m.d.comb += [
                self.held_trit.eq(Mux(nonzero, self.trit, self.negative.replicate(2))),
                self.held_residual.eq((~self.negative).replicate(self.config.residual_bits)),
            ]
        return m


class BackwardLane(wiring.Component):
    """Sums trits times row errors, and says the sum's sign.

    Latency: a cycle. A row a cycle.

    Members
    -------
    trit : two-bit trit of the row.
    active, first, negative : a row is there; it is the sum's first; its error is -1.
    gate : gate bit of the input, with the cycle after the sum's last row.
    begin : with `first`, what the sum begins with, where a unit says so (`SumBegins`).
    error : sign of the sum, two bits (01 is +1, 11 is -1), 0 where the gate bit is 0.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        super().__init__({
            "trit": In(2),
            "active": In(1),
            "first": In(1),
            "negative": In(1),
            "gate": In(1),
            "error": Out(2),
            **({"begin": In(BEGIN)} if takes(config, "begins") else {}),
        })

    def elaborate(self, platform):
        m = Module()
        begin, most = Const(0), self.config.max_neurons
        if takes(self.config, "begins"):
            begin, most = self.begin, most + (1 << MAX_SKIP)
        total = Signal(signed(most.bit_length() + 1))
        one = self.trit[0] ^ self.trit[1]
        down = self.trit[1] ^ self.negative
        term = Cat(one, one & down).as_signed()
        with m.If(self.active):
            m.d.sync += total.eq(Mux(self.first, begin, total) + term)
        m.d.comb += self.error.eq(Cat(self.gate & total.any(), self.gate & total[-1]))
        return m
