"""What is found on this machine, and what is said where something is missing."""

import importlib.util

import pytest

from tritgrad.errors import ToolError
from tritgrad.sim import toolchain


def test_required_tools_are_found():
    found = {tool.name: tool for tool in toolchain.tools()}
    for name in ("python", "numpy", "amaranth", "verilator", "C++ compiler"):
        assert found[name].version, found[name].advice


def test_ziglang_stands_in_for_a_compiler(monkeypatch):
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(toolchain.shutil, "which", lambda name: None)
    monkeypatch.setattr(toolchain.importlib.metadata, "version", lambda name: "0.13.0")
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(toolchain.importlib.util, "find_spec",
                        lambda name: True if name == "ziglang" else find_spec(name))
    compiler = toolchain.find_compiler()
    assert compiler.command[1:] == ("-m", "ziglang", "c++")
    assert compiler.version == "ziglang 0.13.0"


def test_no_compiler_says_what_to_install(monkeypatch):
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(toolchain.shutil, "which", lambda name: None)
    monkeypatch.setattr(toolchain.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ToolError, match=r"^no C\+\+ compiler: install g\+\+ or clang, or: pip"):
        toolchain.find_compiler()
    advice = {tool.name: tool.advice for tool in toolchain.tools()}
    assert "ziglang" in advice["C++ compiler"]
