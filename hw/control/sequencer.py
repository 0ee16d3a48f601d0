"""The sequencer: fetches, decodes and dispatches the program's instructions."""

from contextlib import nullcontext

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...firmware.isa import FORMAT, INSTRUCTIONS, Op, Operand
from ...model.config import CoreConfig
from ...units import UNITS
from ...units.registry import available, takes
from ..memory.block_ram import BlockRam
from ..parts.ports import LayerRecord, RunState
from ..parts.sockets import Dispatch

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
    layers : rows of the table, but for one in front of them.
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
    forward, error, backward, update, receive, send : strobes to the units, with
    operand, record, last : the immediate, the table row it names (of the last layer for ERR and
        SEND), and whether that is the last layer.
    waiting : the program waits for a sample.
    stalled : the program waits for the link in this cycle.
    to_NAME : of each unit with instructions of its own, or that has something to say: `Dispatch`.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        self.units = [unit for unit in UNITS if unit.within(config) and "dispatch" in unit.sockets]
        super().__init__({
            "program_write": In(1),
            "program_address": In(range(config.program_depth)),
            "program_data": In(32),
            "program_length": In(range(config.program_depth + 1)),
            "table_write": In(1),
            "table_index": In(range(config.table_rows)),
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
            "operand": Out(FORMAT[0][2]),
            "record": Out(LayerRecord(config)),
            "last": Out(1),
            "waiting": Out(1),
            "stalled": Out(1),
            **{f"to_{unit.name}": Out(Dispatch(config, unit.ops)) for unit in self.units},
        })
        #: The ports of units, by their names.
        self.ports = {unit.name: getattr(self, f"to_{unit.name}") for unit in self.units}
        self.program = BlockRam(32, config.program_depth)
        self.table = BlockRam(LayerRecord(config), config.table_rows)
        self.pc = Signal(range(config.program_depth + 1))
        self.counter = Signal(FORMAT[0][2])

    def elaborate(self, platform):
        m = Module()
        m.submodules.program = program = self.program
        m.submodules.table = table = self.table
        pc = self.pc
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

        self._tell_units(m)
        missing = self._look_up(m, opcode)
        self._control(m, opcode, missing)
        return m

    def _look_up(self, m, opcode):
        """The instruction's row of the table; whether the layer that it names is missing."""
        names_layer, missing, works_on_last = Signal(), Signal(), Signal()
        number = self.operand[:len(self.layers)]  # the program loader accepts no others
        row = Mux(works_on_last, self.layers, number)
        for port in self.ports.values():
            row = Mux(port.looks, port.layer, row)
        named = [op for op in available(self.config)
                 if INSTRUCTIONS[op].operand is Operand.LAYER]
        m.d.comb += names_layer.eq(opcode.matches(*named))
        # A layer in front has row 0, and errors of its own.
        front = takes(self.config, "front")
        least = 1 if front else Mux(opcode == Op.BWD, 2, 1)
        m.d.comb += [
            missing.eq(names_layer & ((number < least) | (number > self.layers))),
            works_on_last.eq((opcode == Op.ERR) | (opcode == Op.SEND)),
            self.table.address.eq(row if front else row - 1),
            self.record.eq(self.table.word),
            self.last.eq(number == self.layers),
        ]
        return missing

    def _control(self, m, opcode, missing):
        """What the instruction does to the program counter and the run state."""
        pc, counter = self.pc, self.counter
        held, corrupt = self._any("hold", self.hold), self._any("corrupt", Const(0))
        looking = self._any("looks", Const(0))
        following = Signal.like(pc)
        stopping = Signal()  # an abort waits for the units
        looked_up = Signal()  # `record` is the one for this instruction
        m.d.sync += looked_up.eq(~self.begin & ~self.dispatched & ~looking)
        m.d.comb += [following.eq(pc), self.program.address.eq(following)]

        def go_on(target=None):
            m.d.comb += [
                self.dispatched.eq(1),
                following.eq(pc + 1 if target is None else target),
            ]

        def stop(state):
            with unless(m, self._any("lasting")):
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
                            with unless(m, self._any("undecided")):
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
            with m.Case(Op.BWD, Op.UPD):
                with m.If(missing):
                    stop(RunState.FAULT)
                with m.Elif(looked_up):
                    m.d.comb += [self.backward.eq(opcode == Op.BWD),
                                 self.update.eq(opcode == Op.UPD)]
                    go_on()
            for port in self.ports.values():
                for n, op in enumerate(port.signature.ops):
                    with m.Case(op):
                        ready, strobe = ~port.waits[n], getattr(port, op.name.lower())
                        if takes(self.config, "front"):
                            ready &= looked_up
                        if INSTRUCTIONS[op].operand is Operand.LAYER:
                            with m.If(missing):
                                stop(RunState.FAULT)
                            with m.Elif(looked_up & ready):
                                m.d.comb += strobe.eq(1)
                                go_on()
                        else:
                            with m.If(ready):
                                m.d.comb += strobe.eq(1)
                                go_on()

    def _any(self, name, before=None):
        """Whether any unit says so, or it was so before."""
        said = [getattr(port, name) for port in self.ports.values()]
        if not said:
            return before
        return Cat(said).any() if before is None or isinstance(before, Const) else (
            before | Cat(said).any())

    def _tell_units(self, m):
        for port in self.ports.values():
            m.d.comb += [
                port.clear.eq(self.clear),
                port.linked.eq(self.run != RunState.RUNNING),
                port.operand.eq(self.operand),
                port.record.eq(self.record),
                port.last.eq(self.last),
                port.layers.eq(self.layers),
                port.forward.eq(self.forward),
                port.error.eq(self.error),
                port.backward.eq(self.backward),
                port.update.eq(self.update),
            ]


def unless(m: Module, condition):
    """While a condition that some cores have is not met."""
    return nullcontext() if condition is None else m.If(~condition)
