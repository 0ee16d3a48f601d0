"""The sequencer alone: jumps, waits, faults, abort and hold."""

from tritgrad.firmware.isa import Op, encode
from tritgrad.hw.ports import RunState
from tritgrad.hw.sequencer import Sequencer
from tritgrad.model.config import CoreConfig

from .link.harness import simulate

STROBES = ("forward", "error", "backward", "update", "receive", "send")


def run(program, scenario=None, layers=2, **inputs):
    """Dispatches until the program stops: (strobe, operand) each, and the state it stops in."""
    dut = Sequencer(CoreConfig(program_depth=16))
    seen, ended = [], []

    async def testbench(ctx):
        for n, word in enumerate(program):
            ctx.set(dut.program.data[n], word)
        ctx.set(dut.program_length, len(program))
        ctx.set(dut.layers, layers)
        for name, value in {"quiet": 1, "forward_ready": 1, "filled": 1, **inputs}.items():
            ctx.set(getattr(dut, name), value)
        ctx.set(dut.begin, 1)
        await ctx.tick()
        ctx.set(dut.begin, 0)
        for cycle in range(200):
            if scenario:
                scenario(ctx, dut, cycle)
            if ctx.get(dut.run) != RunState.RUNNING:
                break
            seen.extend((name, ctx.get(dut.operand)) for name in STROBES
                        if ctx.get(getattr(dut, name)))
            await ctx.tick()
        ended.append(ctx.get(dut.run))

    simulate(dut, testbench)
    return seen, ended[0]


def test_a_loop_dispatches_a_unit_an_instruction():
    program = [encode(Op.COUNT, 3), encode(Op.RECV), encode(Op.FWD, 2), encode(Op.LOOP, 1)]
    seen, state = run(program)
    assert seen == [("receive", 0), ("forward", 2)] * 3
    assert state == RunState.HALTED


def test_skip_follows_the_flag():
    program = [encode(Op.ERR, 7), encode(Op.SKIP, 3), encode(Op.UPD, 1), encode(Op.SEND)]
    assert run(program, flag=0)[0] == [("error", 7), ("send", 0)]
    assert run(program, flag=1)[0] == [("error", 7), ("update", 1), ("send", 0)]


def test_missing_layers_are_faults():
    for word in (encode(Op.FWD, 3), encode(Op.UPD, 3), encode(Op.BWD, 1), encode(Op.FWD, 0)):
        assert run([word]) == ([], RunState.FAULT)
    assert run([encode(Op.BWD, 2)]) == ([("backward", 2)], RunState.HALTED)


def test_units_are_waited_for():
    def scenario(ctx, dut, cycle):
        ctx.set(dut.quiet, cycle >= 20)
        assert not (cycle < 20 and ctx.get(dut.update))

    assert run([encode(Op.UPD, 1)], scenario)[0] == [("update", 1)]


def test_a_missing_sample_is_waited_for():
    def scenario(ctx, dut, cycle):
        ctx.set(dut.filled, cycle >= 9)
        assert ctx.get(dut.waiting) == ctx.get(dut.stalled) == int(cycle < 9)

    assert run([encode(Op.RECV)], scenario)[0] == [("receive", 0)]


def test_abort_stops_before_the_next_instruction():
    def scenario(ctx, dut, cycle):
        ctx.set(dut.abort, cycle == 5)

    seen, state = run([encode(Op.RECV), encode(Op.LOOP, 0)], scenario)
    assert state == RunState.ABORTED
    assert 1 <= len(seen) <= 4


def test_nothing_is_dispatched_while_held():
    def scenario(ctx, dut, cycle):
        ctx.set(dut.hold, cycle < 30)
        assert not (cycle < 30 and ctx.get(dut.dispatched))

    assert run([encode(Op.SEND)], scenario)[0] == [("send", 0)]
