"""Makes the docs' reference pages from the tables: ``python -m tritgrad.document``."""

import enum
import inspect
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .firmware import frames, programs, records, store
from .firmware.assembler import disassemble
from .firmware.isa import FORMAT, INSTRUCTIONS, RANGES, Op, Operand
from .model.config import EXCLUDED_FORMS, FORMS
from .units import UNITS, registry

__all__ = ["PAGES", "instruction_set", "link", "trace_records", "units", "write"]

_NOTE = "<!-- Made by `python -m tritgrad.document`; edit the tables, not this page. -->\n"
_UNITS = ("What a core can be made with or without, as fields of `CoreConfig` and as options of "
          "`tritgrad verilog` and `tritgrad build`. What is left out costs nothing. A core says in "
          "its answer to HELLO what it has.")
_TRAINING = "Options of `tritgrad train` that ask for a core with a unit, and for its use:"
_CREDITS = f"At most {frames.SLOTS} frames may be unanswered at a time."
_CHECKS = ("A device checks in this order: readable frame, type, session, sequence, state, length, "
           "range. A refused frame changes nothing, but for PLAY with status `STORE`.")
_REPETITION = ("A request whose sequence number lies behind the expected one is a repetition: it "
               "is answered, and carried out only if it is one of "
               + ", ".join(sorted(kind.name for kind in frames.READ_ONLY)) + ".")
_PIECES = (f"A frame of type 0x{frames.TRACE:02X} holds the piece's number since RUN, u32, then 1 "
           f"to {records.PIECE_BYTES} bytes of the stream. The sequence number is that mod 256.")
_HELLO = f"""\
`magic` is `{frames.MAGIC.decode()}` in ASCII, `protocol` {frames.PROTOCOL_VERSION}; a host that \
finds another must not go on. `slots`
frames may be unanswered at a time; a frame's header and payload together have at most `slot_bytes`
bytes, and the words of READ's answer at most `slot_bytes` - 10. The other fields are the core's:
*L* is `lanes`, *R* `banks`, *U* `update_lanes`, *b* `counter_bits`, *a* `activation_bits`. `store`
is 0 where there is none, 1 for a RAM of 16-bit words, 2 for a flash of bytes; it has 2^`store_bits`
of them. What a core has is 1, what it has not 0.
"""
_TAIL = """\
Behind HELLO_FIELDS, of a core with a convolution; without one it is left out, with one over one
channel it ends before `conv_channels`, unless ROWS_FIELDS follow.
"""
_ROWS = """\
Behind all others, of a core that updates several rows at once: *Q*. Of others the answer ends
before it.
"""
_IMAGES = """\
At the end, of a core that shifts images of its store: by up to `store_shift` pixels, images of up
to so many rows and columns and bits of a pixel.
"""
_UNASKED = f"""\
| type | frame | payload |
|---|---|---|
| 0x{frames.NAK:02X} | `NAK` | ANSWER_HEAD |
| 0x{frames.RESULT:02X} | `RESULT` | index u32 since RUN, prediction u8, score i32 of each class |
| 0x{frames.TRACE:02X} | `TRACE` | number u32 since RUN, a piece of the stream of \
[trace-records.md](trace-records.md) |

What a NAK answers is unknown; its sequence number is the expected one, or with status `TYPE` that
of the request. Wait until nothing is on its way, and send all that is unanswered once more, in
order. The sequence number of the others is their index or number mod 256. SEND makes a RESULT,
TRACE and TELL make pieces; neither is ever repeated: of samples whose results were lost ask once
more, with another RUN.
"""
_WORDS = """\
A word is so many bits, bit 0 of lane 0 lowest, lane after lane without a gap. On the link it has
the bytes that hold it, the lowest first, and the bits left over are 0.

The counter of row j and input i of a layer, a two's complement number of b bits, is in two parts:

| part | where | bits |
|---|---|---|
| its two top bits, the trit | T, bank `j mod R`, address `trit_base + (j div R) * W + i div L` \
| lane `i mod L`, 2 bits |
| the others | R, address `residual_base + (j * W + i div L) * (L / U) + (i mod L) div U` \
| lane `i mod U`, b - 2 bits |

`W = ceil(inputs / L)`. Both bases are 0 for the first layer; they grow by `W * ceil(outputs / R)`
and by `W * (L / U) * outputs` from a layer to the next. A core that updates *Q* rows at once has R
in Q parts, word n in part n mod Q: there the address is
`residual_base + (((j div Q) * W + i div L) * (L / U) + (i mod L) div U) * Q + j mod Q`, and the
base grows by `W * (L / U) * Q * ceil(outputs / Q)`. Lanes behind the last input must be 0. A
core whose `trainable` is 0 has no R.
"""
_LOADING = """\
1. HELLO with a nonce of the host's choice. If the answer's `nonce` is another, it is an answer to
   an older HELLO. The next request has the sequence number of HELLO + 1, each later one 1 more, mod
   256. In every later answer a `nonce` of 0 says that the device was reset and has lost all.
2. TABLE, a row a layer, the first layer first. `inputs` of a layer are the `outputs` of the one
   before. `planes` are the bits of an input: of the first layer 1 to `input_planes`, else a.
   `shift` (0 to 31) divides a hidden layer's pre-activations by 2^shift; of the last layer it is
   ignored. `gain` is the exponent of the step, -15 to b - 2.
3. WRITE T of each bank, WRITE R, in pieces that a slot holds; then the other memories a core has.
4. PRNG or SEED.
5. PROGRAM, words of [instruction-set.md](instruction-set.md).
6. RUN. It clears the statistics. A program that meets a fault stops and says so in STATUS.
7. DATA, as many samples as the program takes, several in a frame where they fit; or PLAY, of what
   FILL or SPI have written before. An answer may wait until the program has taken samples that came
   before.
8. STATUS with wait = 1, until `run` is not RUNNING. READ T and R have the network that was learned.
"""
_PROGRAMS = """\
Two programs, of a network of two layers and 3 samples, margin 16; words in hexadecimal:

Infer: `{infer}`

```
{infer_text}
```

Train: `{train}`

```
{train_text}
```
"""
_SAMPLES = """\
A sample of DATA has `ceil(inputs / 8)` groups, each of eight inputs: `planes` bytes, first that of
bit 0 of the inputs, bit i of a byte being input 8 g + i. Three inputs 1, 2, 3 of two planes are the
two bytes `05 06`; sparse, `01 05 06`. Labels are numbers of the last layer's outputs; where a
program does not learn they may be 0.
"""
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
    variants = [*registry.CHOICES, *FORMS]
    refused = registry.refused_pairs() | {
        frozenset(pair): reason for pair, reason in EXCLUDED_FORMS.items()}
    reasons = list(dict.fromkeys(
        refused[pair] for pair in (frozenset((a, b)) for a in variants for b in variants)
        if pair in refused))

    def title(field: str) -> str:
        option = registry.OPTIONS.get(field)
        if option is None:
            return f"`{field}`" if FORMS[field] is True else f"`{field}={FORMS[field]}`"
        return f"`{option.off or option.name}`"

    def cell(a: str, b: str) -> str:
        reason = refused.get(frozenset((a, b)))
        return "" if a == b else "yes" if reason is None else f"no {reasons.index(reason) + 1}"

    pairs = (f"{len(refused)} of {len(variants) * (len(variants) - 1) // 2} pairs do not. A number "
             "says why:")
    what = _table(("option", "of", "what it does", "instructions", "memories for the link"), (
        (f"`{_flag(option.off or option.name)}`", f"`units/{unit.name}`", option.text,
         " ".join(f"`{op.name}`" for op in unit.ops) if option is unit.options[0] else "",
         " ".join(f"`{w.space.name}`" for w in unit.windows) if option is unit.options[0] else "")
        for unit in UNITS for option in unit.options))
    matrix = _table(("", *map(title, variants)), (
        (title(a), *(cell(a, b) for b in variants)) for a in variants))
    training = _table(("option", "of", "what it does"), (
        (f"`{option.flags}`", f"`units/{unit.name}`", option.text)
        for unit in UNITS for option in unit.training))
    return "\n".join((
        "# Optional units", "", _NOTE, _UNITS, "", what,
        "## In training", "", _TRAINING, "", training,
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
    length = "1 byte" if offset == 1 else f"{offset} bytes"
    return f"### {name}\n\n{length}, little-endian.\n\n" + _table(
        ("offset", "field", "type"), rows)


#: Of DATA, FILL and PLAY.
_FLAGS = """\
Bits of `flags` that are not named above are ignored, by the golden device and by a core alike,
4 too where a core shifts no images: they may mean something later, so a host sends them as 0.
Named but of no use, 2 of
DATA and FILL and 1 of PLAY from a RAM are refused (`RANGE`)."""


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
        "```", description, "```", "", _FLAGS, "",
        "HELLO with nonce 1 and sequence number 1 is, byte by byte: `"
        + frames.Frame(frames.Type.HELLO, 1, bytes((1, 0, 0, 0))).encode().hex(" ") + "`.", "",
        "## Order", "", _LOADING,
        "## Memories", "",
        _spaces(),
        _WORDS,
        "## Samples", "", _SAMPLES,
        "## Records of a store", "", *inspect.cleandoc(store.__doc__ or "").split("\n")[2:], "",
        "## Programs", "", _two_programs(),
        "## Frames that are no answers", "",
        _UNASKED,
        "## Status of an answer", "",
        _CHECKS, "",
        _table(("value", "status", "meaning"),
               ((status.value, f"`{status.name}`", reasons[status.name] or "done")
                for status in frames.Status)),
        _REPETITION, "",
        "## Records", "",
        _record("ANSWER_HEAD", frames.ANSWER_HEAD), _record("LAYER_ROW", registry.LAYER_ROW),
        _record("HELLO_FIELDS", registry.HELLO_FIELDS), _HELLO,
        _record("HELLO_TAIL", registry.HELLO_TAIL), _TAIL,
        _record("IMAGE_FIELDS", frames.IMAGE_FIELDS), _IMAGES,
        _record("ROWS_FIELDS", frames.ROWS_FIELDS), _ROWS,
        _record("STATUS_FIELDS", frames.STATUS_FIELDS),
        "`run`:", "",
        _table(("value", "state", "meaning"), ((state.value, f"`{state.name}`", meaning)
                                               for state, meaning in _states(frames.Run))),
        "`loaded`, a sum of:", "",
        _table(("value", "of", ""), ((bit.value, f"`{bit.name}`", meaning)
                                     for bit, meaning in _states(frames.Loaded)))))


def _states(enumeration: type[enum.IntEnum] | type[enum.IntFlag]) -> Iterable[tuple[Any, str]]:
    meanings = _meanings(enumeration)
    return [(member, meanings[str(member.name)]) for member in enumeration]


def _two_programs() -> str:
    infer, train = programs.infer(2, 3), programs.train(2, 3, 16)
    return _PROGRAMS.format(
        infer=" ".join(f"{word:08x}" for word in infer), infer_text=disassemble(infer).rstrip(),
        train=" ".join(f"{word:08x}" for word in train), train_text=disassemble(train).rstrip())


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
