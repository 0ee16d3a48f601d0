"""Models of FPGA primitives against what their data sheets say."""

import os
from pathlib import Path

import pytest
from cocotb_tools.check_results import get_results
from cocotb_tools.runner import get_runner

from tritgrad import sim
from tritgrad.sim.toolchain import find_verilator

from .bram_bench import SEED_VARIABLE, instances, source, wide_instances

PRIMITIVES = Path(sim.__file__).parent / "primitives"


@pytest.mark.parametrize("seed", [1])
def test_ecp5_block_memory_follows_the_data_sheet(tmp_path, monkeypatch, seed):
    top = tmp_path / "top.v"
    top.write_text(source(instances(seed), wide_instances(seed)))
    root = find_verilator()
    monkeypatch.syspath_prepend(Path(__file__).parent)  # the simulator imports the bench by name
    monkeypatch.setenv("VERILATOR_ROOT", str(root))
    monkeypatch.setenv("PATH", f"{root / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("MAKEFLAGS", "CFG_CXXFLAGS_PCH_I=-include OPT_FAST=-O0 OPT_GLOBAL=-O0")
    runner = get_runner("verilator")
    runner.build(sources=[PRIMITIVES / "ecp5_memory.v", top], hdl_toplevel="top",
                 build_dir=tmp_path / "build",
                 build_args=["-Wno-fatal", "-Wno-lint", "-Wno-style", "-Wno-MULTIDRIVEN"],
                 timescale=("1ns", "1ps"))
    results = runner.test(
        hdl_toplevel="top", test_module="bram_bench", build_dir=tmp_path / "build",
        test_dir=tmp_path,
        extra_env={SEED_VARIABLE: str(seed)})
    assert get_results(results) == (1, 0)
