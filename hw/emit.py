"""The core as Verilog for other tool flows, with a list of its ports."""

from typing import Any

from amaranth import Shape
from amaranth.back import verilog
from amaranth.lib import wiring

from ..model.config import CoreConfig
from .core import Core

__all__ = ["MEANINGS", "TOP", "emit", "ports"]

#: Name of the Verilog module.
TOP = "tritgrad_core"

#: What each port is for; a core has no others.
MEANINGS = {
    "clk": "clock; everything happens at its rising edge",
    "rst": "synchronous reset, active high; one cycle is enough",
    "i__payload": "a byte from the host",
    "i__valid": "i__payload holds a byte",
    "i__ready": "the core takes the byte at the next edge if i__valid is high",
    "o__payload": "a byte to the host",
    "o__valid": "o__payload holds a byte; it stays until it is taken",
    "o__ready": "the byte is taken at the next edge if o__valid is high",
}


def emit(config: CoreConfig) -> tuple[str, dict[str, Any]]:
    """Verilog text, and the module's name with its ports: name, direction, width, meaning."""
    core = Core(config)
    text = verilog.convert(core, name=TOP, emit_src=False, strip_internal_attrs=True)
    return text, {"module": TOP, "ports": ports(core)}


def ports(core: wiring.Component) -> list[dict[str, Any]]:
    """Ports in the order clock, reset, then as the signature declares them; widths in bits."""
    listed = [{"name": name, "direction": "input", "width": 1, "meaning": MEANINGS[name]}
              for name in ("clk", "rst")]
    for path, member, _ in core.signature.flatten(core):
        name = "__".join(str(part) for part in path)
        listed.append({"name": name,
                       "direction": "input" if member.flow is wiring.In else "output",
                       "width": Shape.cast(member.shape).width, "meaning": MEANINGS[name]})
    return listed
