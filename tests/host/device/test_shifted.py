"""Rows that a core shifts itself: the same run as with rows that the host has shifted."""

import random
from dataclasses import replace

import numpy as np
import pytest

from tritgrad.host.device.driver import Driver
from tritgrad.host.device.session import Session
from tritgrad.host.device.shifted import shiftable, shifted_entries
from tritgrad.host.device.transport import FaultyTransport, GoldenTransport
from tritgrad.host.run.learners import DeviceLearner, ModelLearner
from tritgrad.host.run.options import TrainOptions
from tritgrad.host.run.training import Trainer, Watcher, start
from tritgrad.model.config import CoreConfig
from tritgrad.model.convolution.shape import Convolution
from tritgrad.model.front import core_fields
from tritgrad.model.images import offsets_of
from tritgrad.model.moves import Moves
from tritgrad.model.recipe import Recipe
from tritgrad.model.rng import shift_image

#: Digits are 8 x 8 pixels of 4 bits.
OPTIONS = TrainOptions(hidden=(12,), epochs=3, limit=150, seed=4, gain=0, shift_augment=1,
                       clean_epochs=1)
STORED = {"store": 1, "store_bits": 15}
SHIFTS = {**STORED, "store_shift": 1, "store_rows": 8, "store_columns": 8, "store_planes": 4}


class Notes(Watcher):
    def __init__(self):
        self.lines = []

    def noted(self, text):
        self.lines.append(text)


def transport(recipe, **fields):
    return GoldenTransport(CoreConfig.for_network(
        recipe.layers, recipe.planes, lanes=9, banks=2, update_lanes=3, slot_bytes=512, **fields))


def ended(options, data, found, watcher):
    """The hash of a run, and the learner."""
    recipe = options.recipe(data)
    learner = (ModelLearner(recipe, data.image_shape) if found is None else
               DeviceLearner(Driver(Session(found)), recipe, data.image_shape))
    trainer = start(options, data, None, learner, watcher)
    assert isinstance(trainer, Trainer)
    return trainer.run().state_sha256, learner


def test_a_run_ends_as_with_rows_that_the_host_shifts(fresh_seed):
    """With epochs that shift and one that does not, over a line that loses frames."""
    data, notes = OPTIONS.load_data(), Notes()
    recipe = OPTIONS.recipe(data)
    golden = transport(recipe, **SHIFTS)
    faulty = FaultyTransport(golden, 0.001, random.Random(fresh_seed))
    found, learner = ended(OPTIONS, data, faulty, notes)
    assert learner.keeps
    assert notes.lines == [f"509 rows are in the memory of {faulty.name}, which shifts them"]
    wanted, _ = ended(OPTIONS, data, None, Watcher())
    assert found == wanted
    plain, _ = ended(replace(OPTIONS, shift_augment=0, clean_epochs=0), data, None, Watcher())
    assert found != plain


NO_SHIFT = "the core of golden model does not shift what is stored: "
TOO_FAR = "the core of golden model shifts what is stored by up to 1 pixels, not 2: "
TOO_DEEP = ("the core of golden model shifts images of up to 8 x 8 pixels of 3 bits, not 8 x 8 of "
            "4: ")
BY_PLACE = ("the core takes what it shifts tile by tile, this network needs its inputs row by "
            "row: ")


@pytest.mark.parametrize("fields, changes, line", [
    (STORED, {}, NO_SHIFT), (SHIFTS, {"shift_augment": 2}, TOO_FAR),
    ({**SHIFTS, "store_planes": 3}, {}, TOO_DEEP), (SHIFTS, {"gain": -1}, BY_PLACE),
    (SHIFTS, {"augment": "flip"}, None), ({}, {}, None)])
def test_what_a_core_cannot_goes_over_the_line(fields, changes, line):
    options = replace(OPTIONS, epochs=2, limit=60, **changes)
    data, notes = options.load_data(), Notes()
    found, learner = ended(options, data, transport(options.recipe(data), **fields), notes)
    assert not learner.keeps
    assert notes.lines == ([] if line is None else [line + "shifted rows go over the line"])
    assert found == ended(options, data, None, Watcher())[0]


def test_a_reset_is_survived():
    """The table that speaks of images is written again."""
    data = OPTIONS.load_data()
    recipe = OPTIONS.recipe(data)
    golden = transport(recipe, **SHIFTS)
    device = DeviceLearner(Driver(Session(golden)), recipe, data.image_shape)
    model = ModelLearner(recipe, data.image_shape)
    moves, rows = Moves(1), np.arange(150)
    device.start()
    model.start()
    assert device.keep(data.x_train, data.y_train, lambda done, whole: None, 1)
    for epoch in range(3):
        amounts = moves.draws(4, epoch, 150)
        moved = np.stack([shift_image(row.reshape(8, 8), dy, dx).reshape(-1) for row, (dy, dx)
                          in zip(data.x_train, amounts[:, :2], strict=True)])
        gains = recipe.gains_in(epoch)
        if epoch == 1:
            golden.device.reset()
            golden.device.store.cells[:] = 0
        device.train_kept(rows, gains, offsets=amounts[:, :2])
        model.train(moved, data.y_train, gains)
    assert device.state().sha256 == model.state().sha256


def test_entries_have_records_and_offsets(fresh_seed):
    rng = np.random.default_rng(fresh_seed)
    for most, code in (500, 2), (1 << 20, 3):
        records = np.append(rng.integers(0, most, 300), most - 1)
        offsets = rng.integers(-7, 8, (301, 2))
        found = []
        for payload, count in shifted_entries(records, offsets, 100, 40):
            assert len(payload) == 7 + (code + 1) * count <= 100 and count <= 40
            assert payload[:7] == bytes([0, 0, 0, 1, 6 if code == 3 else 4, count, 0])
            found += [[int.from_bytes(payload[n:n + code], "little"),
                       *offsets_of(payload[n + code])]
                      for n in range(7, len(payload), code + 1)]
        assert found == np.column_stack([records, offsets]).tolist()


def test_images_before_a_convolution_are_shifted_too():
    conv = Convolution(rows=7, columns=6, kernels=2, kernel=3, pool=2, planes=2, shift=1, gain=0)
    recipe = Recipe.default((conv.outputs, 8, 3), conv.bits, seed=2, conv=conv)
    fields = core_fields(conv, 8)
    config = CoreConfig.for_network(
        recipe.layers, 2, lanes=8, banks=2, update_lanes=4, slot_bytes=512, **fields, **STORED,
        store_shift=2, store_rows=7, store_columns=6, store_planes=2)
    device = DeviceLearner(Driver(Session(GoldenTransport(config))), recipe, (7, 6))
    model = ModelLearner(recipe, (7, 6))
    rng = np.random.default_rng(3)
    x = rng.integers(0, 4, (80, 42), dtype=np.uint8)
    y = rng.integers(0, 3, 80)
    device.start()
    model.start()
    assert "shifts them" in device.keep(x, y, lambda done, whole: None, 2)
    images, _ = shiftable(device.driver, (7, 6), 2)
    assert images is not None and not images.tiled
    offsets = rng.integers(-2, 3, (80, 2))
    moved = np.stack([shift_image(row.reshape(7, 6), dy, dx).reshape(-1)
                      for row, (dy, dx) in zip(x, offsets, strict=True)])
    gains = recipe.gains_in(0)
    device.train_kept(np.arange(80), gains, offsets=offsets)
    model.train(moved, y, gains)
    assert device.state().sha256 == model.state().sha256
