"""Boards with a memory for samples: what they are, their pins, and the one that has none."""

import re
from dataclasses import replace
from pathlib import Path

import apycula
import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from apycula.chipdb import load_chipdb

from tests.boards.test_top import SMALL
from tritgrad.boards import BOARDS
from tritgrad.boards.top import BoardTop
from tritgrad.errors import ConfigError
from tritgrad.firmware.store import Kind
from tritgrad.hw.parts.ports import RunState
from tritgrad.hw.store.ports import FlashSignature, RamSignature
from tritgrad.sim.memories import FLASHES, HYPERS, SDRAMS

STORED = {name: board for name, board in BOARDS.items() if board.memory}
each_board = pytest.mark.parametrize("board", STORED.values(), ids=STORED)
#: Pins of the memory's chip select, clock and a data line.
PINS = {
    "icebreaker": {"16", "15", "17"}, "icesugar": {"16", "15", "17"},
    "ulx3s-12f": {"P20", "F19", "J16"}, "ulx3s-25f": {"P20", "F19", "J16"},
    "ulx3s-85f": {"P20", "F19", "J16"}, "icesugar-pro": {"A14", "R15", "F16"},
    "icepi-zero": {"B12", "A3", "B16"},
    # Without chip select; the first data line, and the last one that is used.
    "colorlight-i5": {"B9", "D15", "B5"}, "colorlight-i9": {"B9", "D15", "B5"},
    "tang-nano-20k": {"IOL14B", "IOR11B", "IOL3A"},
    "tang-nano-9k": {"60", "59", "61", "62"}, "tang-primer-20k": {"M9", "L10", "R10", "P10"},
}


class Idle(wiring.Component):
    """In the core's place: asks for nothing."""

    def __init__(self, config):
        self.run = Signal(RunState)
        port = RamSignature(config) if config.store == Kind.RAM else FlashSignature()
        super().__init__({"i": In(stream.Signature(8)), "o": Out(stream.Signature(8)),
                          "store": Out(port)})

    def elaborate(self, platform):
        return Module()


@each_board
def test_models_are_as_large(board):
    memory = board.memory
    # On an iCE40 a flash is as slow as the line, and cells are scarce.
    released, whole = board.config, board.resized(store=True).config
    assert whole.store == memory.kind and whole.store_bits == memory.bits
    bare = board.resized(store=False).config
    assert bare.store == bare.store_bits == 0
    assert released == (bare if board.fpga.family == "ice40" else whole)
    if memory.kind == Kind.RAM:
        part = SDRAMS[memory.part]
        assert memory.bits == 2 + part.row_bits + part.column_bits
        assert memory.row_bits == part.row_bits
    else:
        assert memory.bytes == FLASHES[memory.part].bytes
        assert memory.lines == (2 if board.fpga.family == "gowin" else 1)


@each_board
def test_pins(monkeypatch, board):
    monkeypatch.setattr("tritgrad.boards.top.Core", Idle)
    small = board.resized(**SMALL, store=True)
    plan = board.platform().prepare(BoardTop(small), "top", emit_src=False, debug_verilog=False)
    constraints = next(plan.files[name] for name in plan.files
                       if name.endswith((".pcf", ".lpf", ".cst")))
    found = set(re.findall(r"(?:set_io \S+|SITE|IO_LOC \S+) \"?(\w+)", constraints))
    assert PINS[board.name] <= found


@pytest.mark.parametrize("chip, variant, package, board, resource, theirs", [
    ("GW2A-18C", "GW2AR-18C", "QFN88", "tang-nano-20k", "sdram",
     {"clk": "O_sdram_clk", "clk_en": "O_sdram_cke", "cs": "O_sdram_cs_n",
      "ras": "O_sdram_ras_n", "cas": "O_sdram_cas_n", "we": "O_sdram_wen_n", "ba": "O_sdram_ba",
      "a": "O_sdram_addr", "dqm": "O_sdram_dqm", "dq": "IO_sdram_dq"}),
    ("GW1N-9C", "GW1NR-9C", "QFN88P", "tang-nano-9k", "psram",
     {"ck": "O_psram_ck", "ck_n": "O_psram_ck_n", "cs": "O_psram_cs_n",
      "reset": "O_psram_reset_n", "rwds": "IO_psram_rwds", "dq": "IO_psram_dq"})])
def test_pins_inside_a_package_are_those_of_the_tools_database(
        chip, variant, package, board, resource, theirs):
    """Apicula's, of what is bonded in a chip with a memory; no data sheet has it."""
    path = Path(apycula.__file__).with_name(f"{chip}.msgpack.xz")
    listed = load_chipdb(str(path)).sip_cst[variant][package]
    port = BOARDS[board].platform().lookup(resource, 0)
    # Places are numbered from 1; of its two sides the chip has the left one in column 0.
    found = {name: f"IO{'L' if column == 0 else 'R'}{row + 1}{side}"
             for name, row, column, side, _ in listed}
    ours = {}
    for member in port.ios:
        names = member.ios[0].names
        ours |= {theirs[member.name] + (f"[{n}]" if len(names) > 1 else ""): pin
                 for n, pin in enumerate(names)}
    assert ours == found


def test_the_psrams_stand_in_for_the_flash(monkeypatch):
    monkeypatch.setattr("tritgrad.boards.top.Core", Idle)
    board = BOARDS["tang-nano-9k"].with_psram().resized(**SMALL)
    assert board.config.store == Kind.RAM and board.memory.bits == board.config.store_bits
    assert board.memory.bytes == 2 * HYPERS[board.memory.part].bytes
    plan = board.platform().prepare(BoardTop(board), "top", emit_src=False, debug_verilog=False)
    placed = {name: re.findall(rf"IO_LOC \"psram_0__{name}__io\S*\" (\w+)", plan.files["top.cst"])
              for name in ("ck", "ck_n", "cs", "reset", "rwds", "dq")}
    assert {name: len(pins) for name, pins in placed.items()} == {
        "ck": 2, "ck_n": 2, "cs": 2, "reset": 2, "rwds": 2, "dq": 16}
    assert "spi_flash" not in plan.files["top.cst"]


def test_a_board_without_psrams():
    with pytest.raises(ConfigError, match="psram must be left away on icebreaker"):
        BOARDS["icebreaker"].with_psram()


def test_another_core_of_a_board_has_its_store():
    for infer_only in (False, True):
        made = BOARDS["ulx3s-25f"].resized(network=(784, 64, 10), infer_only=infer_only)
        assert made.config.store == Kind.RAM and made.resized(store=False).config.store == 0


def test_a_board_without_a_memory():
    assert all(board.memory for board in BOARDS.values() if board.stored)
    with pytest.raises(ConfigError, match="store must be left away on icebreaker"):
        replace(BOARDS["icebreaker"], memory=None).resized(store=True)


def test_a_core_that_shifts_images():
    board = BOARDS["ulx3s-25f"]
    found = board.resized(shifter=(2, 1)).config
    assert found == board.config.changed(store_shift=2, store_rows=28, store_columns=28,
                                         store_planes=1)
    r5 = board.for_recipe("r5").resized(shifter=(1, 1)).config
    assert (r5.store_shift, r5.store_rows, r5.store_columns, r5.store_planes) == (
        1, r5.conv_rows, r5.conv_columns, r5.conv_planes)


@pytest.mark.parametrize("name, changes, message", [
    ("icebreaker", {"store": True}, "shifter must be left away on icebreaker: its core has no RAM"),
    ("ulx3s-25f", {"store": False}, "shifter must be left away on ulx3s-25f: its core has no RAM"),
    ("ulx3s-25f", {"network": (783, 12, 4)}, "783 inputs are no square image"),
    ("ulx3s-25f", {"shifter": (1, 5)}, "store_planes must be an integer from 1 to 4 ")])
def test_a_core_that_cannot_shift_images(name, changes, message):
    with pytest.raises(ConfigError, match=message):
        BOARDS[name].resized(**{"shifter": (1, 1), **changes})
