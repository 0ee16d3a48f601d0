"""``tritgrad doctor``: the tools that are used."""

from dataclasses import asdict

import click

from .console import emit, json_option, screen, table

__all__ = ["doctor"]


@click.command()
@click.option("--udev", is_flag=True, help="Print rules that let users of this machine load and "
              "talk to all boards, and nothing else.")
@json_option
@click.pass_context
def doctor(context: click.Context, udev: bool, as_json: bool) -> None:
    """Show every tool that is used, its version, and what to do where one is missing."""
    from ...sim.toolchain import tools

    if udev:
        from ...boards import BOARDS
        from ...boards.udev import rules

        click.echo(rules(BOARDS.values()), nl=False)
        return
    from ...cache import settle
    from ..device.doctor import board_rows

    found = [*tools(), *board_rows(settle())]
    screen(stderr=as_json).print(table(None, ("tool", "needed for", "version", "what to do"), (
        (tool.name, tool.purpose, tool.version or "missing", tool.advice) for tool in found)))
    if as_json:
        emit({"tools": [asdict(tool) for tool in found]})
    if any(tool.required and not tool.version for tool in found):
        context.exit(1)
