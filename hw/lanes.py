"""Lanes of the update unit (step, saturating add, reload on a flip) and of the backward pass."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..model.config import CoreConfig

__all__ = ["BackwardLane", "StepLane", "UpdateLane"]


class StepLane(wiring.Component):
    """How far an error of +1 moves a counter: ``x << gain``, or dithered ``x >> -gain``.

    Combinational. A step of 2^b - 1 saturates any counter, so larger ones are given as that.

    Members
    -------
    x : input activation.
    gain : exponent, -15 to b - 2.
    dither : random word XORed with the input's position; used where the gain is negative.
    step : magnitude, b bits.
    """

    #: Most places a step is shifted right, and bits of dither.
    MAX_SHIFT = 15

    def __init__(self, config: CoreConfig):
        self.config = config
        super().__init__({
            "x": In(config.word_bits),
            "gain": In(signed(5)),
            "dither": In(self.MAX_SHIFT),
            "step": Out(config.counter_bits),
        })

    def elaborate(self, platform):
        m = Module()
        bits, inputs = self.config.counter_bits, self.config.word_bits
        wide = Signal(inputs + bits - 2)
        with m.If(self.gain < 0):
            amount = Signal(4)
            mask = Signal(self.MAX_SHIFT)
            dithered = Signal(max(inputs, self.MAX_SHIFT) + 1)
            m.d.comb += [
                amount.eq(-self.gain),
                mask.eq((1 << amount) - 1),
                dithered.eq(self.x + (self.dither & mask)),
                wide.eq(dithered >> amount),
            ]
        with m.Else():
            m.d.comb += wide.eq(self.x << self.gain[:4])
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
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        low = config.residual_bits
        super().__init__({
            "trit": In(2),
            "residual": In(low),
            "step": In(config.counter_bits),
            "negative": In(1),
            "new_trit": Out(2),
            "new_residual": Out(low),
            "flip": Out(1),
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


class BackwardLane(wiring.Component):
    """Sums trits times row errors, and says the sum's sign.

    Latency: a cycle. A row a cycle.

    Members
    -------
    trit : two-bit trit of the row.
    active, first, negative : a row is there; it is the sum's first; its error is -1.
    gate : gate bit of the input, with the cycle after the sum's last row.
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
        })

    def elaborate(self, platform):
        m = Module()
        total = Signal(signed(self.config.max_neurons.bit_length() + 1))
        one = self.trit[0] ^ self.trit[1]
        down = self.trit[1] ^ self.negative
        term = Cat(one, one & down).as_signed()
        with m.If(self.active):
            m.d.sync += total.eq(Mux(self.first, 0, total) + term)
        m.d.comb += self.error.eq(Cat(self.gate & total.any(), self.gate & total[-1]))
        return m
