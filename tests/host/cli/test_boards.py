"""``tritgrad boards``, ``build`` and ``flash`` from the command line."""

import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from tritgrad.boards import BOARDS
from tritgrad.boards.report import Report, TimingError, Use
from tritgrad.host.cli.main import cli

REPORT = Report(
    "icebreaker", "iCEBreaker", "iCE40UP5K-SG48", [[784, 128, 10]],
    {"lanes": 8, "banks": 1, "update_lanes": 4}, 2,
    {"crystal_mhz": 12.0, "wanted_mhz": 24.0, "achieved_mhz": 25.5},
    {"lut4": Use(4000, 5280), "carry": Use(700, 5280), "ff": Use(1600, 5280),
     "cells": Use(4900, 5280), "EBR": Use(14, 30), "SPRAM": Use(4, 4), "dsp": Use(0, 0)},
    path={"ns": 39.2, "logic_ns": 20.0, "routing_ns": 19.2, "levels": 12, "through": ["a", "b"]},
    tools={"yosys": "0.70"}, bitstream={"file": "top.bin", "bytes": 3, "sha256": "ab" * 32},
    cycles={"784-128-10": 4800.0})


@pytest.fixture
def run(monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    return lambda *words: CliRunner().invoke(cli, words)


@pytest.fixture
def released(tmp_path, monkeypatch):
    """One board has a released report."""
    (tmp_path / "icebreaker.json").write_text(REPORT.as_json())

    def last(board):
        path = tmp_path / f"{board.build}.json"
        return Report.from_json(path.read_text()) if path.exists() else None
    monkeypatch.setattr("tritgrad.host.cli.boards.last_report", last)


def test_boards_table_shows_what_a_board_can_do(run, released, monkeypatch):
    monkeypatch.setattr("tritgrad.host.cli.boards.screen",
                        lambda stderr: Console(width=160, highlight=False))
    result = run("boards")
    assert result.exit_code == 0
    lines = {name: line for line in result.output.splitlines() for name in BOARDS
             if line.split("│")[1:2] == [f" {name:15} "]}
    assert set(lines) == set(BOARDS)
    for part in ("iCE40UP5K", "24", "1x8", "784-128-10", "4,900/5,280", "14/30 EBR", "25.5",
                 "5,000", "4,040", "flash 16 MiB, --store"):
        assert part in lines["icebreaker"]
    assert "ulx3s-12f: Lattice warrants half" in result.output
    assert "14x36" in lines["ulx3s-85f"] and "784-512-10" in lines["ulx3s-85f"]
    rows = result.output.splitlines()
    recipe = next(line for line in rows[rows.index(lines["ulx3s-85f"]):] if "--recipe r6" in line)
    assert "1536-128-10" in recipe and "1,186" in recipe


def test_boards_json_has_the_same_and_more(run, released):
    rows = {row["board"]: row for row in json.loads(run("boards", "--json").stdout)["boards"]}
    assert set(rows) == set(BOARDS)
    row = rows["icebreaker"]
    assert row["samples_per_second"] == {"784-128-10": 5000.0}
    assert row["lut4"] == {"used": 4000, "available": 5280}
    assert row["cells"] == {"used": 4900, "available": 5280}
    assert row["blocks"] == {"EBR": {"used": 14, "available": 30},
                             "SPRAM": {"used": 4, "available": 4}}
    assert row["fmax_mhz"] == 25.5 and row["rates"][0] == 115_200
    assert row["line_samples_per_second"] == pytest.approx(400_000 / 99)
    assert not row["memory"]["released"] and rows["ulx3s-25f"]["memory"]["released"]
    assert row["usb"] == ["0403:6010"] and any("SPRAM" in line for line in row["memory_map"])
    assert rows["tang-nano-9k"]["fmax_mhz"] is None
    assert rows["tang-nano-9k"]["recipes"] == {}
    recipe = rows["ulx3s-25f"]["recipes"]["r5"]
    assert recipe["kernels"] == 12 and recipe["networks"] == [[768, 128, 10]]
    assert recipe["recipe"] == "r5" and recipe["fmax_mhz"] is None


@pytest.fixture
def built(monkeypatch):
    """Stands for the tools; keeps what it was asked for."""
    calls = []

    def build(board, folder, *, seed, say):
        calls.append((board, folder, seed))
        say("placing")
        return REPORT
    monkeypatch.setattr("tritgrad.boards.flow.build", build)
    return calls


def test_build_hands_its_options_on(run, built, tmp_path):
    result = run("build", "icebreaker", "--hidden", "96,32", "--lanes", "4", "--banks", "1",
                 "--counter-bits", "7", "--frequency", "18", "--seed", "9", "--out", str(tmp_path))
    assert result.exit_code == 0, result.output
    board, folder, seed = built[0]
    assert board.networks == ((784, 96, 32, 10),) and board.clock_hz == 18_000_000
    assert (board.config.lanes, board.config.update_lanes, board.config.counter_bits) == (4, 4, 7)
    assert (folder, seed) == (tmp_path, 9)
    assert "iCEBreaker (icebreaker), iCE40UP5K-SG48" in result.stdout
    assert result.stdout.endswith(f"{tmp_path / 'top.bin'}\n")
    assert "building icebreaker: placing" in result.stderr


def test_build_without_options_is_the_board_itself(run, built):
    assert run("build", "ulx3s-85f").exit_code == 0
    assert built[0] == (BOARDS["ulx3s-85f"], Path("build/boards/ulx3s-85f"), 1)


def test_build_makes_the_core_of_a_recipe_in_a_folder_of_its_own(run, built):
    result = run("build", "ulx3s-85f", "--recipe", "r6", "--frequency", "40")
    assert result.exit_code == 0 and "building ulx3s-85f-r6: placing" in result.stderr
    board, folder, _ = built[0]
    assert folder == Path("build/boards/ulx3s-85f-r6") and board.clock_hz == 40_000_000
    assert board.config == BOARDS["ulx3s-85f"].for_recipe("r6").config


def test_build_hands_units_on(run, built):
    assert run("build", "icebreaker", "--row-sums", "--conserve", "--skip").exit_code == 0
    assert run("build", "icebreaker", "--resident", "3").exit_code == 0
    first, second = (board.config for board, _, _ in built)
    assert first.row_sums and first.conserve and first.skip and first.resident == 0
    assert second.resident == 3 and not second.row_sums


def test_build_json_is_the_report(run, built):
    assert Report.from_json(run("build", "icebreaker", "--json").stdout) == REPORT


@pytest.mark.parametrize(("words", "message"), [
    (("icebraker",), "board must be one of icebreaker, "),
    (("icebreaker", "--hidden", "many"), "--hidden must be integers separated by commas"),
    (("icebreaker", "--hidden", "0"), "layers must have at least 1 neuron, not 0"),
    (("ulx3s-25f", "--hidden", "400"), "residual_depth 9216 does not fit on ulx3s-25f"),
    (("icebreaker", "--lanes", "0"), "lanes must be at least 1, not 0"),
    (("icebreaker", "--lanes", "8", "--update-lanes", "3"),
     "--update-lanes must divide --lanes (8)"),
    (("icebreaker", "--frequency", "5"), "frequency must be one that SB_PLL40 can make of 12 MHz"),
    (("icebreaker", "--frequency", "-5"), "--frequency"),
    (("icebreaker", "--seed", "x"), "--seed"),
    (("icebreaker", "--conserve"), "--conserve must be left away where --row-sums is not given"),
    (("icebreaker", "--infer-only", "--scales"), "scales must be False where trainable is False"),
    (("ulx3s-25f", "--recipe", "r6"), "fit on ulx3s-25f, which holds r5; tritgrad boards lists"),
    (("ulx3s-25f", "--recipe", "r5", "--hidden", "64"),
     "--recipe r5 has its own layers; leave --hidden 64 away"),
    (("ulx3s-25f", "--recipe", "r5", "--conv-pool", "2"),
     "--recipe r5 has its own convolution; leave --conv-pool away"),
    (("ulx3s-25f", "--resident", "15"), "resident must be 0 where lanes neither divide 16"),
])
def test_build_refuses_with_one_line_and_exit_code_2(run, built, words, message):
    result = run("build", *words)
    assert result.exit_code == 2 and message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1 and not built


def test_build_that_is_too_slow_exits_with_1(run, monkeypatch):
    def build(board, folder, *, seed, say):
        raise TimingError("icebreaker: 20.00 of 24.00 MHz")
    monkeypatch.setattr("tritgrad.boards.flow.build", build)
    result = run("build", "icebreaker")
    assert result.exit_code == 1 and "tritgrad: icebreaker: 20.00 of 24.00 MHz" in result.stderr


@pytest.fixture
def loader(monkeypatch):
    """Stands for openFPGALoader: (calls, what it answers)."""
    calls, answer = [], {"returncode": 0, "said": ""}

    def run(command, **options):
        calls.append(command)
        return subprocess.CompletedProcess(command, answer["returncode"], answer["said"])
    monkeypatch.setattr("tritgrad.boards.flash.ports_of",
                        lambda board: {"/dev/ttyUSB0": "A1", "/dev/ttyUSB1": "A1"})
    monkeypatch.setattr("tritgrad.boards.flash.subprocess.run", run)
    return calls, answer


def test_flash_loads_the_file_given(run, loader, tmp_path):
    bitstream = tmp_path / "mine.bit"
    bitstream.touch()
    result = run("flash", "ulx3s-25f", str(bitstream))
    assert result.exit_code == 0 and str(bitstream) in result.stdout
    assert loader[0][0][3:] == ["-b", "ulx3s", str(bitstream)]
    run("flash", "ulx3s-25f", str(bitstream), "--flash-memory")
    assert loader[0][1][3:] == ["-b", "ulx3s", "--write-flash", str(bitstream)]
    run("flash", "ulx3s-25f", str(bitstream), "--serial-number", "B7")
    assert loader[0][2][3:] == ["-b", "ulx3s", "--ftdi-serial", "B7", str(bitstream)]


def test_after_flash_the_next_step_is_named_with_the_port_that_came_back(run, loader, tmp_path):
    bitstream = tmp_path / "mine.bit"
    bitstream.touch()
    result = run("flash", "ulx3s-25f", str(bitstream))
    assert result.stdout.splitlines()[-1] == "next: tritgrad selftest ulx3s-25f@/dev/ttyUSB1"


def test_the_icebreaker_is_written_to_its_flash_memory_always(run, loader, tmp_path):
    bitstream = tmp_path / "mine.bin"
    bitstream.touch()
    assert run("flash", "icebreaker", str(bitstream)).exit_code == 0
    assert loader[0][0][3:] == ["-b", "ice40_generic", "--write-flash", str(bitstream)]


def test_flash_that_does_not_end_is_given_up(run, loader, tmp_path, monkeypatch):
    def run_for_ever(command, timeout, **options):
        raise subprocess.TimeoutExpired(command, timeout)
    monkeypatch.setattr("tritgrad.boards.flash.subprocess.run", run_for_ever)
    (tmp_path / "a.fs").touch()
    result = run("flash", "tang-primer-20k", str(tmp_path / "a.fs"))
    assert result.exit_code == 1 and "not ended in 600 s. The dock's DIP switch" in result.stderr


def test_flash_takes_the_last_build(run, loader, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run("flash", "icebreaker")
    assert result.exit_code == 2
    assert ("no bitstream build/boards/icebreaker/top.bin; make one with: tritgrad build "
            "icebreaker") in result.stderr
    folder = tmp_path / "build/boards/icebreaker"
    folder.mkdir(parents=True)
    (folder / "top.bin").touch()
    assert run("flash", "icebreaker").exit_code == 0
    assert loader[0][0][-1] == "build/boards/icebreaker/top.bin"


def test_flash_takes_the_last_build_of_a_recipe(run, loader, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "build/boards/ulx3s-25f-r5"
    assert "make one with: tritgrad build ulx3s-25f --recipe r5" in run(
        "flash", "ulx3s-25f", "--recipe", "r5").stderr
    folder.mkdir(parents=True)
    (folder / "top.bit").touch()
    result = run("flash", "ulx3s-25f", "--recipe", "r5")
    assert loader[0][0][-1] == "build/boards/ulx3s-25f-r5/top.bit"
    assert result.stdout.splitlines()[-1] == (
        "next: tritgrad selftest ulx3s-25f@/dev/ttyUSB1 --recipe r5")


def test_flash_refuses_a_bitstream_of_another_board(run, loader, tmp_path):
    (tmp_path / "top.bin").touch()
    (tmp_path / "report.json").write_text(REPORT.as_json())
    result = run("flash", "icesugar", str(tmp_path / "top.bin"))
    assert result.exit_code == 2 and "was built for icebreaker, not for icesugar" in result.stderr
    result = run("flash", "ulx3s-25f", str(tmp_path / "top.bin"))
    assert result.exit_code == 2 and "a bitstream for ulx3s-25f ends in .bit" in result.stderr
    assert not loader[0]


def test_flash_says_how_a_board_without_loader_is_loaded(run, loader, tmp_path):
    (tmp_path / "a.bin").touch()
    result = run("flash", "icesugar", str(tmp_path / "a.bin"))
    assert result.exit_code == 1 and "Copy the bitstream to the disk iCELink" in result.stderr


@pytest.mark.parametrize(("board", "code", "said", "message"), [
    ("icebreaker", 1, "empty\nunable to open ftdi device: -3\nJTAG init failed with: no\n",
     "failed: empty; unable to open ftdi device: -3; JTAG init failed with: no: not plugged in"),
    ("icebreaker", 1, "unable to open ftdi device: -4 (usb_open() failed)",
     'ATTR{idVendor}=="0403", ATTR{idProduct}=="6010", MODE="660", GROUP="plugdev"'),
    ("icebreaker", 1,
     "x: error while loading shared libraries: libusb-1.0.so.0: cannot open shared object file",
     "the system lacks libusb-1.0.so.0; on Debian: apt install libusb-1.0-0 libftdi1-2"),
    ("icebreaker", 0, "write\nWait for CDONE: Fail\n", "write; Wait for CDONE: Fail. Its USB"),
    ("tang-primer-20k", 1, "pollFlag: 20", "pollFlag: 20. The dock's DIP switch 1 must be down"),
    ("ulx3s-25f", 1, "", "openFPGALoader failed: exit code 1")])
def test_flash_failure_is_one_line(run, loader, tmp_path, board, code, said, message):
    ending = {"icebreaker": "bin", "ulx3s-25f": "bit"}.get(board, "fs")
    (tmp_path / f"a.{ending}").touch()
    loader[1].update(returncode=code, said=said)
    result = run("flash", board, str(tmp_path / f"a.{ending}"))
    assert result.exit_code == 1 and message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_flash_of_a_board_that_has_none_or_is_not_asked_for(run, tmp_path):
    kept = str(tmp_path / "flash")
    for words, why in ((["icebreaker"], "icebreaker runs without its memory"),
                       (["icebreaker", "--model"], "icebreaker runs without its memory"),
                       (["ulx3s-25f", "--store"], "ulx3s-25f has none")):
        result = run("virtual", *words, "--flash", kept)
        assert result.exit_code == 2
        assert f"--flash {kept} needs --store and a board with a flash; {why}" in " ".join(
            result.output.split())


@pytest.mark.parametrize("text", ["0", "8", "1,9", "1,1,1", "one"])
def test_a_shifter_is_pixels_and_bits(run, text):
    answer = run("build", "ulx3s-25f", "--shifter", text)
    assert answer.exit_code == 2
    assert "--shifter must be" in " ".join(answer.stderr.split())
