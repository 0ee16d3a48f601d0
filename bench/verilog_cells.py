"""The Verilog of boards' cores, synthesised in the place of the core of each board's own build.

    python bench/verilog_cells.py [BOARD...]

Both syntheses are of the whole board with the build's own script. In the second one the modules of
the core are those that `tritgrad verilog --board BOARD` wrote. It has no wire for the light that
shows a fault, so that the light's few cells for that are missing. On iCE40 the build places SPRAM
by hand, which a Verilog for any flow leaves to `synth_ice40 -spram`.
"""

import argparse
import json
import re
import resource
import tempfile
from pathlib import Path

from _rtl import write

from tritgrad.boards import find_board
from tritgrad.boards.flow import synthesise
from tritgrad.boards.tools import run_tool
from tritgrad.host.cli.main import cli
from tritgrad.hw.emit import TOP

BOARDS = ("icebreaker", "ulx3s-25f", "ulx3s-85f", "tang-nano-9k", "tang-primer-20k")
LOGIC = re.compile(r"SB_LUT4|SB_CARRY|SB_DFF|LUT[1-6]$|CCU2C|TRELLIS_FF|ALU|DFF|MUX2")
MEMORIES = re.compile(
    r"SB_RAM|SB_SPRAM|DP16KD|PDPW16KD|TRELLIS_DPR|SPX?9?|SDPX?9?B?|DPX?9?B?|RAM16")


def cells(path: Path) -> dict[str, int]:
    """Cells by kind, of a report of Yosys."""
    found: dict[str, int] = json.loads(path.read_text())["design"]["num_cells_by_type"]
    return found


def total(found: dict[str, int], kinds: re.Pattern[str]) -> int:
    return sum(count for kind, count in found.items() if kinds.match(kind))


def with_core(top: str, script: str) -> tuple[str, str]:
    """A board's netlist and script with `TOP` of ``core.v`` in the place of the board's core."""
    def emitted(cell: re.Match[str]) -> str:
        text = re.sub(r"    connect \\run .*\n", "", cell[0]).replace("\\top.core ", f"\\{TOP} ")
        # Amaranth's netlist numbers ports that share a name with another signal.
        return re.sub(r"connect \\([io]__\w+)\$\d+ ", r"connect \\\1 ", text)

    modules = re.split(r"(?m)^(?=(?:attribute .*\n)*module )", top)
    kept = "".join(text for text in modules if not re.search(r"(?m)^module \\top\.core\b", text))
    kept, count = re.subn(r"  cell \\top\.core \\core\n.*?  end\n", emitted, kept, flags=re.DOTALL)
    if count != 1:
        raise SystemExit(f"the board's netlist has {count} cores")
    lines = [line for line in script.splitlines()
             if "select -assert-any" not in line and "ram_style" not in line]
    text = "\n".join(lines).replace("read_rtlil top.il", "read_rtlil top.il\nread_verilog core.v")
    return kept, text.replace("synth_ice40 ", "synth_ice40 -spram ") + "\n"


def compare(name: str, folder: Path) -> dict[str, object]:
    """Synthesise a board twice."""
    board = find_board(name).resized(store=False)
    synthesise(board, folder)
    other = folder / "verilog"
    other.mkdir()
    cli.main(["verilog", "--board", name, "-o", str(other / "core.v")], standalone_mode=False)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run_tool("yosys", ["-q", "-p", f"read_verilog core.v; hierarchy -check -top {TOP}"], other,
             "read.log")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    top, script = with_core((folder / "top.il").read_text(), (folder / "top.ys").read_text())
    (other / "top.il").write_text(top)
    (other / "top.ys").write_text(script)
    run_tool("yosys", ["top.ys"], other, "yosys.log")
    built, own = cells(folder / "stat.json"), cells(other / "stat.json")
    logic = total(built, LOGIC), total(own, LOGIC)
    memories = ({kind: count for kind, count in found.items() if MEMORIES.match(kind)}
                for found in (built, own))
    build_memories, own_memories = memories
    return {"read_cpu_s": round(after.ru_utime - before.ru_utime, 2),
            "lines": (other / "core.v").read_text().count("\n"),
            "build": {"logic": logic[0], "memories": build_memories, "cells": built},
            "verilog": {"logic": logic[1], "memories": own_memories, "cells": own},
            "logic_percent": round(100 * (logic[1] / logic[0] - 1), 2)}


def main() -> None:
    """Print a line a board and keep all as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("boards", nargs="*", default=BOARDS, metavar="BOARD")
    options = parser.parse_args()
    result: dict[str, object] = {}
    for name in options.boards:
        with tempfile.TemporaryDirectory(prefix="cells-") as folder:
            found = result[name] = compare(name, Path(folder))
        print(name, json.dumps({key: value for key, value in found.items()
                                if key not in ("build", "verilog")}),
              found["build"]["logic"], found["build"]["memories"],
              found["verilog"]["logic"], found["verilog"]["memories"], flush=True)
    if set(result) == set(BOARDS):
        write("verilog_cells", result)


if __name__ == "__main__":
    main()
