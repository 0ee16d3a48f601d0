"""Cells of a placed ECP5 netlist as those of a synthesised one."""

import pytest

from tritgrad.errors import ToolError
from tritgrad.sim.placed import unplace


def cell(kind, parameters, **connections):
    return {"type": kind, "parameters": parameters,
            "connections": {pin: [] if bit is None else [bit] for pin, bit in connections.items()}}


def unplaced(**cells):
    module = {"cells": cells}
    unplace(module)
    return module["cells"]


def test_a_table_reads_open_inputs_as_one():
    found = unplaced(a=cell("TRELLIS_COMB", {"INITVAL": "1000000000000001"}, F=5, A=2, B=None))["a"]
    assert found["type"] == "LUT4" and found["parameters"] == {"INIT": "1000000000000001"}
    assert found["connections"] == {"A": [2], "B": ["1"], "C": ["1"], "D": ["1"], "Z": [5]}


def test_a_flip_flop_without_its_table_takes_the_other_input():
    found = unplaced(f=cell("TRELLIS_FF", {"SD": "0 ", "CEMUX": "1 "}, Q=1, M=2, CLK=3))["f"]
    assert found["parameters"] == {"CEMUX": "1 "}  # a text
    assert found["connections"] == {"Q": [1], "DI": [2], "CLK": [3], "LSR": ["0"]}


def test_address_and_data_of_lut_memory_go_through_the_slices_wires():
    found = unplaced(
        r=cell("TRELLIS_RAMW", {}, WADO0=10, WADO3=13, WDO2=22, D0=1, A0=2, D1=3),
        b=cell("TRELLIS_COMB", {"MODE": "RAMW_BLOCK", "INITVAL": "0"}))
    assert {name: (c["connections"]["A"], c["connections"]["Y"]) for name, c in found.items()} == {
        "r$WADO0": ([1], [10]), "r$WADO3": ([2], [13]), "r$WDO2": ([3], [22])}


def test_multiplexers_of_a_block_become_constants():
    found = unplaced(m=cell("DP16KD", {"RSTAMUX": "INV", "ADA0MUX": "1 ", "CEAMUX": "CEA",
                                       "CLKAMUX": "CLKA"}, CEA=None, ADA3=7))["m"]
    pins = found["connections"]
    assert (pins["RSTA"], pins["ADA0"], pins["CEA"], pins["ADA3"]) == (["0"], ["1"], ["1"], [7])
    assert found["parameters"] == {"CLKAMUX": "CLKA"}


@pytest.mark.parametrize(("parameters", "pins", "words"), [
    ({"MODE": "MUX", "INITVAL": "0"}, {}, "mode MUX of a slice"),
    ({"INITVAL": "0"}, {"OFX": 3}, "a wide multiplexer of a slice")])
def test_what_no_core_uses_is_refused(parameters, pins, words):
    with pytest.raises(ToolError, match=words):
        unplaced(c=cell("TRELLIS_COMB", parameters, F=1, **pins))
