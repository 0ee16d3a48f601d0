"""Data sets in a flash: written, listed, found after a power cycle, and what goes wrong with it."""

import random
from dataclasses import replace

import numpy as np
import pytest

from tritgrad.boards import find_board
from tritgrad.boards.store import StoreMemory
from tritgrad.errors import BadInput, DeviceError
from tritgrad.firmware.store import Kind
from tritgrad.host.device.directory import (
    BLOCK,
    SECTOR,
    Directory,
    Entry,
    in_sectors,
    newer,
    room_for,
)
from tritgrad.host.device.driver import Driver
from tritgrad.host.device.flash import Flash
from tritgrad.host.device.flash_rows import FlashRows
from tritgrad.host.device.flash_sets import forget, write_set
from tritgrad.host.device.session import Session
from tritgrad.host.device.transport import FaultyTransport, GoldenTransport
from tritgrad.host.run.learners import DeviceLearner
from tritgrad.model.config import CoreConfig
from tritgrad.model.recipe import Recipe

from .alike import learn_alike

RECIPE = Recipe.default((21, 9, 4), 2, seed=3)
RESERVED = BLOCK
CONFIG = CoreConfig.for_network((21, 9, 4), 2, lanes=6, banks=2, update_lanes=3, slot_bytes=256,
                                store=2, store_bits=19)
#: A board with such a flash.
BOARD = replace(find_board("icebreaker"), memory=StoreMemory(
    Kind.FLASH, "W25Q40, 512 KiB", 19, "", "", RESERVED))
ROWS, LEARNED = 300, 250


def rows(seed=1, count=ROWS):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 4, (count, 21), dtype=np.uint8) * (rng.random((count, 21)) < 0.2)
    return x.astype(np.uint8), rng.integers(0, 4, count)


def learner(device=None, rate=0.0, seed=1):
    """A learner at a golden device, perhaps one that has been there; and the device."""
    golden = GoldenTransport(CONFIG)
    if device is not None:
        device.reset()
        golden.device = device
    transport = FaultyTransport(golden, rate, random.Random(seed)) if rate else golden
    driver = Driver(Session(transport))
    driver.board = BOARD
    found = DeviceLearner(driver, RECIPE)
    found.start()
    return found, golden.device


def written(name="digits", device=None, seed=1, count=ROWS, learned=LEARNED, **options):
    found, device = learner(device)
    made = FlashRows(found.driver, *rows(seed, count), learned)
    write_set(made, name, **options)
    return made, device


def entry(name, first, size=100):
    return Entry(name, first, size, size, 1, 2, 3, 3, 21, 2, True, 4, b"12345678")


def test_a_list_is_what_was_packed_and_no_other_is_whole(fresh_seed):
    rng = random.Random(fresh_seed)
    listed = Directory(tuple(entry(f"é{n}", 4096 * n) for n in range(rng.randrange(1, 5))), 7)
    sector = listed.pack().ljust(SECTOR, b"\xff")
    assert Directory.unpack(sector) == listed
    harmed = bytearray(sector)
    harmed[rng.randrange(len(listed.pack()))] ^= 1 << rng.randrange(8)
    assert Directory.unpack(bytes(harmed)) is None
    assert Directory.unpack(b"\xff" * SECTOR) is None
    head = sector[:Directory.HEAD]
    assert Directory.length(head) == len(listed.pack())
    assert Directory.length(head[:-2] + b"\xff\xff") == Directory.HEAD


def test_the_newer_list_counts_and_the_next_one_goes_into_the_other_sector():
    old, new = Directory((), 4), Directory((entry("a", 0),), 5)
    assert newer([old, new]) == (new, 0) and newer([new, old]) == (new, 1)
    assert newer([None, old]) == (old, 0) and newer([old, None]) == (old, 1)
    assert newer([None, None]) == (Directory(), 0)


def test_room_is_the_first_that_is_large_enough():
    listed = [entry("b", 5 * SECTOR, SECTOR + 1), entry("a", SECTOR)]
    assert room_for(SECTOR, listed, 0, 9 * SECTOR) == 0
    assert room_for(3 * SECTOR, listed, 0, 9 * SECTOR) == 2 * SECTOR
    assert room_for(4 * SECTOR, listed, 0, 11 * SECTOR) == 7 * SECTOR
    assert room_for(4 * SECTOR, listed, 0, 10 * SECTOR) is None


def test_a_run_finds_its_rows_after_a_power_cycle_and_equals_the_golden_model(fresh_seed):
    _, device = written()
    found, device = learner(device, rate=0.001, seed=fresh_seed)
    x, y = (part[:LEARNED] for part in rows())
    note = found.keep(x, y, lambda done, whole: None)
    assert f"{LEARNED} rows are in the flash" in note and "as digits" in note and found.keeps
    learn_alike(found, x, y, parts=2)


def test_rows_that_are_judged_are_found_behind_those_that_are_learned():
    _, device = written()
    found, _ = learner(device)
    whole = FlashRows(found.driver, *rows(), LEARNED)
    assert whole.seek() and whole.kept == ROWS and whole.intact()
    others = FlashRows(found.driver, *rows(count=LEARNED), LEARNED - 1)
    assert not others.seek()


def test_data_sets_lie_side_by_side_and_one_goes_without_the_others():
    made, device = written("a")
    bitstream = device.store.cells[:RESERVED].copy()
    for seed, name in (2, "b"), (3, "c"):
        written(name, device, seed)
    found, _ = learner(device)
    flash = Flash(found.driver.session, RESERVED)
    listed, _ = flash.directory()
    assert [e.name for e in listed.entries] == ["a", "b", "c"]
    forget(flash, ["b"])
    listed, _ = flash.directory()
    gone = rows(2)
    assert [e.name for e in listed.entries] == ["a", "c"]
    assert not FlashRows(found.driver, *gone, LEARNED).seek()
    for seed in 1, 3:
        other = FlashRows(found.driver, *rows(seed), LEARNED)
        assert other.seek() and other.intact()
    again, _ = written("d", device, 2)
    assert again.seek() and again.found.first == made.flash.first + in_sectors(made.size)
    assert (device.store.cells[:RESERVED] == bitstream).all()


def test_a_write_that_ends_early_leaves_the_old_list_and_is_gone_on_with(fresh_seed):
    made, device = written("a")
    pages = Counting(device)
    whole = learner_of(device, 2)
    write_set(whole, "b")
    all_pages, device = pages.count, written("a")[1]
    pages = Counting(device)
    stop_at = random.Random(fresh_seed).randrange(1, all_pages - 1)

    def pause():
        if pages.count >= stop_at:
            raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        write_set(learner_of(device, 2), "b", pause=pause)
    again = learner_of(device, 2)
    listed, _ = again.flash.directory()
    assert [e.name for e in listed.entries] == ["a"] and not again.seek()
    pages.count = 0
    told = []
    write_set(again, "b", lambda done, size: told.append((done, size)))
    assert again.seek() and again.intact() and told[-1] == (again.size, again.size)
    assert [e.name for e in again.flash.directory()[0].entries] == ["a", "b"]
    write_set(again, "b")  # once more: nothing is left to be written
    before = pages.count
    write_set(again, "b")
    assert pages.count == before


class Counting:
    """Counts what a flash programs."""

    def __init__(self, device):
        self.count, self.transact = 0, device.store.transact
        device.store.transact = self

    def __call__(self, data, receive):
        self.count += data[:1] == b"\x02"
        return self.transact(data, receive)


def learner_of(device, seed, count=ROWS):
    """Rows of another seed, for a device that has been there."""
    return FlashRows(learner(device)[0].driver, *rows(seed, count), LEARNED)


@pytest.mark.parametrize("part, text", [
    ("id", "has an id that is not known, 12 34 13: how it is written is not known either"),
    ("small", r"has the id EF 40 11 \(Winbond\), by which it holds 128 KiB; .* built for 512$"),
    ("none", "does not answer: asked for its id it says FF FF FF$"),
    ("protected", "write-protected: its status register is 0x0C, of .* BP2 to BP0 are 011; open"),
    ("busy", r"stays busy: its status register is 0x01 after 4 questions \(bit 0: it writes\)$"),
    ("late", r"write-protected: its status register is 0x1E"),
    ("bad", "does not keep what is written: byte 0x020064 is 0x00, not 0x.., and .* its status"),
    ("unsteady", "does not read the same twice, from 0x020000 on"),
])
def test_a_flash_that_is_not_as_it_should_be_is_said(monkeypatch, part, text):
    monkeypatch.setattr("tritgrad.host.device.flash.BUSY_ASKED", 3)
    monkeypatch.setattr("tritgrad.host.device.flash.BUSY_S", 0.0)
    device = learner()[1]
    store = device.store
    store.id = {"id": b"\x12\x34\x13", "small": b"\xef\x40\x11", "none": b"\xff" * 3}.get(
        part, store.id)
    store.status = {"protected": 0x0C, "busy": 1}.get(part, 0)
    transact = store.transact

    def worn(data, receive):
        answer = transact(data, receive)
        if part == "late" and data[:1] == b"\x20":
            store.status = 0x1C
        if part == "bad":
            store.cells[0x20064] = 0
        return answer
    store.transact = worn
    if part == "late":
        store.cells[:] = 0
    if part == "unsteady":
        store.crc = lambda first, count, layer: 7
    made = FlashRows(learner(device)[0].driver, *rows(), LEARNED)
    with pytest.raises(DeviceError, match=text) as raised:
        write_set(made, "a")
    assert str(raised.value).startswith("the flash of golden model ")
    store.transact, store.status = transact, 0
    assert made.flash.directory()[0].entries == ()


def test_bytes_that_turned_are_named_by_their_records():
    made, device = written()
    found = learner_of(device, 1)
    assert found.seek()
    for record in 7, 200:
        device.store.cells[found.found.first + int(found.starts[record]) + 1] ^= 4
    with pytest.raises(DeviceError, match="has lost rows of digits: records 7, 200 of 300 differ; "
                                          "tritgrad store writes them again; --store off"):
        found.fill()
    write_set(found, "digits")
    found.fill()


def test_what_does_not_fit_is_said_with_what_would():
    device = learner()[1]
    rows_there = learner_of(device, 1, 80_000)
    text = (r"^80,000 rows take [\d,]+ bytes, and the largest room in the flash of golden model "
            r"has 393,216: [\d,]+ of them fit$")
    with pytest.raises(BadInput, match=text):
        write_set(rows_there, "big")
    fit = int(np.searchsorted(rows_there.starts, 393_216, "right")) - 1
    with pytest.raises(BadInput, match=f"393,216: {fit:,} of them"):
        write_set(rows_there, "big")
    written("a", device)
    rows_there.flash = learner_of(device, 1).flash
    with pytest.raises(BadInput, match=f"{fit:,} if nothing else were there"):
        write_set(rows_there, "big")


def test_names_that_are_there_and_are_not():
    made, device = written("a")
    flash = made.flash
    with pytest.raises(BadInput, match="holds another a: 250 and 50 rows of 21 inputs of 2 bits"):
        write_set(learner_of(device, 2), "a")
    with pytest.raises(BadInput, match="has no 'b'; it holds a$"):
        forget(learner_of(device, 2).flash, ["b"])
    with pytest.raises(BadInput, match="1 to 40 bytes, not 41"):
        write_set(learner_of(device, 2), "x" * 41)
    assert [e.name for e in learner_of(device, 1).flash.directory()[0].entries] == ["a"]
    assert flash.first == RESERVED + BLOCK


def test_nothing_below_what_is_reserved_can_be_written():
    made, _ = written()
    for first in (0, RESERVED - SECTOR, RESERVED + 1, made.flash.size):
        with pytest.raises(ValueError, match="must be whole sectors from 0x010000 to 0x080000"):
            made.flash.write(first, b"a")
        with pytest.raises(ValueError, match="must be whole sectors"):
            made.flash.erase(first, first + SECTOR)


def test_a_run_says_why_its_rows_go_over_the_line():
    found, device = learner()
    x, y = rows()

    def said(x=x, y=y, device=device):
        found, _ = learner(device)
        note = found.keep(x, y, lambda done, whole: None)
        assert not found.keeps and "they go over the line; tritgrad store writes them" in note
        return note
    assert "these 300 rows are not in the flash of golden model (it holds no data set)" in said()
    written("mine", device, 2, ROWS, ROWS)
    assert "(mine is there, of other rows)" in said()
    assert "(it holds mine)" in said(x[:200], y[:200])
    device.store.status = 0xFF
    assert "does not answer: its status register is 0xFF; rows go over the line" in learner(
        device)[0].keep(x, y, lambda done, whole: None)
    device.store.status = 0
    found, _ = learner(device)
    found.driver.board = None
    note = found.keep(x, y, lambda done, whole: None)
    assert "the bitstream's depends on the board; name it, as BOARD@PORT; rows go over" in note


def test_a_board_that_is_another_one_is_refused():
    """What is reserved on it need not be so where the core really is."""
    found, _ = learner()
    session = found.driver.session
    with pytest.raises(BadInput, match="has a flash of 524288 bytes, tang-nano-9k has P25Q32, 4 M"):
        Flash.of(session, find_board("tang-nano-9k"))
    other = find_board("tang-primer-20k")
    session.config = other.resized(store=True).config
    with pytest.raises(BadInput, match="is that of tang-primer-20k, not of tang-nano-9k: name the"):
        Flash.of(session, find_board("tang-nano-9k"))
    assert Flash.of(session, other).reserved == 1 << 20


def test_power_that_goes_at_any_transaction_leaves_one_list_or_the_other():
    _, device = written("a", count=60, learned=50)
    for seed, name in (2, "b"), (3, "c"):  # so that both sectors have a list
        written(name, device, seed, 60, 50)
    before, transact = device.store.cells.copy(), device.store.transact
    seen, lost, number = set(), True, 0
    while lost:
        device.store.cells[:], device.store.transact = before, Ending(transact, number)
        device.store.writable, lost = False, False
        try:
            write_set(FlashRows(plain_driver(device), *rows(4, 60), 50), "d")
        except KeyboardInterrupt:
            lost = True
        device.store.transact = transact
        driver = plain_driver(device)
        listed, _ = Flash.of(driver.session, BOARD).directory()
        names = [e.name for e in listed.entries]
        seen.add("".join(names))
        for kept, name in (1, "a"), (2, "b"), (3, "c"), (4, "d"):
            found = FlashRows(driver, *rows(kept, 60), 50)
            assert found.seek(listed) == (name in names) and (name not in names or found.intact())
        number += 1
    assert seen == {"abc", "abcd"} and number > 20


def plain_driver(device):
    """A driver without a network."""
    golden = GoldenTransport(CONFIG)
    device.reset()
    golden.device = device
    driver = Driver(Session(golden))
    driver.board = BOARD
    return DeviceLearner(driver, RECIPE).lay_out()


class Ending:
    """Power that goes before one of a flash's transactions."""

    def __init__(self, transact, number):
        self.transact, self.left = transact, number

    def __call__(self, data, receive):
        if self.left == 0:
            raise KeyboardInterrupt
        self.left -= 1
        return self.transact(data, receive)
