import random
import re

import pytest

from tritgrad.errors import BadInput
from tritgrad.firmware.rates import SAFE_RATE
from tritgrad.sim.wire import Faults, FaultyWire, misread


def carried(faults, data, seed=1, piece=100):
    """What comes out at the end, and the wire."""
    wire = FaultyWire(faults, random.Random(seed))
    out = b""
    for n in range(0, len(data), piece):
        wire.push(data[n:n + piece], n / 1e6)
        out += wire.pop(n / 1e6)
    return out + wire.pop(1e9), wire


def test_a_sound_wire_changes_nothing():
    data = random.Random(1).randbytes(5000)
    out, wire = carried(Faults(), data)
    assert out == data
    assert wire.damaged == 0


def test_faults_come_as_often_as_told():
    data = bytes(range(256)) * 400
    total = len(data)
    for name in ("drop", "flip", "repeat"):
        out, wire = carried(Faults(**{name: 0.01}), data)
        assert 0.008 < wire.damaged / total < 0.012
        assert len(out) - total == {"drop": -1, "flip": 0, "repeat": 1}[name] * wire.damaged
    out, wire = carried(Faults(flip=0.01), data)
    changed = [a ^ b for a, b in zip(data, out, strict=True) if a != b]
    assert len(changed) == wire.damaged
    assert {bin(mask).count("1") for mask in changed} == {1}


def test_the_seed_decides():
    faults = Faults(drop=0.01, flip=0.01, repeat=0.01, delay=0.01)
    data = bytes(5000)
    assert carried(faults, data, seed=3)[0] == carried(faults, data, seed=3, piece=7)[0]
    assert carried(faults, data, seed=3)[0] != carried(faults, data, seed=4)[0]


def test_late_bytes_hold_back_those_behind_them():
    wire = FaultyWire(Faults(delay=0.5), random.Random(5))
    wire.push(bytes(range(100)), 0.0)
    out, now = b"", 0.0
    while wire.due is not None:
        assert wire.pop(wire.due - 1e-9) == b""
        now = wire.due
        out += wire.pop(now)
    assert out == bytes(range(100))
    assert 0.2 < now < 50 * 1.5 * Faults.DELAY_S


def test_a_cleared_wire_is_empty():
    wire = FaultyWire(Faults(), random.Random(1))
    wire.push(b"abc", 0.0)
    wire.clear()
    assert wire.due is None
    assert wire.pop(1.0) == b""


@pytest.mark.parametrize("name", ["drop", "flip", "repeat", "delay"])
def test_a_chance_that_is_none(name):
    message = f"{name} must be a chance from 0 to 1, not 1.5"
    with pytest.raises(BadInput, match=f"^{re.escape(message)}$"):
        Faults(**{name: 1.5})


@pytest.mark.parametrize("ratio", [0.98, 1.0, 1.02])
def test_the_right_rate_reads_everything(ratio):
    data = bytes(range(256))
    assert misread(data, 1_000_000 * ratio, 1_000_000) == (data, None)


def test_a_wrong_rate_reads_something_else():
    data = random.Random(2).randbytes(400)
    for sent, read in ((3_000_000, SAFE_RATE), (3_000_000, 2_000_000), (921_600, 1_000_000)):
        out, broken = misread(data, sent, read)
        assert out != data[:len(out)]
        assert len(out) <= len(data)
        assert broken is None


@pytest.mark.parametrize("rate, begun", [(230_400, 3), (1_000_000, 3), (3_000_000, 1)])
def test_a_zero_byte_at_the_safe_rate_is_a_break(rate, begun):
    """At the highest rates even a start bit is one."""
    data = bytes([0xFF, 0x55, 0x00, 0x01])
    assert misread(data, SAFE_RATE, rate)[1] == begun
    assert misread(bytes([0xFF, 0x55]), SAFE_RATE, 230_400)[1] is None
