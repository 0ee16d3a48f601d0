"""The core's PRNG, xorshift64, and its seeding by SplitMix64, as `model.rng` defines them."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Seeder", "XorShift64"]


class XorShift64(wiring.Component):
    """A xorshift64 generator: one draw a cycle.

    Members
    -------
    i_load : strobe: `i_state` becomes the state; wins over `i_draw`.
    i_state : the state to load, not 0.
    i_draw : strobe: steps once.
    o_draw : the draw, top 16 bits of the state: valid from the cycle after `i_draw` until the next.
    o_state : the state; 1 after a reset.
    """

    i_load: In(1)
    i_state: In(64)
    i_draw: In(1)
    o_draw: Out(16)
    o_state: Out(64, init=1)

    def elaborate(self, platform):
        m = Module()
        state = self.o_state
        left, right, following = Signal(64), Signal(64), Signal(64)
        m.d.comb += [
            self.o_draw.eq(state[48:]),
            left.eq(state ^ (state << 13)),
            right.eq(left ^ (left >> 7)),
            following.eq(right ^ (right << 17)),
        ]
        with m.If(self.i_load):
            m.d.sync += state.eq(self.i_state)
        with m.Elif(self.i_draw):
            m.d.sync += state.eq(following)
        return m


class Seeder(wiring.Component):
    """The PRNG's state from a seed and an index: output `index` of SplitMix64, or 1 for 0.

    Three rounds, each a multiplication in 64 cycles (shift and add, a bit of the constant a cycle)
    and an xorshift in 64 more (a bit a cycle), share one 64-bit adder and two 64-bit registers.

    Members
    -------
    i_word : the seed, then the index.
    i_seed : strobe: `i_word` is the seed.
    i_index : strobe, after `i_seed`: `i_word` is the index; starts.
    o_done : strobe, `LATENCY` cycles after `i_index`.
    o_state : the result, from `o_done` until the next `i_seed`.

    Parameters
    ----------
    nonzero
        Whether the result is 1 for 0; else it is the output as it is.
    """

    #: Cycles from `i_index` to `o_done`.
    LATENCY = 3 * (64 + 64) + 1

    #: A round: the constant it multiplies by, the places it shifts by.
    ROUNDS = (
        (0x9E3779B97F4A7C15, 30),
        (0xBF58476D1CE4E5B9, 27),
        (0x94D049BB133111EB, 31),
    )

    i_word: In(64)
    i_seed: In(1)
    i_index: In(1)
    o_done: Out(1)
    o_state: Out(64)

    def __init__(self, nonzero: bool = True):
        super().__init__()
        self.nonzero = nonzero

    def elaborate(self, platform):
        m = Module()
        idle = len(self.ROUNDS)
        time = Signal(data.StructLayout({"step": 6, "mixing": 1, "round": 2}),
                      init={"round": idle})
        total, factor = Signal(64), self.o_state
        working, first, last = Signal(), Signal(), Signal()
        digit, mixed = Signal(), Signal()
        m.d.comb += [
            working.eq(time.round != idle),
            first.eq(time.round == 0),
            last.eq(time.round == idle - 1),
        ]
        with m.Switch(time.round):
            for n, (constant, places) in enumerate(self.ROUNDS):
                with m.Case(n):
                    m.d.comb += [
                        digit.eq(Const(constant, 64).bit_select(time.step, 1)),
                        # Bit 63 - step of the sum and, unless that is past the top, the bit
                        # `places` above it: the sum has been turned left by `step`.
                        mixed.eq(total[63] ^ (total[places - 1] & (time.step >= places))),
                    ]

        # Round 0 multiplies by index + 1: with ones shifted in and a carry, index << n counts as
        # (index + 1) << n.
        addend, carry, add, bit = Signal(64), Signal(), Signal(), Signal()
        with m.If(time.mixing):
            m.d.comb += [addend.eq(total), carry.eq(total[63]), add.eq(1), bit.eq(mixed)]
        with m.Else():
            m.d.comb += [addend.eq(factor), carry.eq(first), bit.eq(first)]
            m.d.comb += add.eq(Mux(working, digit, self.i_index))
        with m.If(add):
            # One adder with a carry in.
            m.d.sync += total.eq((Cat(1, total) + Cat(carry, addend))[1:])

        ends = Signal()
        nonzero = Signal(init=not self.nonzero)
        m.d.comb += ends.eq(time.mixing & (time.step == 63))
        m.d.sync += [
            nonzero.eq((time.mixing & (nonzero | mixed)) | (not self.nonzero)),
            self.o_done.eq(ends & last),
        ]
        with m.If(self.i_seed | self.i_index):
            m.d.sync += factor.eq(self.i_word)
        with m.Elif(working):
            m.d.sync += factor.eq(Cat(bit | (ends & last & ~nonzero), factor))
        with m.If(self.i_seed | ends):
            m.d.sync += total.eq(0)
        with m.If(self.i_index):
            m.d.sync += time.eq(0)
        with m.Elif(working):
            m.d.sync += time.eq(time.as_value() + 1)
        return m
