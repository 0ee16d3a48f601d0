"""The packets of SEND against the golden device's."""

import random
import struct

import pytest
from tritgrad.firmware.frames import RESULT, Frame
from tritgrad.hw.link.results import ResultSender
from tritgrad.model.config import CoreConfig

from .harness import get, simulate, stalls, wait


@pytest.mark.parametrize("classes", [1, 2, 10, 256])
def test_packets(classes):
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    config = CoreConfig(max_classes=max(2, classes), max_neurons=256)
    half = 1 << (config.score_bits - 1)
    results = [(rng.choice([0, (1 << 32) - 1, rng.randrange(1 << 32)]), rng.randrange(classes),
                [rng.choice([-half, half - 1, -1, 0, rng.randrange(-half, half)])
                 for _ in range(classes)]) for _ in range(3)]
    dut = ResultSender(config)
    found = []

    async def start(ctx):
        for index, prediction, scores in results:
            ctx.set(dut.index, index)
            ctx.set(dut.prediction, prediction)
            ctx.set(dut.classes, classes)
            ctx.set(dut.start, 1)
            await ctx.tick()
            ctx.set(dut.start, 0)
            ctx.set(dut.index, 0x55555555)
            ctx.set(dut.prediction, 1)
            ctx.set(dut.classes, 1)
            assert ctx.get(dut.busy)
            while ctx.get(dut.busy):
                number = ctx.get(dut.score_index)
                await ctx.tick()
                ctx.set(dut.score, scores[number])
            await wait(ctx, rng.randint(0, 3))

    async def receive(ctx):
        idle = stalls(rng, rng.choice([0, 4]))
        for _ in results:
            packet = bytearray()
            last = 0
            while not last:
                item = await get(ctx, dut.o, idle())
                packet.append(item.data)
                last = item.last
            found.append(bytes(packet))

    simulate(dut, start, receive)
    assert found == [
        Frame(RESULT, index & 0xFF, struct.pack(f"<IB{classes}i", index, prediction, *scores))
        .body()[:-4] for index, prediction, scores in results]
