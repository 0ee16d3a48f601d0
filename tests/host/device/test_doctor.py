"""What boards need of a machine, as doctor tells it."""

import subprocess
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from tritgrad.boards import BOARDS
from tritgrad.boards.udev import rules
from tritgrad.host.cli.main import cli
from tritgrad.host.device import bus, doctor


@pytest.fixture
def rows(tmp_path, monkeypatch):
    """Lines by name, on a machine with nothing but some rules and what the test adds."""
    monkeypatch.setattr(bus, "SYS", tmp_path)
    monkeypatch.setattr(doctor, "RULES", [tmp_path])
    monkeypatch.setattr(doctor.list_ports, "comports", list)
    return lambda: {row.name: row for row in doctor.board_rows(tmp_path / "cache")}


def test_every_tool_of_a_build_has_a_line(rows):
    found = rows()
    assert {"yosys", "nextpnr-ice40", "icepack", "ecppack", "gowin_pack", "openFPGALoader",
            "udev rules", "ports of boards", "cache"} <= set(found)
    assert found["cache"].version and not any(row.required for row in found.values())


def test_rules_are_missing_until_ours_are_installed(rows, tmp_path):
    before = rows()["udev rules"]
    assert before.version is None
    assert "none for 0403:6010" in before.advice and "tritgrad doctor --udev |" in before.advice
    printed = CliRunner().invoke(cli, ["doctor", "--udev"]).stdout
    assert printed == rules(BOARDS.values())
    (tmp_path / "70-tritgrad.rules").write_text(printed)
    assert rows()["udev rules"].version == "all bridges"


def test_a_loader_without_its_library_is_named(rows, monkeypatch):
    monkeypatch.setattr(doctor.importlib.metadata, "version", lambda name: "1.1.1")
    monkeypatch.setattr(doctor.subprocess, "run", lambda *words, **named:
                        subprocess.CompletedProcess(words, 127, "", (
                            "x: error while loading shared libraries: libusb-1.0.so.0: cannot")))
    row = rows()["openFPGALoader"]
    assert row.version is None and "it lacks libusb-1.0.so.0; on Debian: apt" in row.advice


def test_groups_that_a_user_lacks_are_named(rows, monkeypatch):
    monkeypatch.setattr(doctor, "_groups", lambda: {"dialout"})
    found = rows()
    assert found["group dialout"].version == "member"
    assert found["group plugdev"].advice == "sudo usermod -aG plugdev $USER, then log in again"


def test_ports_of_boards_are_listed(rows, monkeypatch):
    monkeypatch.setattr(doctor.list_ports, "comports", lambda: [
        SimpleNamespace(device="/dev/ttyUSB1", vid=0x0403, pid=0x6010),
        SimpleNamespace(device="/dev/ttyS0", vid=None, pid=None)])
    assert rows()["ports of boards"].version == "/dev/ttyUSB1"


def test_a_full_disk_is_named(rows, monkeypatch):
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda place: SimpleNamespace(free=2e8))
    assert rows()["cache"].advice == "0.2 GB free: tritgrad cache --clear"
