"""Runs with hashes of an independent implementation, for the reference and the compiled model."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tritgrad.host.data.codings.images import Edges
from tritgrad.model.convolution.shape import Convolution
from tritgrad.model.recipe import Recipe
from tritgrad.model.rng import epoch_order, splitmix64

from ..mnist_runs import MnistRun


@dataclass(frozen=True)
class Case:
    """Training with exponents (0, -2), floors (-2, -4) and wrong + 1."""

    conv: Convolution
    recipe: Recipe
    x: Any
    y: Any
    state_sha256: str

    def epochs(self):
        """Order and gains of each epoch."""
        for epoch in range(self.recipe.epochs):
            yield (epoch_order(self.recipe.seed, epoch, len(self.x)),
                   self.recipe.gains_in(epoch))


def recipe_of(conv, hidden, classes, epochs, seed, shift):
    """The recipe of the dense layers of all runs here."""
    return Recipe.default((conv.outputs, hidden, classes), conv.bits, 8, epochs=epochs, seed=seed,
                          gain=0, output_gain=-2, floor=-2, shifts=[shift], margin=16)


#: Runs on pixels of SplitMix64, three quarters of them 0.
SYNTHETIC = json.loads((Path(__file__).parent / "vectors.json").read_text())


def synthetic(stored):
    """A run of `SYNTHETIC`."""
    conv, n, seed = Convolution(**stored["conv"]), stored["samples"], stored["seed"]
    numbers = splitmix64(seed, np.arange(n * conv.inputs)).reshape(n, conv.inputs)
    blank = (numbers >> np.uint64(32)) & np.uint64(3) != 0
    x = np.where(blank, 0, numbers >> np.uint64(64 - conv.planes)).astype(np.uint8)
    y = (splitmix64(seed + 1, np.arange(n)) % np.uint64(5)).astype(np.int64)
    return Case(conv, recipe_of(conv, 12, 5, stored["epochs"], seed, 1), x, y,
                stored["state_sha256"])


#: Runs on the first rows of MNIST: rows, seed, kernels, sides, pool, shift, hash.
MNIST = (
    (400, 3, 4, 5, 2, 2, "70391007c46e936514d3b11767d10ce97eaeb12033b50a2c151660cf1a8653db"),
    (300, 5, 3, 3, 3, 1, "241e3ae2b4c995bc523edcda5e44fe0c330aa34f7e32487972467706e35ac5ed"),
    (200, 6, 5, 4, 1, 1, "acc09459d65b6b906bec08026372580e5f9049b721ec81c6b7477cf2e4639d41"),
)


def mnist(rows, seed, kernels, side, pool, shift, state_sha256):
    """A run of `MNIST`; the one with pool 1 sees four edges at 32, and 23 columns."""
    images, y = MnistRun(Recipe.default((784, 10), 8), rows, 0, 0, "").data()
    conv = Convolution(28, 28, kernels, side, pool, shift=shift)
    x = images >> np.uint8(6)
    if pool == 1:
        conv = Convolution(28, 23, kernels, side, pool, channels=4, planes=1, shift=shift)
        edges = Edges((28, 28), (32,), 4, 1).apply(images).reshape(rows, 28, 28, 4)
        x = np.ascontiguousarray(edges.transpose(0, 3, 1, 2)[..., :23]).reshape(rows, -1)
    return Case(conv, recipe_of(conv, 16, 10, 2, seed, 2), x, y, state_sha256)
