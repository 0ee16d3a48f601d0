"""From Verilog to a shared library: Verilator, the C++ compiler, and what is kept of both."""

import hashlib
import importlib.metadata
import os
import re
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .. import cache
from ..errors import ToolError
from .harness_top import HARNESS_TOP
from .toolchain import Compiler

__all__ = ["Builder", "cache_folder", "flags"]

# With -O2 a core takes longer to compile, and runs no faster. A good part of the time would go into
# functions that run once.
_FAST, _SLOW = "-O1", "-O0"
_TELLING = re.compile(r"\berror\b|undefined", re.IGNORECASE)
_SMALL = 20_000  # bytes of C++; below, the headers take most of the compiler's time
_VERILATOR_FLAGS = ("--cc", "-O3", "--x-assign", "fast", "--x-initial", "fast", "--no-assert",
                    "-Wno-fatal", "-Wno-lint", "-Wno-style", "--output-split", "15000",
                    "--top-module", HARNESS_TOP, "--prefix", "Vtop")


def cache_folder() -> Path:
    """Where compiled cores are kept."""
    return cache.cache_folder("sim")


def flags() -> str:
    """What a library depends on beside its sources, the compiler and Verilator's version."""
    return repr((_VERILATOR_FLAGS, _FAST, _SLOW, _SMALL))


class Builder:
    """The steps of a build. Verilator's runtime, the same for all cores, is compiled once.

    Parameters
    ----------
    work
        The folder for its files.
    log
        Has the output of a step that fails.
    compiler, root
        The C++ compiler, and Verilator's folder.
    harness
        The C++ file that makes a library of the model.
    trace, serial, memory
        As of `verilate.build`.
    """

    def __init__(self, work: Path, log: Path, compiler: Compiler, root: Path, harness: Path,
                 *, trace: str | None = None, serial: bool = False,
                 memory: str | None = None):
        self.work, self.log, self.compiler = work, log, compiler
        self.root, self.harness = root, harness
        self.trace, self.serial, self.memory = trace, serial, memory
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
                *((self.include / name, _FAST) for name in runtime),
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
        options = [*self.compiler.command, "-std=c++17", "-fPIC", "-w", "-fno-sanitize=undefined",
                   level, *(f"-D{name}={value}" for name, value in defines.items())]
        target = self.work / f"{source.stem}.o"
        kept = None
        if source.parent == self.include:
            kept = cache_folder() / "runtime" / f"{source.stem}-{self._digest(options)}.o"
            if kept.exists():
                return str(kept)
        if self.serial:
            options.append("-DTRITGRAD_SERIAL=1")
        if self.memory:
            options.append(f"-DTRITGRAD_{self.memory.upper()}=1")
        self._run(self.compiler.version, [
            *options, f"-I{self.include}", f"-I{self.include / 'vltstd'}", f"-I{self.cpp}",
            f"-I{Path(__file__).parent}", "-c", str(source), "-o", str(target)])
        if kept is None:
            return str(target)
        kept.parent.mkdir(parents=True, exist_ok=True)
        os.replace(target, kept)
        return str(kept)

    def _digest(self, options: Sequence[str]) -> str:
        return hashlib.sha256("\0".join((
            self.compiler.version, *options, importlib.metadata.version("verilator"),
        )).encode()).hexdigest()[:16]

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
