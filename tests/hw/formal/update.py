"""Properties of the update unit's control; what its lanes do is proved of the lanes."""

from amaranth import *

from .prover import Property, small


def _unit(p: Property, module):
    config = small(lanes=2, update_lanes=1, activation_bits=1, input_planes=1, max_inputs=4,
                   max_neurons=4, hidden_depth=2)
    dut = p.unit(module.UpdateUnit(config))
    p.drive(dut, "start", "backward", "record", "row", "row_valid", "row_last", "row_ended",
            "entry", "entry_valid", "entry_last", "entry_ended", "dither", "trit_word",
            "residual_word", "gates")
    p.assume(~dut.start | ~dut.busy, ~dut.row_last | dut.row_valid,
             ~dut.row_ended | ~dut.row_valid, ~dut.entry_last | dut.entry_valid,
             ~dut.entry_ended | ~dut.entry_valid)
    # What the readers show stays until it is taken.
    for name in "row", "entry":
        show = Cat(*(Value.cast(getattr(dut, name + end)) for end in (
            "", "_valid", "_last", "_ended")))
        shown = getattr(dut, name + "_valid") | getattr(dut, name + "_ended")
        waits = p.past(shown & ~getattr(dut, name + "_take"))
        p.assume(~waits | dut.start | p.past(dut.start) | (show == p.past(show)))
    return dut


def update_busy(p: Property, module):
    """nothing is written but while `busy`"""
    dut = _unit(p, module)
    p.check(dut.busy | ~(dut.trit_write | dut.residual_write | dut.error_write))


def update_draws(p: Property, module):
    """each row of an update takes exactly one draw if its gain is negative, with an empty list of
    words too, and no other does
    """
    dut, m = _unit(p, module), p.m
    empty = p.free(1, "empty")
    # The lists are final when an update starts: so the words' is `ended` only if it is empty.
    p.assume(~dut.entry_valid | ~empty, ~dut.entry_ended | empty,
             dut.start | (empty == p.past(empty)))
    drawn, started, backward = Signal(), Signal(), Signal()
    gain = Signal(signed(5))
    with m.If(dut.start):
        m.d.sync += [drawn.eq(0), started.eq(1), gain.eq(dut.record.gain),
                     backward.eq(dut.backward)]
    with m.Else():
        with m.If(dut.row_take):
            m.d.sync += drawn.eq(0)
        with m.Elif(dut.draw):
            m.d.sync += drawn.eq(1)
        row = started & dut.row_take & dut.row_valid & ~backward
        p.check(~row | ((drawn | dut.draw) == (gain < 0)), ~dut.draw | ~drawn,
                ~dut.draw | ~started | (~backward & (gain < 0)))


def update_writes(p: Property, module):
    """a word of R is written to the place that was read three cycles before, and the word of T with
    the last of its words of R
    """
    dut = _unit(p, module)
    step = (dut.residual_address - dut.row.residual)[0]
    place = Cat(dut.residual_address, dut.trit_address, dut.trit_bank)
    written = Cat(dut.residual_write_address, dut.trit_write_address, dut.trit_write_bank)
    p.check(~dut.residual_write | (written == p.past(place, 3)),
            dut.trit_write == (dut.residual_write & p.past(step, 3)))
