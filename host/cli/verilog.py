"""``tritgrad verilog``: the core for other tool flows."""

import json
import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from ...model.config import CoreConfig
from ..data.npz import write_whole
from ..run.options import suitable_update_lanes
from .console import RunProgress
from .unit_options import UNITS, unit_option

__all__ = ["verilog"]


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
        elif field.name == "trainable":
            option = click.option(f"{name}/--infer-only", default=True, show_default=True,
                                  help="Build in memory R and the update unit.")
        elif field.name in UNITS:
            option = unit_option(field.name)
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
@click.option("-o", "--output", required=True, metavar="FILE",
              help="Write the Verilog to this file, and its ports as JSON beside it.")
def verilog(output: str, **settings: Any) -> None:
    """Write the core as Verilog, with a JSON list of its ports."""
    settings["update_lanes"] = suitable_update_lanes(settings["lanes"], settings["update_lanes"])
    config = CoreConfig(**settings)
    from ...hw.emit import emit  # Amaranth takes its time to load

    console = Console(stderr=True)
    with RunProgress(console).working("writing Verilog"):
        text, ports = emit(config)
    path, port_path = Path(output), Path(output).with_suffix(".json")
    write_whole(path, text.encode())
    write_whole(port_path, (json.dumps(ports, indent=1) + "\n").encode())
    click.echo(path)
    click.echo(port_path)
