"""The SDRAM's model keeps what it is given, and stops a run that breaks a rule."""

import random
from dataclasses import replace

import numpy as np
import pytest

from tests.sim.memories.drivers import NS, US, SdramDriver
from tritgrad.errors import ConfigError
from tritgrad.sim.memories import SDRAMS, MemoryViolation, Sdram


@pytest.fixture
def model():
    model = Sdram(seed=5)
    yield model
    model.close()


@pytest.fixture
def driver(model):
    driver = SdramDriver(model)
    driver.start()
    return driver


@pytest.mark.parametrize("latency", [2, 3])
def test_reads_what_was_written(model, latency, fresh_seed):
    rng = random.Random(fresh_seed)
    driver = SdramDriver(model)
    driver.start(latency)
    kept = {}
    for _ in range(20):
        bank, row, column = rng.randrange(4), rng.randrange(1 << 13), rng.randrange(480)
        words = [rng.randrange(1 << 16) for _ in range(rng.randint(1, 30))]
        driver.write(bank, row, words, column)
        kept[bank, row, column] = words
        driver.clock("REF")
        driver.idle(5)
    for (bank, row, column), words in kept.items():
        if [key for key in kept if key[:2] == (bank, row)] == [(bank, row, column)]:
            assert driver.read(bank, row, len(words), column, latency) == words
            driver.clock("REF")
            driver.idle(5)
    at = (bank << 13 | row) << 9 | column
    assert model.peek(at, len(words)).tolist() == words  # the last, which nothing lies over
    assert model.unwritten == 0 and model.refreshes >= 28


def test_bytes_are_masked(driver):
    driver.write(1, 2, [0x1234, 0x5678])
    driver.clock("ACT", 1, 2)
    driver.idle(1)
    driver.clock("WRITE", 1, 0, 0xABCD, mask=2)
    driver.clock("WRITE", 1, 1, 0xABCD, mask=1)
    driver.idle(1)
    driver.clock("PRE", 1)
    driver.idle(2)
    assert driver.read(1, 2, 2) == [0x12CD, 0xAB78]


def test_what_is_unwritten_is_noise(driver, model):
    first, second = (driver.read(0, 3, 8) for _ in range(2))
    assert first != second and model.unwritten == 16
    model.poke(3 << 9, np.arange(8))
    assert driver.read(0, 3, 8) == list(range(8))


def test_data_are_noise_before_and_behind_their_time(driver, model):
    """Valid 6 ns behind the clock until 2.5 ns behind the next."""
    driver.write(0, 0, [0x5A5A])
    control = model.CKE | model.RAS_N | model.CAS_N | model.WE_N

    def at(offset):
        driver.clock("ACT")
        driver.idle(1)
        driver.clock("READ")
        now = driver.now
        model.step(now, control, 0)
        model.step(now + 8 * NS, control | model.CLOCK, 0)
        seen = model.step(now + 8 * NS + offset, control, 0) if offset < 16 * NS else None
        model.step(now + 16 * NS, control, 0)
        model.step(now + 24 * NS, control | model.CLOCK, 0)
        if seen is None:
            seen = model.step(now + 8 * NS + offset, control, 0)
        driver.now += 48 * NS
        driver.clock("PRE", a=0x400)
        driver.idle(2)
        return seen

    assert [at(offset) == 0x5A5A for offset in (5_900, 6_000, 15_000, 18_500, 18_600)] == [
        False, True, True, True, False]


def test_a_trip_makes_data_late():
    model = Sdram(replace(SDRAMS["32M"], trip=4 * NS))
    driver = SdramDriver(model)
    driver.start()
    driver.write(0, 0, [1, 2, 3])
    assert driver.read(0, 0, 3) != [1, 2, 3]  # half a period, 8 ns, is too early for 10


def refused(driver, text, *steps):
    """Clocks, the last of which breaks a rule; a string, or a tuple with what goes along."""
    with pytest.raises(MemoryViolation, match=text):
        for step in steps:
            if isinstance(step, int):
                driver.idle(step)
            else:
                command, *values = (step,) if isinstance(step, str) else step
                driver.clock(command, *values)
        driver.model.check()
    with pytest.raises(MemoryViolation, match=text):
        driver.clock()  # it stays stopped


ACT, READ, WRITE, PRE = "ACT", "READ", ("WRITE", 0, 0, 7), ("PRE", 0, 0x400)


@pytest.mark.parametrize(("text", "steps"), [
    ("READ after ACTIVE after 16.0 ns, tRCD is 20.0", (ACT, READ)),
    ("WRITE after ACTIVE after 16.0 ns, tRCD", (ACT, WRITE)),
    ("READ of a bank without a row", (READ,)),
    ("ACTIVE of a bank whose row is open", (ACT, 8, ACT)),
    ("PRECHARGE after ACTIVE after 32.0 ns, tRAS is 45.0", (ACT, 1, PRE)),
    ("PRECHARGE after WRITE after 16.0 ns, tWR is 30.0", (ACT, 3, WRITE, PRE)),
    ("ACTIVE after PRECHARGE after 16.0 ns, tRP is 20.0", (ACT, 2, PRE, ACT)),
    ("ACTIVE after ACTIVE of the bank after 80.0 ns, tRC is 90.0", (ACT, 2, PRE, 1, ACT)),
    ("of another bank after 16.0 ns, tRRD is 20.0", (ACT, ("ACT", 1))),
    ("REFRESH while a row is open", (ACT, "REF")),
    ("REFRESH after 16.0 ns, tRP", (PRE, "REF")),
    ("command after REFRESH after 64.0 ns, tRFC is 70.0", ("REF", 3, ACT)),
    ("command 1 clocks after the mode register", (("MODE", 0, 0x20), ACT)),
    ("mode register 0x022: neither", (("MODE", 0, 0x22),)),
    ("column 512, there are 512", (ACT, 2, ("READ", 0, 512))),
    ("WRITE while nobody drives", (ACT, 2, ("WRITE", 0, 0))),
    ("WRITE while words that were read", (ACT, 2, READ, WRITE)),
    ("the FPGA drives the data pins while", (ACT, 2, READ, 1, ("NOP", 0, 0, 7))),
    ("BURST TERMINATE is not modelled", ("STOP",)),
])
def test_stops_at_a_violation(text, steps):
    """Limits are moved to where a clock of 16 ns tells them apart."""
    driver = SdramDriver(Sdram(replace(SDRAMS["32M"], wr=30 * NS, rrd=20 * NS, rc=90 * NS)))
    driver.start()
    refused(driver, text, *steps)


def test_a_row_must_not_stay_open():
    driver = SdramDriver(Sdram(replace(SDRAMS["32M"], ras_most=10 * US)))
    driver.start()
    refused(driver, "a row was open for 10.0 us, at most 10.0",
            ACT, 626, PRE)


def test_missing_refreshes_stop_it(driver):
    """The ninth that is due and does not come."""
    start = driver.now
    with pytest.raises(MemoryViolation, match="refreshes are late by more than 8: 0 of 9"):
        driver.idle(10_000)
    assert 9 * 7_812 * NS - 200 * NS < driver.now - start <= 9 * 7_813 * NS + 200 * NS


def test_start_is_kept_to():
    def started(text, **named):
        driver = SdramDriver(Sdram())
        with pytest.raises(MemoryViolation, match=text):
            driver.start(**named)
            driver.clock("ACT")

    started("access before mode register and 8 refreshes", refreshes=7)
    driver = SdramDriver(Sdram())
    driver.clock()
    driver.now += 100 * US
    refused(driver, "first command after 100[0-9]+.0 ns, the time after power-up", PRE)
    driver = SdramDriver(Sdram())
    driver.clock()
    driver.now += 300 * US
    refused(driver, "REFRESH before all banks were precharged", "REF")
    driver = SdramDriver(Sdram())
    driver.start()
    driver.cke = 0
    refused(driver, "CKE low", "NOP")


def test_clock_and_inputs_keep_their_times(driver):
    with pytest.raises(MemoryViolation, match="clock comes after 1.0 ns, the inputs' setup time"):
        driver.clock("ACT", change=7 * NS)
    fast = SdramDriver(Sdram())
    fast.start()
    fast.period = 9 * NS
    with pytest.raises(MemoryViolation, match="next clock after [0-9.]+ ns, the shortest period"):
        fast.idle(3)
    model = Sdram()
    driver = SdramDriver(model)
    driver.start()
    control = model.CKE | model.RAS_N | model.CAS_N | model.WE_N
    model.step(driver.now + 8 * NS, control | model.CLOCK, 0)
    with pytest.raises(MemoryViolation, match="inputs change after 0.5 ns, their hold time"):
        model.step(driver.now + 8_500, control | model.CLOCK, 1)


def test_a_part_of_no_such_size_is_refused():
    with pytest.raises(ConfigError, match="8 to 11 bits and rows by 11 to 13, not 12 and 13"):
        Sdram(replace(SDRAMS["32M"], column_bits=12))
