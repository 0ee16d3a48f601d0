"""Compiled functions take arrays that cannot be written, and let go of Python's lock."""

import importlib
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numba.core.dispatcher import Dispatcher

from tritgrad.host.data.codings.images import Deskew, Edges
from tritgrad.model.arrays import read_only
from tritgrad.model.fast import FastNetwork
from tritgrad.model.moves import Moves, move_images
from tritgrad.model.recipe import Recipe
from tritgrad.model.rng import epoch_order, shift_offsets

RECIPE = Recipe.default([64, 8, 3], 2, epochs=2, seed=5)


def samples(seed):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 4, (50, 64), dtype=np.uint8), rng.integers(0, 3, 50)


def mapped(array, folder, name):
    """The array from a file that is mapped into memory and cannot be written."""
    np.save(folder / name, array)
    return np.load(folder / name, mmap_mode="r")


@pytest.mark.parametrize("module", ["tritgrad.model.compiled_rule", "tritgrad.model.moves",
                                    "tritgrad.host.data.codings.images"])
def test_compiled_functions_let_go_of_the_lock(module):
    found = [f for f in vars(importlib.import_module(module)).values() if isinstance(f, Dispatcher)]
    assert found
    assert [f for f in found if not f.targetoptions.get("nogil")] == []


def test_read_only_leaves_the_given_array_as_it_is():
    given = np.arange(4)
    view = read_only(given)
    assert not view.flags.writeable
    assert given.flags.writeable
    assert np.shares_memory(view, given)


def test_mapped_arrays_give_the_same(tmp_path):
    x, y = samples(1)
    order, offsets = epoch_order(5, 0, 50), shift_offsets(5, 0, 50, 2)
    done = []
    for give in lambda array, name: array, lambda array, name: mapped(array, tmp_path, name):
        network = FastNetwork(RECIPE)
        images = give(x, "x.npy")
        network.train(images, give(y, "y.npy"), give(order, "order.npy"), RECIPE.gains_in(0),
                      offsets=tuple(give(o, f"{n}.npy") for n, o in enumerate(offsets)), columns=8)
        square = give(x.reshape(-1, 8, 8), "square.npy")
        moved = move_images(square, give(Moves(1, rotate=9).draws(1, 0, 50), "draws.npy"))
        done.append([network.state_sha256(), network.scores(images).tolist(), moved.tolist(),
                     Deskew((8, 8), 2).apply(images).tolist(),
                     Edges((8, 8), (1, 2), 4, 2).apply(images).tolist()])
    assert done[0] == done[1]


def test_a_network_out_of_a_pickle_of_arrays_that_cannot_be_written_goes_on():
    x, y = samples(2)
    order = np.arange(50)
    network = FastNetwork(RECIPE)
    parts = []
    stored = pickle.dumps(network, protocol=5, buffer_callback=parts.append)
    again = pickle.loads(stored, buffers=[bytes(part.raw()) for part in parts])
    for one in network, again:
        one.train(x, y, order, RECIPE.gains_in(0))
    assert again.state_sha256() == network.state_sha256()


def test_threads_end_as_one_after_the_other_does():
    def run(seed):
        x, y = samples(seed)
        network = FastNetwork(Recipe.default([64, 8, 3], 2, epochs=2, seed=seed))
        for epoch in range(2):
            network.train(x, y, epoch_order(seed, epoch, 50), network.recipe.gains_in(epoch))
        return network.state_sha256()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(run, range(8))) == list(map(run, range(8)))
