"""Checks a program and writes it."""

from functools import reduce
from operator import and_

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...firmware.isa import FORMAT, INSTRUCTIONS, RANGES, Operand
from ...model.config import CoreConfig
from ...units.registry import available
from ..parts.arith import exceeds

__all__ = ["ProgramLoader"]


class ProgramLoader(wiring.Component):
    """Reads the words of a program twice: checks all, then, if no check failed, writes all.

    It refuses what `model.golden_device.program_fault` finds fault with. A pass takes 5 cycles a
    word, 6 of a `pipelined` core.

    Members
    -------
    start : strobe: begin with
    count : words of the program, at least 1; must stay until `done`.
    rewind : strobe: the byte to take next is the program's first.
    gather : strobe: take a byte.
    word : the last four bytes taken, one cycle later.
    done, fault : strobe, and whether the program was refused.
    write, address, data : write port of the program memory.
    length : words of the program in force.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        super().__init__({
            "start": In(1),
            "count": In(range(config.slot_bytes // 4)),
            "rewind": Out(1),
            "gather": Out(1),
            "word": In(32),
            "done": Out(1),
            "fault": Out(1),
            "write": Out(1),
            "address": Out(range(config.program_depth)),
            "data": Out(32),
            "length": Out(range(config.program_depth + 1)),
        })

    def elaborate(self, platform):
        m = Module()
        place = Signal(range(4))
        second_pass = Signal()
        m.d.comb += self.data.eq(self.word)
        # The way from a word to the address in the receiver's memory is a large core's longest.
        judged = m.d.sync if self.config.pipelined else m.d.comb
        judged += self.fault.eq(~self._valid(m) | exceeds(self.count, self.config.program_depth))
        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += [second_pass.eq(0), self.address.eq(0)]
                with m.If(self.start):
                    m.d.comb += self.rewind.eq(1)
                    m.next = "READ"

            with m.State("READ"):
                m.d.comb += self.gather.eq(1)
                m.d.sync += place.eq(place + 1)
                with m.If(place == 3):
                    m.next = "JUDGE" if self.config.pipelined else "CHECK"

            if self.config.pipelined:
                with m.State("JUDGE"):
                    m.next = "CHECK"

            with m.State("CHECK"):
                m.d.comb += self.write.eq(second_pass)
                m.d.sync += self.address.eq(self.address + 1)
                m.next = "READ"
                with m.If(self.fault):
                    m.d.comb += self.done.eq(1)
                    m.next = "IDLE"
                with m.Elif(self.address + 1 == self.count):
                    m.d.comb += self.rewind.eq(1)
                    m.d.sync += [second_pass.eq(1), self.address.eq(0)]
                    with m.If(second_pass):
                        m.d.comb += self.done.eq(1)
                        m.d.sync += self.length.eq(self.count)
                        m.next = "IDLE"
        return m

    def _valid(self, m):
        """Whether `word` is an instruction with an operand that it may have."""
        fields = {name: self.word[first:first + width] for name, first, width in FORMAT}
        operand, zero, low, valid = fields["immediate"], Signal(), Signal(), Signal()
        bits = len(self.count)
        m.d.comb += [zero.eq(operand == 0), low.eq(~operand[bits:].any())]
        def within(kind):
            """Whether the operand is in the range of `firmware.isa.operand_range`."""
            if kind is Operand.TARGET:
                return low & (operand[:bits] < self.count)
            least, most = RANGES.get(kind, (1, self.config.max_layers))
            if most == 0:
                return zero
            bounds = [~zero] if least else []
            if most < (1 << len(operand)) - 1:
                above = operand[most.bit_length():]
                bounds.append(~(above if len(above) == 1 else exceeds(operand, most)))
            return reduce(and_, bounds)

        known = available(self.config)
        with m.Switch(fields["opcode"]):
            for kind in Operand:
                if ops := [op for op in known if INSTRUCTIONS[op].operand is kind]:
                    with m.Case(*ops):
                        m.d.comb += valid.eq(within(kind))
        return valid
