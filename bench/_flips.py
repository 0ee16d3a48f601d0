"""The compiled core with a table of its state, any bit of which can be turned in any cycle."""

import ctypes
import json
import re
from dataclasses import dataclass
from pathlib import Path

from tritgrad.hw.core import Core
from tritgrad.model.config import CoreConfig
from tritgrad.sim.builder import Builder
from tritgrad.sim.compiled import CompiledCore
from tritgrad.sim.harness_top import TOP, wrapper
from tritgrad.sim.toolchain import find_compiler, find_verilator
from tritgrad.sim.verilate import HARNESS, component_verilog

_PREFIX = "tritgrad_harness__DOT__core__DOT__"
_KINDS = r"CData|SData|IData|QData|VlWide<\d+>"
_FIELDS = """
    uint64_t flip_at = 0;
    int flip_state = -1;
    uint32_t flip_word = 0, flip_bit = 0;
    bool flipped = false;
"""
_INJECT = """void tritgrad_inject(Core* core, uint64_t at, int state, uint32_t word, uint32_t bit) {
    core->flip_at = at;
    core->flip_state = state;
    core->flip_word = word;
    core->flip_bit = bit;
    core->flipped = false;
}

"""


@dataclass(frozen=True)
class State:
    """A register, or a memory of `depth` words, by its path in Verilator's spelling."""

    name: str
    width: int
    depth: int


class FlippedCore(CompiledCore):
    """A core, compiled once into a folder; `states` are what `inject` can turn bits of."""

    def __init__(self, config: CoreConfig, folder: Path):
        if not (folder / "states.json").exists():
            _build(config, folder)
        self.states = [State(*state) for state in json.loads((folder / "states.json").read_text())]
        self.memory, self.clock_hz = None, 0.0
        self._load(folder / "library.so")
        self._library.tritgrad_inject.argtypes = [
            ctypes.c_void_p, ctypes.c_uint64, ctypes.c_int, ctypes.c_uint32, ctypes.c_uint32]
        self.reset()

    def inject(self, at: int, state: int, word: int, bit: int) -> None:
        """Turn a bit right after the clock edge of a cycle."""
        self._library.tritgrad_inject(self._open(), at, state, word, bit)


def _build(config: CoreConfig, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = component_verilog(lambda: Core(config), repr(config))
    builder = Builder(folder, folder / "log", find_compiler(), find_verilator(),
                      folder / "harness.cpp")
    builder.translate(text + wrapper(False, None, text))
    header = (builder.cpp / "Vtop___024root.h").read_text()
    states = _states(text, header)
    harness = HARNESS.read_text()
    cases = "".join(
        f"    case {n}: base = (char*)&r->{_PREFIX}{state.name}; "
        f"bytes = sizeof(r->{_PREFIX}{state.name}) / {state.depth}; break;\n"
        for n, state in enumerate(states))
    flip = ("void flip(Core* core) {\n    auto* r = core->top->rootp;\n    char* base = nullptr;\n"
            f"    size_t bytes = 0;\n    switch (core->flip_state) {{\n{cases}    }}\n"
            "    if (base) base[core->flip_word * bytes + core->flip_bit / 8] ^= "
            "1 << (core->flip_bit % 8);\n    Vtop___024root___eval_settle(r);\n"
            "    core->flipped = true;\n}\n\n}  // namespace\n")
    head, run = harness.replace(
        '#include "verilated.h"', '#include "verilated.h"\n#include "Vtop___024root.h"\n'
        "void Vtop___024root___eval_settle(Vtop___024root* vlSelf);\n").replace(
        "    uint64_t time = 0;\n", "    uint64_t time = 0;\n" + _FIELDS, 1).replace(
        "}  // namespace\n", flip, 1).split("uint64_t tritgrad_run(")
    run = run.replace(
        "        core->rise();\n        ++cycle;\n",
        "        core->rise();\n        ++cycle;\n"
        "        if (core->flip_state >= 0 && !core->flipped && "
        "core->cycles + cycle >= core->flip_at) flip(core);\n", 1)
    (folder / "harness.cpp").write_text(
        head + "uint64_t tritgrad_run("
        + run.replace("uint64_t tritgrad_cycles(const", _INJECT + "uint64_t tritgrad_cycles(const"))
    builder.compile()
    (folder / "states.json").write_text(json.dumps([[s.name, s.width, s.depth] for s in states]))


def _states(text: str, header: str) -> list[State]:
    """Registers of the Verilog that Verilator has kept, under any of their names, and memories."""
    known = {name[len(_PREFIX):]: int(top) + 1 for _, top, name in re.findall(
        rf"^\s+({_KINDS})/\*(\d+):0\*/ ({_PREFIX}\w+);", header, re.M)}
    found = []
    for names in _registers(text):
        kept = next((name for name in names if name in known), None)
        if kept is not None:
            found.append(State(kept, known[kept], 1))
    for _, top, depth, name in re.findall(
            rf"^\s+VlUnpacked<({_KINDS})/\*(\d+):0\*/, (\d+)> ({_PREFIX}\w+);", header, re.M):
        found.append(State(name[len(_PREFIX):], int(top) + 1, int(depth)))
    return found


def _registers(text: str) -> list[list[str]]:
    """Each register's path, and those of the wires that it drives above."""
    modules = {m[1].lstrip("\\"): m[0] for m in re.finditer(
        r"^module (\\\S+|\w+) ?\(.*?^endmodule", text, re.M | re.S)}
    found: list[list[str]] = []

    def spelt(name: str) -> str:
        return name.lstrip("\\").replace("__", "___05F").replace("$", "__024")

    def walk(module: str, path: str, above: dict[str, list[str]]) -> None:
        body = modules[module]
        leaves = set(re.findall(r"always @\(posedge clk\)\s*\n\s*(\\\S+|\w+)\s*<=", body))
        for leaf in sorted(map(spelt, leaves)):
            found.append([path + leaf, *above.get(leaf, [])])
        for kind, name, pins in re.findall(
                r"^  (\\\S+|\w+)\s+(\\\S+|\w+)\s+\((.*?)\n  \);", body, re.M | re.S):
            if kind.lstrip("\\") in modules:
                ups: dict[str, list[str]] = {}
                for port, net in re.findall(r"\.(\\\S+|\w+)\s*\((\\\S+|\w+)\s*\)", pins):
                    ups[spelt(port)] = [path + spelt(net), *above.get(spelt(net), [])]
                walk(kind.lstrip("\\"), path + spelt(name) + "__DOT__", ups)

    walk(TOP, "", {})
    return found
