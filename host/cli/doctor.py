"""``tritgrad doctor``: the tools that are used."""


import click
from rich.console import Console

from .console import table

__all__ = ["doctor"]


@click.command()
@click.pass_context
def doctor(context: click.Context) -> None:
    """Show every tool that is used, its version, and what to do where one is missing."""
    from ...sim.toolchain import tools

    found = tools()
    Console().print(table(None, ("tool", "needed for", "version", "what to do"), (
        (tool.name, tool.purpose, tool.version or "missing", tool.advice) for tool in found)))
    if any(tool.required and not tool.version for tool in found):
        context.exit(1)
