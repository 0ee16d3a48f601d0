"""The core behind its Wishbone registers trains: the Verilog that others get, and their loop."""

import numpy as np
import pytest

from tritgrad.host.device.driver import Driver, layer_table
from tritgrad.host.device.session import Session
from tritgrad.host.device.transport import SimTransport
from tritgrad.host.run.wishbone_master import wishbone_master
from tritgrad.hw.emit import emit
from tritgrad.model.margin import MarginNetwork, state_sha256
from tritgrad.model.recipe import Recipe
from tritgrad.sim.compiled import CompiledCore
from tritgrad.sim.trials import SMALL
from tritgrad.sim.verilate import TOP

SAMPLES = 40


class OverWishbone(SimTransport):
    """`SimTransport`, but each byte goes through TX or RX."""

    def __init__(self):
        self.name = "core on Wishbone"
        self.core = CompiledCore(
            lambda: (emit(SMALL, name="core", interface="wishbone")[0]
                     + wishbone_master("core").replace("module core_master", f"module {TOP}")),
            f"tests: on Wishbone {SMALL!r} {wishbone_master('core')}")
        self._queue = bytearray()


@pytest.mark.parametrize("gap, stall", [(0, 0), (0.4, 0), (0, 0.4)])
def test_it_trains_to_the_golden_models_state(gap, stall):
    recipe = Recipe.default((20, 12, 5), 2, counter_bits=SMALL.counter_bits,
                            activation_bits=SMALL.activation_bits, seed=3)
    rng = np.random.default_rng(8)
    x = rng.integers(0, 4, (SAMPLES, 20)).astype(np.uint8)
    y = rng.integers(0, 5, SAMPLES)
    network, transport = MarginNetwork(recipe), OverWishbone()
    transport.core.stall(5, gap, stall)
    driver = Driver(Session(transport, nonce=9))
    driver.load(layer_table(recipe, recipe.gains), network.counters, network.prng.state)
    stats = driver.train_chunk(x, y, recipe.margin)
    for sample, label in zip(x, y, strict=True):
        network.train_sample(sample, label, recipe.gains)
    assert stats.updates and stats.flips
    assert state_sha256(driver.counters()) == state_sha256(network.counters)
    assert driver.prng() == network.prng.state
    driver.close()
