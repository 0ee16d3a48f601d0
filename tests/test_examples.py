"""The examples do what the docs say of them."""

import importlib.util
import sys
from pathlib import Path

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


def test_demo_learnable_threshold(capsys):
    demo = example("learnable_threshold")
    threshold, losses = demo.learn()
    assert round(threshold.item(), 4) == 0.2158
    assert demo.program(threshold).hard_data() == 1.4
    assert len(losses) == 60 and losses[-1] < losses[0]
    demo.main()
    assert "hard output 0.4900 -> 1.4000" in capsys.readouterr().out


def test_demo_tiny_tree_search(capsys):
    demo = example("tiny_tree_search")
    weights, losses = demo.learn()
    assert demo.search(demo.TREE, weights).hard_data() == 3.2
    assert [round(weight.item(), 4) for weight in weights] == [1.3629, 1.9920, -0.2806]
    assert len(losses) == 80 and losses[-1] < losses[0]
    assert len(demo.explain(weights).searches) == 3
    demo.main()
    assert "-> 3.2000" in capsys.readouterr().out
