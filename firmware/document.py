"""Makes the docs' reference pages from the tables: ``python -m tritgrad.firmware.document``."""

import inspect
import struct
from collections.abc import Iterable
from pathlib import Path

from . import frames, records
from .isa import FORMAT, INSTRUCTIONS, Operand

__all__ = ["PAGES", "instruction_set", "link", "trace_records", "write"]

_NOTE = "<!-- Made by `python -m tritgrad.firmware.document`; edit the tables, not this page. -->\n"
_CREDITS = f"At most {frames.SLOTS} frames may be unanswered at a time."
_CHECKS = ("A device checks in this order: readable frame, type, session, sequence, state, length, "
           "range. A refused frame changes nothing.")
_REPETITION = ("A request whose sequence number lies behind the expected one is a repetition: it "
               "is answered, and carried out only if it changes nothing (HELLO, READ, STATUS).")
_PIECES = (f"A frame of type 0x{frames.TRACE:02X} holds the piece's number since RUN, u32, then 1 "
           f"to {records.PIECE_BYTES} bytes of the stream. The sequence number is that mod 256.")
_OPERANDS = {
    Operand.NONE: "none (0)", Operand.COUNT: "1 to 2^24 - 1", Operand.TARGET: "an address",
    Operand.LAYER: "a layer, from 1", Operand.MARGIN: "1 to 2^23 - 1",
    Operand.MODE: "0 to 3", Operand.SPARSITY: "0 to 6",
    Operand.LIMITS: "cutoff + 2^16 k + 2^20 rest", Operand.EXPONENT: "0 to 31",
}


def _table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    names = list(head)
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def instruction_set() -> str:
    """The page of the instruction set."""
    fields = _table(("field", "bits"), (
        (name, f"{first + width - 1}:{first}") for name, first, width in FORMAT))
    rows = _table(("opcode", "instruction", "operand", "effect"), (
        (f"0x{row.op.value:02x}", f"`{row.op.name}`", _OPERANDS[row.operand], row.effect)
        for row in INSTRUCTIONS.values()))
    return (f"# Instruction set\n\n{_NOTE}\nAn instruction is a 32-bit word. Layers are numbered "
            f"from 1. Behind its last instruction a program halts.\n\n{fields}\n{rows}")


def _record(name: str, fields: frames.Fields) -> str:
    offset = 0
    rows = []
    for field, code in fields:
        size = struct.calcsize("<" + code)
        kind = f"{size} bytes" if code.endswith("s") else (
            ("i" if code.islower() else "u") + str(8 * size))
        rows.append((offset, f"`{field}`", kind))
        offset += size
    return f"### {name}\n\n{offset} bytes, little-endian.\n\n" + _table(
        ("offset", "field", "type"), rows)


def link() -> str:
    """The page of the link protocol."""
    statuses = inspect.getsource(frames.Status).splitlines()
    reasons = {line.split("=")[0].strip(): line.split("#:")[1].strip()
               for line in statuses if "#:" in line}
    requests = inspect.getdoc(frames.Type) or ""
    description = requests.split("\n", 1)[1].strip("\n")
    return "\n".join((
        "# Link protocol", "", _NOTE, inspect.cleandoc(frames.__doc__ or "").split("\n", 2)[2], "",
        f"`FLAG` is 0x{frames.FLAG:02X}, `ESC` 0x{frames.ESC:02X}. {_CREDITS}", "",
        "## Requests", "",
        _table(("type", "request"), ((f"0x{kind.value:02X}", f"`{kind.name}`")
                                     for kind in frames.Type)),
        "```", description, "```", "",
        "## Status of an answer", "",
        _CHECKS, "",
        _table(("value", "status", "meaning"),
               ((status.value, f"`{status.name}`", reasons.get(status.name, "done"))
                for status in frames.Status)),
        _REPETITION, "",
        "## Records", "",
        _record("ANSWER_HEAD", frames.ANSWER_HEAD), _record("LAYER_ROW", frames.LAYER_ROW),
        _record("HELLO_FIELDS", frames.HELLO_FIELDS),
        _record("STATUS_FIELDS", frames.STATUS_FIELDS)))


def trace_records() -> str:
    """The page of the records of decisions."""
    items = (inspect.getdoc(records.Item) or "").split("\n", 1)[1].strip("\n")
    modes = inspect.getsource(records.Mode).splitlines()
    meanings = {line.split("=")[0].strip(): line.split("#:")[1].strip()
                for line in modes if "#:" in line}
    return "\n".join((
        "# Records of decisions", "", _NOTE,
        inspect.cleandoc(records.__doc__ or "").split("\n", 2)[2], "",
        _PIECES, "",
        "## Operand of TRACE", "",
        _table(("bit", "name", "meaning"), ((mode.value.bit_length() - 1, f"`{mode.name}`",
                                             meanings[str(mode.name)]) for mode in records.Mode)),
        "## Items", "",
        _table(("kind", "item"), ((kind.value, f"`{kind.name}`") for kind in records.Item)),
        "```", items, "```", "",
        *(_record(kind.name, fields) for kind, fields in records.FIELDS.items())))


#: Pages by file name.
PAGES = {"instruction-set.md": instruction_set, "link.md": link,
         "trace-records.md": trace_records}


def write(folder: Path) -> None:
    """Write all pages into a folder."""
    for name, page in PAGES.items():
        (folder / name).write_text(page())


if __name__ == "__main__":
    write(Path("docs"))
