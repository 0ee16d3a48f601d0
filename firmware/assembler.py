"""The assembler: text in, instruction words out, errors that name the line and the operand.

A line is an optional ``label:``, an instruction name, its operand, and a comment after ``;``.
Operands are numbers (decimal or 0x..), labels, or names given to `assemble` as symbols. A layer may
be ``last``, or a range: ``FWD 1..last`` is an instruction for each layer, ``BWD last..2`` one for
each from the last down to the second, and none if there is but one.
"""

import re
from collections.abc import Mapping, Sequence

from ..errors import BadInput
from .isa import INSTRUCTIONS, Op, Operand, decode, encode, operand_range

__all__ = ["AssemblyError", "assemble", "disassemble"]

#: The highest number of a layer.
LAST = "last"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class AssemblyError(BadInput):
    """A line that is no instruction of this machine."""

    def __init__(self, line: int, message: str):
        super().__init__(f"line {line}: {message}")
        self.line = line


def assemble(source: str, *, layers: int, symbols: Mapping[str, int] | None = None) -> list[int]:
    """Instruction words of a program.

    Parameters
    ----------
    source
        Program text.
    layers
        Rows of the layer table that the program will run with: the largest layer operand.
    symbols
        Names that operands may use, with their values.

    Raises
    ------
    AssemblyError
        Unknown instruction, missing, superfluous, unknown or unusable operand, label set twice.
    """
    names = dict(symbols or {})
    labels: dict[str, int] = {}
    lines: list[tuple[int, list[str]]] = []
    for number, text in enumerate(source.splitlines(), 1):
        code = text.split(";", 1)[0].strip()
        while ":" in code:
            label, code = (part.strip() for part in code.split(":", 1))
            if not _NAME.match(label):
                raise AssemblyError(number, f"{label!r} cannot be a label")
            if label in labels or label in names:
                raise AssemblyError(number, f"label {label!r} is already defined")
            labels[label] = len(lines)
        lines += [(number, words) for words in _ranged(number, code.split(), layers)]
    return [_instruction(number, words, len(lines), layers, labels, names)
            for number, words in lines]


def _ranged(number: int, words: list[str], layers: int) -> list[list[str]]:
    """A line's instructions: one, or one for each layer of a range; none if it is empty."""
    if len(words) != 2:
        return [words] if words else []
    op, operand = words
    kind = INSTRUCTIONS[Op[op.upper()]].operand if op.upper() in Op.__members__ else None
    if kind is not Operand.LAYER:
        return [words]
    first, dots, end = operand.partition("..")
    if not dots:
        return [[op, str(layers) if operand == LAST else operand]]
    try:
        a, b = (layers if part == LAST else int(part, 0) for part in (first, end))
    except ValueError:
        raise AssemblyError(number, f"{op.upper()} {operand}: a range has numbers or {LAST} at its "
                                    f"ends") from None
    down = first == LAST or (end != LAST and a > b)
    return [[op, str(n)] for n in (range(a, b - 1, -1) if down else range(a, b + 1))]


def _instruction(number: int, words: Sequence[str], length: int, layers: int,
                 labels: Mapping[str, int], names: Mapping[str, int]) -> int:
    name, *operands = words
    if name.upper() not in Op.__members__:
        known = ", ".join(op.name for op in Op)
        raise AssemblyError(number, f"no instruction {name!r}; there are {known}")
    op = Op[name.upper()]
    kind = INSTRUCTIONS[op].operand
    wanted = 0 if kind is Operand.NONE else 1
    if len(operands) != wanted:
        rule = "no operand" if wanted == 0 else f"one operand ({kind.value})"
        raise AssemblyError(number, f"{op.name} takes {rule}, not {' '.join(operands)!r}")
    if kind is Operand.NONE:
        return encode(op)
    value = _value(number, op, kind, operands[0], labels, names)
    low, high = operand_range(kind, length=length, layers=layers)
    if not low <= value <= high:
        raise AssemblyError(number, f"{op.name} {operands[0]}: the {kind.value} must be from "
                                    f"{low} to {high}, not {value}")
    return encode(op, value)


def _value(number: int, op: Op, kind: Operand, text: str, labels: Mapping[str, int],
           names: Mapping[str, int]) -> int:
    if kind is Operand.TARGET and text in labels:
        return labels[text]
    if text in names:
        return names[text]
    try:
        return int(text, 0)
    except ValueError:
        what = "label" if kind is Operand.TARGET else "name or number"
        raise AssemblyError(number, f"{op.name} {text}: no such {what}") from None


def disassemble(words: Sequence[int]) -> str:
    """One line an instruction; words that are none are shown as ``.word``."""
    lines = []
    for word in words:
        opcode, operand = decode(word)
        if opcode not in frozenset(Op):
            lines.append(f".word 0x{word:08x}")
        elif INSTRUCTIONS[Op(opcode)].operand is Operand.NONE:
            lines.append(Op(opcode).name)
        else:
            lines.append(f"{Op(opcode).name} {operand}")
    return "\n".join(lines)
