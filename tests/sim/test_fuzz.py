"""Hostile bytes: the compiled core answers as the golden device, and keeps its state."""

import random

import pytest

from tritgrad.model.golden_device import GoldenDevice
from tritgrad.model.images import StoredImages
from tritgrad.sim.device import open_sim
from tritgrad.sim.fuzz import Attacker, Mismatch, run
from tritgrad.sim.trials import CORES, IMAGES, SMALL, STORED


class GoldenCore:
    """The golden device as something to test, perhaps with a fault in it."""

    def __init__(self, config):
        self.device = GoldenDevice(config)

    def run(self, data, max_cycles):
        return len(data), self.device.feed(data)


@pytest.mark.parametrize("gap, stall", [(0, 0), (0.2, 0.3)])
@pytest.mark.parametrize("config", [*CORES.values(), STORED, *IMAGES.values()],
                         ids=[*CORES, "stored", *IMAGES])
def test_the_core_answers_as_the_golden_device(config, gap, stall, fresh_seed):
    seed = fresh_seed
    with open_sim(config) as core:
        core.stall(seed, gap, stall)
        report = run(core, GoldenDevice(config), 1500, random.Random(seed), every=50)
    assert report.frames == 1500
    assert config.trace or not report.statuses["TRACE"]


def test_records_of_a_convolution_whose_last_row_of_lanes_is_not_whole():
    """Under a seed that has FILL and CHECK of such ones: 18 inputs in words of 4."""
    config = IMAGES["images-conv"]
    with open_sim(config) as core:
        core.stall(678415566, 0.2, 0.3)
        run(core, GoldenDevice(config), 1500, random.Random(678415566), every=50)


@pytest.mark.parametrize("config", CORES.values(), ids=CORES)
def test_what_the_attacker_reaches(config):
    """Under one seed: how often something comes up is chance under any other."""
    report = run(GoldenCore(config), GoldenDevice(config), 1500, random.Random(1), every=50)
    assert report.state_checks > 8
    assert report.runs > 20
    assert (report.statuses["TRACE"] > 0) == config.trace


@pytest.mark.parametrize("config", CORES.values(), ids=CORES)
def test_what_memories_hold_at_power_up_does_not_matter(config, fresh_seed):
    """No bitstream writes an iCE40's SPRAM or a Gowin's LUT RAM."""
    seed = fresh_seed
    with open_sim(config, power_up=seed) as core:
        report = run(core, GoldenDevice(config), 600, random.Random(seed), every=50, fill=True)
    assert report.frames == 600


def test_every_kind_and_every_status_comes_up():
    golden = GoldenDevice(SMALL)
    kinds = set(Attacker(golden, random.Random(0)).kinds)
    report = run(GoldenCore(SMALL), golden, 3000, random.Random(1))
    assert set(report.kinds) == kinds
    assert set(+report.statuses) == {"OK", "CRC", "LENGTH", "OVERFLOW", "TYPE", "SEQUENCE",
                                    "RANGE", "STATE", "NO_HELLO", "RESULT"}


def test_what_the_attacker_does_with_a_store():
    report = run(GoldenCore(STORED), GoldenDevice(STORED), 3000, random.Random(1))
    assert report.statuses["STORE"] > 20
    flash = STORED.changed(store=2, store_bits=10)
    golden = GoldenDevice(flash)
    run(GoldenCore(flash), golden, 3000, random.Random(1))
    assert (golden.store.cells != 0xFF).sum() > 20


@pytest.mark.parametrize("config", IMAGES.values(), ids=IMAGES)
def test_what_the_attacker_does_with_images(config, monkeypatch):
    """Images that it has filled are played, shifted."""
    met = []
    shifted = StoredImages.shifted

    def watch(images, x, dy, dx):
        met.append((dy, dx, bool(x.any())))
        return shifted(images, x, dy, dx)

    monkeypatch.setattr(StoredImages, "shifted", watch)
    run(GoldenCore(config), GoldenDevice(config), 3000, random.Random(1))
    offsets = set(range(-config.store_shift, config.store_shift + 1))
    assert {dy for dy, _, some in met if some} == {dx for _, dx, some in met if some} == offsets


def test_a_refused_frame_that_changes_something_is_found():
    core = GoldenCore(SMALL)
    refuse = core.device._window

    def write_first(payload):
        core.device.machine.residuals[0] ^= 1
        return refuse(payload)

    core.device._window = write_first
    with pytest.raises(Mismatch, match="answers otherwise"):
        run(core, GoldenDevice(SMALL), 1000, random.Random(2), every=50)


def test_a_silent_core_is_found():
    core = GoldenCore(SMALL)
    feed, count = core.device.feed, iter(range(100))
    core.device.feed = lambda data: feed(data) if next(count) < 20 else b""
    with pytest.raises(Mismatch, match="stays silent"):
        run(core, GoldenDevice(SMALL), 1000, random.Random(3))
