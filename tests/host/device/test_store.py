"""Rows in the memory beside a core: filled, checked, played, and what is said of lost ones."""

import random

import numpy as np
import pytest

from tritgrad.errors import BadInput, DeviceError
from tritgrad.firmware.frames import Status, Type
from tritgrad.firmware.programs import train
from tritgrad.firmware.store import ram_record_words
from tritgrad.host.device.driver import Driver
from tritgrad.host.device.session import Session
from tritgrad.host.device.store import RowStore, rows_that_fit
from tritgrad.host.device.stored import entries
from tritgrad.host.device.transport import FaultyTransport, GoldenTransport
from tritgrad.host.run.learners import DeviceLearner, ModelLearner
from tritgrad.model.config import CoreConfig
from tritgrad.model.golden_device import Refused
from tritgrad.model.recipe import Recipe
from tritgrad.model.store import RamStore

from .alike import learn_alike

RECIPE = Recipe.default((21, 9, 4), 2, seed=3)
CONFIG = CoreConfig.for_network((21, 9, 4), 2, lanes=6, banks=2, update_lanes=3, slot_bytes=256,
                                store=1, store_bits=12)
ROWS = 300


def rows(seed=1, count=ROWS):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 4, (count, 21), dtype=np.uint8) * (rng.random((count, 21)) < 0.4)
    return x.astype(np.uint8), rng.integers(0, 4, count)


def learner(rate=0.0, seed=1, config=CONFIG):
    golden = GoldenTransport(config)
    transport = FaultyTransport(golden, rate, random.Random(seed)) if rate else golden
    return DeviceLearner(Driver(Session(transport)), RECIPE), golden.device


def started(rate=0.0, seed=1):
    found, device = learner(rate, seed)
    found.start()
    assert found.keep(*rows(), lambda done, whole: None)
    return found, device


def played(numbers, room=200):
    """The numbers that PLAY's payloads name, as a device reads them."""
    found = []
    for payload, count in entries(np.asarray(numbers), room):
        first, run, flags = int.from_bytes(payload[:3], "little"), payload[3], payload[4]
        size = 2 + (flags >> 1)
        assert len(payload) == 7 + size * int.from_bytes(payload[5:7], "little") <= room
        new = [first + int.from_bytes(payload[n:n + size], "little") + k
               for n in range(7, len(payload), size) for k in range(run)]
        assert len(new) == count
        found += new
    return found


def test_entries_name_any_numbers_in_their_order(fresh_seed):
    rng = np.random.default_rng(fresh_seed)
    for most in (1200, 65_536, 1 << 24):
        numbers = rng.integers(0, most, 500)
        assert played(numbers) == numbers.tolist()
        starts = rng.integers(0, most - 900, 4)
        runs = np.concatenate([np.arange(a, a + rng.integers(1, 900)) for a in starts])
        assert played(runs) == runs.tolist()


def test_an_epoch_in_one_order_needs_few_bytes():
    rotated = np.roll(np.arange(60_000), 1234)
    assert sum(len(payload) for payload, _ in entries(rotated, 500)) < 1000


def test_training_from_the_store_equals_the_golden_model(fresh_seed):
    device, core = started(rate=0.001, seed=fresh_seed)
    learn_alike(device, *rows(), parts=3)
    assert device.chunk == 512  # the golden device counts no cycles


@pytest.mark.parametrize("harm", ["flip", "reset", "lost", "label"])
def test_harm_to_the_store_changes_no_result(harm):
    """It shows at the next snapshot, or before; what was learned since the last one is repeated."""
    device, core = started()
    model = ModelLearner(RECIPE)
    model.start()
    x, y = rows()
    order = np.arange(ROWS)
    store = core.store
    assert isinstance(store, RamStore)
    size = ram_record_words(CONFIG.lanes, 21, 2)
    for number in range(3):
        if number == 1:
            if harm == "flip":
                store.flip(7 * size + 2, 3)
            elif harm == "label":
                store.cells[7 * size] = 200
            else:
                core.reset()
                store.cells[:] = 0 if harm == "lost" else store.cells
        device.train_kept(order, RECIPE.gains)
        model.train(x[order], y[order], RECIPE.gains)
    assert device.state().sha256 == model.state().sha256


def test_a_memory_that_keeps_nothing_is_named_with_its_records():
    device, core = learner()
    device.start()
    store = core.store
    fill = store.fill

    def forgets(first, samples, layer):
        fill(first, samples, layer)
        store.cells[3 * ram_record_words(CONFIG.lanes, 21, 2) + 1] = 0xFFFF

    store.fill = forgets
    with pytest.raises(DeviceError, match="keep what is written: record 3 of 300 differs"):
        device.keep(*rows(), lambda done, whole: None)


def test_a_memory_that_fails_its_test_is_said():
    device, core = learner()
    device.start()

    def refuse(payload):
        raise Refused(Status.STORE)

    core._check = refuse
    with pytest.raises(DeviceError, match="fails its test.*--store off"):
        device.keep(*rows(), lambda done, whole: None)


def test_rows_that_do_not_fit_go_over_the_line():
    device, _ = learner()
    device.start()
    most = rows_that_fit(CONFIG, 21, 2)
    assert most == 4096 // ram_record_words(6, 21, 2)
    note = device.keep(*rows(count=most + 1), lambda done, whole: None)
    assert f"holds {most:,} of these {most + 1:,} rows" in note and not device.keeps
    assert rows_that_fit(CONFIG.changed(store=0, store_bits=0), 21, 2) == 0


def test_a_core_that_only_infers_is_not_filled():
    device, core = learner(config=CONFIG.changed(trainable=False))
    device.start()
    before = core.store.cells.copy()
    with pytest.raises(BadInput, match="was built to infer only: it cannot train$"):
        device.keep(*rows(), lambda done, whole: None)
    assert (core.store.cells == before).all()


def test_rows_that_are_there_are_not_written_again():
    device, core = started()
    sent = []
    obey = core._obey
    core._obey = lambda frame: (sent.append(frame.type), obey(frame))[1]
    told = []
    device.keep(*rows(), lambda done, whole: told.append((done, whole)))
    assert Type.FILL not in sent and told == []
    device.keep(*rows(seed=2), lambda done, whole: told.append((done, whole)))
    assert Type.FILL in sent and told[-1][0] == told[-1][1]


def test_a_row_store_plays_what_the_program_asks_for():
    device, core = started()
    store = RowStore(device.driver, *rows())
    done = store.play(train(2, 5, RECIPE.margin), np.array([4, 4, 2, 299, 0]))
    assert done.samples == 5
