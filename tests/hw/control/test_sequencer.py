"""The sequencer alone: jumps, waits, faults, abort and hold."""

from tritgrad.firmware.isa import Op, encode
from tritgrad.hw.control.sequencer import Sequencer
from tritgrad.hw.parts.ports import RunState
from tritgrad.model.config import CoreConfig

from ..link.harness import simulate

STROBES = ("forward", "error", "backward", "update", "receive", "send")


def run(program, scenario=None, layers=2, length=None, options=None, **inputs):
    """Dispatches until the program stops: (strobe, operand) each, and the state it stops in."""
    dut = Sequencer(CoreConfig(program_depth=16, **(options or {})))
    seen, ended = [], []

    async def testbench(ctx):
        for n, word in enumerate(program):
            ctx.set(dut.program.data[n], word)
        ctx.set(dut.program_length, length or len(program))
        ctx.set(dut.layers, layers)
        for name, value in {"quiet": 1, "forward_ready": 1, "countable": 1, "filled": 1,
                            **inputs}.items():
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


def test_behind_its_end_a_program_halts():
    """Whatever an earlier, longer program has left there."""
    program = [encode(Op.RECV), encode(Op.FWD, 1), encode(Op.RECV), encode(Op.SEND)]
    for length in range(1, 4):
        seen, state = run(program, length=length)
        assert seen == [("receive", 0), ("forward", 1), ("receive", 0)][:length]
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


def test_an_error_waits_until_the_statistics_have_room():
    dispatched = []

    def scenario(ctx, dut, cycle):
        ctx.set(dut.countable, cycle in (7, 20))
        if ctx.get(dut.error):
            dispatched.append(cycle)

    assert run([encode(Op.ERR, 1), encode(Op.ERR, 2)], scenario)[0] == [("error", 1), ("error", 2)]
    assert dispatched == [7, 20]


def test_a_trace_waits_until_all_before_it_is_told():
    """Though all units are quiet: their records may still be in the queue."""
    dispatched = []

    def scenario(ctx, dut, cycle):
        ctx.set(dut.to_trace.waits, 0 if cycle in (9, 22) else 0b11)
        ctx.set(dut.to_trace.lasting, cycle < 30)
        dispatched.extend((name, cycle, ctx.get(dut.operand)) for name in ("trace", "tell")
                          if ctx.get(getattr(dut.to_trace, name)))

    options = {"trace": True}
    _, state = run([encode(Op.TELL, 2), encode(Op.TRACE, 5)], scenario, options=options)
    assert dispatched == [("tell", 9, 2), ("trace", 22, 5)]
    assert state == RunState.HALTED
    dispatched.clear()
    assert run([encode(Op.TELL, 3)], scenario, options=options)[1] == RunState.FAULT
    assert dispatched == []


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


def test_a_forward_pass_overlaps_the_one_before_and_nothing_else_does():
    dispatched = {}

    def scenario(ctx, dut, cycle):
        ctx.set(dut.forward_ready, cycle >= 5)
        ctx.set(dut.quiet, cycle >= 30)
        for name in "forward", "error":
            if ctx.get(getattr(dut, name)):
                dispatched[name] = cycle

    run([encode(Op.FWD, 1), encode(Op.ERR, 4)], scenario)
    assert dispatched == {"forward": 5, "error": 30}


def test_a_fault_waits_for_the_units():
    def scenario(ctx, dut, cycle):
        ctx.set(dut.quiet, cycle >= 20)
        assert (ctx.get(dut.run) == RunState.RUNNING) == (cycle <= 20)

    for word in encode(Op.FWD, 3), encode(Op.UPD, 0):
        assert run([word], scenario) == ([], RunState.FAULT)


def test_records_are_those_of_the_layer_named_or_the_last():
    def scenario(ctx, dut, cycle):
        if cycle == 0:
            for n in range(3):
                ctx.set(dut.table.data[n], {"outputs": 10 + n})
        for name in STROBES:
            if ctx.get(getattr(dut, name)):
                found.append((name, ctx.get(dut.record.outputs), ctx.get(dut.last)))

    found = []
    run([encode(Op.FWD, 1), encode(Op.FWD, 3), encode(Op.ERR, 1), encode(Op.BWD, 2),
         encode(Op.UPD, 3), encode(Op.SEND)], scenario, layers=3)
    assert [record[:2] for record in found] == [
        ("forward", 10), ("forward", 12), ("error", 12), ("backward", 11), ("update", 12),
        ("send", 12)]
    assert [last for name, _, last in found if name == "forward"] == [0, 1]


def test_a_loop_counts_modulo_2_to_the_24():
    counters = []

    def scenario(ctx, dut, cycle):
        counters.append(ctx.get(dut.counter))
        ctx.set(dut.abort, cycle == 8)

    _, state = run([encode(Op.LOOP, 0)], scenario)
    assert state == RunState.ABORTED
    assert counters[:3] == [0, (1 << 24) - 1, (1 << 24) - 2]


def test_waiting_for_the_link_to_send_is_a_stall():
    def scenario(ctx, dut, cycle):
        ctx.set(dut.sending, cycle < 6)
        ctx.set(dut.quiet, cycle >= 6)
        assert ctx.get(dut.stalled) == (cycle < 6)

    assert run([encode(Op.SEND)], scenario)[0] == [("send", 0)]


def test_begin_again_runs_from_the_start():
    dut = Sequencer(CoreConfig(program_depth=16))
    program = [encode(Op.COUNT, 9), encode(Op.SEND), encode(Op.HALT)]

    async def testbench(ctx):
        for n, word in enumerate(program):
            ctx.set(dut.program.data[n], word)
        ctx.set(dut.program_length, 3)
        ctx.set(dut.quiet, 1)
        for _ in range(3):
            ctx.set(dut.begin, 1)
            assert ctx.get(dut.clear)
            await ctx.tick()
            ctx.set(dut.begin, 0)
            assert (ctx.get(dut.run), ctx.get(dut.counter), ctx.get(dut.pc)) == (
                RunState.RUNNING, 0, 0)
            sent = 0
            while ctx.get(dut.run) == RunState.RUNNING:
                sent += ctx.get(dut.send)
                await ctx.tick()
            assert (ctx.get(dut.run), sent) == (RunState.HALTED, 1)

    simulate(dut, testbench)
