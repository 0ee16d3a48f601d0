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
    dut, payload = ProgramLoader(CONFIG), struct.pack(f"<{len(words)}I", *words)
    written, place, refused = {}, 0, None

    async def testbench(ctx):
        nonlocal place, refused
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
            ctx.set(dut.start, 0)
        assert ctx.get(dut.length) == (0 if refused else len(words))

    simulate(dut, testbench, limit=200)
    return refused, written


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
