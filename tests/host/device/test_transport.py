"""The pipe to compiled RTL, with a stand-in for the RTL."""

import random

import pytest

from tritgrad.host.device.session import Session
from tritgrad.host.device.transport import (
    SLOWEST_CLOCK_HZ,
    FaultyTransport,
    GoldenTransport,
    SimTransport,
)
from tritgrad.model.config import CoreConfig
from tritgrad.model.golden_device import GoldenDevice
from tritgrad.sim import device

CONFIG = CoreConfig(lanes=8, banks=2, update_lanes=4, slot_bytes=256)


class SlowCore:
    """The golden device behind the interface of a compiled core: a byte a cycle, late answers."""

    def __init__(self, config, latency):
        self.device = GoldenDevice(config)
        self.latency = latency
        self.cycles = 0
        self.closed = False
        self._due = []

    def run(self, data, max_cycles):
        taken = min(len(data), max_cycles)
        start = self.cycles
        output = self.device.feed(data[:taken])
        if output:
            self._due.append((start + taken + self.latency, output))
        end = start + max_cycles
        if self._due and self._due[0][0] <= end:
            self.cycles, output = self._due.pop(0)
            return taken, output
        self.cycles = end
        return taken, b""

    def close(self):
        self.closed = True


@pytest.fixture
def core(monkeypatch):
    made = SlowCore(CONFIG, 30_000)
    monkeypatch.setattr(device, "open_sim", lambda config, vcd, progress: made)
    return made


def test_reading_runs_the_clock_until_an_answer_is_there(core):
    session = Session(SimTransport(CONFIG))
    assert session.config == CONFIG
    assert 30_000 < core.cycles < 50_000


def test_silence_ends_after_the_cycles_of_the_timeout(core):
    transport = SimTransport(CONFIG)
    assert transport.read(0.01) == b""
    assert core.cycles == pytest.approx(0.01 * SLOWEST_CLOCK_HZ, rel=0.01)
    transport.write(b"abc")
    assert transport.read(0.001) == b""
    transport.close()
    assert core.closed


def test_a_bad_cable_is_as_bad_as_it_says():
    data = bytes(range(256)) * 100
    pipe = FaultyTransport(GoldenTransport(CONFIG), 0.0, random.Random(1))
    assert pipe._damage(data) == data
    pipe.rate = 0.01
    lengths = {len(pipe._damage(data)) for _ in range(20)}
    assert len(lengths) > 10


def test_what_a_bad_cable_cuts_off_does_not_come_back():
    class Cutting(random.Random):
        def choice(self, options):
            return "truncate"

    pipe = FaultyTransport(GoldenTransport(CONFIG), 0.02, Cutting(1))
    left = pipe._damage(bytes(range(256)))
    assert len(left) < 256 and list(left) == sorted(set(left))
