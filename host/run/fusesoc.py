"""A core as a package of FuseSoC, with a testbench in plain Verilog.

The testbench plays what a driver and the golden model have said to each other: HELLO, a small
network loaded, one sample learned, all that the network has in memory read back, one sample
inferred. Every byte that the core answers is compared, but those of STATUS, which hold cycles.
"""

import re
from collections.abc import Iterator

import numpy as np

from ...errors import BadInput
from ...firmware.frames import FLAG, RESULT, Frame, FrameDecoder, Type
from ...model.config import CoreConfig
from ...model.layout import TableError, check_table
from ...model.recipe import Recipe
from ...model.rng import initial_counters, initial_prng
from ..device.driver import Driver, layer_table
from ..device.session import Session
from ..device.transport import GoldenTransport
from .wishbone_master import wishbone_master

__all__ = ["core_file", "testbench"]

#: Steps of the testbench: send a byte, expect one, wait for any frame, end.
SEND, EXPECT, FRAME, END = range(4)
STREAMS = """.clk(clk), .rst(rst),
    .i__payload(step[7:0]), .i__valid(sending), .i__ready(taken),
    .o__payload(data), .o__valid(valid), .o__ready(ready)"""
#: How the testbench reaches the core on each interface: module and ports.
PORTS = {
    "stream": ("{name}", STREAMS),
    "wishbone": ("{name}_master", STREAMS),
    "axi": ("{name}", """.aclk(clk), .aresetn(~rst), .s_axis_tlast(1'b0), .m_axis_tlast(last),
    .s_axis_tdata(step[7:0]), .s_axis_tvalid(sending), .s_axis_tready(taken),
    .m_axis_tdata(data), .m_axis_tvalid(valid), .m_axis_tready(ready)"""),
}
TESTBENCH = """\
// {name}_tb: plays what a host and the golden model of tritgrad have said to each other:
// HELLO, a network {layers} loaded, one sample learned and read back, one inferred.
`timescale 1ns/1ns
module {name}_tb;
  reg clk = 0, rst = 1;
  reg [9:0] script [0:{last}];
  reg [31:0] at = 0, quiet = 0;
  reg started = 0;
  wire [9:0] step = script[at];
  wire sending = ~rst & (step[9:8] == {SEND});
  wire ready = ~rst & (step[9:8] == {EXPECT} | step[9:8] == {FRAME});
  wire taken, valid;
  wire [7:0] data;
{declared}
  {instance} core (
    {ports});

  always #5 clk = ~clk;
  initial begin
{bytes}
    repeat (4) @(negedge clk);
    rst = 0;
  end

  always @(posedge clk) if (~rst) begin
    quiet <= quiet + 1;
    if (quiet == {patience}) begin
      $display("FAIL: nothing happens at step %0d", at);
      $fatal;
    end
    if (sending & taken) begin
      at <= at + 1;
      quiet <= 0;
    end
    if (ready & valid) begin
      quiet <= 0;
      started <= data != 8'h{flag:02x};
      if (step[9:8] == {EXPECT} && data !== step[7:0]) begin
        $display("FAIL: step %0d is %h, not %h", at, data, step[7:0]);
        $fatal;
      end
      if (step[9:8] == {EXPECT} || started && data == 8'h{flag:02x}) at <= at + 1;
    end
    if (step[9:8] == {END}) begin
      $display("PASS: {name}, %0d bytes compared", {compared});
      $finish;
    end
  end
endmodule
{master}"""
CORE_FILE = """\
CAPI=2:
name: ::{name}:{version}
description: Trains ternary neural networks; a core of tritgrad, link protocol {protocol}

filesets:
  rtl:
    files: [{rtl}]
    file_type: verilogSource
  lint:
    files: [{lint}]
    file_type: vlt
  testbench:
    files: [{testbench}]
    file_type: verilogSource

targets:
  default:
    filesets: [rtl]
    toplevel: {name}
  lint:
    default_tool: verilator
    filesets: [lint, rtl]
    toplevel: {name}
    tools:
      verilator:
        mode: lint-only
        verilator_options: [-Wall]
  sim:
    default_tool: icarus
    filesets: [rtl, testbench]
    toplevel: {name}_tb
    tools:
      icarus:
        iverilog_options: [-g2005]
      verilator:
        mode: binary
        verilator_options: [--timing, -CFLAGS, -std=c++20, -Wno-fatal, -Wno-lint, -Wno-style]
"""


class _Recorded(GoldenTransport):
    """Keeps what was said, request by request."""

    def __init__(self, config: CoreConfig):
        super().__init__(config)
        self.said: list[tuple[bytes, bytes]] = []

    def write(self, data: bytes) -> None:
        answer = self.device.feed(data)
        self.said.append((data, answer))
        self._ready += answer


def testbench(config: CoreConfig, name: str, interface: str = "stream") -> str:
    """Verilog of a testbench ``NAME_tb`` for a core called `name`.

    It prints a line that begins with PASS, or with FAIL and ends with ``$fatal``.

    Raises
    ------
    BadInput
        The core has no room for the smallest network.
    """
    layers = [min(8, config.max_inputs), min(6, config.max_neurons), min(3, config.max_classes)]
    if config.max_layers == 1:
        del layers[1]
    recipe = Recipe.default(tuple(layers), 1, counter_bits=config.counter_bits,
                            activation_bits=config.activation_bits)
    try:
        check_table(config, layer_table(recipe, recipe.gains))
    except TableError as error:
        raise BadInput(f"no testbench: the core cannot hold {layers}: {error}") from None
    steps = list(_steps(_conversation(config, recipe)))
    steps.append(END << 8)
    instance, ports = PORTS[interface]
    return TESTBENCH.format(
        name=name, instance=instance.format(name=name),
        master=wishbone_master(name) if interface == "wishbone" else "",
        layers="-".join(map(str, layers)), last=len(steps) - 1, flag=FLAG,
        ports=ports, declared="  wire last;\n" if interface == "axi" else "",
        bytes="\n".join(f"    script[{n}] = 10'h{step:03x};" for n, step in enumerate(steps)),
        patience=1_000_000, compared=sum(step >> 8 == EXPECT for step in steps),
        SEND=SEND, EXPECT=EXPECT, FRAME=FRAME, END=END)


def _conversation(config: CoreConfig, recipe: Recipe) -> list[tuple[bytes, bytes]]:
    transport = _Recorded(config)
    driver = Driver(Session(transport, nonce=1))
    driver.load(layer_table(recipe, recipe.gains),
                initial_counters(recipe.layers, recipe.counter_bits, recipe.seed),
                initial_prng(recipe.layers, recipe.seed).state)
    x = np.arange(recipe.layers[0], dtype=np.uint8)[None] % 2
    if config.trainable:
        driver.train_chunk(x, np.array([1]), recipe.margin)
        driver.counters()
    driver.infer(x)
    return transport.said


def _steps(said: list[tuple[bytes, bytes]]) -> Iterator[int]:
    for request, answer in said:
        yield from (SEND << 8 | byte for byte in request)
        frames = [bytes([FLAG]) + part + bytes([FLAG])
                  for part in answer.split(bytes([FLAG])) if part]
        if any(isinstance(frame, Frame) and frame.type == Type.STATUS
               for frame in FrameDecoder().feed(request)):
            yield from (FRAME << 8 for _ in frames)
            continue
        # A result takes longer than the answer to its sample.
        for frame in sorted(frames, key=lambda frame: frame[1] == RESULT):
            yield from (EXPECT << 8 | byte for byte in frame)


def core_file(name: str, version: str, protocol: int, files: dict[str, str]) -> str:
    """The text of ``NAME.core``, CAPI2; `files` names ``rtl``, ``lint`` and ``testbench``."""
    found = re.match(r"\d+(\.\d+)*", version)
    return CORE_FILE.format(name=name, version=found[0] if found else "0", protocol=protocol,
                            **files)
