"""The bitstream of an iCE40, unpacked to Verilog that runs behind the UART's pins.

`iceunpack` gives the bits of each tile, `icebox_vlog` of the package fpga-icestorm the Verilog of
what they configure; that tool is not in any wheel and must be installed apart. It lacks SPRAM and
gives the multipliers' tiles wires without a declaration: its source is changed in these two places
before it runs.
"""

import random
import re
import subprocess
import sys
from pathlib import Path

from ..boards.tools import run_tool
from ..errors import ToolError
from .netlist import with_primitives
from .verilate import TOP

__all__ = ["ice40_verilog", "icebox"]

#: Where Debian's fpga-icestorm and a build of icestorm keep the tool.
PLACES = ("/usr/share/fpga-icestorm/python", "/usr/share/icebox", "/usr/local/share/icebox",
          "/usr/local/bin", "/usr/bin")
#: Instances of SPRAM, in the words of icebox_vlog: in place of its loop over the multipliers.
_SPRAM = '''
for place, pins in icebox.spram_db[ic.device].items():
    x, y, bit = pins["SPRAM_EN"]
    pattern = next(entry[0] for entry in ic.tile_db(x, y) if entry[1:] == ["IpConfig", bit])
    if not icebox.tileconfig(ic.tile(x, y)).match(pattern):
        continue
    def bits(name, count):
        return "{%s}" % ", ".join(
            seg_to_net(pins["%s_%d" % (name, n)], "1'b0") for n in reversed(range(count)))
    outs = ["spram_%d_%d_%d_%d" % (place + (n,)) for n in range(16)]
    text_func.append("wire %s;" % ", ".join(outs))
    text_func.append("SB_SPRAM256KA spram_%d_%d_%d (" % place)
    text_func.append(".ADDRESS(%s), .DATAIN(%s), .MASKWREN(%s)," % (
        bits("ADDRESS", 14), bits("DATAIN", 16), bits("MASKWREN", 4)))
    for name in ("WREN", "CHIPSELECT", "STANDBY", "SLEEP", "POWEROFF", "CLOCK"):
        text_func.append(".%s(%s)," % (name, seg_to_net(pins[name], "1'b0")))
    text_func.append(".DATAOUT({%s}));" % ", ".join(reversed(outs)))
    for n, out in enumerate(outs):
        segment = pins["DATAOUT_%d" % n]
        if segment in seg2net:
            text_func.append("assign %s = %s;" % (seg2net[segment], out))
'''
_LUT = re.compile(r"^(assign \w+ *= /\* LUT [\d ]+\*/) (.*);$", re.MULTILINE)


def icebox() -> Path:
    """The installed icebox_vlog.

    Raises
    ------
    ToolError
        There is none.
    """
    for place in PLACES:
        for name in ("icebox_vlog", "icebox_vlog.py"):
            path = Path(place) / name
            if path.exists() and (Path(place) / "icebox.py").exists():
                return path
    raise ToolError("icebox_vlog is not installed: it is part of icestorm, in Debian the package "
                    "fpga-icestorm")


def ice40_verilog(bitstream: Path, pins: Path, package: str, faults: int = 0,
                  seed: int = 0) -> str:
    """Verilog of a bitstream with the pins ``clk``, ``rx`` and ``tx`` for `sim.verilate.build`.

    Parameters
    ----------
    bitstream
        As `icepack` made it.
    pins
        The constraints that it was placed with, which name the pins.
    package
        Of the chip, as icebox calls it.
    faults, seed
        As of `netlist_verilog`.

    Raises
    ------
    ToolError
        A tool is missing or failed, or icebox_vlog is not the one that is known here.
    """
    folder, tool = bitstream.parent, icebox()
    run_tool("iceunpack", [bitstream.name, "unpacked.asc"], folder, "unpack.log")
    source = tool.read_text()
    loop = re.search(r"\nfor i in range\(4\):\n    for tile in ic\.dsp_tiles\[i\]:\n(?: .*\n|\n)*",
                     source)
    if loop is None:
        raise ToolError(f"{tool} has no loop over multipliers to put SPRAM in the place of")
    script = folder / "unpack_vlog.py"
    script.write_text(f"import sys; sys.path.insert(0, {str(tool.parent)!r})\n"
                      + source.replace(loop[0], _SPRAM + "\n"))
    done = subprocess.run([sys.executable, "-W", "ignore", script, "-s", "-d", package, "-p", pins,
                           folder / "unpacked.asc"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolError(f"icebox_vlog failed: {done.stderr.strip().splitlines()[-1]}")
    return with_primitives(_top(_planted(done.stdout, faults, seed)), ("ice40/cells_sim.v",))


def _planted(text: str, faults: int, seed: int) -> str:
    """An XOR behind each of some LUTs, number n from 1 on for fault n."""
    found = random.Random(seed).sample([line[0] for line in _LUT.finditer(text)], faults)
    for number, line in enumerate(found, 1):
        text = text.replace(
            line, _LUT.sub(rf"wire inverse{number}; fault #(.NUMBER({number})) "
                           rf"fault{number}(.o(inverse{number}));\n"
                           rf"\1 (\2) ^ inverse{number};", line))
    return text


def _top(text: str) -> str:
    """The chip behind the pins' plain names."""
    ports = re.findall(r"(input|output) (\w+)", text[:text.index(";")])
    names = {name: next((pin for pin in ("clk", "rx", "tx", "led") if pin in name), "")
             for _, name in ports}
    if sorted(names.values()) != ["clk", "led", "rx", "tx"]:
        raise ToolError(f"a bitstream has pins for clk, rx, tx and led, not {sorted(names)}")
    head, body = text.split(";", 1)

    def declared(line: re.Match[str]) -> str:
        kept = [name for name in line[1].split(", ") if name not in names]
        return f"wire {', '.join(kept)};" if kept else ""

    body = re.sub(r"^wire (.*);$", declared, body, flags=re.MULTILINE)
    # The pad that the PLL has taken has no name; a pin that nothing drives is pulled up.
    clock = next(name for name, pin in names.items() if pin == "clk")
    body = re.sub(r"\.PACKAGEPIN\(\w+\)", f".PACKAGEPIN({clock})", body).replace("1'bz", "1'b1")
    pins = ", ".join(f".{name}({pin})" for name, pin in names.items())
    return (f"module {TOP}(input clk, input rx, output tx, output led);\n  chip chip({pins});\n"
            f"endmodule\n{head};{body}")
