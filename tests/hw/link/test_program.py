"""The program loader alone: the first and the last operand that each instruction may have."""

import struct

import pytest

from tritgrad.firmware.isa import INSTRUCTIONS, Op, encode, operand_range
from tritgrad.hw.link.program import ProgramLoader
from tritgrad.model.config import CoreConfig
from tritgrad.units.registry import available

from .harness import simulate

CONFIG = CoreConfig(max_layers=3, program_depth=4, support=True)


def load(words):
    """Whether the loader refuses a program, and what it writes."""
    return timed(words)[:2]


def timed(words, config=CONFIG):
    """The same, and the cycles from its start to the strobe that ends it, both counted."""
    dut, payload = ProgramLoader(config), struct.pack(f"<{len(words)}I", *words)
    written, place, refused, cycles = {}, 0, None, 0

    async def testbench(ctx):
        nonlocal place, refused, cycles
        last = b"\0\0\0\0"
        ctx.set(dut.count, len(words))
        ctx.set(dut.start, 1)
        while refused is None:
            ctx.set(dut.word, int.from_bytes(last, "little"))
            if ctx.get(dut.write):
                written[ctx.get(dut.address)] = ctx.get(dut.data)
            if ctx.get(dut.gather):
                last = last[1:] + payload[place:place + 1]
            place = 0 if ctx.get(dut.rewind) else place + ctx.get(dut.gather)
            if ctx.get(dut.done):
                refused = bool(ctx.get(dut.fault))
            await ctx.tick()
            cycles += 1
            ctx.set(dut.start, 0)
        assert ctx.get(dut.length) == (0 if refused else len(words))

    simulate(dut, testbench, limit=200)
    return refused, written, cycles


@pytest.mark.parametrize("pipelined, cycles", [(False, 5), (True, 6)])
def test_a_pass_takes_so_many_cycles_a_word(pipelined, cycles):
    config, good = CONFIG.changed(pipelined=pipelined), encode(Op.RECV)
    for count in 1, 2, 4:
        words = [good] * count
        assert timed(words, config) == (False, dict(enumerate(words)), 1 + 2 * count * cycles)
        for bad in range(count):  # the first pass ends with it
            words = [255 << 24 if n == bad else good for n in range(count)]
            assert timed(words, config) == (True, {}, 1 + (bad + 1) * cycles)


@pytest.mark.parametrize("op", available(CONFIG), ids=lambda op: op.name)
def test_operands_at_both_ends(op):
    least, most = operand_range(INSTRUCTIONS[op].operand, length=2, layers=CONFIG.max_layers)
    for value in {least - 1, least, most, most + 1} & set(range(1 << 24)):
        words = [encode(Op.RECV), op << 24 | value]
        if least <= value <= most:
            assert load(words) == (False, dict(enumerate(words))), value
        else:
            assert load(words) == (True, {}), value


def test_an_unknown_instruction_and_one_word_too_many():
    assert load([encode(Op.RECV), 255 << 24]) == (True, {})
    assert load([Op.PROBE << 24]) == (True, {})
    assert load([encode(Op.RECV)] * 4)[0] is False
    assert load([encode(Op.RECV)] * 5) == (True, {})
