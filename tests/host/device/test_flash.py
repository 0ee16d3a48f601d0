"""Data sets in a flash: written, listed, found after a power cycle, and what goes wrong with it."""

import random
from types import SimpleNamespace

import numpy as np
import pytest

from tritgrad.errors import BadInput, DeviceError
from tritgrad.host.device.directory import BLOCK, SECTOR, Directory, Entry, newer, room_for
from tritgrad.host.device.driver import Driver
from tritgrad.host.device.flash import Flash
from tritgrad.host.device.flash_rows import FlashRows
from tritgrad.host.device.flash_sets import forget, write_set
from tritgrad.host.device.session import Session
from tritgrad.host.device.transport import FaultyTransport, GoldenTransport
from tritgrad.host.run.learners import DeviceLearner, ModelLearner
from tritgrad.model.config import CoreConfig
from tritgrad.model.recipe import Recipe

RECIPE = Recipe.default((21, 9, 4), 2, seed=3)
RESERVED = BLOCK
CONFIG = CoreConfig.for_network((21, 9, 4), 2, lanes=6, banks=2, update_lanes=3, slot_bytes=256,
                                store=2, store_bits=19)
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
    driver.board = SimpleNamespace(memory=SimpleNamespace(reserved=RESERVED))
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
    model = ModelLearner(RECIPE)
    model.start()
    for epoch in range(2):
        order = np.random.default_rng(epoch).permutation(LEARNED)
        for part in np.split(order, 2):
            got = found.train_kept(part, RECIPE.gains)
            want = model.train(x[part], y[part], RECIPE.gains)
            assert (got.samples, got.correct, got.updates, got.flips) == (
                want.samples, want.correct, want.updates, want.flips)
    assert found.state().sha256 == model.state().sha256


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
    assert again.seek() and again.found.first == made.flash.first + made.sectors()
    assert (device.store.cells[:RESERVED] == bitstream).all()
