"""The harness steps a memory's model at the pins of a top."""

import random
from dataclasses import replace

import pytest
from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from tritgrad.hw.store.flash import FLASH_PINS, FlashStore
from tritgrad.hw.store.hyper import HYPER_PINS, HyperController, HyperTiming
from tritgrad.hw.store.sdram import SDRAM_PINS, SdramController, SdramTiming
from tritgrad.sim.compiled import CompiledCore
from tritgrad.sim.memories import (
    FLASHES,
    HYPERS,
    SDRAMS,
    Hypers,
    MemoryViolation,
    Sdram,
    SerialFlash,
)

CLOCK_HZ = 65e6
WORDS = 8


def pins(unit, prefix, members):
    """The pins of a unit as members of a top, and how they are joined."""
    def join(m, top):
        for name, member in members.items():
            ours, theirs = getattr(top, f"{prefix}_{name}"), getattr(unit, name)
            m.d.comb += ours.eq(theirs) if member.flow is Out else theirs.eq(ours)

    return {f"{prefix}_{name}": member for name, member in members.items()}, join


class KeepsBytes(wiring.Component):
    """Writes eight bytes to an SDRAM or to two PSRAMs, across the end of a row or of a burst, then
    gives them back."""

    def __init__(self, kind="sdram"):
        if kind == "sdram":
            self.unit = SdramController(SdramTiming(CLOCK_HZ))
            members, self.join = pins(self.unit, "sdram", SDRAM_PINS)
        else:
            self.unit = HyperController(HyperTiming(CLOCK_HZ))
            members, self.join = pins(self.unit, "hyper", HYPER_PINS)
        super().__init__({"i": In(stream.Signature(8)), "o": Out(stream.Signature(8)), **members})

    def elaborate(self, platform):
        m = Module()
        m.submodules.unit = unit = self.unit
        self.join(m, self)
        written, count = Signal(), Signal(range(WORDS))
        m.d.comb += [unit.words.eq(WORDS), unit.address.eq(512 - 3), unit.write.eq(~written),
                     unit.i.p.eq(Cat(self.i.p, ~self.i.p)), self.o.p.eq(unit.o.p)]
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += unit.start.eq(unit.idle & unit.ready)
                with m.If(unit.start):
                    m.next = "MOVE"
            with m.State("MOVE"):
                m.d.comb += [unit.i.valid.eq(self.i.valid & ~written),
                             self.i.ready.eq(unit.i.ready & ~written),
                             self.o.valid.eq(unit.o.valid), unit.o.ready.eq(self.o.ready)]
                with m.If((self.i.valid & self.i.ready) | (self.o.valid & self.o.ready)):
                    m.d.sync += count.eq(count + 1)
                    with m.If(count == WORDS - 1):
                        m.d.sync += [count.eq(0), written.eq(~written)]
                        m.next = "IDLE"
        return m


class ReadsBytes(wiring.Component):
    """For each byte that it is given, the byte at that page of a flash."""

    def __init__(self, lines=1):
        self.unit = FlashStore(CLOCK_HZ, lines)
        members, self.join = pins(self.unit, "flash", FLASH_PINS[lines])
        super().__init__({"i": In(stream.Signature(8)), "o": Out(stream.Signature(8)), **members})

    def elaborate(self, platform):
        m = Module()
        m.submodules.unit = unit = self.unit
        self.join(m, self)
        connect(m, unit.port.o, flipped(self.o))
        m.d.comb += [unit.port.address.eq(self.i.p << 8), unit.port.start.eq(self.i.valid),
                     self.i.ready.eq(unit.port.idle),
                     unit.port.stop.eq(self.o.valid & self.o.ready)]
        return m


def exchange(core, data, count):
    out = b""
    while len(out) < count:
        taken, some = core.run(data, 100_000, stop_at_frame=False)
        data, out = data[taken:], out + some
    return out


def test_an_sdram(fresh_seed):
    rng = random.Random(fresh_seed)
    memory = Sdram(SDRAMS["32M"], seed=1)
    with CompiledCore(KeepsBytes, "keeps bytes", memory=memory, clock_hz=CLOCK_HZ) as core:
        core.stall(fresh_seed, 0.3, 0.3)
        for _ in range(4):
            data = rng.randbytes(WORDS)
            assert exchange(core, data, WORDS) == data
    assert memory.refreshes > 100
    memory.close()


def test_two_psrams(fresh_seed):
    rng = random.Random(fresh_seed)
    memory = Hypers(seed=1)
    with CompiledCore(lambda: KeepsBytes("hyper"), "keeps bytes in psrams", memory=memory,
                      clock_hz=CLOCK_HZ) as core:
        core.stall(fresh_seed, 0.3, 0.3)
        for _ in range(4):
            data = rng.randbytes(WORDS)
            assert exchange(core, data, WORDS) == data
        low, high = memory.halves
        assert bytes(low[509:517]) == data and bytes(~high[509:517]) == data
    memory.close()
    slow = Hypers(replace(HYPERS["W955D8MBYA"], access=400_000), seed=1)
    with CompiledCore(lambda: KeepsBytes("hyper"), "keeps bytes in psrams", memory=slow,
                      clock_hz=CLOCK_HZ) as core:
        with pytest.raises(MemoryViolation, match="PSRAM at .* access time"):
            core.run(bytes(WORDS), 1_000_000, stop_at_frame=False)
    slow.close()


def test_a_rule_that_is_broken_stops_the_run():
    """The part is slower than what the controller allows for."""
    memory = Sdram(replace(SDRAMS["32M"], rcd=40_000), seed=1)
    with CompiledCore(KeepsBytes, "keeps bytes", memory=memory, clock_hz=CLOCK_HZ) as core:
        with pytest.raises(MemoryViolation, match="tRCD"):
            core.run(bytes(WORDS), 1_000_000, stop_at_frame=False)
        assert core.cycles < 100_000
    memory.close()


@pytest.mark.parametrize("lines", [1, 2])
def test_a_flash(fresh_seed, lines):
    rng = random.Random(fresh_seed)
    memory = SerialFlash(FLASHES["W25Q64"], seed=2, asleep=True)
    with CompiledCore(lambda: ReadsBytes(lines), f"reads bytes by {lines}", memory=memory,
                      clock_hz=CLOCK_HZ) as core:
        pages = rng.randbytes(20)
        assert exchange(core, pages, 20) == bytes(memory.cells[page << 8] for page in pages)
    memory.close()
