"""``tritgrad ports``: what serial ports there are, and which may be boards."""

import click
from serial.tools import list_ports

from .console import emit, json_option, say, screen, table

__all__ = ["ports"]


@click.command()
@json_option
def ports(as_json: bool) -> None:
    """List serial ports, and the boards whose USB bridge is behind each.

    Several boards may have the same bridge, and a bridge with two channels has two ports: the
    UART is on the second one.
    """
    found = [{
        "port": info.device,
        "usb": f"{info.vid:04x}:{info.pid:04x}" if info.vid is not None else None,
        "serial_number": info.serial_number,
        "description": info.description if info.description != "n/a" else None,
        "boards": _boards(info.vid, info.pid),
    } for info in sorted(list_ports.comports(), key=lambda info: info.device)]
    console = screen(stderr=as_json)
    if not found:
        say(console, "no serial ports")
    else:
        console.print(table(None, ("port", "USB", "serial number", "description", "may be"), (
            (row["port"], row["usb"] or "-", row["serial_number"] or "-",
             row["description"] or "-", ", ".join(row["boards"]) or "-") for row in found)))
    if as_json:
        emit({"ports": found})


def _boards(vendor: int | None, product: int | None) -> list[str]:
    """Names of the boards with such a bridge."""
    from ...boards import BOARDS

    return [name for name, board in BOARDS.items() if (vendor, product) in board.usb]
