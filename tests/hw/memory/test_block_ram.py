"""The block RAM: its words, and that synthesis makes nothing but blocks of it."""

import random

import pytest

from tritgrad.hw.memory.block_ram import BlockRam

from ..link.harness import simulate
from ..test_netlist import yosys


@pytest.mark.parametrize("bits, depth", [(1, 2), (9, 16), (43, 300)])
def test_words_are_kept_and_held(bits, depth, fresh_seed):
    seed = fresh_seed
    rng = random.Random(seed)
    first = [rng.randrange(1 << bits) for _ in range(depth // 2)]
    dut = BlockRam(bits, depth, first)
    words = first + [0] * (depth - len(first))

    async def testbench(ctx):
        held = None
        for _ in range(500):
            address, target, data = (rng.randrange(depth), rng.randrange(depth),
                                     rng.randrange(1 << bits))
            enable, write = rng.randrange(2), rng.randrange(2) and target != address
            for name, value in {"address": address, "enable": enable, "write": write,
                                "write_address": target, "write_data": data}.items():
                ctx.set(getattr(dut, name), value)
            await ctx.tick()
            if enable:
                held = words[address]
            if write:
                words[target] = data
            assert held is None or ctx.get(dut.word) == held

    simulate(dut, testbench)


@pytest.mark.parametrize("synth, block", [("synth_ice40", "SB_RAM40_4K"),
                                          ("synth_ecp5", "DP16KD")])
def test_nothing_is_built_around_the_blocks(tmp_path, synth, block):
    assert yosys(tmp_path, BlockRam(43, 256), f"{synth} -top top; select -assert-min 1 t:{block}; "
                 "select -assert-max 1 t:SB_LUT4 t:LUT4; select -assert-none t:*FF*") == ""
