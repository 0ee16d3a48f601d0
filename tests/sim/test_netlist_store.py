"""The store of an ECP5's netlist keeps records in an SDRAM, through the registers of its pins.

In the core's place is what fills and reads records, so that synthesis and simulation are short; the
whole core plays and learns in `bench/bitstream_trains.py`.
"""

import hashlib
import json
import random
from dataclasses import replace

import numpy as np
import pytest
from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from tritgrad.boards import find_board
from tritgrad.boards.__main__ import SMALL_CLOCKS
from tritgrad.boards.flow import synthesise
from tritgrad.firmware.rates import SAFE_RATE
from tritgrad.firmware.store import pack_ram_records
from tritgrad.hw.parts.ports import RunState
from tritgrad.hw.store.ports import RamSignature, Task
from tritgrad.sim.board import CompiledBoard
from tritgrad.sim.memories import SDRAMS, MemoryViolation, Sdram
from tritgrad.sim.netlist import netlist_verilog

from .test_board import talk
from .test_resident import _place

NAME, INPUTS, COUNT = "ulx3s-25f", 40, 4
FAULTS = 3


class Keeper(wiring.Component):
    """Of bytes n, label, words: fills record n; of n + 128: answers the bytes of record n."""

    def __init__(self, config):
        self.config, self.run = config, Signal(RunState)
        super().__init__({"i": In(stream.Signature(8)), "o": Out(stream.Signature(8)),
                          "store": Out(RamSignature(config))})

    def elaborate(self, platform):
        m = Module()
        store, words = self.store, INPUTS // self.config.lanes
        left, high = Signal(range(words + 1)), Signal()
        m.d.comb += [store.inputs.eq(INPUTS), store.planes.eq(1), store.i.p.last.eq(left == 1),
                     store.i.p.planes.eq(self.i.p),
                     self.o.p.eq(store.raw.p.data.word_select(high, 8))]
        m.d.sync += store.start.eq(0)
        with m.FSM():
            with m.State("COMMAND"):
                m.d.comb += self.i.ready.eq(store.idle & store.ready)
                with m.If(self.i.valid & self.i.ready):
                    m.d.sync += [store.number.eq(self.i.p[:7]), store.start.eq(1), left.eq(words),
                                 store.task.eq(Mux(self.i.p[7], Task.RAW, Task.FILL))]
                    m.next = "LABEL"
                    with m.If(self.i.p[7]):
                        m.next = "RAW"
            with m.State("LABEL"):
                m.d.comb += self.i.ready.eq(1)
                with m.If(self.i.valid):
                    m.d.sync += store.i.p.label.eq(self.i.p)
                    m.next = "FILL"
            with m.State("FILL"):
                m.d.comb += [store.i.valid.eq(self.i.valid), self.i.ready.eq(store.i.ready)]
                with m.If(self.i.valid & self.i.ready):
                    m.d.sync += left.eq(left - 1)
                    with m.If(left == 1):
                        m.next = "COMMAND"
            with m.State("RAW"):
                m.d.comb += [self.o.valid.eq(store.raw.valid),
                             store.raw.ready.eq(self.o.ready & high)]
                with m.If(self.o.valid & self.o.ready):
                    m.d.sync += high.eq(~high)
                    with m.If(high & store.raw.p.last):
                        m.next = "COMMAND"
        return m


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Verilog of the netlist, its clock, its core's lanes."""
    folder = tmp_path_factory.mktemp("netlist")
    board = find_board(NAME).resized(network=(INPUTS, 8, 4), store=True, lanes=8, banks=1,
                                     update_lanes=8, clock_hz=SMALL_CLOCKS[NAME])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tritgrad.boards.top.Core", Keeper)
        netlist = synthesise(replace(board, lutram=()), folder)
    types = {cell["type"] for cell in json.loads(
        (folder / "top.json").read_text())["modules"]["top"]["cells"].values()}
    assert {"ODDRX1F", "IDDRX1F", "TRELLIS_IO"} <= types
    return netlist_verilog(folder / "top.json", "ecp5", FAULTS, seed=1), netlist.clock_hz


def kept(made, seed, fault=0, turn=None):
    """Records as they are written, and as they are read; of one of them a bit may turn before."""
    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, 2, (COUNT, INPUTS)).astype(np.uint8), rng.integers(0, 4, COUNT)
    records = pack_ram_records(x, y, 8, 1)
    memory, (text, clock_hz) = Sdram(SDRAMS["32M"], seed=seed), made
    with CompiledBoard(lambda: text, hashlib.sha256(text.encode()).hexdigest(), clock_hz,
                       power_up=1 + seed % 1000, fault=fault, memory=memory) as chip:
        talk(chip, b"", SAFE_RATE, 25_000)  # reset, and the memory's test of itself
        packed = np.packbits(x, 1, "little")
        for n in range(COUNT):
            talk(chip, bytes([n, y[n]]) + packed[n].tobytes(), SAFE_RATE)
        if turn is not None:
            at = _place(turn * records[0].size + 1, 9, 13)
            memory.poke(at, memory.peek(at, 1) ^ 4)
        order = random.Random(seed).sample(range(COUNT), COUNT)
        read = {n: talk(chip, bytes([128 + n]), SAFE_RATE, 36_000) for n in order}
        unwritten = memory.unwritten
    memory.close()
    return {n: record.tobytes() for n, record in enumerate(records)}, read, unwritten


def test_a_netlist_keeps_records_in_an_sdram(made, fresh_seed):
    written, read, unwritten = kept(made, fresh_seed)
    assert read == written
    assert unwritten == 0


def test_a_bit_that_turned_shows(made, fresh_seed):
    written, read, _ = kept(made, fresh_seed, turn=fresh_seed % COUNT)
    assert {n for n in written if written[n] != read[n]} == {fresh_seed % COUNT}


def test_a_table_that_is_wrong_shows(made):
    """Of those that are inverted most; what they break may be a rule of the SDRAM's."""
    def shows(fault):
        try:
            written, read, _ = kept(made, 1, fault)
        except MemoryViolation:
            return True
        return read != written

    assert sum(shows(fault) for fault in range(1, FAULTS + 1)) > 1
