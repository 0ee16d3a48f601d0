"""``tritgrad info``: what is on a board."""

from dataclasses import asdict

import click

from ...firmware.frames import PROTOCOL_VERSION, Run
from .console import emit, json_option

__all__ = ["info"]


@click.command()
@click.argument("device", metavar="BOARD@PORT")
@json_option
def info(device: str, as_json: bool) -> None:
    """Show what core answers on a port, how, and what it is doing; it is not disturbed."""
    from ...boards import BOARDS
    from ...boards.recipe import builds as cores
    from ...boards.report import last_report
    from ..device.open import open_port
    from ..device.session import Session

    transport = open_port(device)
    try:
        session = Session(transport)
        status = session.status()
    finally:
        transport.close()
    config = session.config
    builds = {}
    for board in (made for one in BOARDS.values() for made in cores(one)):
        report = last_report(board)
        if board.config == config and report is not None:
            builds[board.build] = report.bitstream.get("sha256", "")
    state = Run(status["run"]).name
    found = {"port": transport.port, "rate": transport.rate, "protocol": PROTOCOL_VERSION,
             "run": state, "samples": status["samples"],
             "config": asdict(config), "as_released_for": builds}
    if as_json:
        emit(found)
        return
    click.echo(f"{transport.port}: a tritgrad core, protocol {PROTOCOL_VERSION}, at "
               f"{transport.rate:,} baud; {state.lower()}, {status['samples']} samples")
    for name, value in asdict(config).items():
        click.echo(f"  {name:16} {value}")
    for name, digest in builds.items():
        click.echo(f"the core of {name} as released ({digest[:16]}...); what bitstream it came in, "
                   "a core does not know")
    if not builds:
        click.echo("no board's released core")
