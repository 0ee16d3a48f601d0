"""Words of each memory that the link may read and write, byte by byte."""

import struct

import pytest

from tritgrad.firmware.frames import Space
from tritgrad.hw.link.window import MemoryWindow
from tritgrad.model.config import CoreConfig
from tritgrad.units.registry import windows

from .harness import simulate

CONFIGS = {
    "row sums": CoreConfig(lanes=8, update_lanes=4, residual_depth=64, row_sums=True),
    "scales": CoreConfig(lanes=8, update_lanes=4, residual_depth=64, scales=True),
    "support": CoreConfig(lanes=8, update_lanes=4, residual_depth=64, support=True),
    "wide": CoreConfig(lanes=24, update_lanes=24, residual_depth=64),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_word_has_the_bytes_of_its_memory(name):
    config = CONFIGS[name]
    dut = MemoryWindow(config)
    sizes = {Space.T: config.trit_word_bytes, Space.R: config.residual_word_bytes}
    sizes |= {space: window.word_bytes(config) for space, window in windows(config).items()}

    async def testbench(ctx):
        for space, size in sizes.items():
            head = struct.pack("<BBHH", space, 0, 3, 1)
            ctx.set(dut.word, int.from_bytes(head, "little") << (len(dut.word) - 48))
            assert ctx.get(dut.within)
            for strobe in dut.open, dut.rewind:
                ctx.set(strobe, 1)
            await ctx.tick()
            for strobe in dut.open, dut.rewind:
                ctx.set(strobe, 0)
            assert ctx.get(dut.word_bytes) == size
            assert (ctx.get(dut.memory.space), ctx.get(dut.memory.address)) == (space, 3)
            ctx.set(dut.next_byte, 1)
            for n in range(2 * size):
                assert ctx.get(dut.word_ends) == (n % size == size - 1), (space, n)
                await ctx.tick()
            ctx.set(dut.next_byte, 0)

    simulate(dut, testbench)
