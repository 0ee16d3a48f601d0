"""Cycles of the unit that counts the rows of images, and what it finds."""

import random

from tritgrad.hw.link.image_row import ImageRow
from tritgrad.model.config import CoreConfig, ceil_div

from .harness import simulate

CONFIG = CoreConfig(lanes=8, banks=1, update_lanes=8, max_inputs=60, max_neurons=8, max_classes=4,
                    input_planes=4, store=1, store_bits=9, store_shift=2, store_rows=9,
                    store_columns=7, store_planes=3)


def counted(cases):
    """What the unit says of (inputs, columns, planes), and in how many cycles from its start."""
    dut, found = ImageRow(CONFIG), []

    async def testbench(ctx):
        for inputs, columns, planes in cases:
            for name, value in {"inputs": inputs, "columns": columns, "planes": planes,
                                "start": 1}.items():
                ctx.set(getattr(dut, name), value)
            cycles, idle = 1, False
            await ctx.tick()
            ctx.set(dut.start, 0)
            while not idle:
                *_, idle = await ctx.tick().sample(dut.idle)
                cycles += not idle
            found.append((cycles, ctx.get(dut.fault), ctx.get(dut.rows),
                          ctx.get(dut.record_inputs), ctx.get(dut.record_bytes)))

    simulate(dut, testbench, limit=10_000)
    return found


def test_rows_of_images(fresh_seed):
    rng = random.Random(fresh_seed)
    sizes = [(rows, columns, planes) for rows in (1, rng.randint(2, 8), 9)
             for columns in (1, rng.randint(2, 5), 6) for planes in (1, rng.randint(1, 3))
             if rows * columns <= CONFIG.max_inputs]
    found = counted([(rows * columns, columns, planes) for rows, columns, planes in sizes])
    for (rows, _columns, planes), (cycles, *rest) in zip(sizes, found, strict=True):
        pixels = rows * CONFIG.lanes
        assert rest == [0, rows, pixels, 1 + planes * ceil_div(pixels, 8)]
        assert cycles == rows + ceil_div(pixels, 8) + 2


def test_a_row_without_images(fresh_seed):
    rng = random.Random(fresh_seed)
    sizes = [(inputs, rng.randint(1, 4)) for inputs in (1, 8, 9, rng.randint(1, 60), 60)]
    found = counted([(inputs, 0, planes) for inputs, planes in sizes])
    for (inputs, planes), (cycles, *rest) in zip(sizes, found, strict=True):
        assert rest == [0, 0, inputs, 1 + planes * ceil_div(inputs, 8)]
        assert cycles == ceil_div(inputs, 8) + 1


def test_images_that_the_core_cannot_have():
    columns, planes, odd, high = counted([(16, 8, 1), (14, 7, 4), (15, 7, 3), (60, 6, 3)])
    assert columns[1] and planes[1]
    # An input that is left over is known behind the last whole row; a row too many at that row.
    assert odd[:2] == (1 + 2 + 1, 1)
    assert high[:2] == (1 + 9 + 1, 1)
