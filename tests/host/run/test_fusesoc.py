"""A core as a package of FuseSoC: its testbench passes, and fails where the core is wrong."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest

from tritgrad.errors import BadInput
from tritgrad.host.run.fusesoc import testbench as bench_of
from tritgrad.sim.toolchain import find_verilator
from tritgrad.sim.trials import SMALL

from ..command import call

SIZES = ("--lanes", 4, "--banks", 2, "--update-lanes", 2, "--max-inputs", 40, "--max-neurons", 30,
         "--max-classes", 9, "--trit-depth", 64, "--residual-depth", 256, "--hidden-depth", 16,
         "--program-depth", 16, "--slot-bytes", 128)
needs_icarus = pytest.mark.skipif(shutil.which("iverilog") is None, reason="needs iverilog")


def icarus(folder):
    """What the testbench prints under Icarus, and its exit code."""
    subprocess.run(["iverilog", "-g2005", "-o", "bench", "core.v", "core_tb.v"], cwd=folder,
                   check=True)
    done = subprocess.run(["vvp", "-n", "bench"], cwd=folder, capture_output=True, text=True)
    return done.stdout.splitlines()[0], done.returncode


@needs_icarus
@pytest.mark.parametrize("options", [
    (), ("--interface", "axi"), ("--interface", "wishbone"), ("--infer-only",)])
def test_the_testbench_passes_under_icarus(tmp_path, options):
    call("verilog", *SIZES, *options, "--fusesoc", "-o", tmp_path / "core.v")
    said, code = icarus(tmp_path)
    assert said.startswith("PASS: tritgrad_core, ") and code == 0


@needs_icarus
def test_a_wrong_core_is_found(tmp_path):
    call("verilog", *SIZES, "--fusesoc", "-o", tmp_path / "core.v")
    core = tmp_path / "core.v"
    # A bit of memory T that reads as its inverse.
    text, count = re.subn(r"(module \S*trits\.bank0\.memory .*?= memory\[\w+\])", r"\1 ^ 1",
                          core.read_text(), count=1, flags=re.DOTALL)
    assert count == 1
    core.write_text(text)
    said, code = icarus(tmp_path)
    assert said.startswith("FAIL: step ") and code != 0


@pytest.mark.skipif(shutil.which("g++") is None, reason="Verilator's makefile calls g++")
def test_fusesoc_finds_the_core_and_runs_its_bench_under_verilator(tmp_path, monkeypatch):
    pytest.importorskip("fusesoc")
    source = tmp_path / "source"
    source.mkdir()
    call("verilog", *SIZES, "--fusesoc", "--name", "mine", "-o", source / "core.v")
    root = find_verilator()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("VERILATOR_ROOT", str(root))
    links = tmp_path / "bin"
    links.mkdir()
    (links / "verilator").symlink_to(root / "bin" / "verilator_bin")
    monkeypatch.setenv("PATH", f"{links}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("MAKEFLAGS",
                       "CFG_CXXFLAGS_PCH_I=-include OPT_FAST=-O0 OPT_SLOW=-O0 OPT_GLOBAL=-O0")
    done = subprocess.run(
        [sys.executable, "-c",
         "import sys; from fusesoc.main import main; sys.exit(main())",
         "--cores-root", str(source), "run", "--target", "sim", "--tool", "verilator", "mine"],
        capture_output=True, text=True)
    assert "PASS: mine, " in done.stdout + done.stderr, (done.stdout + done.stderr)[-3000:]
    assert done.returncode == 0


def test_a_core_too_small_is_refused():
    with pytest.raises(BadInput, match="no testbench: the core cannot hold"):
        bench_of(replace(SMALL, trit_depth=1, residual_depth=4), "mine")
