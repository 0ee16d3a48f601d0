"""The core as Verilog for other tool flows, with a list of its ports."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from amaranth import Shape
from amaranth.back import verilog
from amaranth.lib import wiring

from .. import __version__
from ..errors import BadInput
from ..firmware.frames import PROTOCOL_VERSION
from ..model.config import CoreConfig
from ..model.memories import copied
from .verilog_text import check_name, in_lookup_tables, without_empty_wires, without_zeros
from .wrapped import INTERFACES, Wrapped, wrapped
from .wrappers.wishbone import REGISTERS

__all__ = ["FAMILIES", "MEANINGS", "TOP", "WAIVER", "emit", "ports"]

#: Name of the Verilog module, unless another is asked for.
TOP = "tritgrad_core"

#: FPGA families that have a style of memories of their own.
FAMILIES = ("ice40", "ecp5", "gowin")

#: What each port is for; a core has no others. Those of the buses follow.
MEANINGS = {
    "clk": "clock; everything happens at its rising edge",
    "rst": "synchronous reset, active high; one cycle is enough",
    "i__payload": "a byte from the host",
    "i__valid": "i__payload holds a byte",
    "i__ready": "the core takes the byte at the next edge if i__valid is high",
    "o__payload": "a byte to the host",
    "o__valid": "o__payload holds a byte; it stays until it is taken",
    "o__ready": "the byte is taken at the next edge if o__valid is high",
    "aclk": "clock of AXI; everything happens at its rising edge",
    "aresetn": "synchronous reset, active low; one cycle is enough",
    "s_axis_tdata": "a byte from the host",
    "s_axis_tvalid": "s_axis_tdata holds a byte",
    "s_axis_tready": "the core takes the byte at the next edge if s_axis_tvalid is high",
    "s_axis_tlast": "not looked at: a frame ends with its flag",
    "m_axis_tdata": "a byte to the host",
    "m_axis_tvalid": "m_axis_tdata holds a byte; it stays until it is taken",
    "m_axis_tready": "the byte is taken at the next edge if m_axis_tvalid is high",
    "m_axis_tlast": "the byte is the flag that ends a frame",
    "wb_cyc": "a bus cycle",
    "wb_stb": "an access, held until wb_ack",
    "wb_we": "it writes",
    "wb_adr": "register, in words of 32 bits",
    "wb_sel": "bytes that are written; only bit 0 is looked at",
    "wb_dat_w": "written",
    "wb_dat_r": "read, valid with wb_ack",
    "wb_ack": "the access is done; one cycle after it began",
    "irq": "a byte waits in RX, and the interrupt is enabled",
}

#: For Verilator's -Wall: rules that Yosys' way to write Verilog breaks, and why that is right.
WAIVER = """\
`verilator_config
// Operands are extended as the standard says, and a number is compared with 0 as it is.
lint_off -rule WIDTHEXPAND -file "*{file}"
lint_off -rule WIDTHTRUNC -file "*{file}"
// A case without a default keeps the value that was assigned before it.
lint_off -rule CASEINCOMPLETE -file "*{file}"
// Registers have a value from configuration on, and reset gives them the same one.
lint_off -rule PROCASSINIT -file "*{file}"
// Parts of records and names that nobody needs are kept for waveforms.
lint_off -rule UNUSEDSIGNAL -file "*{file}"
lint_off -rule VARHIDDEN -file "*{file}"
// All modules are in one file.
lint_off -rule DECLFILENAME -file "*{file}"
"""


class _Ice40:
    """Stands in for a platform: small memories become blocks too, as an iCE40 has no other RAM."""

    device = "iCE40"


def emit(config: CoreConfig, *, name: str = TOP, family: str | None = None,
         lutram: Sequence[str] = (), interface: str = "stream") -> tuple[str, dict[str, Any]]:
    """Verilog text, and what it is as a record for JSON.

    All modules' names begin with the top's, so that two cores of different names can be in one
    design. Memories are without initial contents, but those that are only read.

    Parameters
    ----------
    config
        The core.
    name
        Of the top module.
    family
        Style memories as a board of this family has them; None leaves that to synthesis.
    lutram
        Units of the core, such as ``engine.inputs.memory``, whose memories are to be look-up
        tables.
    interface
        One of `INTERFACES`: byte streams, AXI-Stream or Wishbone.

    Returns
    -------
    The text, and ``module``, ``version``, ``protocol``, ``config``, ``family``, ``interface`` and
    ``ports``: name, direction, width in bits, meaning. Of Wishbone also ``registers``.

    Raises
    ------
    BadInput
        A name that Verilog does not take, an unknown family or interface, a unit without a
        memory, or a store, whose controller is no part of a core.
    """
    check_name(name)
    if config.store:
        raise BadInput(f"store must be 0 for Verilog, not {config.store!r}: the controller of a "
                       "memory is no part of a core; tritgrad build has it")
    if family is not None and family not in FAMILIES:
        raise BadInput(f"family must be one of {', '.join(FAMILIES)}, not {family!r}")
    if interface not in INTERFACES:
        raise BadInput(f"interface must be one of {', '.join(INTERFACES)}, not {interface!r}")
    core = wrapped(config, interface)
    inner = name if interface == "stream" else f"{name}.core"
    text = verilog.convert(core, name=name, platform=_Ice40() if family == "ice40" else None,
                           emit_src=False, strip_internal_attrs=True)
    text = without_empty_wires(without_zeros(text))
    text = in_lookup_tables(text, [f"{inner}.{unit}" for unit in copied(config, lutram)])
    about = {"module": name, "version": __version__, "protocol": PROTOCOL_VERSION,
             "config": asdict(config), "family": family, "interface": interface,
             "ports": ports(core)}
    if interface == "wishbone":
        about["registers"] = [{"name": register.name, "address": 4 * register, "meaning": meaning}
                              for register, meaning in REGISTERS.items()]
    head = (f"// {name}: a core of tritgrad {__version__}, link protocol {PROTOCOL_VERSION}, "
            f"memories for {family or 'any FPGA'}, interface {interface}\n"
            f"// CoreConfig {json.dumps(about['config'])}\n")
    return head + text, about


def ports(core: wiring.Component) -> list[dict[str, Any]]:
    """Ports in the order clock, reset, then as the signature declares them; widths in bits."""
    listed = [{"name": name, "direction": "input", "width": 1, "meaning": MEANINGS[name]}
              for name in ("clk", "rst") if not isinstance(core, Wrapped)]
    for path, member, _ in core.signature.flatten(core):
        name = "__".join(str(part) for part in path)
        listed.append({"name": name,
                       "direction": "input" if member.flow is wiring.In else "output",
                       "width": Shape.cast(member.shape).width, "meaning": MEANINGS[name]})
    return listed
