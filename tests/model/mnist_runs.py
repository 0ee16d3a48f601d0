"""Runs on MNIST with published hashes, for the reference and for the compiled model."""

import gzip
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tritgrad.model.recipe import Recipe
from tritgrad.model.rng import epoch_order, shift_offsets


@dataclass(frozen=True)
class MnistRun:
    """Training on the first `limit` images, shifted by at most `augment` pixels."""

    recipe: Recipe
    limit: int
    augment: int
    updates: int
    state_sha256: str

    def data(self) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
        """Inputs (limit, 784) and labels; skips the test where the files are not there."""
        folder = os.environ.get("TRITGRAD_DATA")
        if not folder:
            pytest.skip("TRITGRAD_DATA does not name the folder that holds mnist/")
        images, labels = (gzip.decompress(Path(folder, "mnist", f"train-{part}.gz").read_bytes())
                          for part in ("images-idx3-ubyte", "labels-idx1-ubyte"))
        x = np.frombuffer(images, np.uint8, offset=16, count=784 * self.limit)
        y = np.frombuffer(labels, np.uint8, offset=8, count=self.limit)
        return x.reshape(-1, 784) >> np.uint8(8 - self.recipe.planes), y

    def epochs(self):
        """Order, offsets and gains of each epoch."""
        seed, n = self.recipe.seed, self.limit
        for epoch in range(self.recipe.epochs):
            yield (epoch_order(seed, epoch, n), shift_offsets(seed, epoch, n, self.augment),
                   self.recipe.gains_in(epoch))


RUNS = (
    MnistRun(Recipe.default((784, 32, 10), 1, 8, epochs=2, seed=7), 600, 0, 1145,
             "57b64a8796cd23236d490d97b19838bdc7e62dcf5c87dc59994b69011c4781ba"),
    MnistRun(Recipe.default((784, 48, 20, 10), 1, 8, epochs=4, seed=5), 400, 1, 1593,
             "8ef4ce081782c68cb21920c4904a76c68e27b6929ef74aa5ad4eb3d1f017250c"),
    MnistRun(Recipe.default((784, 40, 24, 10), 4, 7, epochs=5, seed=6), 300, 0, 1393,
             "8fca125709e00ab6eb178bf1938d3690798c40562b55a828cfcd33e3a5d882fd"),
)
