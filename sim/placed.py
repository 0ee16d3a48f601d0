"""The netlist that nextpnr-ecp5 has placed, as cells that `netlist` knows.

Its configuration is the bitstream's: the same seed gives the same text, and unpacking the bitstream
and packing that again gives the same bytes. From nextpnr's ecp5/pack.cc: a slice's halves are
TRELLIS_COMB in four modes; one in CCU2 mode passes a carry; LUT memory is a TRELLIS_COMB a bit,
whose write address and data come through the wires of a TRELLIS_RAMW. Inputs that are left open
read 1, also where a multiplexer inverts them. A blank behind a digit makes it a text in this JSON.
"""

import re
from typing import Any

from ..errors import ToolError

__all__ = ["unplace"]

#: Wires of TRELLIS_RAMW, output and input.
_RAMW = {"WADO0": "D0", "WADO1": "B0", "WADO2": "C0", "WADO3": "A0",
         "WDO0": "C1", "WDO1": "A1", "WDO2": "D1", "WDO3": "B1"}
#: Pins of DP16KD that a multiplexer may set or invert.
_MUXED = re.compile(r"(ADA|ADB|DIA|DIB|CSA|CSB)\d+|(CE|OCE|RST|WE)[AB]")


def unplace(module: dict[str, Any]) -> None:
    """Replace what only a placed netlist has.

    Raises
    ------
    ToolError
        A mode of a slice, or a wide multiplexer, that no core uses.
    """
    for name, cell in list(module["cells"].items()):
        pins = {pin: bits for pin, bits in cell["connections"].items() if bits}
        cell["connections"], settings = pins, cell["parameters"]
        match cell["type"]:
            case "TRELLIS_COMB":
                replaced = _comb(name, settings, pins)
                if replaced is None:
                    del module["cells"][name]
                else:
                    module["cells"][name] = replaced
            case "TRELLIS_RAMW":
                del module["cells"][name]
                for target, source in _RAMW.items():
                    if target in pins:
                        module["cells"][f"{name}${target}"] = _buffer(
                            pins.get(source, ["1"]), pins[target])
            case "TRELLIS_FF":
                if settings.pop("SD") == "0 ":
                    pins["DI"] = pins.pop("M")
                pins.setdefault("LSR", ["0"])
            case "DCCA":
                module["cells"][name] = _buffer(pins["CLKI"], pins["CLKO"])
            case "DP16KD":
                _block(module, name, settings, pins)


def _comb(name: str, settings: dict[str, str], pins: dict[str, Any]) -> dict[str, Any] | None:
    if "OFX" in pins:
        raise ToolError(f"{name}: a wide multiplexer of a slice cannot be simulated")
    inputs = {pin: pins.get(pin, ["1"]) for pin in "ABCD"}
    mode, table = settings.get("MODE", "LOGIC"), settings["INITVAL"]
    if mode == "LOGIC":
        return _cell("LUT4", {"INIT": table}, {**inputs, "Z": pins["F"]}, {"Z"})
    if mode == "CCU2":
        return _cell("placed_ccu2", {"TABLE": table, "INJECT": settings["CCU2_INJECT1"]},
                     {**inputs, "FCI": pins.get("FCI", ["1"]),
                      **{pin: pins[pin] for pin in ("F", "FCO") if pin in pins}}, {"F", "FCO"})
    if mode == "DPRAM":
        return _cell("placed_dpram", {"WCKMUX": settings["WCKMUX"], "WREMUX": settings["WREMUX"]},
                     {**inputs, **{pin: pins[pin] for pin in (
                         "WAD0", "WAD1", "WAD2", "WAD3", "WD", "WRE", "WCK", "F")}}, {"F"})
    if mode == "RAMW_BLOCK":
        return None
    raise ToolError(f"{name}: mode {mode} of a slice cannot be simulated")


def _block(module: dict[str, Any], name: str, settings: dict[str, str],
           pins: dict[str, Any]) -> None:
    """Constants and inverters in the place of multiplexers."""
    for key in [key for key in settings if key.endswith("MUX")]:
        pin, value = key.removesuffix("MUX"), settings[key].removesuffix(" ")
        if not _MUXED.fullmatch(pin):
            continue
        del settings[key]
        if value in ("0", "1"):
            pins[pin] = [value]
        elif value == "INV":
            if pin in pins:
                raise ToolError(f"{name}: an inverted {pin} of a block cannot be simulated")
            pins[pin] = ["0"]
    for port in "AB":
        for stem, last in (("AD", 13), ("DI", 17), ("CS", 2)):
            for n in range(last + 1):
                pins.setdefault(f"{stem}{port}{n}", ["1"])
        for stem in ("CE", "OCE", "RST", "WE"):
            pins.setdefault(f"{stem}{port}", ["1"])


def _cell(kind: str, parameters: dict[str, str], connections: dict[str, Any],
          outputs: set[str]) -> dict[str, Any]:
    return {"type": kind, "parameters": parameters, "attributes": {}, "connections": connections,
            "port_directions": {pin: "output" if pin in outputs else "input"
                                for pin in connections}}


def _buffer(source: list[Any], target: list[Any]) -> dict[str, Any]:
    return _cell("$_BUF_", {}, {"A": source, "Y": target}, {"Y"})
