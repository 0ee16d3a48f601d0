"""The examples do what the docs say of them."""

import importlib.util
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def test_the_last_layer_rule_learns_on_the_reference_machine():
    spec = importlib.util.spec_from_file_location("last_layer_rule",
                                                  EXAMPLES / "last_layer_rule.py")
    rule = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(rule)
    accuracy, state = rule.learn("model", epochs=3)
    assert accuracy > 70
    assert len(state) == 64
