"""The sequencer: fetches, decodes and dispatches the program's instructions."""

from contextlib import nullcontext

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...firmware.isa import FORMAT, INSTRUCTIONS, Op, Operand
from ...model.config import CoreConfig
from ...units.registry import available
from ..memory.block_ram import BlockRam
from ..parts.ports import LayerRecord, RunState

__all__ = ["Sequencer"]


class Sequencer(wiring.Component):
    """Program and layer table, program counter, loop counter, run state.

    An instruction costs the cycle in which it is dispatched, and one before it if it needs a row of
    the table; its unit works on afterwards. FWD is dispatched while the layer before still drains,
    everything else but jumps once all units are quiet. Two ERR are a round of the statistics apart.

    Members
    -------
    program_write, program_address, program_data : write port of the program. Operands are such as
        `link.program.ProgramLoader` accepts.
    program_length : instructions of the program; behind them it halts.
    table_write, table_index, table_record : write port of the layer table.
    layers : rows of the table.
    begin, abort : strobes: run from address 0; stop before the next instruction.
    hold : dispatch nothing while set.
    run : state of the program.
    forward_ready, quiet : FWD may be dispatched; no unit works.
    filled : a sample has been received.
    sending : a result is on its way to the link.
    countable : ERR may be dispatched: the statistics have room for a sample.
    flag : of the error unit.
    dispatched : strobe: an instruction is dispatched.
    clear : strobe: the program begins.
    scrubbing, corrupt : with row sums: SCRUB goes on, and nothing is dispatched; it has found a
        fault, and the program stops.
    forward, error, backward, update, receive, send, scrub, refresh, scale : strobes to the units
        (`scrub` with row sums, `refresh` and `scale` where rows have scales), with
    operand, record, last : the immediate, the table row it names (of the last layer for ERR and
        SEND), and whether that is the last layer.
    stepping : where rows have scales: REFRESH has not written the flag yet, and SKIP waits.
    waiting : the program waits for a sample.
    stalled : the program waits for the link in this cycle.

    Of a core with resident samples:

    walking, walk : `record` is to be the row of this layer in the next cycle.
    probe, loss, step : strobes, with `operand` and `record`.

    Of a core with a trace unit:

    settled : TRACE and TELL may be dispatched; drained : all that is to be sent is out.
    trace, tell : strobes, with `operand`, `record` and `last`.

    Of a core with a support:

    limits, purge : strobes of CUTOFF and PURGE, with `operand` and `record`.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        super().__init__({
            "program_write": In(1),
            "program_address": In(range(config.program_depth)),
            "program_data": In(32),
            "program_length": In(range(config.program_depth + 1)),
            "table_write": In(1),
            "table_index": In(range(config.max_layers)),
            "table_record": In(LayerRecord(config)),
            "layers": In(range(config.max_layers + 1)),
            "begin": In(1),
            "abort": In(1),
            "hold": In(1),
            "run": Out(RunState),
            "forward_ready": In(1),
            "quiet": In(1),
            "filled": In(1),
            "sending": In(1),
            "countable": In(1),
            "flag": In(1),
            "dispatched": Out(1),
            "clear": Out(1),
            "forward": Out(1),
            "error": Out(1),
            "backward": Out(1),
            "update": Out(1),
            "receive": Out(1),
            "send": Out(1),
            **({"refresh": Out(1), "scale": Out(1),
                "stepping": In(1)} if config.scales else {}),
            "operand": Out(FORMAT[0][2]),
            "record": Out(LayerRecord(config)),
            "last": Out(1),
            "waiting": Out(1),
            "stalled": Out(1),
            **({"settled": In(1), "drained": In(1), "trace": Out(1), "tell": Out(1)}
               if config.trace else {}),
            **({"scrubbing": In(1), "corrupt": In(1), "scrub": Out(1)} if config.row_sums else {}),
            **({"walking": In(1), "walk": In(range(config.max_layers + 1)), "probe": Out(1),
                "loss": Out(1), "step": Out(1)} if config.resident else {}),
            **({"limits": Out(1), "purge": Out(1)} if config.support else {}),
        })
        self.program = BlockRam(32, config.program_depth)
        self.table = BlockRam(LayerRecord(config), config.max_layers)
        self.pc = Signal(range(config.program_depth + 1))
        self.counter = Signal(FORMAT[0][2])

    def elaborate(self, platform):
        m = Module()
        m.submodules.program = program = self.program
        m.submodules.table = table = self.table
        pc, counter = self.pc, self.counter
        m.d.comb += [
            program.write_address.eq(self.program_address),
            program.write_data.eq(self.program_data),
            program.write.eq(self.program_write),
            table.write_address.eq(self.table_index),
            table.write_data.eq(self.table_record),
            table.write.eq(self.table_write),
        ]

        word = {name: program.word[first:first + width] for name, first, width in FORMAT}
        # The program loader accepts no others.
        opcode = Signal(range(max(available(self.config)) + 1))
        past_end = Signal()
        m.d.comb += [
            past_end.eq(pc == self.program_length),
            opcode.eq(Mux(past_end, Op.HALT, word["opcode"])),
            self.operand.eq(word["immediate"]),
        ]

        names_layer, missing, works_on_last = Signal(), Signal(), Signal()
        held, corrupt, walking = self.hold, Const(0), Const(0)
        if self.config.row_sums:
            held, corrupt = self.hold | self.scrubbing, self.corrupt
        number = self.operand[:len(self.layers)]  # the program loader accepts no others
        row = Mux(works_on_last, self.layers, number)
        if self.config.resident:
            walking, row = self.walking, Mux(self.walking, self.walk, row)
        named = [op for op in available(self.config)
                 if INSTRUCTIONS[op].operand is Operand.LAYER]
        m.d.comb += names_layer.eq(opcode.matches(*named))
        least = Mux(opcode == Op.BWD, 2, 1)
        m.d.comb += [
            missing.eq(names_layer & ((number < least) | (number > self.layers))),
            works_on_last.eq((opcode == Op.ERR) | (opcode == Op.SEND)),
            table.address.eq(row - 1),
            self.record.eq(table.word),
            self.last.eq(number == self.layers),
        ]

        following = Signal.like(pc)
        stopping = Signal()  # an abort waits for the units
        looked_up = Signal()  # `record` is the one for this instruction
        m.d.sync += looked_up.eq(~self.begin & ~self.dispatched & ~walking)
        m.d.comb += [following.eq(pc), program.address.eq(following)]

        def go_on(target=None):
            m.d.comb += [
                self.dispatched.eq(1),
                following.eq(pc + 1 if target is None else target),
            ]

        def stop(state):
            # What a trace unit has to tell is out before the program stops.
            with m.If(self.drained) if self.config.trace else nullcontext():
                m.d.sync += self.run.eq(state)
                m.next = "Stopped"

        with m.If(self.abort & (self.run == RunState.RUNNING)):
            m.d.sync += stopping.eq(1)

        with m.FSM():
            with m.State("Stopped"):
                with m.If(self.begin):
                    m.d.comb += [self.clear.eq(1), following.eq(0)]
                    m.d.sync += [counter.eq(0), stopping.eq(0), self.run.eq(RunState.RUNNING)]
                    m.next = "Execute"

            with m.State("Execute"):
                m.d.comb += self.stalled.eq(self.sending)
                with m.If(stopping | corrupt):
                    with m.If(self.quiet):
                        stop(Mux(corrupt, RunState.CORRUPT, RunState.ABORTED))
                with m.Elif(~held):
                    with m.Switch(opcode):
                        with m.Case(Op.COUNT):
                            m.d.sync += counter.eq(self.operand)
                            go_on()
                        with m.Case(Op.LOOP):
                            m.d.sync += counter.eq(counter - 1)
                            go_on(Mux(counter == 1, pc + 1, self.operand))
                        with m.Case(Op.SKIP):
                            with m.If(~self.stepping) if self.config.scales else nullcontext():
                                go_on(Mux(self.flag, pc + 1, self.operand))
                        with m.Case(Op.FWD):
                            with m.If(missing):
                                with m.If(self.quiet):
                                    stop(RunState.FAULT)
                            with m.Elif(self.forward_ready & looked_up):
                                m.d.comb += self.forward.eq(1)
                                go_on()
                        with m.Default():
                            with m.If(self.quiet):
                                self._dispatch_quiet(m, opcode, missing, looked_up, go_on, stop)
        m.d.sync += pc.eq(following)
        return m

    def _dispatch_quiet(self, m, opcode, missing, looked_up, go_on, stop):
        with m.Switch(opcode):
            with m.Case(Op.HALT):
                stop(RunState.HALTED)
            with m.Case(Op.RECV):
                with m.If(self.filled):
                    m.d.comb += self.receive.eq(1)
                    go_on()
                with m.Else():
                    m.d.comb += [self.waiting.eq(1), self.stalled.eq(1)]
            with m.Case(Op.ERR):
                with m.If(self.countable & looked_up):
                    m.d.comb += self.error.eq(1)
                    go_on()
            with m.Case(Op.SEND):
                with m.If(looked_up):
                    m.d.comb += self.send.eq(1)
                    go_on()
            if self.config.trace:
                with m.Case(Op.TRACE):
                    with m.If(self.settled):
                        m.d.comb += self.trace.eq(1)
                        go_on()
                with m.Case(Op.TELL):
                    with m.If(missing):
                        stop(RunState.FAULT)
                    with m.Elif(looked_up & self.settled):
                        m.d.comb += self.tell.eq(1)
                        go_on()
            with m.Case(Op.BWD, Op.UPD):
                with m.If(missing):
                    stop(RunState.FAULT)
                with m.Elif(looked_up):
                    m.d.comb += [self.backward.eq(opcode == Op.BWD),
                                 self.update.eq(opcode == Op.UPD)]
                    go_on()
            if self.config.resident:
                with m.Case(Op.PROBE):
                    m.d.comb += self.probe.eq(1)
                    go_on()
                with m.Case(Op.LOSS):
                    with m.If(self.countable):
                        m.d.comb += self.loss.eq(1)
                        go_on()
                with m.Case(Op.STEP):
                    with m.If(missing):
                        stop(RunState.FAULT)
                    with m.Elif(looked_up):
                        m.d.comb += self.step.eq(1)
                        go_on()
            if self.config.support:
                with m.Case(Op.CUTOFF):
                    m.d.comb += self.limits.eq(1)
                    go_on()
                with m.Case(Op.PURGE):
                    with m.If(missing):
                        stop(RunState.FAULT)
                    with m.Elif(looked_up):
                        m.d.comb += self.purge.eq(1)
                        go_on()
            if self.config.row_sums:
                with m.Case(Op.SCRUB):
                    with m.If(missing):
                        stop(RunState.FAULT)
                    with m.Elif(looked_up):
                        m.d.comb += self.scrub.eq(1)
                        go_on()
            if self.config.scales:
                with m.Case(Op.REFRESH):
                    m.d.comb += self.refresh.eq(1)
                    go_on()
                with m.Case(Op.SCALE):
                    with m.If(missing):
                        stop(RunState.FAULT)
                    with m.Elif(looked_up):
                        m.d.comb += self.scale.eq(1)
                        go_on()
