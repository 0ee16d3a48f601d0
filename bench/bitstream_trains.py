"""Bitstreams in simulation, unpacked or proved to be what runs: they train and are attacked.

A small board of each family is built, then trains 16-8-4 behind its pins to the golden state
and answers hostile frames as the golden device, from memories that hold anything and a PLL that
locks late. Then LUTs drawn blindly are inverted one after the other: how many of them this finds.

ice40: the packed file is unpacked, and its Verilog is what runs. ecp5: the placed netlist, of the
run of nextpnr that gave the bitstream's configuration; unpacked and packed again that is the same
file. gowin: the synthesised netlist; gowin_unpack gives block memory without widths, modes and
contents, and pins without names. ecp5-conv: as ecp5, with a convolution over two channels in front.
"""

import argparse
import hashlib
import json
import time
from dataclasses import replace
from pathlib import Path

from _rtl import before, write

from tritgrad.boards import find_board
from tritgrad.boards.__main__ import SMALL_CLOCKS
from tritgrad.boards.board import Board
from tritgrad.boards.flow import BITSTREAM, Synthesis, build, place, synthesise
from tritgrad.boards.tools import run_tool
from tritgrad.host.run.acceptance import trains
from tritgrad.sim.board import CompiledBoard
from tritgrad.sim.exam import Wired, examine, faults_found
from tritgrad.sim.netlist import netlist_verilog
from tritgrad.sim.unpack import ice40_verilog

BOARDS = {"ice40": "icebreaker", "ecp5": "ulx3s-25f", "gowin": "tang-nano-9k",
          "ecp5-conv": "ulx3s-25f"}
SIZES = {"lanes": 4, "update_lanes": 2}
#: Images of 6 x 4, 2 x 1 windows of 4 kernels.
CONV = {"conv_kernels": 4, "conv_rows": 6, "conv_columns": 4, "conv_kernel": 2, "conv_pool": 2,
        "conv_planes": 2, "conv_at_once": 2, "conv_bits": 2, "conv_counter_bits": 9,
        "conv_channels": 2}
#: The last file of each build.
SOURCES = {"ice40": "top.bin", "ecp5": "repacked.bit", "gowin": "top.syn.json",
           "ecp5-conv": "repacked.bit"}


def small_board(family: str) -> Board:
    """The smallest core of a family's board that has all parts."""
    name = BOARDS[family]
    board = find_board(name)
    conv = family == "ecp5-conv"
    small = board.resized(network=(48 if conv else 16, 8, 4), clock_hz=SMALL_CLOCKS[name],
                          store=False, units=CONV if conv else {},
                          banks=1 if family == "ice40" else 2, **SIZES)
    return replace(small, lutram=board.lutram if family == "gowin" else ())


def made(family: str, board: Board, folder: Path) -> None:
    """Build what is simulated."""
    if family == "ice40":
        build(board, folder)
        return
    netlist = synthesise(board, folder)
    if family.startswith("ecp5"):
        place(netlist)
        prove_placed(netlist)


def verilog(family: str, folder: Path, faults: int) -> tuple[str, str]:
    """What is simulated of a board, and the file that it was made from."""
    if family == "ice40":
        path = folder / f"top.{BITSTREAM[family]}"
        return ice40_verilog(path, folder / "top.pcf", "sg48", faults, seed=1), path.name
    if family.startswith("ecp5"):
        return netlist_verilog(folder / "placed.json", "ecp5", faults, seed=1), "top.bit"
    return netlist_verilog(folder / "top.syn.json", family, faults, seed=1), "top.syn.json"


def prove_placed(netlist: Synthesis) -> None:
    """Have nextpnr place once more and write the netlist; its configuration is the bitstream's."""
    folder, board = netlist.folder, netlist.board
    tool, *arguments = netlist.place
    other = [{"top.config": "placed.config", "pnr.json": "placed-report.json",
              "top.tim": "placed.tim"}.get(word, word) for word in arguments]
    run_tool(tool, [*other, *board.placer, "--seed", "1", "--freq", f"{netlist.clock_hz / 1e6:.6f}",
                    "--write", "placed.json"], folder, "placed.log")
    run_tool("ecpunpack", ["--input", "top.bit", "--textcfg", "unpacked.config"], folder,
             "unpack.log")
    run_tool("ecppack", ["--compress", "--input", "unpacked.config", "--bit", "repacked.bit"],
             folder, "repack.log")
    for one, other_file in ("top.config", "placed.config"), ("top.bit", "repacked.bit"):
        if (folder / one).read_bytes() != (folder / other_file).read_bytes():
            raise SystemExit(f"{one} and {other_file} differ: the placed netlist is not that of "
                             "the bitstream")


def shown(family: str, folder: Path, frames: int, faults: int, keep: bool) -> dict[str, object]:
    """Build, train, attack, plant."""
    began = time.monotonic()
    board = small_board(family)
    if not keep or not (folder / family / SOURCES[family]).exists():
        made(family, board, folder / family)
    text, source = verilog(family, folder / family, faults)
    key = hashlib.sha256(text.encode()).hexdigest()
    clock_hz = float(board.pll.output_hz)

    def device(fault: int = 0) -> CompiledBoard:
        return CompiledBoard(lambda: text, key, clock_hz, power_up=7, fault=fault)

    with device() as chip:
        state = trains(Wired(chip), 3)
    with device() as chip:
        report = examine(chip, board.config, frames, 3)
        cycles = chip.cycles
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
                        help=f"{', '.join(BOARDS)} (default: all)")
    parser.add_argument("--frames", type=int, default=120, metavar="N")
    parser.add_argument("--faults", type=int, default=8, metavar="N")
    parser.add_argument("--keep", action="store_true", help="do not build again what is there")
    parser.add_argument("--out", type=Path, default=Path("build/bitstream-trains"), metavar="DIR")
    options = parser.parse_args()
    result = {}
    for family in options.families:
        result[family] = shown(family, options.out, options.frames, options.faults,
                               options.keep)
        print(family, json.dumps(result[family], indent=1), flush=True)
    found = before("bitstream_trains") | result
    write("bitstream_trains", {family: found[family] for family in BOARDS if family in found})


if __name__ == "__main__":
    main()
