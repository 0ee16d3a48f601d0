"""Area and speed of the MAC array beside other dot products, after synthesis and routing.

Cells are those of the array alone as Yosys maps it, divided by its lanes: LUT4, and on the ECP5,
with ``-nowidelut``, two for each CCU2C; on the iCE40 the logic cells that nextpnr packs them into
as well, which counts registers and carries without a LUT. All of an array counts: lanes, sums,
pipeline, accumulators, drain and control. The clock is that of the same array between registers:
a shift register feeds the inputs, another one takes the outputs, as no device has so many pins;
these registers are not counted. The lowest of the seeds' clocks is stated.
"""

import argparse
import json
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

from _rtl import before, write
from amaranth import Cat, Module, Mux, Signal, Value, signed
from amaranth.back import rtlil
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from rich.console import Console
from rich.table import Table

from tritgrad.boards.tools import TOOLS, run_tool
from tritgrad.hw.datapath.array import MacArray, MacBank, product_columns
from tritgrad.hw.datapath.compressor import pipelined_sum
from tritgrad.hw.parts.arith import tree_sum
from tritgrad.model.config import CoreConfig

#: Synthesis without multiplier blocks, and routing to the device whose clock is stated.
SYNTH = {"ice40": "synth_ice40 -device u", "ecp5": "synth_ecp5 -nowidelut -nodsp"}
ROUTE = {
    "ice40": ("nextpnr-ice40", ["--up5k", "--package", "sg48", "--pcf-allow-unconstrained",
                                "--freq", "60"]),
    "ecp5": ("nextpnr-ecp5", ["--85k", "--package", "CABGA381", "--speed", "6",
                              "--lpf-allow-unconstrained", "--freq", "200"]),
}

#: LUT4 of a design up to which its clock is measured: what fits beside the shift registers.
LARGEST = {"ice40": 4000, "ecp5": 60000}


def array(lanes: int, banks: int, planes: int) -> MacArray:
    """The array for up to 1,024 inputs of so many bits, and as wide activations up to 4 bits."""
    return MacArray(CoreConfig(
        lanes=lanes, banks=banks, update_lanes=1, input_planes=planes,
        activation_bits=min(planes, 4), max_inputs=1024, max_neurons=256))


class Dot(wiring.Component):
    """L weights times L activations, summed up over words; what the others have in common."""

    def __init__(self, lanes: int, weight_bits: int, activation_bits: int):
        self.lanes = lanes
        bits = 10 + weight_bits + activation_bits
        super().__init__({
            "x": In(lanes * activation_bits), "w": In(lanes * weight_bits),
            "active": In(1), "last": In(1), "sum": Out(signed(bits)), "total": Out(signed(bits)),
        })

    def accumulate(self, m: Module, value: Value, cycles: int) -> None:
        """Add what left the lanes `cycles` after the inputs."""
        active, last = self.active, self.last
        for _ in range(cycles):
            active, last, before = Signal(), Signal(), (active, last)
            m.d.sync += Cat(active, last).eq(Cat(before))
        m.d.comb += self.sum.eq(self.total + value)
        with m.If(active):
            m.d.sync += self.total.eq(Mux(last, 0, self.sum))


class TwoPlanes(Dot):
    """Trits times two-bit activations: both planes in a cycle, in the same columns."""

    def __init__(self, lanes: int):
        super().__init__(lanes, 2, 2)

    def elaborate(self, platform):
        m = Module()
        low, high = (product_columns(m, self.x[n::2], self.w, MacBank.RUN, 0) for n in range(2))
        columns = [low[0], low[1] + high[0], high[1]]
        count = Signal(range(6 * self.lanes + 1))
        difference = Signal(signed(len(count) + 1), reset_less=True)
        m.d.comb += count.eq(pipelined_sum(m, columns, MacBank.DEPTH))
        m.d.sync += difference.eq(count - 3 * self.lanes)
        self.accumulate(m, difference, 4)
        return m


class PlainSum(Dot):
    """Products, then a balanced tree of adders with a register behind each."""

    def product(self, x: Value, w: Value) -> Value:
        raise NotImplementedError

    def elaborate(self, platform):
        m = Module()
        x, w = (Value.cast(port) for port in (self.x, self.w))
        xs, ws = len(x) // self.lanes, len(w) // self.lanes
        level = [self.product(x[n * xs:(n + 1) * xs], w[n * ws:(n + 1) * ws].as_signed())
                 for n in range(self.lanes)]
        cycles = 0
        while True:
            registers = [Signal.like(value, reset_less=True, name="stage") for value in level]
            m.d.sync += [r.eq(value) for r, value in zip(registers, level, strict=True)]
            cycles += 1
            if len(level) == 1:
                break
            level = [tree_sum(registers[n:n + 2]) for n in range(0, len(registers), 2)]
        self.accumulate(m, registers[0], cycles)
        return m


class TritTree(PlainSum):
    """Trits times bits, each product a signed two-bit number."""

    def __init__(self, lanes: int):
        super().__init__(lanes, 2, 1)

    def product(self, x, w):
        return Cat(x[0] & (w[0] ^ w[1]), x[0] & w[1] & ~w[0]).as_signed()


class GatedBytes(PlainSum):
    """Eight-bit weights times bits."""

    def __init__(self, lanes: int):
        super().__init__(lanes, 8, 1)

    def product(self, x, w):
        return Mux(x[0], w, 0)


class Multiplied(PlainSum):
    """Eight-bit weights times eight-bit activations: multipliers of LUTs."""

    def __init__(self, lanes: int):
        super().__init__(lanes, 8, 8)

    def product(self, x, w):
        return x * w


#: Title, bits of weight and activation a cycle, lanes, banks, and what makes it.
DESIGNS: dict[str, tuple[int, int, Callable[[], wiring.Component]]] = {
    "array, 64 lanes, 1-bit activations": (64, 4, lambda: array(64, 4, 1)),
    "array, 64 lanes, activations of up to 4 planes": (64, 4, lambda: array(64, 4, 4)),
    "array, 64 lanes, activations of up to 8 planes": (64, 4, lambda: array(64, 4, 8)),
    "array, 128 lanes, 1-bit activations": (128, 2, lambda: array(128, 2, 1)),
    "array, 36 lanes, 1-bit activations": (36, 4, lambda: array(36, 4, 1)),
    "array, 18 lanes, 1-bit activations": (18, 4, lambda: array(18, 4, 1)),
    "array, 8 lanes, one bank, up to 4 planes": (8, 1, lambda: array(8, 1, 4)),
    "trits x 2-bit activations, both planes at once": (64, 1, lambda: TwoPlanes(64)),
    "trits x 1-bit activations, tree of adders": (64, 1, lambda: TritTree(64)),
    "8-bit weights x 1-bit activations": (64, 1, lambda: GatedBytes(64)),
    "8-bit weights x 8-bit activations, multipliers of LUTs": (16, 1, lambda: Multiplied(16)),
}


class Wrapped(wiring.Component):
    """A design between shift registers, with three pins."""

    def __init__(self, design: wiring.Component):
        self.design = design
        super().__init__({"i": In(1), "capture": In(1), "o": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.design = self.design
        inputs, outputs = [], []
        for _, member, port in self.design.signature.flatten(self.design):
            (inputs if member.flow == In else outputs).append(Value.cast(port))
        feed = Signal(sum(map(len, inputs)), reset_less=True)
        caught, taken = (Signal(sum(map(len, outputs)), reset_less=True) for _ in range(2))
        m.d.comb += Cat(inputs).eq(feed)
        m.d.sync += [
            feed.eq(Cat(self.i, feed)),
            caught.eq(Cat(outputs)),
            taken.eq(Mux(self.capture, caught, taken >> 1)),
            self.o.eq(taken[0]),
        ]
        return m


def synthesise(design: wiring.Component, family: str, folder: Path) -> dict[str, int]:
    """Cells by type; the netlist stays in the folder."""
    (folder / "top.il").write_text(rtlil.convert(design, name="top", emit_src=False))
    return statistics(family, folder)


def statistics(family: str, folder: Path) -> dict[str, int]:
    """Cells by type of ``top.il`` in the folder, where the netlist goes too."""
    script = (f"read_rtlil top.il; {SYNTH[family]} -top top; tee -q -o stat.json stat -json; "
              "write_json top.json")
    run_tool("yosys", ["-q", "-p", script], folder, "yosys.log")
    stat = json.loads((folder / "stat.json").read_text())
    return stat["design"]["num_cells_by_type"]


def packed(folder: Path) -> int:
    """Logic cells of the netlist; the largest iCE40, as the pins are only counted."""
    arguments = ["--hx8k", "--package", "ct256", "--json", "top.json", "--pack-only",
                 "--pcf-allow-unconstrained"]
    log = run_tool("nextpnr-ice40", arguments, folder, "pack.log")
    return int(re.findall(r"ICESTORM_LC:\s+(\d+)/", log)[-1])


def clock(family: str, folder: Path, seed: int) -> float:
    """MHz of the routed netlist."""
    tool, arguments = ROUTE[family]
    log = run_tool(tool, [*arguments, "--json", "top.json", "--seed", str(seed),
                          "--timing-allow-fail"], folder, "route.log")
    return float(re.findall(r"Max frequency for clock.*?: ([\d.]+) MHz", log)[-1])


def measure(title: str, family: str, seeds: int) -> dict[str, object]:
    """A row of the table."""
    lanes, banks, make = DESIGNS[title]
    total = lanes * banks
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cells = synthesise(make(), family, folder)
        luts = cells.get("SB_LUT4", 0) + cells.get("LUT4", 0) + 2 * cells.get("CCU2C", 0)
        row: dict[str, object] = {
            "design": title, "family": family, "lanes": lanes, "banks": banks, "LUT4": luts,
            "LUT4_per_lane": round(luts / total, 2), "cells": cells,
        }
        if family == "ice40":
            row["logic_cells"] = packed(folder)
            row["logic_cells_per_lane"] = round(row["logic_cells"] / total, 2)
        if seeds and luts < LARGEST[family]:
            synthesise(Wrapped(make()), family, folder)
            row["MHz_by_seed"] = [clock(family, folder, seed + 1) for seed in range(seeds)]
            row["MHz"] = min(row["MHz_by_seed"])
    return row


def kept(tools: dict[str, str | None]) -> dict[tuple[str, str], dict[str, object]]:
    """Rows measured before with the same tools, by design and family."""
    result = before("array_area")
    rows = result["rows"] if result.get("tools") == tools else []
    return {(row["design"], row["family"]): row for row in rows if row["design"] in DESIGNS}


def main() -> None:
    """Print the table and keep it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", metavar="N", type=int, default=3,
                        help="place and route with N seeds, 0 for none (default: %(default)s)")
    parser.add_argument("--only", metavar="TEXT", default="",
                        help="measure designs with TEXT in their title, keep the others' results")
    options = parser.parse_args()
    console = Console()
    tools = {name: TOOLS[name].version for name in ("yosys", *(tool for tool, _ in ROUTE.values()))}
    rows = kept(tools)
    for title in DESIGNS:
        for family in SYNTH:
            if options.only in title:
                console.print(f"{title}, {family} ...", style="dim")
                rows[title, family] = measure(title, family, options.seeds)
                # A row takes minutes: none is lost if the rest is not waited for.
                write("array_area", {"tools": tools, "rows": list(rows.values())})
    table = Table("design", "family", "L x R", "LUT4 a lane", "logic cells a lane", "MHz",
                  title=", ".join(f"{name} {number}" for name, number in tools.items()))
    for row in rows.values():
        table.add_row(*(str(row.get(key, "")) for key in ("design", "family")),
                      f"{row['lanes']} x {row['banks']}",
                      *(str(row.get(key, "")) for key in (
                          "LUT4_per_lane", "logic_cells_per_lane", "MHz")))
    console.print(table)


if __name__ == "__main__":
    main()
