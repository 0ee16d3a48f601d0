"""The instruction set: one table for assembler, reference machine, RTL decoder and docs.

An instruction is 32 bits: the opcode in bits 31:24, one immediate operand in bits 23:0.
Layers are numbered from 1, as in the rule's text.
"""

import enum
from dataclasses import dataclass

__all__ = ["FORMAT", "INSTRUCTIONS", "UNITS", "Instruction", "Op", "Operand", "available",
           "decode", "encode"]

IMMEDIATE_BITS = 24


class Op(enum.IntEnum):
    """Opcodes."""

    HALT = 0
    COUNT = 1
    LOOP = 2
    RECV = 3
    FWD = 4
    ERR = 5
    SKIP = 6
    BWD = 7
    UPD = 8
    SEND = 9
    SCRUB = 13
    TRACE = 18
    TELL = 19


class Operand(enum.Enum):
    """What an immediate means and which values the assembler and the loader accept."""

    NONE = "none"        #: must be 0
    COUNT = "count"      #: 1 to 2^24 - 1
    TARGET = "target"    #: an address inside the program
    LAYER = "layer"      #: 1 to the rows of the layer table
    MARGIN = "margin"    #: 1 to 2^23 - 1
    MODE = "mode"        #: 0 to 3, see `trace.Mode`


@dataclass(frozen=True)
class Instruction:
    """A row of the table."""

    op: Op
    operand: Operand
    effect: str
    needs: str = ""  #: field of `CoreConfig` without which a core does not have it


#: What a core has where the field of `CoreConfig` is set, to follow "needs a core".
UNITS = {"trainable": "that can train", "trace": "with a trace unit", "row_sums": "with row sums"}

INSTRUCTIONS: dict[Op, Instruction] = {row.op: row for row in (
    Instruction(Op.HALT, Operand.NONE,
                "stop; the core answers `halted`"),
    Instruction(Op.COUNT, Operand.COUNT,
                "counter <- operand"),
    Instruction(Op.LOOP, Operand.TARGET,
                "counter <- counter - 1 (mod 2^24); continue at the target unless it is 0"),
    Instruction(Op.RECV, Operand.NONE,
                "wait for a sample; it becomes the sample in hand (inputs and label)"),
    Instruction(Op.FWD, Operand.LAYER,
                "layer's pre-activations from its inputs; a hidden layer stores activations and "
                "gate bits, the last one scores, prediction, rival and gap"),
    Instruction(Op.ERR, Operand.MARGIN,
                "flag <- gap < margin; if set, the last layer's errors are written; "
                "counts samples, correct predictions and updates"),
    Instruction(Op.SKIP, Operand.TARGET,
                "continue at the target unless the flag is set"),
    Instruction(Op.BWD, Operand.LAYER,
                "errors of layer - 1 from the errors and trits of the layer, gated", "trainable"),
    Instruction(Op.UPD, Operand.LAYER,
                "counters of the layer from its errors and its inputs", "trainable"),
    Instruction(Op.SEND, Operand.NONE,
                "send the prediction and all scores to the host"),
    Instruction(Op.SCRUB, Operand.LAYER,
                "sum the trits of each row of the layer; stop the program as corrupt if a sum "
                "differs mod 3 from the one kept", "row_sums"),
    Instruction(Op.TRACE, Operand.MODE,
                "end the record of decisions and send it, if one is open; unless the operand is 0, "
                "open one: UPD then tells flips, with bit 1 of the operand saturations too",
                "trace"),
    Instruction(Op.TELL, Operand.LAYER,
                "add the layer's decisions to the record, if one is open: gates, activations and "
                "errors, or of the last layer prediction, rival, gap, flag and scores", "trace"),
)}

#: Bit fields of an instruction word: name, first bit, width.
FORMAT = (("immediate", 0, IMMEDIATE_BITS), ("opcode", 24, 8))


def available(config: object) -> tuple[Op, ...]:
    """The instructions that a core of a configuration (`CoreConfig`) has."""
    return tuple(op for op, row in INSTRUCTIONS.items()
                 if not row.needs or getattr(config, row.needs))


def encode(op: Op, immediate: int = 0) -> int:
    """The 32-bit word of an instruction. `immediate` must fit 24 bits."""
    if not 0 <= immediate < 1 << IMMEDIATE_BITS:
        raise ValueError(f"an immediate must be from 0 to 2^24 - 1, not {immediate!r}")
    return op << IMMEDIATE_BITS | immediate


def decode(word: int) -> tuple[int, int]:
    """Opcode (perhaps of no instruction) and immediate of a 32-bit word."""
    return word >> IMMEDIATE_BITS, word & ((1 << IMMEDIATE_BITS) - 1)
