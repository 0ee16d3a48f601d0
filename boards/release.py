"""Hashes of released bitstreams, and whether a file is one of them."""

import hashlib
import re
from pathlib import Path

from ..errors import BadInput, ToolError
from .board import Board
from .recipe import builds
from .report import REPORTS, Report, last_report

__all__ = ["HASHES", "hash_of", "hashes", "released", "verify"]

#: The list, as sha256sum writes and checks it, beside the reports.
HASHES = "SHA256SUMS"


def hashes(folder: Path = REPORTS) -> str:
    """The list: a line a report with its bitstream's hash, seed and tools aside in the report."""
    reports = {path.stem: Report.from_json(path.read_text())
               for path in sorted(folder.glob("*.json"))}
    return "".join(f"{report.bitstream['sha256']}  {name}/{report.bitstream['file']}\n"
                   for name, report in reports.items() if report.bitstream)


def hash_of(given: str) -> str:
    """The SHA-256 that a text is, or that of the file it names.

    Raises
    ------
    BadInput
        It is neither.
    """
    if re.fullmatch(r"[0-9a-fA-F]{64}", given):
        return given.lower()
    path = Path(given)
    if not path.is_file():
        raise BadInput(f"--verify must be a bitstream or its SHA-256, not {given!r}")
    return hashlib.sha256(path.read_bytes()).hexdigest()


def released(board: Board, digest: str) -> bool:
    """Whether one of a board's released bitstreams has this hash."""
    return any(report is not None and report.bitstream.get("sha256") == digest
               for report in map(last_report, builds(board)))


def verify(report: Report, digest: str) -> None:
    """Refuse a bitstream that this build has not made again.

    Raises
    ------
    ToolError
        Both hashes, and the tools that may differ.
    """
    made = report.bitstream["sha256"]
    if made != digest:
        tools = ", ".join(f"{name} {version}" for name, version in report.tools.items())
        raise ToolError(f"{report.board}: this build's bitstream is {made}, not {digest}; the same "
                        f"source, options, seed and tools give the same one (here seed "
                        f"{report.seed}, {tools})")
