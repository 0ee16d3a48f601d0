"""``tritgrad doctor``: the tools that are used."""

from dataclasses import asdict

import click

from .console import emit, json_option, screen, table

__all__ = ["doctor"]


@click.command()
@json_option
@click.pass_context
def doctor(context: click.Context, as_json: bool) -> None:
    """Show every tool that is used, its version, and what to do where one is missing."""
    from ...sim.toolchain import tools

    found = tools()
    screen(stderr=as_json).print(table(None, ("tool", "needed for", "version", "what to do"), (
        (tool.name, tool.purpose, tool.version or "missing", tool.advice) for tool in found)))
    if as_json:
        emit({"tools": [asdict(tool) for tool in found]})
    if any(tool.required and not tool.version for tool in found):
        context.exit(1)
