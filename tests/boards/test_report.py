"""Reports from what the real tools wrote: recorded logs of small builds of each family."""

import json
from pathlib import Path

import pytest

from tritgrad.boards import BOARDS
from tritgrad.boards.report import (
    REPORTS,
    FitError,
    Report,
    TimingError,
    Use,
    last_report,
    make_report,
    read_cells,
    read_path,
    read_use,
)
from tritgrad.errors import ToolError

RECORDED = Path(__file__).parent / "recorded"
LOG = Path("nextpnr.log")


def recorded(folder, board, clock_hz=None, log_change=lambda log: log):
    files = RECORDED / folder
    timing = files / "pnr.json"
    chosen = BOARDS[board]
    return make_report(chosen, (files / "stat.json").read_text(),
                       timing.read_text() if timing.exists() else None,
                       log_change((files / "nextpnr.log").read_text()),
                       clock_hz=clock_hz or chosen.clock_hz, seed=7, where=LOG,
                       tools={"yosys": "0.70"})


@pytest.mark.parametrize(("folder", "board", "expected"), [
    ("ice40", "icebreaker", {
        "lut4": Use(3389, 5280), "carry": Use(712, 5280), "ff": Use(1557, 5280),
        "cells": Use(4187, 5280), "EBR": Use(13, 30), "SPRAM": Use(3, 4), "dsp": Use(0, 0)}),
    ("ecp5", "ulx3s-25f", {
        "lut4": Use(2864, 24288), "carry": Use(906, 24288), "ff": Use(1988, 24288),
        "cells": Use(4350, 24288), "DP16KD": Use(3, 56), "dsp": Use(0, 0)}),
    ("gowin", "tang-nano-9k", {
        "lut4": Use(3149, 8640), "carry": Use(991, 6480), "ff": Use(1988, 6480),
        "cells": Use(4697, 8640), "BSRAM": Use(3, 26), "dsp": Use(0, 0)}),
])
def test_resources(folder, board, expected):
    report = recorded(folder, board)
    assert report.resources == expected
    report.check_resources()


@pytest.mark.parametrize(("folder", "board", "achieved"), [
    ("ice40", "icebreaker", 16.23), ("ecp5", "ulx3s-25f", 58.86), ("gowin", "tang-nano-9k", 38.39)])
def test_clock_and_slowest_path(folder, board, achieved):
    report = recorded(folder, board)
    assert report.clock["achieved_mhz"] == pytest.approx(achieved, abs=0.005)
    path = report.path
    assert path["ns"] == pytest.approx(1000 / achieved, rel=1e-3)
    assert path["logic_ns"] + path["routing_ns"] == pytest.approx(path["ns"], abs=0.01)
    assert path["levels"] > 5
    assert path["through"][0].startswith("core.") and path["through"][-1].startswith("core.")
    for name in path["through"]:
        assert not any(part in name for part in ("_SB_", "LUT", "DFF", "MUX", "TRELLIS", "$"))


def test_slow_design_is_an_error_that_says_by_how_much():
    report = recorded("ice40", "icebreaker")
    with pytest.raises(TimingError, match=(
            r"icebreaker: 16\.23 of 24\.00 MHz, 7\.77 MHz \(32\.4 %\) short on the path from "
            r"core\.commands\.hello\.index to core\.commands\.fsm_state; lower --frequency, or "
            r"try another --seed")):
        report.check_timing()


def test_fast_design_is_none():
    recorded("ice40", "icebreaker", clock_hz=16_000_000).check_timing()


def test_large_design_is_an_error_that_says_by_how_much():
    with pytest.raises(FitError, match=(
            r"icebreaker: 5,533 of 5,280 logic cells, 253 too many, 4\.8 %; lower --lanes, "
            r"--banks or --update-lanes")):
        recorded("too_large", "icebreaker")


def test_placer_without_room_is_told_apart_from_other_failures():
    def fits(log):
        return log.replace("5533/   5280", "5279/   5280")

    with pytest.raises(FitError, match="the placer finds no room .*Failed to expand region"):
        recorded("too_large", "icebreaker", log_change=fits)
    with pytest.raises(ToolError, match=r"place and route failed: unheard-of \(see nextpnr.log\)"):
        recorded("too_large", "icebreaker",
                 log_change=lambda log: fits(log) + "ERROR: unheard-of\n")


def test_a_multiplier_is_an_error():
    report = recorded("ecp5", "ulx3s-25f", log_change=lambda log: log.replace(
        "MULT18X18D:       0/     28", "MULT18X18D:       2/     28"))
    with pytest.raises(ToolError, match="2 multipliers in hardware"):
        report.check_resources()


@pytest.mark.parametrize("name", ["lut4", "carry", "ff", "cells", "DP16KD"])
def test_each_resource_is_checked(name):
    report = recorded("ecp5", "ulx3s-25f")
    report.resources[name] = Use(report.resources[name].available + 1,
                                 report.resources[name].available)
    with pytest.raises(FitError, match="1 too many"):
        report.check_resources()


def test_report_survives_json_and_reads_well(tmp_path):
    report = recorded("ecp5", "ulx3s-25f")
    bitstream = tmp_path / "top.bit"
    bitstream.write_bytes(b"abc")
    report.finish(bitstream, {"synthesis": 1.26})
    report.write(tmp_path)
    again = Report.from_json((tmp_path / "report.json").read_text())
    assert again == report
    text = (tmp_path / "report.txt").read_text()
    for part in ("ULX3S 25F (ulx3s-25f), LFE5U-25F-6BG381", "784-128-10", "7 x 36, 36 for updates",
                 "2,864 of 24,288 (12 %)", "DP16KD        3 of 56", "58.86 MHz reached",
                 "multipliers   0\n", "yosys", "0.70", "top.bit, 3 bytes, SHA-256 ba7816bf"):
        assert part in text
    assert report.bitstream["sha256"].startswith("ba7816bf8f01cfea")
    assert report.seconds == {"synthesis": 1.3}


def test_samples_a_second_follow_from_cycles():
    report = recorded("ice40", "icebreaker")
    assert report.samples_per_second == {}
    report.cycles = {"784-128-10": 4000.0}
    assert report.samples_per_second == {"784-128-10": 6000.0}


def test_what_a_core_that_only_infers_saves():
    whole, small = recorded("ice40", "icebreaker"), recorded("ice40", "icebreaker")
    assert "infers only" not in whole.as_text()
    small.config = {**small.config, "trainable": False}
    assert "no update unit, no R" in small.as_text()
    small.resources = {**small.resources, "lut4": Use(3000, 5280), "SPRAM": Use(1, 4)}
    small.compare(whole)
    assert small.saves["lut4"] == 389 and small.saves["SPRAM"] == 2 and small.saves["EBR"] == 0
    assert "389 LUT4, " in small.as_text() and "2 SPRAM less than the core" in small.as_text()
    assert Report.from_json(small.as_json()) == small
    other = recorded("ice40", "icebreaker")
    other.networks = [[784, 64, 10]]
    other.compare(whole)
    assert other.saves == {}


def test_cells_are_those_of_the_netlist():
    cells = read_cells((RECORDED / "gowin" / "stat.json").read_text())
    assert cells["ALU"] == 991 and not any(name.startswith("$") for name in cells)


def test_use_is_read_from_the_packing_table():
    use = read_use((RECORDED / "ice40" / "nextpnr.log").read_text())
    assert use["ICESTORM_LC"] == Use(4187, 5280) and use["SB_GB"].available == 8
    assert read_use("") == {}


def test_paths_that_end_at_pins_do_not_count():
    paths = json.loads((RECORDED / "ice40" / "pnr.json").read_text())["critical_paths"]
    async_only = [path for path in paths if "<async>" in (path["from"], path["to"])]
    assert len(async_only) == 3 and read_path(async_only) == {}


def test_a_board_without_report_has_none(tmp_path):
    assert last_report(BOARDS["icebreaker"], tmp_path) is None


@pytest.mark.parametrize("path", sorted(REPORTS.glob("*.json")), ids=lambda path: path.stem)
def test_released_reports_are_of_boards_that_fit(path):
    report = Report.from_json(path.read_text())
    board = BOARDS[report.board]
    if report.recipe:
        board = board.for_recipe(report.recipe)
    assert path.stem == board.build
    report.check_resources()
    assert len(report.bitstream["sha256"]) == 64 and all(report.tools.values())
    assert report.clock["achieved_mhz"] == pytest.approx(min(report.seeds.values()), abs=0.01)
    assert report.clock["achieved_mhz"] >= report.clock["wanted_mhz"]
    assert {*map(int, report.seeds)} <= {*board.seeds}
