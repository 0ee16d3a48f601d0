"""Properties of the sequencer and of the statistics."""

from amaranth import *

from tritgrad.firmware.isa import Op
from tritgrad.hw.parts.ports import RunState
from tritgrad.units.registry import available

from .prover import Property, small


def _sequencer(p: Property, module):
    config, depth = small(), 4
    dut = p.unit(module.Sequencer(config))
    p.drive(dut, "program_write", "program_address", "program_data", "layers", "begin", "abort",
            "hold", "forward_ready", "quiet", "filled", "sending", "countable", "flag")
    length = p.free(range(depth + 1), "length")
    running = p.named(1, dut.run == RunState.RUNNING, "running")
    p.m.d.comb += dut.program_length.eq(length)
    # A program is written, and its length set, only while none runs.
    p.assume(~(running | dut.begin) | ~dut.program_write, ~running | (length == p.past(length)),
             (length >= 1) & (length <= depth), ~dut.begin | ~running,
             dut.layers <= config.max_layers,
             dut.program_data[24:].matches(*available(config)))
    return dut, length, running


def sequencer(p: Property, module):
    """the run state is one of six; at most one strobe a cycle, with `dispatched`, while running and
    inside the program; an abort ends the run once all units are quiet
    """
    dut, length, running = _sequencer(p, module)
    m, aborted = p.m, Signal()
    strobes = Cat(dut.forward, dut.error, dut.backward, dut.update, dut.receive, dut.send)
    with m.If(dut.begin & ~running):
        m.d.sync += aborted.eq(0)
    with m.Elif(dut.abort & running):
        m.d.sync += aborted.eq(1)
    before = p.past(aborted)
    p.check(Value.cast(dut.run) < len(RunState.__members__),
            running | ~(dut.dispatched | strobes.any()),
            dut.dispatched | ~strobes.any(), (strobes & (strobes - 1)[:len(strobes)]) == 0,
            (dut.run != RunState.ABORTED) | aborted,
            ~(aborted & before & p.past(dut.quiet)) | ~running | ~p.past(aborted, 2),
            ~(running & (dut.pc == length)) | ~dut.dispatched)


def sequencer_jumps(p: Property, module):
    """`pc` and `counter` after an instruction are those of COUNT, LOOP, SKIP, or the next"""
    dut, length, running = _sequencer(p, module)
    word = p.named(32, dut.program.word, "word")
    opcode, operand = word[24:], word[:24]
    inside = dut.dispatched & (dut.pc != length)
    jumps = ((opcode == Op.LOOP) & (dut.counter != 1)) | ((opcode == Op.SKIP) & ~dut.flag)
    pc = Mux(jumps, operand[:len(dut.pc)], dut.pc + 1)
    counter = Mux(opcode == Op.COUNT, operand, Mux(opcode == Op.LOOP, dut.counter - 1, dut.counter))
    p.check(~p.past(inside) | (dut.pc == p.past(p.named(3, pc, "target"))),
            ~p.past(inside) | (dut.counter == p.past(p.named(24, counter, "count"))),
            ~p.past(running & ~dut.dispatched) | (dut.pc == p.past(dut.pc)))


def statistics(p: Property, module):
    """the low bytes written for samples, flips and cycles are the counts up to the round's end"""
    config, m = small(), p.m
    dut = p.unit(module.Statistics(config))
    p.drive(dut, "judged", "correct", "updated", "flips", "working")
    p.assume(~dut.judged | dut.room, dut.flips <= config.update_lanes)
    time = p.time(4095)
    for name, addend in ("samples", dut.judged), ("flips", dut.flips), ("cycles", dut.working):
        total, known = Signal(16, name=name), Signal(16, name=f"known_{name}")
        m.d.sync += total.eq(total + addend)
        # What comes in a round's last cycle counts for the next.
        with m.If(dut.place == module.ROUND - 1):
            m.d.sync += known.eq(total)
        for n, place in enumerate(module.COUNTERS[name][:2]):
            p.check((time < module.ROUND) | (dut.place != place)
                    | (dut.memory.write_data == known[8 * n:8 * n + 8]))
