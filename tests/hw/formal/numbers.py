"""Properties of arithmetic, comparisons and generators of numbers."""

from amaranth import *

from tritgrad.hw.parts.arith import canonical_mod3, sum_mod3
from tritgrad.model.discrete.splitmix import GOLDEN

from .prover import Property


def arithmetic(p: Property, module):
    """`times` by 1 to 39, `select`, `popcount` and the sums mod 3 are ``*``, ``[]``, ``+``, ``%``
    """
    v, w = p.free(8, "v"), p.free(12, "w")
    for factor in range(1, 40):
        p.check(p.named(14, module.times(v, factor), f"times{factor}") == v * factor)
    digits = [w[n:n + 2] for n in range(0, 12, 2)]
    total = p.named(6, sum(Mux(digit == 3, 0, digit) for digit in digits), "total")
    p.check(module.canonical_mod3(module.sum_mod3(w)) == total % 3,
            module.canonical_mod3(module.add_mod3(w[:2], w[2:4])) == (w[:2] + w[2:4]) % 3,
            module.popcount(w) == sum(w[n] for n in range(12)))
    for n in range(4):
        p.check((v[:2] != n) | (module.select(w, v[:2], 3) == w[3 * n:3 * n + 3]))


def comparison(p: Property, module):
    """`exceeds` is ``>``, for limits of 0 to 299 and values of 8 bits"""
    v = p.free(8, "v")
    for limit in range(300):
        p.check(module.exceeds(v, limit) == (v > limit))


def xorshift(p: Property, module):
    """the state is never 0 unless 0 is loaded; without a strobe it stays"""
    dut = p.unit(module.XorShift64())
    p.drive(dut, "i_load", "i_state", "i_draw")
    p.assume(dut.i_state != 0)
    p.check(dut.o_state != 0,
            p.first() | p.past(dut.i_load | dut.i_draw) | (dut.o_state == p.past(dut.o_state)))


def splitmix(p: Property, module):
    """the next state is the state + GOLDEN; the trit is the word's digits summed mod 3, less 1"""
    dut = p.unit(module.SplitMix64())
    p.drive(dut, "i_state", "i_next")
    residue = p.named(2, canonical_mod3(sum_mod3(dut.o_word)), "residue")
    p.check(dut.o_state == (dut.i_state + GOLDEN)[:64],
            dut.o_trit == p.named(signed(3), residue - 1, "trit"))


def splitmix_time(p: Property, module):
    """`o_done` comes `LATENCY` cycles after `i_next`, whatever the state, and not before or after
    """
    dut, time = p.unit(module.SplitMix64()), p.time(511)
    p.drive(dut, "i_state")
    p.m.d.comb += dut.i_next.eq(time == 0)
    p.check(dut.o_done == (time == dut.LATENCY))
