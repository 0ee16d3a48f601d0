"""Makes the docs' reference pages from the tables: ``python -m tritgrad.document``."""

import inspect
import struct
from collections.abc import Iterable
from pathlib import Path

from .firmware import frames, records
from .firmware.isa import FORMAT, INSTRUCTIONS, RANGES, Op, Operand
from .model.config import EXCLUDED_FORMS, FORMS
from .units import UNITS, registry

__all__ = ["PAGES", "instruction_set", "link", "trace_records", "units", "write"]

_NOTE = "<!-- Made by `python -m tritgrad.document`; edit the tables, not this page. -->\n"
_UNITS = ("What a core can be made with or without, as fields of `CoreConfig` and as options of "
          "`tritgrad verilog` and `tritgrad build`. What is left out costs nothing. A core says in "
          "its answer to HELLO what it has.")
_CREDITS = f"At most {frames.SLOTS} frames may be unanswered at a time."
_CHECKS = ("A device checks in this order: readable frame, type, session, sequence, state, length, "
           "range. A refused frame changes nothing.")
_REPETITION = ("A request whose sequence number lies behind the expected one is a repetition: it "
               "is answered, and carried out only if it changes nothing (HELLO, READ, STATUS).")
_PIECES = (f"A frame of type 0x{frames.TRACE:02X} holds the piece's number since RUN, u32, then 1 "
           f"to {records.PIECE_BYTES} bytes of the stream. The sequence number is that mod 256.")
#: Operands whose values their range does not explain.
_OPERANDS = {Operand.NONE: "none (0)", Operand.TARGET: "an address",
             Operand.LAYER: "a layer, from 1", Operand.LIMITS: "cutoff + 2^16 k + 2^20 rest"}


def _operand(kind: Operand) -> str:
    if kind in _OPERANDS:
        return _OPERANDS[kind]
    least, most = RANGES[kind]
    bits = most.bit_length()
    return f"{least} to " + (f"2^{bits} - 1" if bits > 16 else f"{most}")


def _table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    names = list(head)
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def instruction_set() -> str:
    """The page of the instruction set."""
    fields = _table(("field", "bits"), (
        (name, f"{first + width - 1}:{first}") for name, first, width in FORMAT))
    rows = _table(("opcode", "instruction", "operand", "a core", "effect"), (
        (f"0x{row.op.value:02x}", f"`{row.op.name}`", _operand(row.operand), _core(row.op),
         row.effect) for row in INSTRUCTIONS.values()))
    return (f"# Instruction set\n\n{_NOTE}\nAn instruction is a 32-bit word. Layers are numbered "
            f"from 1. Behind its last instruction a program halts.\n\n{fields}\n{rows}")


def _core(op: Op) -> str:
    """Which core has an instruction."""
    unit = registry.needed_by(op)
    return "any" if unit is None else unit.title


def _meanings(enumeration: type) -> dict[str, str]:
    """The texts on the members of an enumeration, behind them or in the lines before."""
    found: dict[str, str] = {}
    text: list[str] = []
    for line in inspect.getsource(enumeration).splitlines():
        code, mark, words = line.partition("#:")
        if mark:
            text.append(words.strip())
        if "=" in code:
            found[code.split("=")[0].strip()] = " ".join(text)
        if "=" in code or not mark:
            text = []
    return found


def _spaces() -> str:
    """The memories that READ and WRITE reach."""
    owners = {window.space: unit for unit in UNITS for window in unit.windows}
    meanings = _meanings(frames.Space)
    return _table(("space", "memory", "a core", "word"), (
        (space.value, f"`{space.name}`", owners[space].title if space in owners else
         registry.unit_of("trainable").title if space is frames.Space.R else "any",
         meanings[space.name]) for space in frames.Space))


def _flag(field: str) -> str:
    return "--" + field.replace("_", "-")


def units() -> str:
    """The page of the optional units."""
    variants = [*registry.OPTIONS, *FORMS]
    refused = registry.refused_pairs() | {
        frozenset(pair): reason for pair, reason in EXCLUDED_FORMS.items()}
    reasons = list(dict.fromkeys(
        refused[pair] for pair in (frozenset((a, b)) for a in variants for b in variants)
        if pair in refused))

    def title(field: str) -> str:
        option = registry.OPTIONS.get(field)
        if option is None:
            return f"`{field}`" if FORMS[field] is True else f"`{field}={FORMS[field]}`"
        return f"`{option.off or option.field}`"

    def cell(a: str, b: str) -> str:
        reason = refused.get(frozenset((a, b)))
        return "" if a == b else "yes" if reason is None else f"no {reasons.index(reason) + 1}"

    pairs = (f"{len(refused)} of {len(variants) * (len(variants) - 1) // 2} pairs do not. A number "
             "says why:")
    what = _table(("option", "of", "what it does", "instructions", "memories for the link"), (
        (f"`{_flag(option.off or option.field)}`", f"`units/{unit.name}`", option.help,
         " ".join(f"`{op.name}`" for op in unit.ops) if option is unit.options[0] else "",
         " ".join(f"`{w.space.name}`" for w in unit.windows) if option is unit.options[0] else "")
        for unit in UNITS for option in unit.options))
    matrix = _table(("", *map(title, variants)), (
        (title(a), *(cell(a, b) for b in variants)) for a in variants))
    return "\n".join((
        "# Optional units", "", _NOTE, _UNITS, "", what,
        "## Which go together", "", pairs, "",
        matrix, *(f"{n}. {reason}" for n, reason in enumerate(reasons, 1)), ""))


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
    reasons = _meanings(frames.Status)
    requests = inspect.getdoc(frames.Type) or ""
    description = requests.split("\n", 1)[1].strip("\n")
    return "\n".join((
        "# Link protocol", "", _NOTE, inspect.cleandoc(frames.__doc__ or "").split("\n", 2)[2], "",
        f"`FLAG` is 0x{frames.FLAG:02X}, `ESC` 0x{frames.ESC:02X}. {_CREDITS}", "",
        "## Requests", "",
        _table(("type", "request"), ((f"0x{kind.value:02X}", f"`{kind.name}`")
                                     for kind in frames.Type)),
        "```", description, "```", "",
        "## Memories", "",
        _spaces(),
        "## Status of an answer", "",
        _CHECKS, "",
        _table(("value", "status", "meaning"),
               ((status.value, f"`{status.name}`", reasons[status.name] or "done")
                for status in frames.Status)),
        _REPETITION, "",
        "## Records", "",
        _record("ANSWER_HEAD", frames.ANSWER_HEAD), _record("LAYER_ROW", frames.LAYER_ROW),
        _record("HELLO_FIELDS", registry.HELLO_FIELDS),
        _record("STATUS_FIELDS", frames.STATUS_FIELDS)))


def trace_records() -> str:
    """The page of the records of decisions."""
    items = (inspect.getdoc(records.Item) or "").split("\n", 1)[1].strip("\n")
    meanings = _meanings(records.Mode)
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
         "trace-records.md": trace_records, "units.md": units}


def write(folder: Path) -> None:
    """Write all pages into a folder."""
    for name, page in PAGES.items():
        (folder / name).write_text(page())


if __name__ == "__main__":
    write(Path("docs"))
