"""Runs that play their rows from the memory beside a core, killed, reset, unplugged, corrupted."""

import random
from dataclasses import replace

import pytest

from tritgrad.errors import DeviceError
from tritgrad.host.device.transport import GoldenTransport, SimTransport
from tritgrad.host.run.learners import DeviceLearner
from tritgrad.host.run.options import TrainOptions

from .storm import Storm, weathered

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
        for _ in range(20):
            cells[rng.randrange(4000)] ^= 1 << rng.randrange(16)

    return Storm(transport, rng, {"reset": device.reset, "power": power, "bits": flip}, mean)


@pytest.mark.parametrize("order", ["random", "rotate"])
@pytest.mark.parametrize("seed", range(1, 4))
def test_a_run_from_the_store_ends_as_if_nothing_had_happened(tmp_path, order, seed):
    options = replace(OPTIONS, order=order)
    data = options.load_data()
    storm = golden(options, data, random.Random(seed), 6_000)
    if seed == 3:  # bits that turn, and no other reason to write the rows again
        storm.harms = {"bits": storm.harms["bits"]}
    weathered(storm, options, data, tmp_path)


def test_rows_that_nobody_checks_end_otherwise(tmp_path, monkeypatch):
    monkeypatch.setattr(DeviceLearner, "_check_rows", lambda self: None)
    data = OPTIONS.load_data()
    with pytest.raises(DeviceError, match="^(state|without a word)"):
        for seed in range(40):
            storm = golden(OPTIONS, data, random.Random(seed), 6_000)
            storm.harms = {"bits": storm.harms["bits"]}
            folder = tmp_path / str(seed)
            folder.mkdir()
            weathered(storm, OPTIONS, data, folder)


def test_the_compiled_core_weathers_it_too(tmp_path):
    """The core of `test_judging`, reset at any cycle; its memory keeps what it has."""
    options = replace(OPTIONS, order="rotate", limit=120, epochs=2, lanes=8, banks=2)
    data = options.load_data()
    recipe, rng = options.recipe(data), random.Random(2)
    transport = SimTransport(options.core(recipe.layers, recipe.planes).changed(
        store=1, store_bits=14))

    def reset():
        transport.core.run(b"", rng.randrange(1, 20_000))
        transport.core.reset()
        transport._queue.clear()

    storm = Storm(transport, rng, {"reset": reset}, 2_000)
    weathered(storm, options, data, tmp_path)
    assert storm.counts["reset"] and storm.counts.total() > 3
    transport.close()
