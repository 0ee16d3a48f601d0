"""From source to bitstream with the real tools: a small build a family, and one build twice."""

import json
import re
from dataclasses import replace

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from tritgrad.boards import BOARDS
from tritgrad.boards.__main__ import SMALL_CLOCKS, smallest
from tritgrad.boards.flow import BITSTREAM, ENDLESS, build, place, synthesise
from tritgrad.boards.report import FitError, Report, TimingError
from tritgrad.errors import ConfigError, ToolError
from tritgrad.hw.link.receiver import Receiver
from tritgrad.hw.memory.word_memory import WordMemory
from tritgrad.hw.parts.ports import RunState

SMALL = {"network": (16, 8, 4), "lanes": 4, "banks": 1, "clock_hz": 27_000_000, "store": False}
FAMILIES = {"ice40": "icebreaker", "ecp5": "ulx3s-25f", "gowin": "tang-nano-9k"}


class Slice(wiring.Component):
    """Part of the core: frames are checked, their bytes added to words of memory and given back.

    It has what decides whether a family's flow works: block memory of both kinds, carry chains,
    look-up tables, flip-flops with reset and enable.
    """

    def __init__(self, config):
        self.config = config
        self.run = Signal(RunState)
        super().__init__({"i": In(stream.Signature(8)), "o": Out(stream.Signature(8))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.receiver = receiver = Receiver(self.config.slot_bytes)
        m.submodules.memory = memory = WordMemory(16, 1024, single_port=self.config.single_port)
        wiring.connect(m, wiring.flipped(self.i), receiver.i)
        total, offset = Signal(16), Signal.like(receiver.i_offset)
        m.d.comb += [
            receiver.i_offset.eq(offset),
            receiver.i_release.eq(offset.all()),
            memory.address.eq(total[:10]),
            memory.write_address.eq(total[6:16]),
            memory.write_data.eq(total),
            memory.write.eq(offset[0]),
            self.o.p.eq(total[8:]),
            self.o.valid.eq(receiver.o_frame.valid),
        ]
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += [total.eq(total + receiver.o_byte + memory.word), offset.eq(offset + 1)]
        return m


def small(name, **sizes):
    """A board with a small core, in which no memory has to be of look-up tables."""
    return replace(BOARDS[name].resized(**{**SMALL, **sizes}), lutram=())


@pytest.fixture
def slice_of_core(monkeypatch):
    monkeypatch.setattr("tritgrad.boards.top.Core", Slice)


@pytest.mark.parametrize("family", FAMILIES)
def test_bitstream_and_report(slice_of_core, tmp_path, family):
    board = small(FAMILIES[family])
    said = []
    report = build(board, tmp_path, say=said.append)
    bitstream = tmp_path / f"top.{BITSTREAM[family]}"
    assert bitstream.stat().st_size == report.bitstream["bytes"] > 10_000
    assert report.resources["dsp"].used == 0
    used = {name: use.used for name, use in report.resources.items()}
    assert used["lut4"] > 100 and used["ff"] > 100 and used["carry"] > 10
    assert used["cells"] >= used["lut4"]
    assert sum(used[name] for name in board.fpga.blocks) >= 2
    for name, use in report.resources.items():
        if name != "dsp":
            assert use.available == (board.fpga.blocks.get(name) or board.fpga.lut4 if name in (
                "cells", "lut4", *board.fpga.blocks) else getattr(board.fpga, name))
    assert report.clock["wanted_mhz"] == 27
    assert report.clock["achieved_mhz"] >= 27 and report.path["through"]
    assert Report.from_json((tmp_path / "report.json").read_text()) == report
    assert (tmp_path / "report.txt").read_text() == report.as_text()
    for log in ("yosys.log", "nextpnr.log", "pack.log"):
        assert (tmp_path / log).exists()
    assert {"RTL", "synthesis", "placing", "routing", "bitstream"} <= set(said)
    assert all(report.tools.values()) and len(report.tools) == 3
    timing = json.loads((tmp_path / "pnr.json").read_text())
    # The clock that the tools took from the PLL's dividers, or that they were given.
    assert any(abs(clock["constraint"] - 27) < 0.01 for clock in timing["fmax"].values())


def test_a_whole_core_on_gowin(tmp_path):
    """The other families' small cores are built where their netlists are simulated."""
    report = build(smallest(BOARDS["tang-nano-9k"], SMALL_CLOCKS["tang-nano-9k"]), tmp_path)
    assert report.resources["dsp"].used == 0
    assert report.clock["achieved_mhz"] >= 27


def test_same_source_and_seed_give_the_same_bitstream(slice_of_core, tmp_path):
    board = small("ulx3s-25f")
    first, second = (build(board, tmp_path / name, seed=5) for name in ("a", "b"))
    assert first.bitstream == second.bitstream


def test_too_fast_a_clock_is_an_error_and_leaves_a_report(slice_of_core, tmp_path):
    board = small("ulx3s-25f", clock_hz=400_000_000)
    with pytest.raises(TimingError, match=r"of 400\.00 MHz, .* short on the path from .* to .*; "
                                          r"lower --frequency"):
        build(board, tmp_path)
    report = Report.from_json((tmp_path / "report.json").read_text())
    assert report.clock["achieved_mhz"] < 400 and report.bitstream["bytes"] > 10_000


@pytest.mark.parametrize(("line", "told"), [
    ("Info:     iter=100 wires=92 overused=0 overuse=0 tmgfail=7 archfail=NA", True),
    ("Info:     iter=99 wires=92 overused=0 overuse=0 tmgfail=7 archfail=NA", False),
    ("Info: iter=100 steplen=0.787547 a=103.656799 penalty=[0.01, 0.01, 0.01, 0.01]", False)])
def test_a_hundredth_round_of_routing_is_told_from_one_of_placing(line, told):
    assert bool(re.search(ENDLESS[0], line)) == told


class Large(Slice):
    """More small block memories than an UltraPlus has."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        words = self.i.p
        for n in range(40):
            m.submodules[f"more{n}"] = more = WordMemory(16, 256)
            m.d.comb += [more.address.eq(words), more.write_address.eq(self.i.p),
                         more.write_data.eq(words), more.write.eq(self.i.valid)]
            words = more.word
        m.d.comb += self.o.p.eq(words)
        return m


def test_too_large_a_design_is_an_error_that_says_by_how_much(monkeypatch, tmp_path):
    monkeypatch.setattr("tritgrad.boards.top.Core", Large)
    with pytest.raises(FitError, match=r"icebreaker: 4\d of 30 EBR, 1\d too many, [\d.]+ %; lower "
                                       r"--hidden"):
        build(small("icebreaker"), tmp_path)
    assert not (tmp_path / "top.bin").exists()


def test_memories_that_cannot_fit_are_refused_before_synthesis(tmp_path):
    board = BOARDS["ulx3s-25f"]
    with pytest.raises(ConfigError, match="residual_depth"):
        board.resized(network=(784, 400, 10))
    assert list(tmp_path.iterdir()) == []


def test_without_the_extra_the_error_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "amaranth_boards.ulx3s", None)
    with pytest.raises(ToolError, match=r"amaranth_boards.ulx3s is not installed: pip install "
                                        r"'tritgrad\[boards\]'"):
        synthesise(small("ulx3s-25f"), tmp_path)


def test_a_seed_more_needs_no_synthesis_more(slice_of_core, tmp_path):
    netlist = synthesise(small("icebreaker"), tmp_path)
    before = (tmp_path / "top.json").stat().st_mtime_ns
    reports = [place(netlist, seed) for seed in (1, 2)]
    assert (tmp_path / "top.json").stat().st_mtime_ns == before
    assert [report.seed for report in reports] == [1, 2]
    assert reports[0].resources == reports[1].resources
    assert reports[0].bitstream["sha256"] != reports[1].bitstream["sha256"]
