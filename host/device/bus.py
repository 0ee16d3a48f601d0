"""What Linux knows of a board's bridge, without opening it. Elsewhere nothing is known."""

import os
from dataclasses import dataclass
from pathlib import Path

__all__ = ["SYS", "Bridge", "bridges", "latency_ms"]

#: Where the kernel tells of devices, and where their files are.
SYS, DEV = Path("/sys"), Path("/dev")


@dataclass(frozen=True)
class Bridge:
    """A device on the USB: its ids, its serial number, and the file that libusb opens."""

    usb: tuple[int, int]
    serial_number: str
    file: Path

    @property
    def open_to_us(self) -> bool:
        """Whether this user may load a bitstream through it."""
        return os.access(self.file, os.R_OK | os.W_OK)


def bridges() -> list[Bridge] | None:
    """All devices on the USB; None where there is no way to tell."""
    folder = SYS / "bus/usb/devices"
    if not folder.is_dir():
        return None
    found = []
    for device in sorted(folder.iterdir()):
        try:
            vendor, product = (int(_text(device / name), 16) for name in ("idVendor", "idProduct"))
            bus, number = (int(_text(device / name)) for name in ("busnum", "devnum"))
        except (OSError, ValueError):
            continue  # an interface, or gone
        try:
            serial_number = _text(device / "serial")
        except OSError:
            serial_number = ""
        found.append(Bridge((vendor, product), serial_number,
                            DEV / f"bus/usb/{bus:03d}/{number:03d}"))
    return found


def latency_ms(port: str) -> int | None:
    """Milliseconds that an FTDI bridge keeps short answers back; None for other ports."""
    try:
        return int(_text(SYS / "class/tty" / Path(os.path.realpath(port)).name
                         / "device/latency_timer"))
    except (OSError, ValueError):
        return None


def _text(path: Path) -> str:
    return path.read_text().strip()
