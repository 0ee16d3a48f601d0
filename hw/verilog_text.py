"""Verilog as Yosys writes it, without what costs other tools time or makes them warn."""

import re
from collections.abc import Iterable

from ..errors import BadInput

__all__ = ["check_name", "in_lookup_tables", "without_empty_wires", "without_zeros"]

_MODULE = re.compile(r"^module (\\?\S+?)\s*\(.*?^endmodule\n", re.DOTALL | re.MULTILINE)
_CLEARED = re.compile(r"\s*\S+\s*\[\d+\] = \d+'[hd](\w+);")
_EMPTY = re.compile(r"^  wire \[-1:0\] (\\\S+ |\w+);\n", re.MULTILINE)
_MEMORY = re.compile(r"^(?:  \(\*.*\*\)\n)*  reg \[\d+:0\] \S+ \[\d+:0\];$", re.MULTILINE)

# Words that a module cannot be called by, of those a user might think of (IEEE 1364-2005, annex B).
_RESERVED = re.compile(
    "always|and|assign|begin|buf|case|cell|config|default|design|edge|else|end|endmodule|event|for|"
    "function|generate|if|initial|inout|input|instance|integer|library|module|nand|nor|not|or|"
    "output|parameter|real|reg|repeat|signed|table|task|time|tri|use|wait|wand|while|wire|wor|xnor|"
    "xor")


def check_name(name: str) -> str:
    """The name, if a module can be called so in Verilog.

    Raises
    ------
    BadInput
        It is no identifier, or a word of the language.
    """
    if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
        raise BadInput(f"name must be letters, digits and _, no digit first, not {name!r}")
    if _RESERVED.fullmatch(name):
        raise BadInput(f"name must not be a word of Verilog, as {name!r} is")
    return name


def without_zeros(text: str) -> str:
    """Drop initial blocks that only clear a memory.

    Amaranth gives each memory initial contents. No unit reads a word of a block memory that it has
    not written, so that a clearing says nothing; but a line a word costs Yosys minutes, and it
    keeps synthesis from memories that cannot be initialised, such as iCE40's SPRAM.
    """
    def replace(block: re.Match[str]) -> str:
        rest = _CLEARED.sub("", block[1]).strip()
        values = _CLEARED.findall(block[1])
        return "" if values and not rest and not "".join(values).strip("0") else block[0]

    return re.sub(r"  initial begin\n(.*?)\n  end\n", replace, text, flags=re.DOTALL)


def without_empty_wires(text: str) -> str:
    """Drop wires of no bits, which Yosys writes as ``[-1:0]``: to Verilog those are two bits."""
    def module(found: re.Match[str]) -> str:
        body = found[0]
        for name in _EMPTY.findall(body):
            quoted = re.escape(name.strip()) + r"(?=[\s;])"
            body = re.sub(rf"^  wire \[-1:0\] {quoted} ?;\n", "", body, flags=re.MULTILINE)
            body = re.sub(rf"^  assign {quoted} +=.*;\n", "", body, flags=re.MULTILINE)
        return body

    return _MODULE.sub(module, text) if _EMPTY.search(text) else text


def in_lookup_tables(text: str, modules: Iterable[str]) -> str:
    """Have the memories of some modules made of look-up tables, not of blocks.

    Parameters
    ----------
    text
        Verilog.
    modules
        Names as in the text, without the backslash.

    Raises
    ------
    BadInput
        There is no such module with a memory.
    """
    bodies = {found[1].lstrip("\\"): found for found in _MODULE.finditer(text)}
    for name in modules:
        found = bodies.get(name)
        if found is None or not _MEMORY.search(found[0]):
            raise BadInput(f"no memory in a module {name!r}")
        marked = _MEMORY.sub(lambda line: f'  (* ram_style = "distributed" *)\n{line[0]}', found[0])
        text = text.replace(found[0], marked)
    return text
