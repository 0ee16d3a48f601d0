"""Records of decisions through the link: the golden model's, from golden device and RTL."""

import random

import numpy as np
import pytest

from tritgrad.errors import BadInput
from tritgrad.firmware.records import Mode
from tritgrad.host.device.driver import Driver, layer_table
from tritgrad.host.device.records import RecordError, RecordReader, trace_samples
from tritgrad.host.device.session import Session
from tritgrad.host.device.transport import FaultyTransport, GoldenTransport, SimTransport
from tritgrad.model.config import CoreConfig
from tritgrad.model.layout import tile_order
from tritgrad.model.margin import MarginNetwork, state_sha256
from tritgrad.model.recipe import Recipe
from tritgrad.model.soft.decisions import decide


def core(recipe, **options):
    return CoreConfig.for_network(recipe.layers, recipe.planes, counter_bits=recipe.counter_bits,
                                  **({"slot_bytes": 512, "trace": True} | options))


def open_driver(transport, recipe, network, order=None):
    driver = Driver(Session(transport, nonce=1))
    driver.load(layer_table(recipe, recipe.gains), network.counters, network.prng.state, order,
                parts={"scales": network.scales})
    return driver


def samples(recipe, count, seed):
    """Noisy copies of a pattern a class, so that there is something to learn and to know."""
    rng = np.random.default_rng(seed)
    top = 1 << recipe.planes
    patterns = rng.integers(0, top, (recipe.layers[-1], recipe.layers[0]))
    y = rng.integers(0, recipe.layers[-1], count)
    noise = rng.integers(0, top, (count, recipe.layers[0]))
    x = np.where(rng.random((count, recipe.layers[0])) < 0.5, patterns[y], noise)
    return x.astype(np.uint8), y


def check(driver, recipe, network, count, seed, mode=Mode.FLIPS | Mode.SATURATIONS):
    """Train with records: all are those of the golden model, and so is the state."""
    x, y = samples(recipe, count, seed)
    found, stats = trace_samples(driver, x, y, recipe.margin, mode, recipe.scale_refresh)
    flips = saturations = 0
    for n, (told, row, label) in enumerate(zip(found, x, y, strict=True)):
        wanted = decide(network, row.astype(np.int64), int(label), recipe.gains)
        different = told.differences(wanted)
        if not mode & Mode.SATURATIONS:
            different = [name for name in different if not name.startswith("saturations")]
        assert not different, f"sample {n}: {different}"
        flips += sum(map(len, told.flips))
        saturations += sum(map(len, told.saturations))
    assert flips == stats.flips > 0
    assert bool(saturations) == bool(mode & Mode.SATURATIONS)
    assert state_sha256(driver.counters()) == state_sha256(network.counters)
    assert driver.prng() == network.prng.state
    if network.scales is not None:
        assert driver.part("scales").bytes() == network.scales.bytes()
    return x, y, stats


@pytest.mark.parametrize("seed", range(4))
def test_records_of_random_networks(seed):
    rng = random.Random(seed)
    lanes = rng.choice([3, 4, 6, 8])
    recipe = Recipe.default((rng.randint(5, 40), *(rng.randint(2, 20) for _ in range(seed % 3)),
                             rng.randint(2, 9)), rng.randint(1, 8), seed=seed)
    config = core(recipe, lanes=lanes, banks=rng.randint(1, 5),
                  update_lanes=rng.choice([u for u in range(1, lanes + 1) if lanes % u == 0]))
    network = MarginNetwork(recipe)
    driver = open_driver(GoldenTransport(config), recipe, network)
    check(driver, recipe, network, 60, seed)
    check(driver, recipe, network, 60, seed + 1, Mode.FLIPS)


def test_a_bad_cable_loses_no_record():
    recipe = Recipe.default((30, 12, 5), 4, seed=3)
    network = MarginNetwork(recipe)
    cable = FaultyTransport(GoldenTransport(core(recipe)), 0.002, random.Random(1))
    driver = open_driver(cable, recipe, network)
    runs = []
    run = driver.run
    driver.run = lambda *arguments: (runs.append(1), run(*arguments))[1]
    check(driver, recipe, network, 60, 3)
    assert len(runs) > 1


@pytest.mark.parametrize("options", [
    {"lanes": 8, "banks": 4, "update_lanes": 4},
    {"lanes": 6, "banks": 3, "update_lanes": 3, "single_port": True},
], ids=["8x4", "6x3, one port"])
def test_decisions_of_1000_samples_on_the_rtl_are_the_golden_models(options):
    recipe = Recipe.default((40, 20, 12, 6), 4, seed=7)
    network, plain = MarginNetwork(recipe), MarginNetwork(recipe)
    config = core(recipe, slot_bytes=4096, **options)
    traced = open_driver(SimTransport(config), recipe, network)
    x, y, stats = check(traced, recipe, network, 1000, 7)
    assert traced.config.trace
    untraced = open_driver(SimTransport(config), recipe, plain)
    same = untraced.train_chunk(x, y, recipe.margin)
    assert (same.correct, same.updates, same.flips) == (stats.correct, stats.updates, stats.flips)
    assert state_sha256(untraced.counters()) == state_sha256(traced.counters())
    assert untraced.prng() == traced.prng()
    assert stats.cycles > same.cycles  # which is what it costs


@pytest.mark.parametrize("transport", [
    lambda core: FaultyTransport(GoldenTransport(core), 0.002, random.Random(1)), SimTransport],
    ids=["golden device, bad cable", "RTL"])
def test_rows_with_scales_are_traced(transport):
    recipe = Recipe.default((30, 12, 5), 4, seed=3, scale_refresh=2)
    network = MarginNetwork(recipe)
    config = core(recipe, scales=True, lanes=8, banks=2, update_lanes=4)
    driver = open_driver(transport(config), recipe, network)
    check(driver, recipe, network, 60, 3)
    assert network.scales.step > 4
    assert len({s for layer in network.scales.applied() for s in layer}) > 1


def test_a_core_that_only_infers_tells_of_its_forward_pass():
    recipe = Recipe.default((20, 9, 4), 4, seed=5)
    network = MarginNetwork(recipe)
    config = core(recipe, lanes=8, banks=4, update_lanes=4, trainable=False)
    driver = open_driver(GoldenTransport(config), recipe, network)
    x, y = samples(recipe, 30, 5)
    found, _ = trace_samples(driver, x, y, None)
    for told, row, label in zip(found, x, y, strict=True):
        fresh = MarginNetwork(recipe)
        wanted = decide(fresh, row.astype(np.int64), int(label), recipe.gains)
        changed = {name.split("[")[0] for name in told.differences(wanted)
                   if not name.endswith((".errors", "margin", "learned"))}
        assert changed <= {"flips", "saturations"}
        assert not told.learned and not any(map(len, told.flips))


def test_inputs_in_another_order_are_numbered_as_given():
    recipe = Recipe.default((64, 10, 4), 4, gain=2, seed=4)
    network = MarginNetwork(recipe)
    driver = open_driver(GoldenTransport(core(recipe, lanes=8, update_lanes=4)), recipe, network,
                         tile_order((8, 8), 8))
    check(driver, recipe, network, 50, 4)


def test_a_core_without_the_unit_is_refused_in_one_line():
    recipe = Recipe.default((12, 6, 4), 2)
    network = MarginNetwork(recipe)
    driver = open_driver(GoldenTransport(core(recipe, trace=False)), recipe, network)
    with pytest.raises(BadInput, match=r"^golden model has no trace unit: it cannot tell what it "
                                       r"decides$"):
        trace_samples(driver, *samples(recipe, 3, 1), recipe.margin)


@pytest.mark.parametrize("data, message", [
    (b"\x09", r"^no item of a record is of kind 9, byte 0$"),
    (b"\x03\x01\x00", r"^a record ends after 3 bytes in the middle$"),
    (b"\x03\x02", r"^layer 2 is no hidden layer of 2$"),
    (b"\x05\x00\x00\x00\x00", r"^record 0 is not whole: it says 0, with layers \[\] of \[1\]$"),
    (b"\x05\x00", r"^a record ends after 2 bytes in the middle$"),
])
def test_bytes_that_are_no_records(data, message):
    recipe = Recipe.default((12, 6, 4), 2)
    with pytest.raises(RecordError, match=message):
        RecordReader(core(recipe), layer_table(recipe, recipe.gains)).read(data)
