"""A board of compiled RTL tests itself: each fault of its silicon is named by the right line.

Nothing here takes time but the board's own, so that no machine is too slow.
"""

import json
from dataclasses import asdict, replace
from functools import partial
from types import SimpleNamespace

import pytest
from amaranth.back import verilog
from click.testing import CliRunner

from tritgrad.boards import BOARDS
from tritgrad.boards.top import BoardTop
from tritgrad.host.cli.main import cli
from tritgrad.host.device import bus, serial_port, session
from tritgrad.host.device import open as opening
from tritgrad.host.selftest import core as core_steps
from tritgrad.host.selftest import line as line_steps
from tritgrad.sim.board import CompiledBoard
from tritgrad.sim.verilate import TOP

from .planted import PLANTS, Line, planted

#: A board with a small core.
BOARD = replace(BOARDS["icebreaker"], networks=((12, 8, 4),), sizes={
    "lanes": 4, "banks": 2, "update_lanes": 2, "trit_depth": 32, "residual_depth": 64,
    "max_classes": 4, "slot_bytes": 128, "scales": True})
CONFIG = BOARD.config


@pytest.fixture
def selftest(monkeypatch, tmp_path, loader):
    """Tests a board with a fault; the record, and the lines."""
    monkeypatch.setitem(BOARDS, "icebreaker", BOARD)
    monkeypatch.setattr(serial_port, "CONTACT_S", 0.01)
    monkeypatch.setattr(serial_port, "PROBE_S", 0.005)
    monkeypatch.setattr(serial_port, "FIRST_BYTE_S", 1e-4)
    monkeypatch.setattr(serial_port, "STRAY_RATES", (57_600,))
    monkeypatch.setattr(session, "PATIENCE_S", 0.01)
    monkeypatch.setattr(line_steps, "LINK_BYTES", 1 << 11)
    monkeypatch.setattr(line_steps, "TRIPS", 3)
    monkeypatch.setattr(bus, "SYS", tmp_path)  # nothing of this machine's USB

    def tested(fault="", *, clock=1.0, most=4_000_000, expected=None):
        def make():
            text = verilog.convert(BoardTop(BOARD), name=TOP, emit_src=False,
                                   strip_internal_attrs=True)
            return planted(text, TOP)

        number = 1 + list(PLANTS).index(fault) if fault else 0
        port, report = tmp_path / "port", tmp_path / "report.json"
        port.touch()
        report.write_text(json.dumps({"config": asdict(expected or CONFIG)}))
        with CompiledBoard(make, f"selftest {BOARD!r} {PLANTS!r}",
                           clock * float(BOARD.pll.output_hz), power_up=7, fault=number) as board:
            line = Line(board, most)
            timed = SimpleNamespace(sleep=line.sleep, perf_counter=line.clock,
                                    monotonic=line.clock)
            for module in serial_port, core_steps, line_steps:
                monkeypatch.setattr(module, "time", timed)
            monkeypatch.setattr(serial_port, "_open", lambda name: line)
            monkeypatch.setattr(opening, "SerialTransport", partial(
                serial_port.SerialTransport, clock=line.clock))
            result = CliRunner().invoke(cli, [
                "selftest", f"icebreaker@{port}", "--networks", "1", "--samples", "4",
                "--seconds", "0.1", "--core", str(report), "--json"])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        record = json.loads(result.stdout)
        assert result.exit_code == (0 if record["passed"] else 1)
        return record, result.stderr

    return tested


def failure(record):
    return next((step for step in record["steps"] if step["state"] == "failed"), None)


def test_a_board_without_a_fault_passes_every_line(selftest):
    record, lines = selftest()
    assert record["passed"], failure(record)
    assert [step["name"] for step in record["steps"] if step["state"] == "skipped"] == [
        "USB", "which board", "permission", "FPGA", "bitstream", "convolution"]
    assert (record["rate"], record["link_errors"]) == (4_000_000, 0)
    assert "PASS 14 memories" in lines and "PASS 16 clock" in lines


#: Fault, its line, and words of what was found.
FAULTS = {
    "T": ("memories", "T, bank 0: ", "address 5, bit 2 "),
    "R": ("memories", "memory R: ", "address 5, bit 2 "),
    "S": ("memories", "memory S: ", "address 5, bit 2 "),
    "PRNG": ("PRNG", "PRNG: 0x", "golden model 0x"),
    "counters": ("counters", "samples ", "run of no samples"),
    "loss": ("rate", "something was lost", "4,000,000 baud"),
    "echo": ("HELLO", "says what it is told", "rx and tx are joined"),
    "silence": ("HELLO", "silent board", ""),
}


def named(record, lines, line, *words):
    """The line that fails is the one that should, and says these words, and what to do."""
    failed = failure(record)
    assert failed and failed["name"] == line, failed
    for word in words:
        assert word in failed["found"]
    assert failed["advice"] in lines
    assert f"FAIL {failed['number']:2} {line}" in lines


@pytest.mark.parametrize("fault", PLANTS)
def test_a_fault_of_the_silicon_is_named_by_its_line(selftest, fault):
    named(*selftest(fault), *FAULTS[fault])


def test_another_core_is_named(selftest):
    named(*selftest(expected=replace(CONFIG, max_inputs=13)), "core",
          "another core: max_inputs 12, not 13")


def test_a_slow_bridge_is_named(selftest):
    named(*selftest(most=921_600), "rate", "921,600 of 4,000,000 baud")


def test_another_clock_is_named(selftest):
    named(*selftest(clock=1.02), "clock", " MHz, +1.")
