"""The check of an instruction when it is loaded."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...firmware.isa import FORMAT, INSTRUCTIONS, Operand
from ...model.config import CoreConfig

__all__ = ["InstructionCheck"]


class InstructionCheck(wiring.Component):
    """Whether a word is an instruction that `model.device.program_fault` accepts. Combinational.

    Members
    -------
    word : the instruction.
    length : instructions of its program.
    valid : the word may be loaded.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        super().__init__({
            "word": In(32),
            "length": In(range(config.program_depth + 1)),
            "valid": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        fields = {name: self.word[first:first + width] for name, first, width in FORMAT}
        operand, zero = fields["immediate"], Signal()
        m.d.comb += zero.eq(operand == 0)
        accepted = {
            Operand.NONE: zero,
            Operand.COUNT: ~zero,
            Operand.TARGET: operand < self.length,
            Operand.LAYER: ~zero & (operand <= self.config.max_layers),
            Operand.MARGIN: ~zero & ~operand[-1],
        }
        with m.Switch(fields["opcode"]):
            for kind, condition in accepted.items():
                with m.Case(*(op for op, row in INSTRUCTIONS.items() if row.operand is kind)):
                    m.d.comb += self.valid.eq(condition)
        return m
