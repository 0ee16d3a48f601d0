"""The instruction set: one table for assembler, reference machine, RTL decoder and docs.

An instruction is 32 bits: the opcode in bits 31:24, one immediate operand in bits 23:0.
Layers are numbered from 1, as in the rule's text.
"""

import enum
from dataclasses import dataclass

__all__ = ["FORMAT", "INSTRUCTIONS", "RANGES", "Instruction", "Op", "Operand", "decode", "encode",
           "operand_range"]

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
    CONV = 20
    KERNELS = 21
    BOOST = 22


class Operand(enum.Enum):
    """What an immediate means; `operand_range` says which values it may have."""

    NONE = "none"
    COUNT = "count"
    TARGET = "target"    #: an address inside the program
    LAYER = "layer"      #: a row of the layer table
    MARGIN = "margin"
    MODE = "mode"        #: see `firmware.records.Mode`
    SPARSITY = "sparsity"
    LIMITS = "limits"    #: bits 15:0 cutoff, 19:16 k, 20 rest
    EXPONENT = "exponent"
    EXTRA = "extra"


#: Least and most of the immediates for which neither the program nor the core matters.
RANGES = {
    Operand.NONE: (0, 0),
    Operand.COUNT: (1, (1 << 24) - 1),
    Operand.MARGIN: (1, (1 << 23) - 1),
    Operand.MODE: (0, 3),
    Operand.SPARSITY: (0, 6),
    Operand.LIMITS: (0, (1 << 21) - 1),
    Operand.EXPONENT: (0, 31),
    Operand.EXTRA: (0, 1),
}


def operand_range(kind: Operand, *, length: int, layers: int) -> tuple[int, int]:
    """Least and most of an immediate.

    Parameters
    ----------
    length
        Instructions of the program.
    layers
        Rows of the layer table: those it has, or those that the core has room for.
    """
    if kind is Operand.TARGET:
        return 0, length - 1
    if kind is Operand.LAYER:
        return 1, layers
    return RANGES[kind]


@dataclass(frozen=True)
class Instruction:
    """A row of the table. Which unit a core needs for it, the units' records say."""

    op: Op
    operand: Operand
    effect: str


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
                "errors of layer - 1 from the errors and trits of the layer, gated"),
    Instruction(Op.UPD, Operand.LAYER,
                "counters of the layer from its errors and its inputs"),
    Instruction(Op.SEND, Operand.NONE,
                "send the prediction and all scores to the host"),
    Instruction(Op.SCRUB, Operand.LAYER,
                "sum the trits of each row of the layer; stop the program as corrupt if a sum "
                "differs mod 3 from the one kept"),
    Instruction(Op.REFRESH, Operand.EXPONENT,
                "step <- step + 1; flag <- step is a multiple of 2^operand"),
    Instruction(Op.SCALE, Operand.LAYER,
                "factors of the layer's rows from their corr and the step"),
    Instruction(Op.CUTOFF, Operand.LIMITS,
                "cutoff, k and rest <- fields of the operand; while rest is 1, UPD leaves the "
                "counters of granules outside the support as they are"),
    Instruction(Op.PURGE, Operand.LAYER,
                "counters of the layer whose trit is not 0 become 0 in granules with at most "
                "`cutoff` of them, then those from -2^k to 2^k - 1 everywhere unless k is 0; "
                "the support is what has a trit that is not 0"),
    Instruction(Op.TRACE, Operand.MODE,
                "end the record of decisions and send it, if one is open; unless the operand is 0, "
                "open one: UPD then tells flips, with bit 1 of the operand saturations too"),
    Instruction(Op.TELL, Operand.LAYER,
                "add the layer's decisions to the record, if one is open: gates, activations and "
                "errors, or of the last layer prediction, rival, gap, flag and scores"),
    Instruction(Op.PROBE, Operand.SPARSITY,
                "the direction's sparsity <- operand; unless that is 0, PRNG state <- state + "
                "golden constant, key <- its SplitMix64 output; if it is 0, key <- PRNG state, "
                "which becomes the place of the weight after it; loss difference <- 0; the first "
                "resident sample becomes the one in hand; FWD adds the direction to the trits"),
    Instruction(Op.LOSS, Operand.MARGIN,
                "loss difference +- clip(margin - gap, 0, 2 margin); the next resident sample "
                "becomes the one in hand; after the last one FWD subtracts the direction, "
                "after another round it leaves it away and the flag is set, else cleared; "
                "counts samples and correct predictions"),
    Instruction(Op.STEP, Operand.LAYER,
                "counters of the layer move along the direction, by the power of two that the "
                "loss difference and the layer's gain say, downhill"),
    Instruction(Op.CONV, Operand.NONE,
                "inputs and gate bits of layer 1, and the place of each, from the sample in hand, "
                "an image, and the kernels; until then it has no inputs, and gate bits are 0"),
    Instruction(Op.KERNELS, Operand.NONE,
                "counters of the kernels from the errors of layer 1's inputs, which BWD 1 makes; "
                "nothing unless CONV has been since RECV"),
    Instruction(Op.BOOST, Operand.EXTRA,
                "from now on UPD adds the operand to the gain exponent of a layer, to b - 2 at "
                "most, where the prediction is not the label"),
)}

#: Bit fields of an instruction word: name, first bit, width.
FORMAT = (("immediate", 0, IMMEDIATE_BITS), ("opcode", 24, 8))


def encode(op: Op, immediate: int = 0) -> int:
    """The 32-bit word of an instruction. `immediate` must fit 24 bits."""
    if not 0 <= immediate < 1 << IMMEDIATE_BITS:
        raise ValueError(f"an immediate must be from 0 to 2^24 - 1, not {immediate!r}")
    return op << IMMEDIATE_BITS | immediate


def decode(word: int) -> tuple[int, int]:
    """Opcode (perhaps of no instruction) and immediate of a 32-bit word."""
    return word >> IMMEDIATE_BITS, word & ((1 << IMMEDIATE_BITS) - 1)
