"""Memories of words: block RAM, and SPRAM blocks put together."""

import random
from types import SimpleNamespace

import pytest
from amaranth import *
from amaranth.hdl import Fragment
from amaranth.lib.memory import Memory

from tritgrad.hw.memory.word_memory import WordMemory

from ..link.harness import simulate


def spram_block(kind, **ports):
    """SB_SPRAM256KA as Lattice's guide has it; after a write its output is nonsense."""
    assert kind == "SB_SPRAM256KA"
    constants = {"i_CHIPSELECT": 1, "i_STANDBY": 0, "i_SLEEP": 0, "i_POWEROFF": 1}
    assert {name: ports[name] for name in constants} == constants
    widths = {"i_ADDRESS": 14, "i_DATAIN": 16, "i_MASKWREN": 4, "o_DATAOUT": 16}
    assert {name: len(ports[name]) for name in widths} == widths
    m = Module()
    m.submodules.memory = memory = Memory(shape=16, depth=1 << 14, init=[])
    write, read = memory.write_port(granularity=4), memory.read_port()
    wrote = Signal()
    m.d.sync += wrote.eq(ports["i_WREN"])
    m.d.comb += [
        write.addr.eq(ports["i_ADDRESS"]),
        read.addr.eq(ports["i_ADDRESS"]),
        write.data.eq(ports["i_DATAIN"]),
        write.en.eq(Mux(ports["i_WREN"], ports["i_MASKWREN"], 0)),
        ports["o_DATAOUT"].eq(Mux(wrote, 0x5A5A, read.data)),
    ]
    return m


@pytest.mark.parametrize("width, depth, blocks", [
    (16, 16384, 1), (5, 100, 1), (48, 16384, 3), (24, 32768, 3), (12, 65536, 3), (18, 40000, 4)])
def test_words_in_spram(monkeypatch, width, depth, blocks):
    made = []

    def instance(kind, **ports):
        made.append(kind)
        return spram_block(kind, **ports)

    monkeypatch.setattr("tritgrad.hw.memory.word_memory.Instance", instance)
    dut = WordMemory(width, depth, single_port=True)
    fragment = Fragment.get(dut, SimpleNamespace(device="iCE40UP5K"))
    assert len(made) == blocks
    rng = random.Random(width)
    # Addresses that meet in one row of the blocks, and any others.
    near = [n for n in range(7, depth, 1 << 14)] + [0, depth - 1]
    known = {}

    async def testbench(ctx):
        for _ in range(2000):
            address = rng.choice(near) if rng.random() < 0.7 else rng.randrange(depth)
            write = address not in known or rng.random() < 0.4
            ctx.set(dut.write, write)
            # The port that is not used points anywhere.
            ctx.set(dut.address, rng.randrange(depth) if write else address)
            ctx.set(dut.write_address, address if write else rng.randrange(depth))
            value = rng.getrandbits(width)
            ctx.set(dut.write_data, value)
            await ctx.tick()
            if write:
                known[address] = value
            else:
                assert ctx.get(dut.word) == known[address]

    simulate(fragment, testbench)


def test_two_ports_are_block_ram_everywhere():
    dut = WordMemory(16, 64)
    fragment = Fragment.get(dut, SimpleNamespace(device="iCE40UP5K"))
    names = [name for _, name, _ in fragment.subfragments]
    assert names == ["memory"]
