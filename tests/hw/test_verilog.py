"""The Verilog that other flows get: its ports, nothing of this machine, the same each time."""

import re

import pytest

from tritgrad.hw.emit import TOP, emit
from tritgrad.model.config import CoreConfig

CONFIG = CoreConfig(
    lanes=6, banks=3, update_lanes=3, max_layers=2, max_inputs=40, max_neurons=20, max_classes=10,
    trit_depth=64, residual_depth=64, hidden_depth=8, program_depth=8, slot_bytes=64)
PORTS = {
    ("input", 1, "clk"), ("input", 1, "rst"),
    ("input", 8, "i__payload"), ("input", 1, "i__valid"), ("output", 1, "i__ready"),
    ("output", 8, "o__payload"), ("output", 1, "o__valid"), ("input", 1, "o__ready"),
}


@pytest.fixture(scope="module")
def text():
    return emit(CONFIG)[0]


def test_the_module_has_these_ports_and_no_others(text):
    head, body = re.search(rf"^module {TOP}\((.*?)\);(.*?)^endmodule", text,
                           re.DOTALL | re.MULTILINE).groups()
    declared = re.findall(r"^\s*(input|output|inout)\s+(?:reg |wire )?(?:\[(\d+):0\] )?(\w+);",
                          body, re.MULTILINE)
    assert {(way, int(high or 0) + 1, name) for way, high, name in declared} == PORTS
    assert {name.strip() for name in head.split(",")} == {name for *_, name in PORTS}


def test_nothing_says_where_it_was_made(text):
    assert "src =" not in text
    assert ".py" not in text
    assert not re.search(r"[\"\s]/[\w.]+/", text)


def test_it_comes_out_the_same_again(text):
    assert emit(CONFIG)[0] == text
