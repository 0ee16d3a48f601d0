"""Images go to a device tile by tile; nobody but the device notices."""

import numpy as np
import pytest

from tritgrad.host.device.driver import Driver, layer_table
from tritgrad.host.device.session import Session
from tritgrad.host.device.transport import GoldenTransport
from tritgrad.host.run.learners import DeviceLearner, ModelLearner
from tritgrad.model.config import CoreConfig
from tritgrad.model.layout import tile_order
from tritgrad.model.recipe import Recipe


def golden(recipe, lanes):
    config = CoreConfig.for_network(recipe.layers, recipe.planes, lanes=lanes, banks=3,
                                    update_lanes=lanes)
    return Driver(Session(GoldenTransport(config)))


@pytest.mark.parametrize("shape, lanes", [((6, 8), 4), ((7, 5), 6), ((28, 28), 16), ((5, 9), 7)])
def test_every_pixel_has_one_position(shape, lanes):
    order = tile_order(shape, lanes)
    assert sorted(order) == list(range(shape[0] * shape[1]))


def test_a_word_is_a_tile_where_tiles_fit():
    order = tile_order((8, 8), 16).reshape(4, 16)
    for word in order:
        rows, columns = np.divmod(word, 8)
        assert np.ptp(rows) == 3 and np.ptp(columns) == 3


@pytest.mark.parametrize("gain, ordered", [(0, True), (1, True), (-1, False)])
def test_a_run_ends_the_same(gain, ordered):
    recipe = Recipe.default((35, 9, 4), 1, gain=gain, epochs=1, seed=5)
    learner = DeviceLearner(golden(recipe, 4), recipe, (7, 5))
    assert (learner._order is not None) == ordered
    model = ModelLearner(recipe)
    rng = np.random.default_rng(gain + 9)
    x = (rng.random((150, 35)) < 0.3).astype(np.uint8)
    y = rng.integers(0, 4, 150)
    for device in (learner, model):
        device.start()
    gains = recipe.gains_in(0)
    assert learner.train(x, y, gains) == model.train(x, y, gains)
    for a, b in zip(learner.state().counters, model.state().counters, strict=True):
        assert np.array_equal(a, b)
    assert learner.state().prng == model.state().prng
    assert np.array_equal(learner.infer(x)[1], model.infer(x)[1])


def test_a_dithered_layer_keeps_its_order():
    recipe = Recipe.default((35, 9, 4), 1, gain=0, epochs=1)
    driver = golden(recipe, 4)
    counters = [np.zeros(shape, int) for shape in recipe.shapes]
    with pytest.raises(ValueError, match=r"^inputs in another order need a first gain of at least"):
        driver.load(layer_table(recipe, (-1, -3)), counters, 1, tile_order((7, 5), 4))
