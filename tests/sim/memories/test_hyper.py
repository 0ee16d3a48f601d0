"""The PSRAM's model keeps what it is given, and stops a run that breaks a rule."""

import random
from dataclasses import replace

import pytest

from tritgrad.sim.memories import Hyper, HyperPart, MemoryViolation

NS, US = 1_000, 1_000_000
PART = HyperPart(1 << 16)
READ, REGISTER, LINEAR = 1 << 47, 1 << 46, 1 << 45
#: Latencies, and their codes in CR0.
CODES = {3: 14, 4: 15, 5: 0, 6: 1, 7: 2}
CR0 = 0x800


class Driver:
    """Transactions at the pins: what the FPGA drives changes in the middle between two edges."""

    def __init__(self, model, period=20 * NS, latency=6, fixed=True):
        self.model, self.period, self.latency, self.fixed = model, period, latency, fixed
        self.now, self.clock = 151 * US, 0

    def edge(self, dq=None, strobe=None):
        """What is read just before the clock's edge, with these driven."""
        model = self.model
        control = (self.clock * model.CLOCK | (model.DRIVE_DATA if dq is not None else 0)
                   | (0 if strobe is None else model.DRIVE_STROBE | strobe * model.STROBE))
        model.step(self.now, control, dq or 0)
        self.now += self.period // 4
        seen = model.step(self.now - 1, control, dq or 0)
        self.clock ^= 1
        model.step(self.now, control ^ model.CLOCK, dq or 0)
        self.now += self.period // 4
        return seen

    def command(self, bits):
        """Select, send the command; whether the latency is doubled."""
        self.now += 100 * NS
        self.model.step(self.now, 0)
        self.now += 10 * NS
        return [self.edge(byte) >> 8 for byte in bits.to_bytes(6, "big")][-1]

    def end(self):
        self.now += 5 * NS
        self.model.step(self.now, self.model.SELECT_N)

    def wait(self, doubled, latency=None):
        assert doubled or not self.fixed
        for _ in range(2 * (2 + (latency or self.latency) * (1 + doubled)) - 6):
            self.edge()

    @staticmethod
    def place(at):
        return at >> 3 << 16 | at & 7

    def write(self, at, data, mask=None, latency=None):
        """Bytes from word `at` on; those whose mask is 1 stay."""
        self.wait(self.command(LINEAR | self.place(at)), latency)
        for byte, masked in zip(data, mask or [0] * len(data), strict=True):
            self.edge(byte, masked)
        self.end()

    def read(self, at, count, bits=LINEAR):
        """Each byte comes with an edge, RWDS high with the first one of a word."""
        self.wait(self.command(READ | bits | self.place(at)))
        self.edge()
        seen = [self.edge() for _ in range(count)]
        if count % 2 == 0:
            self.edge()
        self.end()
        assert [byte >> 8 for byte in seen] == [(n + 1) % 2 for n in range(count)]
        return bytes(byte & 0xFF for byte in seen)

    def configure(self, latency, fixed):
        """CR0, which is written without waiting."""
        self.command(REGISTER | LINEAR | self.place(CR0))
        for byte in (0x8F, CODES[latency] << 4 | fixed << 3 | 7):
            self.edge(byte)
        self.end()
        self.latency, self.fixed = latency, fixed


@pytest.fixture
def model():
    model = Hyper(PART, seed=3)
    yield model
    model.close()


def test_writes_and_reads(model, fresh_seed):
    rng = random.Random(fresh_seed)
    driver = Driver(model)
    kept = bytearray(model.cells)
    for latency, fixed in [(6, True), *((n, f) for n in CODES for f in (True, False))]:
        driver.configure(latency, fixed)
        assert driver.read(CR0, 2, REGISTER | LINEAR) == bytes(
            [0x8F, CODES[latency] << 4 | fixed << 3 | 7])
        for _ in range(4):
            at, count = rng.randrange(1 << 14), 2 * rng.randint(1, 20)
            data, mask = rng.randbytes(count), [rng.randrange(2) for _ in range(count)]
            driver.write(at, data, mask)
            for n, (byte, masked) in enumerate(zip(data, mask, strict=True)):
                if not masked:
                    kept[2 * at + n] = byte
            assert driver.read(at, count) == bytes(kept[2 * at:2 * at + count])
    assert bytes(model.cells) == bytes(kept)


def test_a_refresh_doubles_a_latency_that_may_vary():
    both = set()
    for seed in range(40):
        model = Hyper(replace(PART, collides=128), seed=seed)
        driver = Driver(model)
        driver.configure(6, False)
        both.add(driver.command(READ | LINEAR))
        model.close()
    assert both == {0, 1}


def test_what_is_wrong_stops_the_run(model):
    stopped = Driver(model)
    stopped.now = 100 * US
    with pytest.raises(MemoryViolation, match="PSRAM at .* selected within 150 us of power-up"):
        stopped.command(LINEAR)
    with pytest.raises(MemoryViolation, match="power-up"):
        Driver(model).read(0, 2)  # it stays stopped


@pytest.mark.parametrize("text, act", [
    ("the shortest half", lambda d: setattr(d, "period", 5 * NS) or d.read(0, 2)),
    ("their setup time", lambda d: setattr(d, "period", 3 * NS) or d.read(0, 2)),
    ("low for longer than 4.0 us", lambda d: d.read(0, 400)),
    ("the access time", lambda d: (d.configure(3, False), setattr(d, "period", 8 * NS),
                                   d.write(0, b"ab"))),
    ("nobody drives its data pins", lambda d: d.write(0, b"ab", latency=7)),
    ("the memory drives", lambda d: (d.wait(d.command(READ | LINEAR)), d.edge(), d.edge(3))),
    ("RWDS of a reading", lambda d: (d.command(READ | LINEAR), d.edge(None, 1))),
    ("RWDS within the command", lambda d: (d.command(LINEAR), d.end(), setattr(d, "clock", 0),
                                           d.model.step(d.now + 50 * NS, 0),
                                           d.model.step(d.now + 60 * NS, d.model.DRIVE_STROBE))),
    ("nobody drives RWDS", lambda d: (d.wait(d.command(LINEAR)), d.edge(7))),
    ("deselected within a word", lambda d: (d.command(LINEAR), d.edge(), d.edge(), d.edge(),
                                            d.model.step(d.now, d.model.SELECT_N))),
    ("a wrapped burst", lambda d: d.command(READ)),
    ("address 0x10000, there are 0x10000", lambda d: d.read(1 << 15, 2)),
    ("reserved bits of the command", lambda d: d.command(LINEAR | 8)),
    ("a register that is not modelled", lambda d: d.command(READ | REGISTER)),
    ("a byte too many", lambda d: (d.command(REGISTER | LINEAR | d.place(CR0)), d.edge(0x8F),
                                   d.edge(0x1F), d.edge(0))),
    ("deep power-down", lambda d: (d.command(REGISTER | LINEAR | d.place(CR0)), d.edge(0x0F),
                                   d.edge(0x1F))),
])
def test_rules(model, text, act):
    with pytest.raises(MemoryViolation, match=text):
        act(Driver(model))
