"""``tritgrad verilog``: the core for other tool flows."""

import json
import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from ...errors import BadInput
from ...model.config import CoreConfig
from ...units.registry import OPTIONS
from ..data.npz import write_whole
from ..run.options import suitable_update_lanes
from ..run.outputs import check_outputs
from .console import RunProgress, emit, json_option, screen
from .made import is_default, made

__all__ = ["verilog"]

#: As in `hw.emit`, which takes its time to load.
FAMILIES = ("ice40", "ecp5", "gowin")
INTERFACES = ("stream", "axi", "wishbone")


def _config_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """An option for each field of `CoreConfig`, with its text from the docstring."""
    texts = _field_texts()
    for field in reversed(fields(CoreConfig)):
        name = "--" + field.name.replace("_", "-")
        text = f"Set {field.name.replace('_', ' ')}: {texts[field.name]}"
        if field.name == "seeder":
            option = click.option(f"{name}/--no-seeder", default=True, show_default=True,
                                  help="Build in the SplitMix64 seeder of the PRNG.")
        elif field.name == "single_port":
            option = click.option(name, is_flag=True, help="Give memories T and R one port "
                                  "each, as SPRAM has: an update takes two cycles a word.")
        elif field.name == "pipelined":
            option = click.option(name, is_flag=True, help="Hand words on from four banks to the "
                                  "next four, as many block memories side by side need.")
        elif field.name in OPTIONS:
            option = made(OPTIONS[field.name])
        elif field.name == "update_lanes":
            option = click.option(name, type=int, metavar="N", help=f"{text}  [default: 16, or "
                                  "with fewer lanes the most that divide them]")
        else:
            option = click.option(name, type=int, default=field.default, show_default=True,
                                  metavar="N", help=text)
        function = option(function)
    return function


def _field_texts() -> dict[str, str]:
    """The first sentence on each parameter in the docstring of `CoreConfig`."""
    text = (CoreConfig.__doc__ or "").split("----------", 1)[-1].split("Raises", 1)[0]
    parts = re.findall(r"^    (\w+)\n((?:        .*\n)+)", text, re.MULTILINE)
    return {name: " ".join(body.split()).replace("`", "") for name, body in parts}


@click.command()
@_config_options
@click.option("--board", metavar="BOARD", help="Take the core of this board without its store, as "
              "far as no other option says otherwise, and its family.")
@click.option("--family", type=click.Choice(FAMILIES), help="Have memories in the style of this "
              "family, as a board's build has them.  [default: left to synthesis]")
@click.option("--interface", type=click.Choice(INTERFACES), default="stream", show_default=True,
              help="Give the core byte streams (valid, ready), AXI-Stream with tlast at the end of "
                   "a frame, or a Wishbone slave of four registers.")
@click.option("--name", default="tritgrad_core", show_default=True, metavar="NAME",
              help="Call the module so; the names of all modules in it begin with it.")
@click.option("--fusesoc", is_flag=True, help="Write NAME.core for FuseSoC too, and a testbench in "
              "plain Verilog: HELLO, a network, one sample; it ends with PASS or FAIL.")
@click.option("-o", "--output", required=True, metavar="FILE",
              help="Write the Verilog to this file; beside it what it is as .json, and what to "
                   "tell Verilator's lint as .vlt.")
@json_option
@click.pass_context
def verilog(context: click.Context, output: str, board: str | None, family: str | None,
            interface: str, name: str, fusesoc: bool, as_json: bool, **settings: Any) -> None:
    """Write the core as Verilog, with a JSON list of its ports."""
    lutram: tuple[str, ...] = ()
    if board is not None:
        from ...boards import find_board

        found = find_board(board).resized(store=False)
        family = family or found.fpga.family
        lutram = tuple(unit.removeprefix("core.") for unit in found.lutram)
        given = {name for name in settings if not is_default(context, name)}
        own = {field.name: getattr(found.config, field.name) for field in fields(CoreConfig)}
        if "lanes" in given:
            own["update_lanes"] = None
        settings = {name: value if name in given else own[name]
                    for name, value in settings.items()}
    settings["update_lanes"] = suitable_update_lanes(settings["lanes"], settings["update_lanes"])
    check_outputs({"-o": output})
    path = Path(output)
    if path.suffix in (".json", ".vlt"):
        raise BadInput(f"-o {output} must not end in {path.suffix}, as a file beside it does")
    config = CoreConfig(**settings)
    if not config.trainable:
        lutram = ()  # what R leaves are blocks enough, as for `Board.resized`
    from ...hw.emit import WAIVER  # Amaranth takes its time to load
    from ...hw.emit import emit as emit_verilog

    with RunProgress(screen(stderr=True)).working("writing Verilog"):
        text, about = emit_verilog(config, name=name, family=family, lutram=lutram,
                                   interface=interface)
    contents = {"verilog": (path, text), "about": (path.with_suffix(".json"),
                                                   json.dumps(about, indent=1) + "\n"),
                "lint": (path.with_suffix(".vlt"), WAIVER.format(file=path.name))}
    if fusesoc:
        contents |= _package(path, config, about)
    for target, content in contents.values():
        write_whole(target, content.encode())
        click.echo(target, err=as_json)
    if as_json:
        emit({what: str(target) for what, (target, _) in contents.items()})


def _package(path: Path, config: CoreConfig,
             about: dict[str, Any]) -> dict[str, tuple[Path, str]]:
    """What FuseSoC needs beside the Verilog."""
    from ..run.fusesoc import core_file, testbench

    name, bench = about["module"], path.with_name(f"{path.stem}_tb.v")
    files = {"rtl": path.name, "lint": path.with_suffix(".vlt").name, "testbench": bench.name}
    return {"testbench": (bench, testbench(config, name, about["interface"])),
            "fusesoc": (path.with_name(f"{name}.core"),
                        core_file(name, about["version"], about["protocol"], files))}
