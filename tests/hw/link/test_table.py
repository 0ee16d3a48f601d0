"""The table loader against `model.layout`: the same faults, the same places."""

import random
from dataclasses import replace

from tritgrad.firmware.frames import pack_fields
from tritgrad.hw.link.table import TableLoader
from tritgrad.model.config import MAX_SKIP, CoreConfig, ceil_div
from tritgrad.model.layout import Layer, TableError, check_table, place
from tritgrad.units.registry import LAYER_ROW

from ..lockstep import record_of
from .harness import simulate

IMAGES = ("image_rows", "image_columns", "record_inputs", "record_bytes")


def random_config(rng):
    lanes, rows = rng.randint(1, 12), rng.choice([1, 1, 2, 4])
    skip, images = rng.choice([(True, {}), (False, {}), (False, {
        "store": 1, "store_bits": 9, "store_shift": rng.randint(1, 7), "store_planes": 1,
        "store_rows": rng.choice([1, 3, 20]), "store_columns": rng.randint(1, lanes)})])
    return CoreConfig(
        lanes=lanes, banks=rows * rng.randint(1, 5), update_rows=rows,
        update_lanes=rng.choice([u for u in range(1, lanes + 1) if lanes % u == 0]),
        counter_bits=rng.randint(6, 14), activation_bits=rng.randint(1, 8),
        input_planes=rng.randint(1, 8), max_layers=rng.randint(1, 4),
        max_inputs=rng.choice([5, 40, 300]), max_neurons=rng.choice([12, 64, 300]),
        max_classes=rng.choice([2, 9, 12]), trit_depth=rng.choice([30, 256, 1000]),
        residual_depth=rng.choice([200, 1024, 5000]), hidden_depth=rng.choice([4, 16, 64]),
        slot_bytes=64, pipelined=rng.random() < 0.5, skip=skip and rows == 1, **images)


def random_layers(rng, config):
    """A table that is likely to be good."""
    depth = rng.randint(1, config.max_layers)
    small = rng.choice([6, 20, 1000])
    sizes = [rng.randint(1, min(small, config.max_inputs)),
             *(rng.randint(1, min(small, config.max_neurons)) for _ in range(depth - 1)),
             rng.randint(2, min(small, config.max_classes))]
    if config.skip and depth > 2:
        sizes[2] = sizes[1]
    columns, planes = 0, rng.randint(1, config.input_planes)
    if config.store_shift and rng.random() < 0.7:
        columns, planes = rng.randint(1, config.store_columns), rng.randint(1, config.store_planes)
        sizes[0] = max(1, min(sizes[0] // columns, config.store_rows)) * columns
    return [Layer(f, n, planes if not number else config.activation_bits, rng.randint(0, 31),
                  rng.randint(-15, config.counter_bits - 2),
                  rng.randrange(MAX_SKIP + 2)
                  if config.skip and f == n and 0 < number < depth - 1 else
                  0 if number else columns)
            for number, (f, n) in enumerate(zip(sizes, sizes[1:], strict=False))]


def spoil(rng, config, layers):
    """One field of one row becomes something else, often the nearest bad value."""
    number = rng.randrange(len(layers))
    row = layers[number]
    edges = {
        "inputs": [0, row.inputs - 1, row.inputs + 1, row.inputs ^ 256, config.max_inputs,
                   config.max_inputs + 1, 65535],
        "outputs": [0, 1, row.outputs - 1, row.outputs + 1, config.max_classes,
                    config.max_classes + 1, config.max_neurons, config.max_neurons + 1, 65535],
        "planes": [0, config.input_planes, config.input_planes + 1, config.activation_bits,
                   config.activation_bits + 1, row.planes | 128],
        "shift": [31, 32, 255],
        "gain": [-128, -16, -15, config.counter_bits - 2, config.counter_bits - 1, 127],
        "skip": [1, MAX_SKIP + 1, MAX_SKIP + 2, 128, config.store_columns,
                 config.store_columns + 1, row.skip + 1],
    }
    name = rng.choice(list(edges))
    return [*layers[:number], replace(row, **{name: max(rng.choice(edges[name]), -128)}),
            *layers[number + 1:]]


def random_rows(rng, config):
    """The bytes of a table, good or bad, and the layers of it if it is good."""
    layers = random_layers(rng, config)
    kind = rng.random()
    if kind < 0.4:
        layers = spoil(rng, config, layers)
    elif kind < 0.5:
        layers += random_layers(rng, config)
    elif kind < 0.55:
        layers = (layers * 7)[:7]
    layers = [replace(row, inputs=max(0, row.inputs), outputs=max(0, row.outputs))
              for row in layers][:7]
    data = b"".join(pack_fields(LAYER_ROW, **vars(row)) for row in layers)
    try:
        check_table(config, layers)
    except TableError:
        return data, None
    return data, layers


def run(config, tables):
    """Load tables one after the other: for each the fault, what was written, and the registers."""
    dut = TableLoader(config)
    found = []

    async def load(ctx):
        for data in tables:
            written = []
            ctx.set(dut.rows, len(data) // 8)
            ctx.set(dut.start, 1)
            at, done = 0, False
            while not done:
                ctx.set(dut.byte, data[at] if at < len(data) else 0xEE)
                take, rewind, done, fault, write, index, record = (
                    await ctx.tick().sample(dut.take, dut.rewind, dut.done, dut.fault, dut.write,
                                            dut.index, dut.record))[2:]
                ctx.set(dut.start, 0)
                at = 0 if rewind else at + take
                if write:
                    written.append((index, record))
            found.append((fault, written, [ctx.get(getattr(dut, name)) for name in (
                "layers", "inputs", "planes", "classes", "item_bytes",
                *(IMAGES if config.store_shift else ()))]))

    simulate(dut, load, limit=200_000)
    return found


def test_agrees_with_the_layout(fresh_seed):
    seed = fresh_seed
    rng = random.Random(seed)
    accepted = refused = 0
    for _ in range(12):
        config = random_config(rng)
        cases = [random_rows(rng, config) for _ in range(10)]
        registers = [0] * (9 if config.store_shift else 5)
        for (data, layers), (fault, written, after) in zip(
                cases, run(config, [data for data, _ in cases]), strict=True):
            assert fault == (layers is None), (config, data.hex())
            if layers is None:
                refused += 1
                assert written == []
            else:
                accepted += 1
                first, last = layers[0], layers[-1]
                registers = [len(layers), first.inputs, first.planes, last.outputs,
                             1 + first.planes * ceil_div(first.inputs, 8)]
                if config.store_shift:
                    rows = first.inputs // first.skip if first.skip else 0
                    inputs = rows * config.lanes if rows else first.inputs
                    registers += [rows, first.skip, inputs,
                                  1 + first.planes * ceil_div(inputs, 8)]
                assert written == [(n, record_of(config, row, placed)) for n, (row, placed) in
                                   enumerate(zip(layers, place(config, layers), strict=True))]
            assert after == registers
    assert accepted > 10 and refused > 10
