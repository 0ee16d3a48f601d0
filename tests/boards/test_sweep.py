"""``python -m tritgrad.boards``: the worst of several seeds, and what is kept of each."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from tritgrad.boards import BOARDS
from tritgrad.boards import __main__ as sweep
from tritgrad.boards.flow import Synthesis
from tritgrad.boards.report import FitError, Report, TimingError, Use
from tritgrad.boards.tools import TOOLS, EndlessError

SPEEDS = {1: 25.0, 2: 23.5, 3: 24.5}


@pytest.fixture
def tools(monkeypatch, tmp_path):
    """Stands for synthesis and placement; the speed depends on the seed."""
    syntheses, placed = [], []

    def prepare(board, folder, say):
        if board.name == "icesugar":
            raise FitError("icesugar: 6,000 of 5,280 logic cells")
        folder.mkdir(parents=True, exist_ok=True)
        return Synthesis(board, folder, board.clock_hz, ["yosys"], ["nextpnr-ice40"], ["icepack"],
                         digest=f"of {board.clock_hz}")

    def synthesise(netlist, say):
        syntheses.append((netlist.board, netlist.folder))

    def place(netlist, seed, say):
        board, folder = netlist.board, netlist.folder
        report = Report(
            board.name, board.title, board.part, [], {"lanes": 8, "banks": 1, "update_lanes": 4},
            seed, {"crystal_mhz": 12.0, "wanted_mhz": 24.0, "achieved_mhz": SPEEDS[seed]},
            {"lut4": Use(1, 2), "dsp": Use(0, 0)},
            path={"ns": 1.0, "logic_ns": 0.5, "routing_ns": 0.5, "levels": 1, "through": ["a"]},
            tools=netlist.tools, netlist=netlist.digest)
        placed.append(seed)
        (folder / "top.bin").write_bytes(bytes([seed]))
        (folder / "nextpnr.log").touch()
        report.finish(folder / "top.bin", {})
        report.write(folder)
        if SPEEDS[seed] < 24:
            raise TimingError("too slow")
        return report
    monkeypatch.setattr(sweep, "prepare", prepare)
    monkeypatch.setattr(sweep, "run_synthesis", synthesise)
    monkeypatch.setattr(sweep, "place", place)
    monkeypatch.setattr(sweep, "REPORTS", tmp_path / "reports")
    monkeypatch.setattr(sweep, "CYCLES", tmp_path / "cycles.json")
    monkeypatch.setattr(sweep, "CONV", tmp_path / "conv.json")
    return SimpleNamespace(syntheses=syntheses, placed=placed)


def run(monkeypatch, tmp_path, *words):
    monkeypatch.setattr("sys.argv", ["boards", "--out", str(tmp_path / "out"), *words])
    return sweep.main()


def test_the_worst_seed_is_released_and_all_are_kept(tools, tmp_path, monkeypatch):
    (tmp_path / "cycles.json").write_text(json.dumps({"boards": {
        "icebreaker 784-128-10": {"cycles_per_sample": 4000.0},
        "ulx3s-25f 784-128-10": {"cycles_per_sample": 300.0}}}))
    assert run(monkeypatch, tmp_path, "icebreaker") == 1
    assert len(tools.syntheses) == 1
    report = Report.from_json((tmp_path / "reports" / "icebreaker.json").read_text())
    assert report.seed == 2 and report.seeds == {"1": 25.0, "2": 23.5, "3": 24.5}
    assert report.cycles == {"784-128-10": 4000.0}
    for seed in SPEEDS:
        kept = tmp_path / "out" / "icebreaker" / f"seed-{seed}"
        assert (kept / "top.bin").read_bytes() == bytes([seed])
        assert Report.from_json((kept / "report.json").read_text()).seed == seed


def test_the_core_of_a_recipe_has_a_report_of_its_own(tools, tmp_path, monkeypatch):
    (tmp_path / "conv.json").write_text(json.dumps({
        "R5": {"board": "ulx3s-25f", "cycles a trained sample": 965.4}}))
    for board, cycles in ("ulx3s-25f", {"768-128-10": 965.4}), ("icepi-zero", {}):
        assert run(monkeypatch, tmp_path, board, "--recipe", "r5", "--seeds", "1") == 0
        report = Report.from_json((tmp_path / "reports" / f"{board}-r5.json").read_text())
        assert report.cycles == cycles
        assert (tmp_path / "out" / f"{board}-r5" / "seed-1" / "report.json").exists()
    assert run(monkeypatch, tmp_path, "icebreaker", "--recipe", "r5") == 1


def test_a_board_has_seeds_of_its_own(tools, tmp_path, monkeypatch):
    monkeypatch.setitem(BOARDS, "icebreaker", replace(BOARDS["icebreaker"], seeds=(3, 1)))
    assert run(monkeypatch, tmp_path, "icebreaker") == 0
    assert tools.placed == [3, 1]


def test_success_is_every_seed_in_time(tools, tmp_path, monkeypatch):
    assert run(monkeypatch, tmp_path, "icebreaker", "--seeds", "1", "3") == 0
    report = Report.from_json((tmp_path / "reports" / "icebreaker.json").read_text())
    assert report.seed == 3 and report.cycles == {}


def test_a_seed_of_the_same_netlist_is_not_placed_again(tools, tmp_path, monkeypatch, capsys):
    def report():
        return Report.from_json((tmp_path / "reports" / "icebreaker.json").read_text())
    assert run(monkeypatch, tmp_path, "icebreaker", "--seeds", "3") == 0
    assert run(monkeypatch, tmp_path, "icebreaker", "--seeds", "1", "3") == 0
    assert tools.placed == [3, 1] and len(tools.syntheses) == 1
    assert report().seed == 3 and report().seeds == {"1": 25.0, "3": 24.5}
    capsys.readouterr()
    assert run(monkeypatch, tmp_path, "icebreaker") == 1
    assert tools.placed == [3, 1, 2]
    assert report().seed == 2 and report().seeds == {"1": 25.0, "2": 23.5, "3": 24.5}
    assert "the report is of this netlist: seed 1, 3 as placed before" in capsys.readouterr().out
    before = report()
    assert run(monkeypatch, tmp_path, "icebreaker") == 1  # as slow as before
    assert tools.placed == [3, 1, 2] and len(tools.syntheses) == 1 and report() == before

    # Another clock is another netlist; so is another version of a tool.
    monkeypatch.setitem(BOARDS, "icebreaker", replace(BOARDS["icebreaker"], clock_hz=20_000_000))
    assert run(monkeypatch, tmp_path, "icebreaker", "--seeds", "1") == 0
    assert tools.placed == [3, 1, 2, 1] and report().seeds == {"1": 25.0}
    monkeypatch.setitem(TOOLS, "yosys", replace(TOOLS["yosys"], wheel="numpy"))
    assert run(monkeypatch, tmp_path, "icebreaker", "--seeds", "1") == 0
    assert tools.placed == [3, 1, 2, 1, 1] and len(tools.syntheses) == 3


def test_a_board_that_does_not_fit_does_not_stop_the_others(tools, tmp_path, monkeypatch, capsys):
    assert run(monkeypatch, tmp_path, "icesugar", "icebreaker", "--seeds", "1") == 1
    assert "tritgrad: icesugar: 6,000 of 5,280 logic cells" in capsys.readouterr().err
    assert {path.name for path in (tmp_path / "reports").iterdir()} == {
        "SHA256SUMS", "icebreaker.json"}


def test_a_seed_that_routes_without_an_end_is_left_out(tools, tmp_path, monkeypatch, capsys):
    ends = sweep.place

    def place(netlist, seed, say):
        if seed != 3:
            raise EndlessError(f"it routes without an end, seed {seed}")
        return ends(netlist, seed, say)
    monkeypatch.setattr(sweep, "place", place)
    assert run(monkeypatch, tmp_path, "icebreaker") == 1
    told = capsys.readouterr()
    assert "s: it routes without an end, seed 1" in told.out
    assert "tritgrad: icebreaker: no bitstream of seed 1, 2\n" in told.err
    report = Report.from_json((tmp_path / "reports" / "icebreaker.json").read_text())
    assert report.seed == 3 and report.seeds == {"3": 24.5}

    assert run(monkeypatch, tmp_path, "icepi-zero", "--seeds", "1", "2") == 1
    assert "tritgrad: it routes without an end, seed 2\n" in capsys.readouterr().err
    assert not (tmp_path / "reports" / "icepi-zero.json").exists()


def test_small_is_one_board_a_family_and_releases_nothing(tools, tmp_path, monkeypatch):
    monkeypatch.setattr("tritgrad.boards.__main__.place", lambda netlist, seed, say: replace(
        small_report(netlist.folder), board=netlist.board.name))
    assert run(monkeypatch, tmp_path, "--small") == 0
    boards = [board for board, _ in tools.syntheses]
    assert {board.fpga.family for board in boards} == {"ice40", "ecp5", "gowin"}
    assert all(board.config.lanes == 4 and board.networks == ((16, 8, 4),) for board in boards)
    assert not (tmp_path / "reports").exists()


def small_report(folder):
    (folder / "top.bin").write_bytes(b"x")
    (folder / "nextpnr.log").touch()
    report = Report(
        "", "", "", [], {"lanes": 4, "banks": 1, "update_lanes": 4}, 1,
        {"crystal_mhz": 12.0, "wanted_mhz": 24.0, "achieved_mhz": 30.0},
        {"lut4": Use(1, 2), "dsp": Use(0, 0)})
    report.finish(folder / "top.bin", {})
    report.write(folder)
    return report


def test_smallest_cores_can_be_clocked_as_asked():
    for name, clock_hz in sweep.SMALL_CLOCKS.items():
        assert sweep.smallest(BOARDS[name], clock_hz).config.trit_depth >= 1
