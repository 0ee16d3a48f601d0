"""The flash's model keeps what it is given, and stops a run that breaks a rule."""

import random
from dataclasses import replace

import pytest

from tests.sim.memories.drivers import NS, US, FlashDriver
from tritgrad.errors import BadInput
from tritgrad.sim.memories import FLASHES, FlashPart, MemoryViolation, SerialFlash

#: Small, and fast to write.
PART = FlashPart(1 << 18, 0x1240EF, program=20 * US, status=20 * US, sector=50 * US, block=90 * US,
                 half_block=70 * US, chip=200 * US)


@pytest.fixture
def model():
    model = SerialFlash(PART, seed=3)
    yield model
    model.close()


@pytest.fixture
def driver(model):
    return FlashDriver(model)


def place(at):
    return at.to_bytes(3, "big")


def program(at, data):
    return b"\x02" + place(at) + data


def test_writes_and_reads(driver, model, fresh_seed):
    rng = random.Random(fresh_seed)
    for _ in range(6):
        at = rng.randrange(0, 1 << 18, 256)
        start, data = rng.randrange(256), rng.randbytes(rng.randint(1, 256))
        size, code = rng.choice([(4096, 0x20), (32768, 0x52), (65536, 0xD8)])
        before = bytes(model.cells)
        driver.write(bytes([code]) + place(at), program(at + start, data))
        erased = bytearray(before)
        low = at // size * size
        erased[low:low + size] = b"\xff" * size
        for n, byte in enumerate(data):
            erased[at + (start + n) % 256] &= byte
        assert bytes(model.cells) == bytes(erased)
        where, count = rng.randrange(1 << 18), rng.randint(1, 40)
        wanted = (bytes(erased) * 2)[where:where + count]
        assert driver.command(b"\x03" + place(where), count) == wanted
        assert driver.command(b"\x0b" + place(where), count, dummy=8) == wanted
    assert model.erases == model.programs == 6


def test_two_lines_need_no_bit(driver, model, fresh_seed):
    at = random.Random(fresh_seed).randrange(1 << 18)
    wanted = (bytes(model.cells) * 2)[at:at + 60]
    for _ in range(2):
        assert driver.command(b"\x3b" + place(at), 60, 2, dummy=8) == wanted


def test_two_lines_that_are_driven_from_both_sides(driver):
    """The FPGA lets its line go too late: not in the eighth clock behind the address."""
    driver.select()
    driver.send(b"\x3b" + place(100))
    for n in range(8):
        driver.bit(drive=0b1100 if n < 7 else 0b1101)
    with pytest.raises(MemoryViolation, match="drives data pins that the flash drives"):
        driver.bit(drive=0b1101)


def test_four_lines_need_the_bit_qe(driver, model):
    driver.write(b"\x31\x02")
    assert driver.command(b"\x35", 2) == b"\x02\x02"
    assert driver.command(b"\x6b" + place(100), 60, 4, dummy=8) == bytes(model.cells[100:160])
    driver.write(b"\x01\x00\x00")
    refused(driver, "0x6B while QE is 0", b"\x6b")


def test_tells_its_kind_and_status(driver):
    assert driver.command(b"\x9f", 3) == b"\xef\x40\x12"
    assert driver.command(b"\x05", 1) == b"\x00"
    driver.command(b"\x06")
    assert driver.command(b"\x05", 1) == b"\x02"
    driver.command(b"\x04")
    assert driver.command(b"\x05", 1) == b"\x00"


def test_a_whole_chip_is_erased(driver, model):
    driver.write(b"\xc7")
    assert bytes(model.cells) == b"\xff" * (1 << 18)


def test_a_file_keeps_the_contents(tmp_path):
    path = tmp_path / "flash.bin"
    first = SerialFlash(PART, path, seed=1)
    new = bytes(first.cells)
    FlashDriver(first).write(b"\x20" + place(0), program(0, b"kept"))
    first.close()
    second = SerialFlash(PART, path, seed=2)
    assert FlashDriver(second).command(b"\x03" + place(0), 4) == b"kept"
    assert bytes(second.cells[4096:]) == new[4096:] and len(set(new)) == 256
    second.close()
    with pytest.raises(BadInput, match=r"flash of 4194304 bytes in '.*flash.bin'"):
        SerialFlash(FLASHES["W25Q32"], path)
    with pytest.raises(BadInput, match="cannot be written"):
        SerialFlash(PART, tmp_path / "none" / "flash.bin")


def test_a_loss_of_power_leaves_what_was_being_written_as_noise(driver, model):
    before = bytes(model.cells)
    driver.command(b"\x06")
    driver.command(b"\x20" + place(4096))
    model.power_cycle()
    after = bytes(model.cells)
    assert after[:4096] == before[:4096] and after[8192:] == before[8192:]
    assert after[4096:8192] not in (before[4096:8192], b"\xff" * 4096)
    driver.now = 0
    assert driver.command(b"\x03" + place(4000), 4) == before[4000:4004]


def refused(driver, text, *commands):
    """Commands, the last of which breaks a rule; numbers let nanoseconds pass."""
    with pytest.raises(MemoryViolation, match=text):
        for command in commands:
            if isinstance(command, int):
                driver.now += command * NS
            else:
                driver.command(command)
    with pytest.raises(MemoryViolation, match=text):
        driver.command(b"\x05")  # it stays stopped


WREN = b"\x06"
ERASE = b"\x20" + place(0)


@pytest.mark.parametrize(("text", "commands"), [
    ("0x02 without 0x06", (program(0, b"a"),)),
    ("0xd8 without 0x06", (b"\xd8" + place(0),)),
    ("0x31 without 0x06", (WREN, b"\x04", b"\x31\x02")),
    ("0x20 without 0x06", (WREN, ERASE, 90_000, ERASE)),
    ("0x03 while it writes", (WREN, ERASE, b"\x03" + place(0))),
    ("0x06 while it writes", (WREN, ERASE, WREN)),
    ("0x0f is programmed over 0xf0 at 0x000007, which was not erased",
     (WREN, ERASE, 90_000, WREN, program(7, b"\xf0"), 90_000, WREN, program(7, b"\x0f"))),
    ("0x02 without data", (WREN, program(0, b""))),
    ("a byte too many for command 0x20", (WREN, ERASE + b"\0")),
    ("address 0x040000, there are 0x040000 bytes", (b"\x03" + place(1 << 18),)),
    ("deselected within command 0x03", (b"\x03\0\0",)),
    ("3 bytes for the status register", (WREN, b"\x01abc")),
    ("command 0xeb is not modelled", (b"\xeb",)),
    ("0x03 while it sleeps; 0xAB wakes it", (b"\xb9", b"\x03")),
    ("selected [0-9.]+ ns before it has woken up", (b"\xb9", b"\xab", 1_000, b"\x9f")),
    ("0x99 without 0x66", (b"\x66", b"\x05", b"\x99")),
    ("selected [0-9.]+ ns before it has woken up", (b"\x66", b"\x99", 20_000, b"\x9f")),
])
def test_stops_at_a_violation(driver, text, commands):
    refused(driver, text, *commands)


def test_what_comes_twice_is_ignored_where_that_is_asked_for():
    model = SerialFlash(PART, repeats=True)
    driver = FlashDriver(model)
    for command in (ERASE, WREN, ERASE, WREN, ERASE, program(0, b"a")):
        driver.command(command)
    driver.now += 90_000 * NS
    for command in (program(0, b"a"), ERASE):
        driver.command(command)
    assert driver.command(b"\x05", 1) == b"\0" and bytes(model.cells[:4096]) == b"\xff" * 4096
    assert (model.erases, model.programs) == (1, 0)
    refused(driver, "0x03 while it writes", WREN, ERASE, b"\x03" + place(0))


@pytest.mark.parametrize("command", [ERASE, b"\xd8" + place(0xFFFF), b"\xc7",
                                     program(0x1FFF, b"a")])
def test_what_is_guarded_is_not_written(command):
    driver = FlashDriver(SerialFlash(PART, guard=0x2000))
    driver.write(b"\x20" + place(0x2000))
    refused(driver, "is written, which is below 0x002000", WREN, command)


def test_an_icebreakers_flash_sleeps_at_first():
    model = SerialFlash(PART, asleep=True)
    driver = FlashDriver(model)
    driver.command(b"\xab")
    driver.now += 3 * US
    assert driver.command(b"\x9f", 1) == b"\xef"
    model.power_cycle(asleep=True)
    driver.now = 0
    refused(driver, "0x9f while it sleeps", b"\x9f")


def test_pins_keep_their_times(model):
    def fails(text, act):
        driver = FlashDriver(SerialFlash(PART))
        with pytest.raises(MemoryViolation, match=text):
            act(driver)

    def short(driver):
        driver.select()
        driver.bit(setup=1 * NS)

    def late(driver):
        driver.select()
        driver.model.step(driver.now, 0, 1, 15, 0b1101)
        driver.model.step(driver.now + 2 * NS, 0, 1, 14, 0b1101)

    def steps(*pins):
        def act(driver):
            driver.select()
            for after, *values in pins:
                driver.now += after
                driver.model.step(driver.now, *values)
        return act

    def fast(driver):
        driver.period = 16 * NS
        driver.command(b"\x03" + place(0))

    def soon(driver):
        driver.command(b"\x06")
        driver.command(b"\x02" + place(0) + b"\xff")
        driver.now -= 60 * NS
        driver.select()

    fails("clock comes after the data after 1.0 ns, their setup time", short)
    fails("data change after 2.0 ns, their hold time", late)
    fails("clock high after 3.0 ns, the shortest half", steps((0, 0, 1), (3_000, 0, 0)))
    fails("clock low after 3.0 ns, the shortest half",
          steps((0, 0, 1), (9_000, 0, 0), (3_000, 0, 1)))
    fails("next clock after 8.0 ns, the shortest period",
          steps((0, 0, 1), (4_000, 0, 0), (4_000, 0, 1)))
    fails("first clock after 4.0 ns", steps((-16_000, 0, 1)))
    fails("deselected after the clock after 4.0 ns", steps((0, 0, 1), (4_000, 1, 1)))
    fails("eighth clock after 112.0 ns, seven periods of 0x03", fast)
    fails("selected again after 40.0 ns", soon)
    fails("HOLD# is low", steps((0, 0, 0, 0b0111, 0b1101), (0, 0, 1, 0b0111, 0b1101)))
    fails("nobody drives its input", steps((0, 0, 1, 15, 0)))


def test_both_may_not_drive_a_pin(driver):
    driver.select()
    driver.send(b"\x03" + place(0))
    driver.bit()
    with pytest.raises(MemoryViolation, match="drives data pins that the flash drives"):
        driver.bit(drive=0b0011)


def test_a_bit_is_valid_for_its_time(model):
    """From 7 ns behind the clock's fall until 1.5 ns behind the next, and the trip later."""
    def read(trip, offset):
        model = SerialFlash(replace(PART, trip=trip), seed=9)
        model.cells[:] = 0x55
        driver = FlashDriver(model)
        driver.select()
        driver.send(b"\x03" + place(0))
        bits = []
        for _ in range(64):
            driver.model.step(driver.now + 20 * NS, 0, 1, 15, 1)
            driver.model.step(driver.now + 40 * NS, 0, 0, 15, 1)
            bits.append(driver.model.step(driver.now + 40 * NS + offset, 0, 0, 15, 1) >> 1 & 1)
            driver.now += 40 * NS
        return bits == [1, 0] * 32

    assert [read(0, t) for t in (1_000, 1_600, 6_900, 7_000)] == [False, False, False, True]
    assert [read(4 * NS, t) for t in (10_900, 11_000)] == [False, True]
