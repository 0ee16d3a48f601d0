"""The packets of SEND against the golden device's."""

import random
import struct

import pytest

from tritgrad.firmware.frames import RESULT, Frame
from tritgrad.hw.link.results import ResultSender
from tritgrad.model.config import CoreConfig

from .harness import get_packet, simulate, stalls, wait


@pytest.mark.parametrize("classes", [1, 2, 10, 256])
def test_packets(classes, fresh_seed):
    seed = fresh_seed
    rng = random.Random(seed)
    config = CoreConfig(max_classes=max(2, classes), max_neurons=256)
    half = 1 << (config.score_bits - 1)
    first = rng.choice([0, 0xFE, 0x12FFFF, (1 << 32) - 2, rng.randrange(1 << 32)])
    indices = [(first + n) % (1 << 32) for n in range(3)] + [0, 1]
    results = [(index, rng.randrange(classes),
                [rng.choice([-half, half - 1, -1, 0, rng.randrange(-half, half)])
                 for _ in range(classes)]) for index in indices]
    dut = ResultSender(config)
    found = []

    async def start(ctx):
        ctx.set(dut.index, first)
        for number, (_, prediction, scores) in enumerate(results):
            ctx.set(dut.clear, number == 3)
            await ctx.tick()
            ctx.set(dut.clear, 0)
            ctx.set(dut.prediction, prediction)
            ctx.set(dut.classes, classes)
            ctx.set(dut.start, 1)
            await ctx.tick()
            ctx.set(dut.start, 0)
            ctx.set(dut.classes, 1)
            assert ctx.get(dut.busy)
            while ctx.get(dut.busy):
                place = ctx.get(dut.score_index)
                await ctx.tick()
                ctx.set(dut.score, scores[place])
            await wait(ctx, rng.randint(0, 3))

    async def receive(ctx):
        idle = stalls(rng, rng.choice([0, 4]))
        for _ in results:
            found.append(await get_packet(ctx, dut.o, idle))

    simulate(dut, start, receive)
    assert found == [
        Frame(RESULT, index & 0xFF, struct.pack(f"<IB{classes}i", index, prediction, *scores))
        .body()[:-4] for index, prediction, scores in results]
