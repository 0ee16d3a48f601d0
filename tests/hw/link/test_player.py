"""What a walk through the records of a RAM costs beside the RAM's own time."""

import pytest

from tritgrad.hw.link.player import RamPlayer
from tritgrad.hw.store.ports import Task
from tritgrad.model.config import CoreConfig

from .harness import simulate

CONFIG = CoreConfig(lanes=4, banks=1, update_lanes=4, max_inputs=40, max_neurons=4, max_classes=4,
                    store=1, store_bits=9)


async def serve(ctx, port, words):
    """Records of so many words, the first one in the cycle after the start; idle at once."""
    ctx.set(port.idle, 1)
    ctx.set(port.ready, 1)
    while True:
        *_, started, task = await ctx.tick().sample(port.start, port.task)
        if not started:
            continue
        ctx.set(port.idle, 0)
        stream = port.raw if task == Task.RAW else port.o
        ctx.set(stream.valid, 1)
        for left in reversed(range(words)):
            ctx.set(stream.p.last, left == 0)
            ready = False
            while not ready:
                *_, ready = await ctx.tick().sample(stream.ready)
        ctx.set(stream.valid, 0)
        ctx.set(port.idle, 1)


def cycles(words, entries=0, run=0, wide=0, count=0):
    """Of PLAY, or of CHECK of `count` records, from its start until it is done."""
    dut, taken = RamPlayer(CONFIG), []

    async def memory(ctx):
        await serve(ctx, dut.store, words)

    async def drive(ctx):
        for name, value in {"run": run, "wide": wide, "count": count, "classes": 4}.items():
            ctx.set(getattr(dut, name), value)
        ctx.set(dut.o.ready, 1)
        ctx.set(dut.check if count else dut.play, 1)
        bytes_left, done = (2 + wide) * entries, False
        while not done:
            *_, done, take = await ctx.tick().sample(dut.done, dut.take)
            ctx.set(dut.play, 0)
            ctx.set(dut.check, 0)
            bytes_left -= take
            ctx.set(dut.at_end, bytes_left == 0)
            taken.append(done)

    simulate(dut, drive, background=[memory])
    return len(taken)


@pytest.mark.parametrize("wide, entry", [(0, 3), (1, 4)])
def test_cycles_of_play(wide, entry):
    for entries, run in (1, 1), (2, 1), (3, 2):
        assert cycles(5, entries, run, wide) == 1 + entries * (entry + run * (1 + 5))


def test_cycles_of_check():
    found = [cycles(words, count=count) for words, count in ((1, 1), (5, 1), (5, 3))]
    assert found == [2 + count * (1 + 2 * words) for words, count in ((1, 1), (5, 1), (5, 3))]


@pytest.mark.parametrize("after", range(2, 20, 3))
def test_an_image_that_nobody_takes_is_forgotten(after):
    """The program stops while one is under way: PLAY ends, and nothing is left of it."""
    images = CONFIG.changed(store_shift=1, store_rows=8, store_columns=4, store_planes=1)
    dut, left = RamPlayer(images), []

    async def memory(ctx):
        await serve(ctx, dut.store, 8)

    async def drive(ctx):
        for name, value in {"run": 1, "classes": 4, "rows": 8, "columns": 4, "inputs": 32,
                            "planes": 1, "play": 1}.items():
            ctx.set(getattr(dut, name), value)
        bytes_left, done, cycle = 4, False, 0
        while not done:
            ctx.set(dut.drop, cycle >= after)
            *_, done, take = await ctx.tick().sample(dut.done, dut.take)
            ctx.set(dut.play, 0)
            bytes_left, cycle = bytes_left - take, cycle + 1
            ctx.set(dut.at_end, bytes_left == 0)
        ctx.set(dut.drop, 0)
        await ctx.tick()
        left.append((ctx.get(dut.o.valid), ctx.get(dut.shifter.idle)))

    simulate(dut, drive, background=[memory], limit=500)
    assert left == [(0, 1)]
