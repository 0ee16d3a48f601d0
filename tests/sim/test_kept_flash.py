"""A data set that the host writes into a flash through all pins is found again, and learned."""

import numpy as np

from tritgrad.boards import find_board
from tritgrad.host.device.driver import Driver
from tritgrad.host.device.flash_rows import FlashRows
from tritgrad.host.device.flash_sets import forget, write_set
from tritgrad.host.device.session import Session
from tritgrad.host.run.learners import DeviceLearner, ModelLearner
from tritgrad.model.recipe import Recipe
from tritgrad.sim.board import CompiledBoard
from tritgrad.sim.exam import Wired
from tritgrad.sim.memories import SerialFlash

from .test_resident import FLASH, NETWORK, samples

BOARD = find_board("icebreaker").resized(network=NETWORK, store=True, lanes=4, banks=1,
                                         update_lanes=4)
RECIPE = Recipe.default(NETWORK, 1)
LEARNED = 50


def learner(chip):
    driver = Driver(Session(Wired(chip)))
    driver.board = BOARD
    return DeviceLearner(driver, RECIPE)


def test_rows_in_a_flash_outlast_its_power(fresh_seed, tmp_path):
    x, y = samples(fresh_seed)
    other = samples(fresh_seed + 1)
    memory = SerialFlash(FLASH, tmp_path / "flash", seed=2, guard=1 << 17, asleep=True)
    chip = CompiledBoard.of(BOARD, memory=memory)
    driver = learner(chip).lay_out()
    write_set(FlashRows(driver, *other, LEARNED), "other")
    write_set(FlashRows(driver, x, y, LEARNED), "mine")
    programs = memory.programs
    write_set(FlashRows(driver, x, y, LEARNED), "mine")
    assert memory.programs == programs

    chip.reset()
    found = learner(chip)
    found.start()
    assert "as mine" in found.keep(x[:LEARNED], y[:LEARNED], lambda done, whole: None)
    model = ModelLearner(RECIPE)
    model.start()
    order = np.random.default_rng(fresh_seed).permutation(LEARNED)
    for part in order, np.arange(LEARNED):
        got, want = (found.train_kept(part, RECIPE.gains),
                     model.train(x[part], y[part], RECIPE.gains))
        assert (got.correct, got.updates, got.flips) == (want.correct, want.updates, want.flips)
    assert found.state().sha256 == model.state().sha256

    rows = FlashRows(found.lay_out(), x, y, LEARNED)
    forget(rows.flash, ["other"])
    assert [entry.name for entry in rows.flash.directory()[0].entries] == ["mine"]
    assert rows.seek() and rows.kept == len(x) and rows.intact()
    chip.close()
    memory.close()
