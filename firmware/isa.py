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
    PROBE = 10
    LOSS = 11
    STEP = 12
    SCRUB = 13
    REFRESH = 14
    SCALE = 15
    CUTOFF = 16
    PURGE = 17
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
    SPARSITY = "sparsity"  #: 0 to 6
    LIMITS = "limits"    #: bits 15:0 cutoff, 19:16 k, 20 rest
    EXPONENT = "exponent"  #: 0 to 31


@dataclass(frozen=True)
class Instruction:
    """A row of the table."""

    op: Op
    operand: Operand
    effect: str
    needs: str = ""  #: field of `CoreConfig` without which a core does not have it


#: What a core has where the field of `CoreConfig` is set, to follow "needs a core".
UNITS = {"trainable": "that can train", "trace": "with a trace unit", "row_sums": "with row sums",
         "resident": "with resident samples", "support": "that keeps its support",
         "scales": "whose rows have scales"}

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
    Instruction(Op.REFRESH, Operand.EXPONENT,
                "step <- step + 1; flag <- step is a multiple of 2^operand", "scales"),
    Instruction(Op.SCALE, Operand.LAYER,
                "factors of the layer's rows from their corr and the step", "scales"),
    Instruction(Op.CUTOFF, Operand.LIMITS,
                "cutoff, k and rest <- fields of the operand; while rest is 1, UPD leaves the "
                "counters of granules outside the support as they are", "support"),
    Instruction(Op.PURGE, Operand.LAYER,
                "counters of the layer whose trit is not 0 become 0 in granules with at most "
                "`cutoff` of them, then those from -2^k to 2^k - 1 everywhere unless k is 0; "
                "the support is what has a trit that is not 0", "support"),
    Instruction(Op.TRACE, Operand.MODE,
                "end the record of decisions and send it, if one is open; unless the operand is 0, "
                "open one: UPD then tells flips, with bit 1 of the operand saturations too",
                "trace"),
    Instruction(Op.TELL, Operand.LAYER,
                "add the layer's decisions to the record, if one is open: gates, activations and "
                "errors, or of the last layer prediction, rival, gap, flag and scores", "trace"),
    Instruction(Op.PROBE, Operand.SPARSITY,
                "the direction's sparsity <- operand; unless that is 0, PRNG state <- state + "
                "golden constant, key <- its SplitMix64 output; if it is 0, key <- PRNG state, "
                "which becomes the place of the weight after it; loss difference <- 0; the first "
                "resident sample becomes the one in hand; FWD adds the direction to the trits",
                "resident"),
    Instruction(Op.LOSS, Operand.MARGIN,
                "loss difference +- clip(margin - gap, 0, 2 margin); the next resident sample "
                "becomes the one in hand; after the last one FWD subtracts the direction, "
                "after another round it leaves it away and the flag is set, else cleared; "
                "counts samples and correct predictions", "resident"),
    Instruction(Op.STEP, Operand.LAYER,
                "counters of the layer move along the direction, by the power of two that the "
                "loss difference and the layer's gain say, downhill", "resident"),
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
