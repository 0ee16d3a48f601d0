"""An iCE40's bitstream as Verilog: the tool that is not there, pins, and planted faults."""

import re

import pytest

from tritgrad.errors import ToolError
from tritgrad.sim import unpack

CHIP = """module chip (input uart_0__rx__io, output uart_0__tx__io, output led_0__io,
    input clk12__io);

wire uart_0__rx__io, n1, n2;
wire clk12__io;
SB_PLL40_PAD pll (
  .PACKAGEPIN(n9));
assign uart_0__tx__io = n1 ? n2 : 1'bz;
assign n3 = /* LUT    1  2  3 */ !uart_0__rx__io;
assign n4 = /* LUT    1  2  4 */ (n1 ? 1'b0 : n2);
assign n5 = /* CARRY  1  2  4 */ (n1 & n2) | ((n1 | n2) & n3);
endmodule
"""


def test_the_missing_tool_is_named_with_its_package(monkeypatch):
    monkeypatch.setattr(unpack, "PLACES", ("/nonexistent",))
    with pytest.raises(ToolError, match="icebox_vlog is not installed: .* package fpga-icestorm$"):
        unpack.icebox()


def test_the_top_has_plain_pins_and_no_port_is_declared_twice():
    text = unpack._top(CHIP)
    assert text.startswith(f"module {unpack.TOP}(input clk, input rx, output tx, output led);")
    assert ".uart_0__rx__io(rx)" in text and ".clk12__io(clk)" in text
    assert ".PACKAGEPIN(clk12__io)" in text and "1'bz" not in text
    assert re.findall(r"^wire (.*);$", text, re.M) == ["n1, n2"]


def test_other_pins_are_refused():
    with pytest.raises(ToolError, match="a bitstream has pins for clk, rx, tx and led, not "):
        unpack._top(CHIP.replace("led_0__io", "button"))


def test_a_planted_fault_inverts_its_table_and_nothing_else():
    text = unpack._planted(CHIP, 2, seed=1)
    assert sorted(re.findall(r"\^ inverse(\d)", text)) == ["1", "2"]
    assert len(re.findall(r"fault #\(\.NUMBER\(\d\)\)", text)) == 2
    assert re.sub(r"wire inverse.*\n", "", text).replace("(!u", "!u").count("CARRY") == 1
    assert unpack._planted(CHIP, 0, seed=1) == CHIP
