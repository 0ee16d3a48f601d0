"""Samples played from the memory beside a board's FPGA, through all pins, as the model learns them.

Small cores of two boards: one with an SDRAM, one with a flash that they write themselves.
"""

import hashlib
import json
import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest

from tritgrad.boards import find_board
from tritgrad.boards.__main__ import SMALL_CLOCKS
from tritgrad.boards.flow import synthesise
from tritgrad.firmware import programs
from tritgrad.firmware.frames import Flags, Type
from tritgrad.firmware.store import Kind, pack_flash_records, pack_ram_records, ram_record_words
from tritgrad.firmware.wire import pack_samples, pack_sparse
from tritgrad.host.device.driver import Driver, layer_table
from tritgrad.host.device.samples import PackedSamples
from tritgrad.host.device.session import RequestRefused, Session
from tritgrad.host.device.transport import GoldenTransport
from tritgrad.model.fast import FastNetwork
from tritgrad.model.margin import state_sha256
from tritgrad.model.recipe import Recipe
from tritgrad.sim.board import CompiledBoard
from tritgrad.sim.exam import Wired
from tritgrad.sim.memories import FLASHES, SDRAMS, Sdram, SerialFlash
from tritgrad.sim.netlist import netlist_verilog

US = 1_000_000
NETWORK = (40, 12, 4)
COUNT = 60
#: Writes fast, so that a simulation is short.
FLASH = replace(FLASHES["W25Q128JV"], program=5 * US, sector=20 * US)


def samples(seed):
    """Images of which half is dark, and their classes."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 4, COUNT)
    x = rng.integers(0, 2, (COUNT, NETWORK[0])) & (np.arange(NETWORK[0]) // 10 == y[:, None])
    return x.astype(np.uint8), y


def load(driver, recipe, model):
    """Put a model's network on a device."""
    driver.load(layer_table(recipe, recipe.gains_in(0)), model.counters,
                prng_state=model.prng.state)


class Board:
    """A small core of a board, loaded with a network, and the model beside it."""

    def __init__(self, name, memory, chip=None, **sizes):
        self.memory, self.chip = memory, chip or CompiledBoard.of(
            find_board(name).resized(network=NETWORK, store=True, **sizes), memory=memory)
        self.session = Session(Wired(self.chip), 1)
        self.driver = Driver(self.session)
        self.recipe = Recipe.default(NETWORK, 1)
        self.model = FastNetwork(self.recipe)
        self.gains = self.recipe.gains_in(0)
        load(self.driver, self.recipe, self.model)

    def close(self):
        self.chip.close()
        self.memory.close()

    def play(self, order, run, x, y, first=0, flags=Flags.WIDE):
        """Learn the records of `order` and as many behind each; the model does so too."""
        kinds = "HI"[flags & Flags.WIDE != 0]
        entries = b"".join(struct.pack("<I", entry)[:3 if kinds == "I" else 2] for entry in order)
        self.driver._start(programs.train(2, len(x), self.recipe.margin))
        self.session.post(Type.PLAY, first.to_bytes(3, "little") + bytes([run, flags])
                          + struct.pack("<H", len(order)) + entries, work_s=1.0)
        status = self.driver.stopped(1.0)
        stats = self.model.train(x, y, np.arange(len(x)), self.gains)
        assert status["samples"] == len(x)
        assert (status["correct"], status["updates"], status["flips"]) == (
            stats.correct, stats.updates, stats.flips)
        assert status["prng"] == self.model.prng.state

    def is_equal(self):
        return all(np.array_equal(ours, theirs) for ours, theirs in zip(
            self.driver.counters(), self.model.counters, strict=True))

    def crc(self, first, count):
        return struct.unpack("<IB", self.session.request(
            Type.CHECK, first.to_bytes(3, "little") + count.to_bytes(3, "little"), work_s=1.0))

    def spi(self, *sent, receive=0):
        return self.session.request(Type.SPI, struct.pack("<H", receive) + b"".join(sent),
                                    work_s=1.0)


@pytest.mark.parametrize("name", ["ulx3s-25f", "colorlight-i9"])
def test_from_an_sdram(fresh_seed, name):
    x, y = samples(fresh_seed)
    part = SDRAMS[find_board(name).memory.part]
    board = Board(name, Sdram(part, seed=1), lanes=20, banks=2, update_lanes=4)
    packed, done = PackedSamples(x, y, 1), 0
    first = int(np.random.default_rng(fresh_seed).integers(0, 1 << 17))
    while done < COUNT:
        payload, count = packed.payload(done, board.session.budget - 3)
        board.session.post(Type.FILL, (first + done).to_bytes(3, "little") + payload, work_s=1.0)
        done += count
    records = pack_ram_records(x, y, 20, 1)
    assert board.crc(first, COUNT)[0] == zlib.crc32(records.tobytes())

    order = np.random.default_rng(fresh_seed + 1).permutation(COUNT)
    board.play(order.tolist(), 1, x[order], y[order], first)
    turn = 7  # two runs
    board.play([turn], COUNT - turn, x[turn:], y[turn:], first)
    board.play([0], turn, x[:turn], y[:turn], first, flags=Flags(0))
    assert board.is_equal()

    # A bit that turned is found; a label that no class has is refused, and nothing is learned.
    at = (first + 3) * ram_record_words(NETWORK[0], 20, 1)
    place = _place(at, part.column_bits, part.row_bits)
    board.memory.poke(place, board.memory.peek(place, 1) ^ 0x0040)
    assert board.crc(first, COUNT)[0] != zlib.crc32(records.tobytes())
    board.driver._start(programs.train(2, 1, board.recipe.margin))
    with pytest.raises(RequestRefused, match="STORE"):
        board.session.request(Type.PLAY, (first + 3).to_bytes(3, "little") + b"\1\0\1\0\0\0")
    board.session.request(Type.ABORT)
    assert board.is_equal()
    assert board.memory.unwritten == 0
    board.close()


def _place(at, column_bits, row_bits):
    """Where the model has a word: by bank, row and column; consecutive rows are in other banks."""
    row, column = at >> column_bits, at & (1 << column_bits) - 1
    return ((row & 3) << row_bits | row >> 2) << column_bits | column


@pytest.mark.parametrize(("name", "sparse"), [
    ("icebreaker", False), ("icebreaker", True), ("tang-nano-9k", True)])
def test_from_a_flash(fresh_seed, name, sparse):
    x, y = samples(fresh_seed)
    memory = SerialFlash(FLASH, seed=2, guard=1 << 17, asleep=True)
    board = Board(name, memory, lanes=4, banks=1, update_lanes=4)
    assert board.driver.config.store == Kind.FLASH
    packed = pack_samples(x, 1)
    bodies = [row.tobytes() for row in packed]
    if sparse:
        flat, ends = pack_sparse(packed, 1)
        bodies = [flat[a:b].tobytes() for a, b in zip(ends, ends[1:], strict=False)]
    records = [bytes([label]) + body for label, body in zip(y, bodies, strict=True)]
    places = np.cumsum([0, *map(len, records)])
    data, base = b"".join(records), 1 << 18
    assert board.spi(b"\x9f", receive=3) == b"\xef\x40\x18"
    board.spi(b"\x06")
    board.spi(b"\x20", base.to_bytes(3, "big"))
    for at in range(0, len(data), 256):
        while board.spi(b"\x05", receive=1)[0] & 1:
            pass
        board.spi(b"\x06")
        board.spi(b"\x02", (base + at).to_bytes(3, "big"), data[at:at + 256])
    while board.spi(b"\x05", receive=1)[0] & 1:
        pass
    assert board.crc(base, len(data))[0] == zlib.crc32(data)
    order = np.random.default_rng(fresh_seed).permutation(COUNT)
    flags = Flags.SPARSE if sparse else Flags(0)
    board.play(places[order].tolist(), 1, x[order], y[order], base, flags)
    board.play([0], COUNT, x, y, base, flags)
    assert board.is_equal()
    board.close()


def test_a_netlist_plays_from_a_flash(tmp_path, fresh_seed):
    """Through the buffers of its pins, one of which goes both ways."""
    x, y = samples(fresh_seed)
    name = "tang-nano-9k"
    board = find_board(name).resized(network=NETWORK, store=True, clock_hz=SMALL_CLOCKS[name],
                                     lanes=4, banks=1, update_lanes=4)
    made = synthesise(replace(board, lutram=()), tmp_path)
    path = tmp_path / "top.syn.json"
    assert {"LUT4", "IOBUF"} <= {cell["type"] for cell in
                                 json.loads(path.read_text())["modules"]["top"]["cells"].values()}
    text = netlist_verilog(path, board.fpga.family)
    memory = SerialFlash(FLASH, seed=2, asleep=True)
    base = 3 << 16
    records, starts = pack_flash_records(x, y, 1, True)
    memory.cells[base:base + len(records)] = records
    chip = CompiledBoard(lambda: text, hashlib.sha256(text.encode()).hexdigest(), made.clock_hz,
                         power_up=fresh_seed + 1, memory=memory)
    played = Board(name, memory, chip)
    assert played.crc(base, len(records))[0] == zlib.crc32(records.tobytes())
    order = np.random.default_rng(fresh_seed).permutation(COUNT)
    played.play(starts[order].tolist(), 1, x[order], y[order], base, Flags.SPARSE)
    played.play([0], COUNT, x, y, base, Flags.SPARSE)
    assert played.is_equal()
    played.close()


class Turned:
    """A board's memory and that of a golden device, with the same records in them."""

    def __init__(self, board, x, y, sparse):
        self.board = board
        golden = GoldenTransport(board.driver.config)
        self.store = golden.device.store
        self.drivers = board.driver, Driver(Session(golden, 1))
        load(self.drivers[1], board.recipe, board.model)
        if board.driver.config.store == Kind.RAM:
            records = pack_ram_records(x, y, board.driver.config.lanes, 1)
            self.size, self.starts, self.flags = 2 * records[0].size, np.arange(COUNT + 1), Flags(0)
            self.bits = SDRAMS["32M"].column_bits, SDRAMS["32M"].row_bits
            for at, word in enumerate(records.reshape(-1)):
                board.memory.poke(_place(at, *self.bits), [word])
            self.store.cells[:records.size] = records.reshape(-1)
        else:
            records, self.starts = pack_flash_records(x, y, 1, sparse)
            self.size, self.flags = 1, Flags.SPARSE if sparse else Flags(0)
            board.memory.cells[:len(records)] = self.store.cells[:len(records)] = records
        self.clean = zlib.crc32(records.tobytes())

    def turn(self, record, rng):
        """A bit of a record, in both."""
        at = self.size * int(self.starts[record]) + rng.integers(
            self.size * int(self.starts[record + 1] - self.starts[record]))
        mask = 1 << rng.integers(8)
        if self.size == 1:
            self.board.memory.cells[at] ^= mask
            self.store.cells[at] ^= mask
        else:
            word = mask << 8 * (at & 1)
            place = _place(at >> 1, *self.bits)
            self.board.memory.poke(place, self.board.memory.peek(place, 1) ^ word)
            self.store.cells[at >> 1] ^= word

    def crcs(self):
        """What each of both makes of all records."""
        count = int(self.starts[-1]).to_bytes(3, "little")
        return [driver.session.request(Type.CHECK, bytes(3) + count, work_s=1.0)[:4]
                for driver in self.drivers]

    def play(self, record):
        """What each of both says of learning three records."""
        for driver in self.drivers:
            driver._start(programs.train(2, 3, self.board.recipe.margin))
            try:
                driver.session.request(
                    Type.PLAY, bytes([0, 0, 0, 3, self.flags | Flags.WIDE, 1, 0])
                    + int(self.starts[record]).to_bytes(3, "little"), work_s=1.0)
                status = driver.stopped(1.0)
                yield {name: status[name] for name in (
                    "run", "samples", "correct", "updates", "flips", "prng")}
            except RequestRefused as refused:
                driver.session.request(Type.ABORT)
                yield refused.status

    def states(self):
        """Counters and PRNG of both."""
        return [(state_sha256(driver.counters()), driver.prng()) for driver in self.drivers]


@pytest.mark.parametrize(("name", "sizes", "sparse"), [
    ("ulx3s-25f", {"lanes": 20, "banks": 2}, False),
    ("tang-nano-9k", {"lanes": 4, "banks": 1}, True)])
def test_a_bit_that_turned_is_found_by_check_and_does_what_the_golden_device_says(
        fresh_seed, name, sizes, sparse):
    x, y = samples(fresh_seed)
    rng = np.random.default_rng(fresh_seed)
    memory = Sdram(SDRAMS["32M"], seed=1) if name == "ulx3s-25f" else SerialFlash(FLASH, seed=2)
    both = Turned(Board(name, memory, update_lanes=4, **sizes), x, y, sparse)
    clean = both.clean.to_bytes(4, "little")
    assert both.crcs() == [clean, clean]
    for _ in range(8):
        both.turn(record := int(rng.integers(COUNT - 20)), rng)  # none is read from behind all
        board, golden = both.crcs()
        assert board == golden != clean
        board, golden = both.play(record)
        assert board == golden
        assert len(set(both.states())) == 1
        clean = both.crcs()[0]  # it stays turned
    both.board.close()
