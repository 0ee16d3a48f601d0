"""What came of a build: resources, clock, worst path, tool versions, hash of the bitstream."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..errors import ToolError
from .board import Board
from .tools import last_error

__all__ = ["REPORTS", "FitError", "Report", "TimingError", "Use", "last_report", "make_report",
           "read_cells", "read_path", "read_use"]

#: Where the reports of released bitstreams are.
REPORTS = Path(__file__).parent / "reports"

#: The netlist's names of a family's look-up tables, carry cells with their bits, and flip-flops.
CELLS: dict[str, tuple[str, dict[str, int], str]] = {
    "ice40": (r"SB_LUT4", {"SB_CARRY": 1}, r"SB_DFF\w*"),
    "ecp5": (r"LUT4", {"CCU2C": 2}, r"TRELLIS_FF"),
    "gowin": (r"LUT[1-4]", {"ALU": 1}, r"DFF\w*"),
}
#: What nextpnr calls the cells that hold all logic, the block memories and the multipliers.
PLACED: dict[str, tuple[str, dict[str, str], str]] = {
    "ice40": ("ICESTORM_LC", {"EBR": "ICESTORM_RAM", "SPRAM": "ICESTORM_SPRAM"}, r"ICESTORM_DSP"),
    "ecp5": ("TRELLIS_COMB", {"DP16KD": "DP16KD"}, r"MULT18X18D|ALU54B"),
    "gowin": ("LUT4", {"BSRAM": "BSRAM"}, r"(MULT|PADD|ALU54)\w*"),
}
#: Where the tools' own parts of a name begin, as in ``core.commands.kind_SB_DFFESR_Q_2``.
TOOL_PART = re.compile(
    r"(?<=[^.])_(SB_|LUT\d|TRELLIS_|CCU2C|DFF|MUX2_|ALU|PFUMX|L6MUX21|DP16KD|PDPW16KD|SDPX?9?B|"
    r"DPX?9?B|RAM16|IBUF|OBUF|DO[AB]\d|RDATA|LC\b).*|\$.*")


class FitError(ToolError):
    """A design needs more of something than the FPGA has."""


class TimingError(ToolError):
    """A design does not reach its clock."""


@dataclass(frozen=True)
class Use:
    """How much of something is used, and how much there is."""

    used: int
    available: int

    def __str__(self) -> str:
        if not self.available:
            return f"{self.used:,}"
        return f"{self.used:,} of {self.available:,} ({100 * self.used / self.available:.0f} %)"


@dataclass
class Report:
    """A build in figures.

    Parameters
    ----------
    board, title, part
        What it is for.
    networks, config
        What it holds: sizes of layers, and the fields of `CoreConfig`.
    seed
        Of the placer.
    clock
        ``crystal_mhz``, ``wanted_mhz`` and, once routed, ``achieved_mhz``.
    resources
        ``lut4``, ``carry`` and ``ff`` of the netlist; ``cells``, what they take after packing;
        each block memory by its name; ``dsp``.
    path
        The slowest path: ``ns``, of these ``logic_ns`` and ``routing_ns``, ``levels`` of logic, and
        ``through``, the signals passed.
    tools
        Versions of the wheels.
    netlist
        SHA-256 of all that the tools were given but the seed.
    bitstream
        ``file``, ``bytes``, ``sha256``.
    seconds
        How long each step took.
    seeds
        MHz reached with each seed that was tried, if this is the worst of several.
    cycles
        Clock cycles a sample of MNIST training, on the RTL, by network; empty if not measured.
    recipe
        Whose network behind a convolution it is built for, if any.
    saves
        Of a core that only infers: by how much it is smaller than the board's released one.
    """

    board: str
    title: str
    part: str
    networks: list[list[int]]
    config: dict[str, int | bool]
    seed: int
    clock: dict[str, float]
    resources: dict[str, Use]
    path: dict[str, Any] = field(default_factory=dict)
    tools: dict[str, str] = field(default_factory=dict)
    bitstream: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    seeds: dict[str, float] = field(default_factory=dict)
    cycles: dict[str, float] = field(default_factory=dict)
    recipe: str = ""
    saves: dict[str, int] = field(default_factory=dict)
    netlist: str = ""

    @property
    def samples_per_second(self) -> dict[str, float]:
        """Samples of MNIST that the core trains a second at its clock, by network."""
        return {network: 1e6 * self.clock["wanted_mhz"] / cycles
                for network, cycles in self.cycles.items()}

    def check_resources(self) -> None:
        """Refuse what does not fit.

        Raises
        ------
        FitError
            Names what is short, by how much, and which option to lower.
        ToolError
            There is a multiplier in hardware; a core needs none.
        """
        for name, use in self.resources.items():
            if name != "dsp" and use.used > use.available:
                over = use.used - use.available
                share = f", {100 * over / use.available:.1f} %" if use.available else ""
                raise FitError(f"{self.board}: {use.used:,} of {use.available:,} {UNITS[name]}, "
                               f"{over:,} too many{share}; lower {ADVICE[name]}")
        if self.resources["dsp"].used:
            raise ToolError(f"{self.board}: {self.resources['dsp'].used} multipliers in hardware; "
                            "a core is made of look-up tables alone")

    def check_timing(self) -> None:
        """Refuse what is too slow.

        Raises
        ------
        TimingError
            Names the clock, by how much it is missed, the slowest path and what to lower.
        """
        wanted, achieved = self.clock["wanted_mhz"], self.clock["achieved_mhz"]
        if achieved < wanted:
            raise TimingError(
                f"{self.board}: {achieved:.2f} of {wanted:.2f} MHz, {wanted - achieved:.2f} MHz "
                f"({100 * (1 - achieved / wanted):.1f} %) short on the path from "
                f"{self.path['through'][0]} to {self.path['through'][-1]}; lower --frequency, or "
                "try another --seed")

    def finish(self, bitstream: Path, seconds: Mapping[str, float]) -> None:
        """Add the bitstream and the time taken."""
        content = bitstream.read_bytes()
        self.bitstream = {"file": bitstream.name, "bytes": len(content),
                          "sha256": hashlib.sha256(content).hexdigest()}
        self.seconds = {name: round(value, 1) for name, value in seconds.items()}

    def compare(self, whole: "Report | None") -> None:
        """Note what leaving out the update saves, if there is a report of the core that trains."""
        if whole is not None and whole.networks == self.networks:
            self.saves = {name: use.used - self.resources[name].used
                          for name, use in whole.resources.items()
                          if name in self.resources and name != "dsp"}

    def as_json(self) -> str:
        """All of it."""
        return json.dumps(asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Report":
        """The report that `as_json` wrote."""
        values = json.loads(text)
        values["resources"] = {name: Use(**use) for name, use in values["resources"].items()}
        return cls(**values)

    def as_text(self) -> str:
        """For people."""
        lines = [f"{self.title} ({self.board}), {self.part}",
                 "networks      " + ", ".join("-".join(map(str, network))
                                              for network in self.networks),
                 "lanes         {banks} x {lanes}, {update_lanes} for updates".format(
                     **self.config)]
        lines += [f"{UNITS[name]:14}{use}" for name, use in self.resources.items()]
        if not self.config.get("trainable", True):
            lines.append("infers only   " + (", ".join(
                f"{saved:,} {UNITS[name]}" for name, saved in self.saves.items())
                + " less than the core that trains" if self.saves else "no update unit, no R"))
        clock = self.clock
        if "achieved_mhz" in clock:
            lines.append(f"clock         {clock['achieved_mhz']:.2f} MHz reached, "
                         f"{clock['wanted_mhz']:.2f} MHz wanted of {clock['crystal_mhz']:g} MHz")
        if self.path:
            lines += ["slowest path  {ns:.1f} ns: {logic_ns:.1f} logic, {routing_ns:.1f} routing, "
                      "{levels} levels".format(**self.path),
                      *(f"              {name}" for name in self.path["through"])]
        lines.append(f"seed          {self.seed}")
        lines += [f"{name:28}{version}" for name, version in self.tools.items()]
        if self.bitstream:
            lines.append(f"bitstream     {self.bitstream['file']}, {self.bitstream['bytes']:,} "
                         f"bytes, SHA-256 {self.bitstream['sha256']}")
        return "\n".join(lines) + "\n"

    def write(self, folder: Path) -> None:
        """``report.json`` and ``report.txt``."""
        (folder / "report.json").write_text(self.as_json())
        (folder / "report.txt").write_text(self.as_text())


UNITS = {"lut4": "LUT4", "carry": "carry bits", "ff": "flip-flops", "cells": "logic cells",
         "EBR": "EBR", "SPRAM": "SPRAM", "DP16KD": "DP16KD", "BSRAM": "BSRAM",
         "dsp": "multipliers"}
ADVICE = {"lut4": "--lanes, --banks or --update-lanes", "carry": "--banks or --update-lanes",
          "ff": "--lanes, --banks or --update-lanes",
          "cells": "--lanes, --banks or --update-lanes", "EBR": "--hidden", "SPRAM": "--hidden",
          "DP16KD": "--hidden", "BSRAM": "--hidden"}


def make_report(board: Board, stat: str, timing: str | None, log: str, *, clock_hz: float,
                seed: int, where: Path, tools: Mapping[str, str]) -> Report:
    """A report from what the tools wrote, without the bitstream.

    Parameters
    ----------
    board
        What was built.
    stat
        What Yosys' ``stat -json`` wrote.
    timing
        nextpnr's JSON report, or None if it stopped before.
    log
        What nextpnr printed.
    clock_hz, seed
        That were asked for.
    where
        The log's name, for messages.
    tools
        Versions by name.

    Raises
    ------
    FitError
        nextpnr stopped as the design does not fit.
    ToolError
        It stopped for another reason.
    """
    family, fpga = board.fpga.family, board.fpga
    cells, (lut, carry, flip_flop) = read_cells(stat), CELLS[family]
    logic, blocks, dsp = PLACED[family]

    def count(pattern: str) -> int:
        return sum(number for name, number in cells.items() if re.fullmatch(pattern, name))

    placed = read_use(log)
    resources = {
        "lut4": Use(count(lut), fpga.lut4),
        "carry": Use(sum(bits * cells.get(name, 0) for name, bits in carry.items()), fpga.carry),
        "ff": Use(count(flip_flop), fpga.ff),
        "cells": placed.get(logic, Use(0, 0)),
        **{name: placed.get(theirs, Use(0, 0)) for name, theirs in blocks.items()},
        "dsp": Use(sum(use.used for name, use in placed.items() if re.fullmatch(dsp, name)), 0),
    }
    report = Report(
        board.name, board.title, board.part, [list(network) for network in board.networks],
        asdict(board.config), seed,
        {"crystal_mhz": board.input_hz / 1e6, "wanted_mhz": clock_hz / 1e6},
        resources, tools=dict(tools), recipe=board.recipe)
    if timing is None:
        report.check_resources()
        said = last_error(log)
        if re.search(r"no B[EL]+s? remaining|Failed to expand region|Unable to (find|place)", said):
            raise FitError(f"{board.name}: the placer finds no room ({said}); lower --lanes, "
                           f"--banks or --hidden (see {where})")
        raise ToolError(f"place and route failed: {said} (see {where})")
    values = json.loads(timing)
    report.clock["achieved_mhz"] = min(clock["achieved"] for clock in values["fmax"].values())
    report.path = read_path(values["critical_paths"])
    return report


def read_cells(stat: str) -> dict[str, int]:
    """How many of each cell Yosys' ``stat -json`` counts in the whole design."""
    found: dict[str, int] = json.loads(stat)["design"]["num_cells_by_type"]
    return {name: number for name, number in found.items() if not name.startswith("$")}


def read_use(log: str) -> dict[str, Use]:
    """The table "Device utilisation" in nextpnr's log, also of a design that does not fit."""
    table = log.partition("Device utilisation:")[2].partition("\n\n")[0]
    return {name: Use(int(used), int(available)) for name, used, available in
            re.findall(r"^Info:\s+(\w+):\s+(\d+)/\s*(\d+)", table, re.MULTILINE)}


def read_path(paths: list[dict[str, Any]]) -> dict[str, Any]:
    """The slowest path from flip-flop to flip-flop of one clock in nextpnr's JSON report."""
    inside = [path for path in paths if path["from"] == path["to"]
              and path["from"].startswith(("posedge", "negedge"))]
    if not inside:
        return {}
    slowest = max(inside, key=lambda path: sum(step["delay"] for step in path["path"]))["path"]
    through: list[str] = []
    for name in (slowest[0]["from"]["cell"], *(step.get("net") for step in slowest),
                 slowest[-1]["to"]["cell"]):
        short = TOOL_PART.sub("", name or "").strip(".")
        if short and (not through or through[-1] != short):
            through.append(short)

    def total(*kinds: str) -> float:
        return round(sum(step["delay"] for step in slowest if step["type"] in kinds), 3)

    return {"ns": round(sum(step["delay"] for step in slowest), 3),
            "logic_ns": total("clk-to-q", "logic", "setup", "source"),
            "routing_ns": total("routing"),
            "levels": sum(step["type"] == "logic" for step in slowest),
            "through": through}


def last_report(board: Board, folder: Path = REPORTS) -> Report | None:
    """The released report of a board, if there is one."""
    path = folder / f"{board.build}.json"
    return Report.from_json(path.read_text()) if path.exists() else None
