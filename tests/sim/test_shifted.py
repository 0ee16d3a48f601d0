"""A compiled core that shifts its rows learns what one learns whose rows the host has shifted."""

from dataclasses import replace

import numpy as np

from tritgrad.host.device.driver import Driver
from tritgrad.host.device.session import Session
from tritgrad.host.device.transport import SimTransport
from tritgrad.host.run.learners import DeviceLearner, ModelLearner
from tritgrad.model.moves import Moves
from tritgrad.model.recipe import Recipe
from tritgrad.model.rng import epoch_order, shift_image
from tritgrad.sim.trials import IMAGES

ROWS, COLUMNS, COUNT = 9, 4, 80


def test_a_run_from_the_store_ends_as_one_over_the_line(fresh_seed):
    config = IMAGES["images"]
    recipe = replace(Recipe.default((ROWS * COLUMNS, 12, 4), 2, seed=fresh_seed, gain=0),
                     activation_bits=config.activation_bits)
    device = DeviceLearner(Driver(Session(SimTransport(config))), recipe, (ROWS, COLUMNS))
    over, model = (DeviceLearner(Driver(Session(SimTransport(config))), recipe, (ROWS, COLUMNS)),
                   ModelLearner(recipe, (ROWS, COLUMNS)))
    rng = np.random.default_rng(fresh_seed)
    x = rng.integers(0, 4, (COUNT, ROWS * COLUMNS), dtype=np.uint8)
    x *= rng.random(x.shape) < 0.6
    y = rng.integers(0, 4, COUNT)
    for learner in device, over, model:
        learner.start()
    assert device.keep(x, y, lambda done, whole: None, config.store_shift)
    assert device.keeps and not over.keeps
    for epoch in range(3):
        order = epoch_order(fresh_seed, epoch, COUNT)
        offsets = Moves(config.store_shift).draws(fresh_seed, epoch, COUNT)[:, :2]
        if epoch == 2:
            offsets[:] = 0
        moved = np.stack([shift_image(row.reshape(ROWS, COLUMNS), dy, dx).reshape(-1)
                          for row, (dy, dx) in zip(x[order], offsets, strict=True)])
        gains = recipe.gains_in(epoch)
        found = device.train_kept(order, gains, offsets=offsets if epoch < 2 else None)
        wanted = over.train(moved, y[order], gains)
        assert (found.correct, found.updates, found.flips) == (
            wanted.correct, wanted.updates, wanted.flips)
        model.train(moved, y[order], gains)
    assert device.state().sha256 == over.state().sha256 == model.state().sha256
    device.close()
    over.close()
