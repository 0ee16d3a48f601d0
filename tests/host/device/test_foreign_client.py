"""The pages suffice: a client made from them alone ends where our own driver does."""

import struct
from pathlib import Path

import numpy as np
import pytest

from tritgrad.host.device.driver import Driver
from tritgrad.host.device.session import Session
from tritgrad.host.device.transport import GoldenTransport
from tritgrad.model.config import CoreConfig
from tritgrad.model.layout import Layer

from .foreign_client import Client, infer_program, train_program

CONFIGS = [
    CoreConfig(lanes=6, banks=3, update_lanes=3, counter_bits=9, max_inputs=64, slot_bytes=128),
    CoreConfig(lanes=8, banks=2, update_lanes=8, counter_bits=8, max_inputs=64, slot_bytes=64)]
SIZES = (20, 9, 4)


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_it_loads_trains_and_infers_as_our_driver_does(config):
    rng = np.random.default_rng(7)
    layers = [(20, 9, 3, 1, -2), (9, 4, config.activation_bits, 0, 1)]
    top = 1 << config.counter_bits - 1
    counters = [rng.integers(-top, top, (outputs, inputs)) for inputs, outputs, *_ in layers]
    x, y = rng.integers(0, 8, (30, 20)).astype(np.uint8), rng.integers(0, 4, 30)

    device = GoldenTransport(config)
    client = Client(device.write, lambda: device.read(1.0), 12345)
    client.load(layers, [c.tolist() for c in counters], 99)
    run, _, samples, correct, updates, flips, *_, prng = client.run(
        train_program(30, 16), x.tolist(), y.tolist())
    learned = client.counters()
    client.run(infer_program(30), x.tolist(), [0] * 30)
    results = sorted(struct.unpack("<IB4i", payload) for payload in client.results)

    driver = Driver(Session(GoldenTransport(config)))
    driver.load([Layer(*layer) for layer in layers], counters, 99)
    stats = driver.train_chunk(x, y, 16)
    assert (run, samples) == (2, 30)
    assert (correct, updates, flips) == (stats.correct, stats.updates, stats.flips)
    assert updates > 5 and flips > 0
    assert prng == driver.prng()
    assert learned == [int(v) for c in driver.counters() for v in c.reshape(-1)]
    predictions, scores, _ = driver.infer(x)
    assert results == [(n, int(p), *map(int, s)) for n, (p, s) in enumerate(
        zip(predictions, scores, strict=True))]


def test_the_client_imports_nothing_of_ours_and_is_short():
    text = (Path(__file__).parent / "foreign_client.py").read_text()
    assert "tritgrad" not in text.replace("Nothing of tritgrad", "")
    assert len(text.splitlines()) < 140
