"""Runs that play their rows from the memory beside a core, killed, reset, unplugged, corrupted."""

import random
from dataclasses import replace

import pytest

from tritgrad.host.device.transport import GoldenTransport
from tritgrad.host.run.options import TrainOptions
from tritgrad.host.run.storm import Storm, weathered

OPTIONS = TrainOptions(hidden=(10,), epochs=3, limit=300, planes=1, device="model",
                       val_fraction=0.1)


def core(options, data):
    recipe = options.recipe(data)
    return options.core(recipe.layers, recipe.planes).changed(store=1, store_bits=16)


def golden(options, data, rng, mean):
    """The golden device in a storm."""
    transport = GoldenTransport(core(options, data))
    device = transport.device
    cells = device.store.cells

    def power():
        device.reset()
        cells[:] = rng.randrange(1 << 16)

    def flip():
        cells[rng.randrange(4000)] ^= 1 << rng.randrange(16)

    return Storm(transport, rng, {"reset": device.reset, "power": power, "flip": flip}, mean)


@pytest.mark.parametrize("order", ["random", "rotate"])
def test_a_run_from_the_store_ends_as_if_nothing_had_happened(tmp_path, fresh_seed, order):
    options = replace(OPTIONS, order=order)
    data = options.load_data()
    rng = random.Random(fresh_seed)
    for number in range(3):
        folder = tmp_path / str(number)
        folder.mkdir()
        weathered(golden(options, data, rng, 8_000), options, data, folder)
