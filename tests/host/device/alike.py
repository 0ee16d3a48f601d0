"""Epochs from a memory beside a device, against the golden model's."""

import numpy as np

from tritgrad.host.run.learners import ModelLearner

__all__ = ["learn_alike"]


def learn_alike(device, x, y, parts):
    """Two epochs of kept rows in so many parts: all counts and the state are the golden model's."""
    model = ModelLearner(device.recipe)
    model.start()
    gains = device.recipe.gains
    for epoch in range(2):
        order = np.random.default_rng(epoch).permutation(len(x))
        for part in np.split(order, parts):
            got, want = device.train_kept(part, gains), model.train(x[part], y[part], gains)
            assert (got.samples, got.correct, got.updates, got.flips) == (
                want.samples, want.correct, want.updates, want.flips)
    assert device.state().sha256 == model.state().sha256
