"""Trained networks that tests of explanations share."""

from functools import cache

import numpy as np

from tritgrad.model.margin import MarginNetwork
from tritgrad.model.recipe import Recipe

__all__ = ["NAMES", "learn", "samples"]

NAMES = ["north", "east", "south"]


@cache
def samples(rows=60, seed=5):
    """Rows of 16 pixels of 2 bits, three classes that differ by where it is bright."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, rows)
    places = np.arange(16) // 6
    x = np.clip(rng.integers(0, 2, (rows, 16)) + 2 * (places == y[:, None]), 0, 3)
    return x, y


def learn(hidden=(12,), epochs=3, **changes):
    """A network after some epochs."""
    network = MarginNetwork(Recipe.default((16, *hidden, 3), 2, seed=4, **changes))
    for _ in range(epochs):
        for x, y in zip(*samples(), strict=True):
            network.train_sample(x, int(y), network.recipe.gains)
    return network
