"""The module between the harness and a top: registers, and the pins of a memory."""

import re

__all__ = ["HARNESS_TOP", "TOP", "wrapper"]

TOP = "tritgrad_sim"
# Verilator settles what depends on a top's inputs at every edge, whether they changed or not, and
# on reset depends a large part of a core. Behind these registers there is nothing to settle. The
# inputs change where clk falls, so that the core sees them at the next rise as it would without.
HARNESS_TOP = "tritgrad_harness"
_WRAPPER = f"""
module {HARNESS_TOP}(input clk, input rst,
    input [7:0] i__payload, input i__valid, output i__ready,
    output [7:0] o__payload, output o__valid, input o__ready%s);
  reg reset, valid, ready;
  reg [7:0] payload;
  always @(posedge clk) reset <= rst;
  always @(negedge clk) begin
    valid <= i__valid;
    payload <= i__payload;
    ready <= o__ready;
  end
  {TOP} core(.clk(clk), .rst(reset),
    .i__payload(payload), .i__valid(valid), .i__ready(i__ready),
    .o__payload(o__payload), .o__valid(o__valid), .o__ready(ready)%s);
endmodule
"""
# A board's top has pins instead, which nothing but registers depends on.
_SERIAL_WRAPPER = f"""
module {HARNESS_TOP}(input clk, input rx, output tx%s);
  {TOP} board(.clk(clk), .rx(rx), .tx(tx)%s);
endmodule
"""
# The bytes that pass by the UART of `direct.DirectTop`.
_DIRECT_PORTS = """,
    input direct, input [7:0] direct_in, input direct_valid, output direct_ready,
    output [7:0] direct_out, output direct_given"""
_DIRECT_JOINED = """,
    .direct(by), .direct_i__payload(byte_in), .direct_i__valid(offered),
    .direct_i__ready(direct_ready), .direct_o__payload(direct_out),
    .direct_o__valid(direct_given), .direct_o__ready(by)"""
_DIRECT_REGISTERS = """  reg by, offered;
  reg [7:0] byte_in;
  always @(negedge clk) begin
    by <= direct;
    offered <= direct_valid;
    byte_in <= direct_in;
  end
"""
# What tops with a memory beside them have more: the wrapper's ports, and how the top's are joined
# to them. The bits are those that the models in sim/memories take.
_MEMORY_PINS = {
    None: ("", ""),
    "sdram": (""",
    output [8:0] memory_control, output [14:0] memory_address, output [15:0] memory_out,
    input [15:0] memory_in""", """,
    .sdram_cke(memory_control[1]), .sdram_cs_n(memory_control[2]),
    .sdram_ras_n(memory_control[3]), .sdram_cas_n(memory_control[4]),
    .sdram_we_n(memory_control[5]), .sdram_dqm(memory_control[8:7]),
    .sdram_ba(memory_address[14:13]), .sdram_a(memory_address[12:0]),
    .sdram_dq_o(memory_out)"""),
    "hypers": (""",
    output [4:0] memory_control, output [15:0] memory_out, input [15:0] memory_in""", """,
    .hyper_cs_n(memory_control[0]), .hyper_ck(halves), .hyper_dq_oe(memory_control[2]),
    .hyper_rwds_oe(memory_control[3]), .hyper_rwds_o(memory_control[4]),
    .hyper_dq_o(memory_out), .hyper_dq_rise(rise), .hyper_dq_fall(fall)"""),
    "flash": (""",
    output [9:0] memory_control, input [3:0] memory_in""", """,
    .flash_cs_n(memory_control[0]), .flash_sck(memory_control[1]),
    .flash_copi(memory_control[2]), .flash_cipo(memory_in[1])"""),
}
# What a flash has at a top that reads by two lines.
_TWO_LINES = ", .flash_copi_oe(memory_control[6]), .flash_copi_i(memory_in[0])"
# What an SDRAM has at a top with the pins themselves, each of which may be driven by itself; and at
# one that leaves out the registers that take the data, and the clock, which is the top's inverted.
_PADS = """,
    .sdram_clk(memory_control[0]), .sdram_dq_oe(driven), .sdram_dq_i(memory_in)"""
_REGISTERS = """,
    .sdram_dq_oe(memory_control[6]), .sdram_dq_rise(rise), .sdram_dq_fall(fall)"""
_PADS_LEVELS = "  wire [15:0] driven;\n  assign memory_control[6] = |driven;\n"
_INVERTED = "  assign memory_control[0] = !clk;\n"
_REGISTERS_LEVELS = """  reg [15:0] half, rise, fall;
  always @(negedge clk) half <= memory_in;
  always @(posedge clk) begin
    rise <= memory_in;
    fall <= half;
  end
"""
# Pins of the memories that no top drives: WP# and HOLD# are high, and the FPGA drives both.
# Of the two that it has, it drives the first one, where the top does not say so itself.
_MEMORY_LEVELS = {
    None: "",
    "sdram": "",
    "hypers": "  wire [1:0] halves;\n  assign memory_control[1] = clk ? halves[0] : halves[1];\n"
              + _REGISTERS_LEVELS,
    "flash": "  assign memory_control[5:3] = 3'b110;\n  assign memory_control[9:7] = 3'b110;\n",
}


def wrapper(serial: bool, memory: str | None, verilog: str, direct: bool = False) -> str:
    """The harness's top module, around the one in `verilog`."""
    (ports, joined), levels = _MEMORY_PINS[memory], _MEMORY_LEVELS[memory]
    if memory == "flash":
        if re.search(r"\bflash_copi_oe\b", verilog):
            joined += _TWO_LINES
        else:
            levels += "  assign memory_control[6] = 1'b1;\n"
    elif memory == "sdram":
        pads = re.search(r"\bsdram_dq_i\b", verilog)
        joined += _PADS if pads else _REGISTERS
        levels += _PADS_LEVELS if pads else _INVERTED + _REGISTERS_LEVELS
    if direct:
        ports, joined = ports + _DIRECT_PORTS, joined + _DIRECT_JOINED
        levels += _DIRECT_REGISTERS
    text = (_SERIAL_WRAPPER if serial else _WRAPPER) % (ports, joined)
    return text.replace("endmodule", levels + "endmodule")
