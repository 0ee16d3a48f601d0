"""SplitMix64 as a sequence, and the ternary stream, as `model.discrete.splitmix` defines them."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...model.discrete.splitmix import GOLDEN
from .arith import canonical_mod3, sum_mod3
from .prng import Seeder

__all__ = ["SplitMix64"]


class SplitMix64(wiring.Component):
    """Steps a state that its user keeps, and mixes it, without a multiplier (see `Seeder`).

    Members
    -------
    i_state : the state, 64 bits: the seed at first.
    i_next : strobe: draw; `i_state` is of no concern afterwards.
    o_state : the state after the draw. Combinational.
    o_done : strobe, `LATENCY` cycles after `i_next`.
    o_word, o_trit : the output, and the trit (output mod 3) - 1; from `o_done` until `i_next`.
    """

    #: Cycles from `i_next` to `o_done`.
    LATENCY = Seeder.LATENCY + 1

    i_state: In(64)
    i_next: In(1)
    o_state: Out(64)
    o_done: Out(1)
    o_word: Out(64)
    o_trit: Out(signed(2))

    def elaborate(self, platform):
        m = Module()
        # What the seeder makes of seed and index 0 is the first draw from that seed.
        m.submodules.mixer = mixer = Seeder(nonzero=False)
        follows = Signal()
        residue = canonical_mod3(sum_mod3(self.o_word))
        m.d.sync += follows.eq(self.i_next)
        m.d.comb += [
            self.o_state.eq(self.i_state + GOLDEN),
            mixer.i_word.eq(Mux(self.i_next, self.i_state, 0)),
            mixer.i_seed.eq(self.i_next),
            mixer.i_index.eq(follows),
            self.o_done.eq(mixer.o_done),
            self.o_word.eq(mixer.o_state),
            # 0, 1 and 2 become 11, 00 and 01.
            self.o_trit.eq(Cat(~residue[0], ~residue.any())),
        ]
        return m
