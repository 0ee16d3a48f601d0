"""From a board to its bitstream: Amaranth, Yosys, nextpnr, the family's packer."""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import ToolError
from .board import Board
from .report import Report, last_report, make_report
from .tools import TOOLS, run_tool

__all__ = ["Synthesis", "build", "place", "prepare", "run_synthesis", "synthesise"]

Say = Callable[[str], None]

#: Lines of the tools' logs, and what they mean to somebody who waits.
YOSYS_PHASES = (
    (r"Executing PROC pass", "synthesis, processes"),
    (r"Executing ALUMACC pass", "synthesis, arithmetic"),
    (r"Executing MEMORY_LIBMAP pass", "synthesis, memories"),
    (r"Executing ABC9? pass", "synthesis, look-up tables"),
)
NEXTPNR_PHASES = (
    (r"Creating initial analytic placement", "placing"),
    (r"Running simulated annealing placer", "placing, refinement"),
    (r"^Info: Routing", "routing"),
)


#: What synthesis is told, by family. No option keeps it from multipliers in hardware: that there
#: are none is for the report to find.
SYNTH_OPTIONS = {
    "ice40": "-device u -dsp",
    "ecp5": "-nowidelut",
    "gowin": "-nowidelut",
}
#: Ending of the bitstream.
BITSTREAM = {"ice40": "bin", "ecp5": "bit", "gowin": "fs"}
#: A round of routing that only a router comes to that cannot reach the clock.
ENDLESS = (r"^Info: +iter=100 wires=",
           "it routes without an end; lower --frequency or try another --seed")
PLACE_OPTIONS = "--report pnr.json --timing-allow-fail"


@dataclass
class Synthesis:
    """A netlist that waits to be synthesised, or to be placed.

    Parameters
    ----------
    board
        What it is for.
    folder
        Where it is.
    clock_hz
        Of the core.
    synthesise, place, pack
        The commands that are left to run, tool first.
    digest
        SHA-256 of all that the tools are given but the seed: netlist, pins, clock, options.
    seconds
        How long each step has taken.
    """

    board: Board
    folder: Path
    clock_hz: float
    synthesise: list[str]
    place: list[str]
    pack: list[str]
    digest: str = ""
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def tools(self) -> dict[str, str]:
        """Versions of the tools by their names."""
        return {command[0]: TOOLS[command[0]].version or ""
                for command in (self.synthesise, self.place, self.pack)}


def build(board: Board, folder: Path, *, seed: int = 1, say: Say = lambda text: None) -> Report:
    """A bitstream, the logs of all tools and a report, in a folder.

    The same source, tools and seed give the same bitstream.

    Parameters
    ----------
    board
        With the core that is wanted; see `Board.resized`.
    folder
        For all files; made if missing. The report is ``report.json`` and ``report.txt``, the
        bitstream ``top`` with the family's ending.
    seed
        Of the placer.
    say
        Is told what goes on.

    Raises
    ------
    ConfigError
        The memories cannot fit.
    FitError, TimingError
        The design does not fit or misses its clock. The report is written all the same.
    ToolError
        A tool is missing or failed.
    """
    return place(synthesise(board, folder, say), seed, say)


def synthesise(board: Board, folder: Path, say: Say = lambda text: None) -> Synthesis:
    """The netlist of a board; see `build`."""
    made = prepare(board, folder, say)
    run_synthesis(made, say)
    return made


def prepare(board: Board, folder: Path, say: Say = lambda text: None) -> Synthesis:
    """What the tools are given for a board, in a folder; no tool has run. See `build`."""
    board.check()
    folder.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    say("RTL")
    try:
        from .top import BoardTop
        platform = board.platform()
    except ModuleNotFoundError as error:
        raise ToolError(f"{error.name} is not installed: pip install 'tritgrad[boards]'") from error
    top, family = BoardTop(board), board.fpga.family
    options = SYNTH_OPTIONS[family]
    if family == "gowin":
        options += " -family " + ("gw2a" if platform.series == "GW2A" else "gw1n")
    plan = platform.prepare(
        # Without source lines the netlist does not depend on where the source is.
        top, "top", emit_src=False, debug_verilog=False, verbose=True, synth_opts=options,
        nextpnr_opts=PLACE_OPTIONS,
        script_after_read="\n".join(
            f"select -assert-any top.{unit}/m:*\n"
            f"setattr -set ram_style \"distributed\" top.{unit}/m:*" for unit in board.in_tables),
        script_after_synth="\n".join([*(
            f"select -assert-count 1 top/c:{cell}\n"
            f"setattr -set BEL \"{bel}\" top/c:{cell}" for cell, bel in board.sites),
            "tee -q -o stat.json stat -json"]))
    for name, content in plan.files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    commands = json.loads(plan.files["build_top.json"])["commands"]
    given = plan.digest() + repr((board.placer, top.clock_hz)).encode()
    if board.aimed_hz is not None:
        with (folder / "top.lpf").open("a") as constraints:
            constraints.write(f'\nFREQUENCY NET "clk" {board.aimed_hz / 1e6:.6f} MHZ;\n')
        given += repr(board.aimed_hz).encode()
    synthesise, place, pack = commands
    made = Synthesis(board, folder, top.clock_hz, synthesise, place, pack,
                     hashlib.sha256(given).hexdigest())
    made.seconds["rtl"] = time.monotonic() - started
    return made


def run_synthesis(made: Synthesis, say: Say = lambda text: None) -> None:
    """Have Yosys make of what `prepare` wrote what `place` takes."""
    started = time.monotonic()
    say("synthesis")
    tool, *arguments = made.synthesise
    run_tool(tool, arguments, made.folder, "yosys.log", say, YOSYS_PHASES)
    made.seconds["synthesis"] = time.monotonic() - started


def place(synthesis: Synthesis, seed: int = 1, say: Say = lambda text: None) -> Report:
    """Place, route and pack a netlist; see `build`."""
    board, folder, started = synthesis.board, synthesis.folder, time.monotonic()
    seconds = dict(synthesis.seconds)
    bitstream = folder / f"top.{BITSTREAM[board.fpga.family]}"
    for stale in (bitstream, folder / "pnr.json", folder / "report.json", folder / "report.txt"):
        stale.unlink(missing_ok=True)
    say("packing")
    tool, *arguments = synthesis.place
    log = run_tool(tool, [*arguments, *board.placer, "--seed", str(seed), "--freq",
                          f"{synthesis.clock_hz / 1e6:.6f}"],
                   folder, "nextpnr.log", say, NEXTPNR_PHASES, check=False, endless=ENDLESS)
    seconds["place and route"], started = time.monotonic() - started, time.monotonic()
    timing = folder / "pnr.json"
    report = make_report(
        board, (folder / "stat.json").read_text(), timing.read_text() if timing.exists() else None,
        log, clock_hz=synthesis.clock_hz, seed=seed, where=folder / "nextpnr.log",
        tools=synthesis.tools)
    report.netlist = synthesis.digest
    report.check_resources()
    say("bitstream")
    run_tool(synthesis.pack[0], synthesis.pack[1:], folder, "pack.log", say)
    seconds["bitstream"] = time.monotonic() - started
    report.finish(bitstream, seconds)
    if not board.config.trainable:
        report.compare(last_report(board))
    report.write(folder)
    report.check_timing()
    return report
