"""Who may open a board's USB bridge: the rules that Linux needs for it."""

from collections.abc import Iterable

from .board import Board

__all__ = ["INSTALL", "rule", "rules"]

#: How the rules are installed.
INSTALL = ("tritgrad doctor --udev | sudo tee /etc/udev/rules.d/70-tritgrad.rules; "
           "sudo udevadm control --reload; then plug the board in anew")


def rule(vendor: int, product: int) -> str:
    """The line for a bridge: for the user at the machine, and for group plugdev elsewhere."""
    return (f'SUBSYSTEM=="usb", ATTR{{idVendor}}=="{vendor:04x}", '
            f'ATTR{{idProduct}}=="{product:04x}", MODE="660", GROUP="plugdev", TAG+="uaccess"')


def rules(boards: Iterable[Board]) -> str:
    """A file of rules for all bridges of some boards, each with the boards that have it."""
    names: dict[tuple[int, int], list[str]] = {}
    for board in boards:
        for usb in board.usb:
            names.setdefault(usb, []).append(board.name)
    lines = ["# Lets users of this machine load the boards of tritgrad. To install:",
             f"# {INSTALL}"]
    for usb, listed in names.items():
        lines += [f"# {', '.join(listed)}", rule(*usb)]
    return "\n".join(lines) + "\n"
