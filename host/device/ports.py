"""Serial ports of this machine: opened, told apart, and why one does not open."""

import contextlib
import errno
import os
from pathlib import Path

import serial
from serial.tools import list_ports

try:
    from termios import error as TerminalError
except ImportError:  # Windows
    TerminalError = OSError  # type: ignore[assignment, misc]

from ...errors import DeviceError
from ...firmware.rates import SAFE_RATE

__all__ = ["PortError", "TerminalError", "hardware_of", "open_serial", "port_of"]


class PortError(DeviceError):
    """A serial port that cannot be used, or what is on it."""


def open_serial(port: str, write_s: float) -> serial.Serial:
    """The port at the safe rate; it may take no bytes for so many seconds.

    Raises
    ------
    PortError
        No such port, no permission, busy, or no serial port.
    """
    try:
        opened = serial.Serial(port, SAFE_RATE, timeout=0, write_timeout=write_s, exclusive=True)
    except (OSError, TerminalError, ValueError) as error:
        raise _refusal(port, error) from None
    # Else an FTDI bridge keeps short answers back for 16 ms.
    with contextlib.suppress(AttributeError, NotImplementedError, OSError, ValueError):
        opened.set_low_latency_mode(True)
    return opened


def hardware_of(port: str) -> str | None:
    """What tells a USB bridge from all others, wherever it comes back."""
    real = os.path.realpath(port)
    return next((info.hwid for info in list_ports.comports()
                 if info.device == real and info.vid is not None and info.serial_number), None)


def port_of(hardware: str | None, port: str) -> str:
    """The port, or if its bridge came back under another name, that."""
    if hardware is None or os.path.exists(port):
        return port
    return next((info.device for info in list_ports.comports() if info.hwid == hardware), port)


def _refusal(port: str, error: Exception) -> PortError:
    """Why a port does not open."""
    code = getattr(error, "errno", None)
    found = [info.device for info in list_ports.comports()]
    # A port of Windows has no file.
    missing = not os.path.exists(port) and port not in found
    if missing or code in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        return PortError(f"no such port: {port}; there "
                         f"{'are: ' + ', '.join(found) if found else 'is none at all'}")
    if code in (errno.EACCES, errno.EPERM):
        return PortError(f"no permission for {port}{_owner(port)}")
    if code in (errno.EBUSY, errno.EAGAIN):
        return PortError(f"busy port: another program has {port} open")
    return PortError(f"{port} is no serial port: {error}")


def _owner(port: str) -> str:
    """Which group may open a port, and how to join it."""
    try:
        group = Path(port).group()
    except (KeyError, NotImplementedError, OSError):
        return ""
    return (f": it belongs to group {group}; join it with: sudo usermod -aG {group} $USER, "
            "then log in again")
