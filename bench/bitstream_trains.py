"""Bitstreams in simulation, unpacked or proved to be what runs: they train and are attacked.

A small board of each family is built, then trains 16-8-4 behind its pins to the golden state
and answers hostile frames as the golden device, from memories that hold anything and a PLL that
locks late. Then LUTs drawn blindly are inverted one after the other: how many of them this finds.

ice40: the packed file is unpacked, and its Verilog is what runs. gowin: the synthesised netlist;
gowin_unpack gives block memory without widths, modes and contents, and pins without names.
"""

import argparse
import hashlib
import json
import time
from dataclasses import replace
from pathlib import Path

from _rtl import write

from tritgrad.boards import find_board
from tritgrad.boards.__main__ import SMALL_CLOCKS
from tritgrad.boards.board import Board
from tritgrad.boards.flow import BITSTREAM, build, synthesise
from tritgrad.host.run.acceptance import trains
from tritgrad.sim.board import CompiledBoard
from tritgrad.sim.exam import Wired, examine, faults_found
from tritgrad.sim.netlist import netlist_verilog
from tritgrad.sim.unpack import ice40_verilog

BOARDS = {"ice40": "icebreaker", "gowin": "tang-nano-9k"}
SIZES = {"lanes": 4, "update_lanes": 2}


def small_board(family: str) -> Board:
    """The smallest core of a family's board that has all parts."""
    name = BOARDS[family]
    board = find_board(name)
    small = board.resized(network=(16, 8, 4), clock_hz=SMALL_CLOCKS[name],
                          banks=1 if family == "ice40" else 2, **SIZES)
    return replace(small, lutram=board.lutram if family == "gowin" else ())


def verilog(family: str, board: Board, folder: Path, faults: int) -> tuple[str, str]:
    """What is simulated of a board, and the file that it was made from."""
    if family == "ice40":
        build(board, folder)
        path = folder / f"top.{BITSTREAM[family]}"
        return ice40_verilog(path, folder / "top.pcf", "sg48", faults, seed=1), path.name
    synthesise(board, folder)
    return netlist_verilog(folder / "top.syn.json", family, faults, seed=1), "top.syn.json"


def shown(family: str, folder: Path, frames: int, faults: int) -> dict[str, object]:
    """Build, train, attack, plant."""
    began = time.monotonic()
    board = small_board(family)
    text, source = verilog(family, board, folder / family, faults)
    key = hashlib.sha256(text.encode()).hexdigest()
    clock_hz = float(board.pll.output_hz)

    def device(fault: int = 0) -> CompiledBoard:
        return CompiledBoard(lambda: text, key, clock_hz, power_up=7, fault=fault)

    with device() as made:
        state = trains(Wired(made), 3)
    with device() as made:
        report = examine(made, board.config, frames, 3)
        cycles = made.cycles
    found = faults_found(device, board.config, faults, frames, 3)
    return {"board": board.name, "source": source,
            "sha256": hashlib.sha256((folder / family / source).read_bytes()).hexdigest(),
            "state_sha256": state, "frames": report.frames, "runs": report.runs,
            "cycles": cycles, "luts_inverted": faults, "luts_missed": found.missed,
            "seconds": round(time.monotonic() - began)}


def main() -> None:
    """Print what was shown of each family and keep it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("families", nargs="*", default=list(BOARDS), metavar="FAMILY",
                        help="ice40, gowin (default: all)")
    parser.add_argument("--frames", type=int, default=120, metavar="N")
    parser.add_argument("--faults", type=int, default=8, metavar="N")
    parser.add_argument("--out", type=Path, default=Path("build/bitstream-trains"), metavar="DIR")
    options = parser.parse_args()
    result = {}
    for family in options.families:
        result[family] = shown(family, options.out, options.frames, options.faults)
        print(family, json.dumps(result[family], indent=1), flush=True)
    if list(result) == list(BOARDS):
        write("bitstream_trains", result)


if __name__ == "__main__":
    main()
