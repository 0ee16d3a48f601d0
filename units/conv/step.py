"""The step of a tap's counter."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["TapStep"]


class TapStep(wiring.Component):
    """A dithered, saturating step of a counter, with hysteresis; one a cycle.

    Latency: `LATENCY` cycles.

    Members
    -------
    sum : what the errors ask of the tap, signed. counter : as it is.
    tap, draw : its number in the kernel, which the draw of 16 bits is XORed with.
    right : by how many bits the sum is shifted, 0 to 15: minus the gain exponent; static.
    following : the counter as it becomes, and `flips`, whether its trit changes.
    """

    LATENCY = 3

    def __init__(self, bits: int, sum_bits: int, taps: int):
        super().__init__({
            "sum": In(signed(sum_bits)),
            "counter": In(signed(bits)),
            "tap": In(range(taps)),
            "draw": In(16),
            "right": In(4),
            "following": Out(signed(bits)),
            "flips": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        bits, sum_bits = len(self.counter), len(self.sum)
        cell = 1 << (bits - 2)

        # Stage 1: the step. A sum of 0 makes none, though the dither alone could.
        size, dither = Signal(sum_bits), Signal(16)
        step, negative = Signal(sum_bits), Signal()
        counter = Signal(signed(bits))
        m.d.comb += [
            size.eq(Mux(self.sum < 0, -self.sum, self.sum)),
            dither.eq((self.draw ^ self.tap) & ((1 << self.right) - 1)),
        ]
        m.d.sync += [
            step.eq(Mux(size == 0, 0, (size + dither) >> self.right)),
            negative.eq(self.sum < 0),
            counter.eq(self.counter),
        ]

        # Stage 2: saturates.
        total = Signal(signed(max(bits, sum_bits + 1) + 1))
        moved, before = Signal(signed(bits)), Signal(2)
        m.d.comb += total.eq(Mux(negative, counter - step, counter + step))
        m.d.sync += [
            moved.eq(Mux(total >= 2 * cell, 2 * cell - 1,
                         Mux(total < -2 * cell, -2 * cell, total))),
            before.eq(counter[-2:]),
        ]

        # Stage 3: where the trit changes, three quarters into its cell.
        top = moved[-2:]
        rises, falls = Signal(), Signal()
        m.d.comb += [
            rises.eq(((top == 1) & (before != 1)) | ((before == 2) & (top != 2))),
            falls.eq(((before == 1) & (top != 1)) | ((top == 2) & (before != 2))),
        ]
        m.d.sync += [
            self.following.eq(Cat(Mux(rises, 3 * cell >> 2,
                                      Mux(falls, (cell >> 2) - 1, moved[:-2])), top)),
            self.flips.eq(rises | falls),
        ]
        return m
