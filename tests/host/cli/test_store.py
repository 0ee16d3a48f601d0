"""``tritgrad store`` at virtual boards that are golden models."""

import json
import os
import signal

import numpy as np
import pytest

from tritgrad.boards import find_board
from tritgrad.errors import BadInput
from tritgrad.firmware.frames import Status
from tritgrad.host.device import flash_sets
from tritgrad.host.device.directory import SECTOR
from tritgrad.model.config import CoreConfig
from tritgrad.model.golden_device import Refused
from tritgrad.sim.memories import MemoryViolation
from tritgrad.sim.memories.golden import KeptFlash, LosingRam, golden_memory_of
from tritgrad.sim.virtual import ModelBoard

from ...sim.ports import serving
from ..command import call, refusal

BOARD = find_board("icebreaker").resized(store=True)
RAM = CoreConfig.for_network((64, 8, 10), 4, lanes=8, banks=2, update_lanes=8, store=1,
                             store_bits=16)
ROWS = ("--dataset", "digits", "--limit", "300", "--encode", "planes", "--test-fraction", "0.1")
RUN = (*ROWS, "--hidden", "8", "--epochs", "2")


def flash_board(path=None, config=BOARD.config):
    return ModelBoard(config, BOARD.rates, golden_memory_of(BOARD, path))


def ram_board():
    return ModelBoard(RAM, BOARD.rates, LosingRam(RAM.lanes, RAM.store_bits))


def listed(device):
    """Names in a flash and whether each is whole."""
    shown = json.loads(call("store", device, "--show", "--json").stdout)
    return {entry["name"]: entry["whole"] for entry in shown["data_sets"]}


def trained(device, folder, *options):
    told = call("train", *RUN, "--device", device, "--out", folder, "--json", *options)
    return json.loads(told.stdout.splitlines()[-1])["state_sha256"], told.stderr


def test_rows_are_found_by_name_and_content_over_a_power_cycle(tmp_path):
    kept = tmp_path / "flash"
    with serving(flash_board(kept), tmp_path) as port:
        device = f"icebreaker@{port.link}"
        assert "no data set" in call("store", device, "--show").stdout
        told = call("store", device, *ROWS)
        assert "digits: 300 and 179 rows of 64 inputs of 4 bits" in told.stdout
        assert f"next: tritgrad train --device {device}" in told.stderr
        call("store", device, *ROWS[:3], "200", *ROWS[4:], "--name", "fewer")
        assert listed(device) == {"digits": True, "fewer": True}
    with serving(flash_board(kept), tmp_path) as port:
        device = f"icebreaker@{port.link}"
        assert listed(device) == {"digits": True, "fewer": True}
        shown = call("store", device, "--show").stdout
        assert "id EF 40 18 (Winbond)" in shown and "the first 128 KiB are the bitstream's" in shown
        found, said = trained(device, tmp_path / "board")
        assert "rows are in the flash of" in said and "as digits" in said
        expected, _ = trained("model", tmp_path / "model")
        assert found == expected
        assert "erased: fewer" in call("store", device, "--erase", "fewer").stderr
        assert listed(device) == {"digits": True}
        call("store", device, "--erase")
        assert listed(device) == {}
        assert refusal("store", device, "--erase").endswith(
            "holds no data set: there is nothing to erase")
        _, said = trained(device, tmp_path / "absent")
        assert "(it holds no data set): they go over the line; tritgrad store writes them" in said


def test_damage_is_shown_and_a_run_says_which_records(tmp_path):
    board = flash_board()
    with serving(board, tmp_path) as port:
        device = f"icebreaker@{port.link}"
        call("store", device, *ROWS)
        board.memory.cells[(1 << 17) + (1 << 16) + 5] ^= 1
        assert listed(device) == {"digits": False}
        assert "record 0 of 479 differs; tritgrad store writes them again" in refusal(
            "train", *RUN, "--device", device, "--out", tmp_path / "run", code=1)
        call("store", device, *ROWS)
        assert listed(device) == {"digits": True}


def test_ctrl_c_says_what_is_valid_and_the_same_command_goes_on(tmp_path):
    board = flash_board()
    with serving(board, tmp_path) as port:
        device = f"icebreaker@{port.link}"
        call("store", device, *ROWS, "--name", "first")
        transact, pages = board.memory.transact, []

        def interrupting(data, receive):
            if data[:1] == b"\x02":
                pages.append(data[1:4])
                if len(pages) == 9:
                    os.kill(os.getpid(), signal.SIGINT)
            return transact(data, receive)
        board.memory.transact = interrupting
        more = (*ROWS[:3], "280", *ROWS[4:], "--name", "more")
        result = call("store", device, *more, code=130)
        assert "bytes are written; valid now: first; the same command goes on" in result.stderr
        assert listed(device) == {"first": True}
        call("store", device, *more)
        assert listed(device) == {"first": True, "more": True}


def test_resets_while_rows_are_written_cost_nothing(tmp_path):
    with serving(flash_board(), tmp_path, reset_every=9_000) as port:
        device = f"icebreaker@{port.link}"
        call("store", device, *ROWS)
        assert port.resets > 1
        port.reset_every = 0
        assert listed(device) == {"digits": True}


def test_rows_in_a_ram_are_there_for_a_run_until_the_power_goes(tmp_path):
    board = ram_board()
    fill, filled = board.memory.fill, []
    board.memory.fill = lambda *given: (filled.append(1), fill(*given))
    with serving(board, tmp_path) as port:
        device = f"@{port.link}"
        told = call("store", device, *ROWS).stdout
        assert "479 rows are in the memory of" in told
        assert "until its power goes; it is read 13 half cycles behind a command" in told
        assert filled
        filled.clear()
        found, said = trained(device, tmp_path / "board")
        assert "479 rows are in the memory of" in said and not filled
        expected, _ = trained("model", tmp_path / "model")
        assert found == expected
        assert "a RAM of 0 MiB" not in (shown := call("store", device, "--show").stdout)
        assert "a RAM of 128 KiB: it keeps no list" in shown
        assert "--erase is for a flash" in refusal("store", device, "--erase", "a")
        board.reset()
        call("store", device, *ROWS)
        assert filled


def test_a_ram_that_fails_its_test_says_what_was_tried(tmp_path):
    board = ram_board()

    def refuse(payload):
        raise Refused(Status.STORE)
    board.core._check = refuse
    with serving(board, tmp_path) as port:
        said = refusal("store", f"@{port.link}", *ROWS, code=1)
    assert "fails its test: read 10, 11, 12, 13, 14, 15 and 16 half cycles behind a command" in said


def test_what_does_not_fit_a_ram_is_said_with_what_would(tmp_path):
    config = RAM.changed(store_bits=12)
    with serving(ModelBoard(config, BOARD.rates), tmp_path) as port:
        assert refusal("store", f"@{port.link}", *ROWS).endswith(
            "holds 240 of these 479 rows")


FEWER = ("--dataset", "digits", "--limit", "200", "--encode", "planes", "--test-fraction", "0.1")


def test_test_rows_that_do_not_fit_a_ram_are_left_away_as_in_a_run(tmp_path):
    config = RAM.changed(store_bits=12)
    board = ModelBoard(config, BOARD.rates)
    with serving(board, tmp_path) as port:
        told = call("store", f"@{port.link}", *FEWER)
        assert "200 rows are in the memory of" in told.stdout
        assert ("holds 240 of these 379 rows; 179 for tests will go over the line"
                in " ".join(told.stderr.split()))
        board.core.store.fill = None  # whoever writes a row calls it
        told = call("train", *FEWER, "--hidden", "8", "--epochs", "1", "--device", f"@{port.link}",
                    "--out", tmp_path / "run")
        assert "200 rows are in the memory of" in told.stderr


def test_test_rows_that_do_not_fit_a_flash_are_left_away_as_in_a_run(tmp_path, monkeypatch):
    for name in "room_for", "rooms":
        whole = getattr(flash_sets, name)
        monkeypatch.setattr(flash_sets, name, lambda *given, whole=whole: whole(
            *given[:-1], given[-2] + 3 * SECTOR))
    with serving(flash_board(), tmp_path) as port:
        device = f"icebreaker@{port.link}"
        told = call("store", device, *FEWER)
        assert "digits: 200 rows of 64 inputs of 4 bits" in told.stdout
        said = " ".join(told.stderr.split())
        assert "379 rows take" in said and "; 179 for tests will go over the line" in said
        told = call("train", *FEWER, "--hidden", "8", "--epochs", "1", "--device", device,
                    "--out", tmp_path / "run")
        said = " ".join(told.stderr.split())
        assert "200 rows are in the flash of" in said
        assert "as digits; 179 more for tests go over the line" in said


def test_a_core_without_a_store_is_said(tmp_path):
    config = RAM.changed(store=0, store_bits=0)
    with serving(ModelBoard(config, BOARD.rates), tmp_path) as port:
        for words in (ROWS, ["--show"], ["--erase"]):
            assert "was built without a store for rows; tritgrad build BOARD --store" in refusal(
                "store", f"@{port.link}", *words)


@pytest.mark.parametrize("words, text", [
    (["icebreaker@x"], "give one of --dataset, --show and --erase"),
    (["icebreaker@x", "--show", *ROWS], "give one of --dataset, --show and --erase"),
    (["icebreaker@x", "--show", "--hidden", "9"],
     "--hidden is of rows that are written; it goes without --show"),
    (["icebreaker@x", "--erase", "a", "--name", "b"],
     "--name is of rows that are written; it goes without --erase"),
    (["icebreaker", "--show"], "device must be BOARD@PORT, not 'icebreaker'"),
    (["ice@x", "--show"], "board must be one of"),
    (["icebreaker@x", *ROWS, "--shift-augment", "1"], "no flash has them"),
    (["icebreaker@x", *ROWS, "--name", "é" * 21], "has 1 to 40 bytes, not 42"),
])
def test_a_wrong_word_is_said(words, text):
    assert text in refusal("store", *words)


def test_a_flash_in_a_file_is_noise_at_first_and_stays(tmp_path):
    kept = tmp_path / "flash"
    flash = KeptFlash(16, b"\xef\x40\x10", kept, guard=4096)
    assert kept.stat().st_size == 1 << 16 and len(np.unique(flash.cells)) == 256
    for sent in (b"\x06", b"\x20\0\x10\0", b"\x06", b"\x02\0\x10\0abc"):
        flash.transact(sent, 0)
    del flash
    flash = KeptFlash(16, b"\xef\x40\x10", kept, guard=4096)
    assert flash.read(4096, 4) == b"abc\xff"
    flash.transact(b"\x06", 0)
    with pytest.raises(MemoryViolation, match="0x000fff is written, which is below 0x001000"):
        flash.transact(b"\x02\0\x0f\xffx", 0)
    with pytest.raises(MemoryViolation, match="0x79 is programmed over 0x61 at 0x001000, which"):
        flash.transact(b"\x02\0\x10\0y", 0)
    with pytest.raises(BadInput, match="cannot keep a flash of 131072 bytes in"):
        KeptFlash(17, b"\xef\x40\x11", kept)


def test_a_ram_forgets_without_power():
    ram = LosingRam(8, 12)
    before = ram.cells.copy()
    ram.power_cycle()
    assert (ram.cells != before).any()
