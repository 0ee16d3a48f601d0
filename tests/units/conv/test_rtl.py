"""The convolution in an engine, in lockstep with the reference machine."""

import random
from dataclasses import replace

import numpy as np
import pytest

from tritgrad.firmware.frames import Run, Space, pack_fields
from tritgrad.firmware.isa import Op, encode
from tritgrad.hw.engine import Engine
from tritgrad.hw.link.front import FrontRow
from tritgrad.hw.link.table import TableLoader
from tritgrad.model.config import CoreConfig
from tritgrad.model.front import convolution_of, front_fields, in_lanes
from tritgrad.model.layout import Layer, TableError, check_table, place
from tritgrad.model.machine import Sample
from tritgrad.units.conv import Sizes
from tritgrad.units.registry import LAYER_ROW

from ...hw.cases import random_counters
from ...hw.link.harness import simulate, stalls
from ...hw.lockstep import Inferring, Lockstep, front_record, record_of
from .harness import random_image, random_pixels, random_sizes


def random_core(rng: random.Random, sizes: Sizes | None = None,
                **forms) -> tuple[CoreConfig, Layer, list[Layer]]:
    """A core with a convolution, perhaps of given sizes, and a table that it takes."""
    sizes = sizes or random_sizes(rng)
    lanes = sizes.at_once * -(-sizes.columns // sizes.at_once)
    conv = random_image(rng, sizes)
    depth = rng.randint(1, 2)
    dense = [conv.outputs, *(rng.randint(1, 7) for _ in range(depth - 1)), rng.randint(2, 6)]
    bits = rng.randint(1, 3)
    config = CoreConfig(
        lanes=lanes, banks=rng.randint(1, 4),
        update_lanes=rng.choice([u for u in range(1, lanes + 1) if lanes % u == 0]),
        counter_bits=rng.randint(6, 10), activation_bits=bits,
        input_planes=max(sizes.planes, sizes.bits), max_layers=depth + rng.randint(0, 1),
        max_inputs=max(sizes.outputs, sizes.rows * sizes.channels * lanes),
        max_neurons=9, max_classes=9, trit_depth=2048, residual_depth=8192,
        hidden_depth=sizes.outputs + 8, program_depth=64,
        slot_bytes=128, conv_kernels=sizes.kernels, conv_rows=sizes.rows,
        conv_columns=sizes.columns, conv_kernel=sizes.kernel, conv_pool=sizes.pool,
        conv_planes=sizes.planes, conv_at_once=sizes.at_once, conv_bits=sizes.bits,
        conv_counter_bits=sizes.counter_bits, conv_channels=sizes.channels, **forms)
    front = Layer(**front_fields(config, conv))
    layers = [Layer(f, n, bits if number else sizes.bits, rng.randint(0, 3),
                    rng.randint(-4, config.counter_bits - 3))
              for number, (f, n) in enumerate(zip(dense, dense[1:], strict=False))]
    end = place(config, [*layers, Layer(0, 0, 0, 0, 0)])[-1]
    config = config.changed(trit_depth=end.trit_base, residual_depth=end.residual_base,
                            hidden_depth=end.input_base)
    check_table(config, [front, *layers])
    return config, front, layers


def random_samples(rng, config, front, layers, count):
    conv = convolution_of(config, front)
    images = np.array([random_pixels(rng, conv).ravel() for _ in range(count)])
    return [Sample(x, rng.randrange(layers[-1].outputs))
            for x in in_lanes(images, conv, config.lanes)]


def train(layers: int) -> list[int]:
    """A sample's instructions."""
    numbers = range(1, layers + 1)
    return [encode(Op.RECV), encode(Op.CONV), *(encode(Op.FWD, n) for n in numbers),
            encode(Op.ERR, 1 << 22), *(encode(Op.BWD, n) for n in reversed(numbers)),
            *(encode(Op.UPD, n) for n in numbers), encode(Op.KERNELS)]


def learning(layers: int, samples: int) -> list[int]:
    """A program that learns samples."""
    return [encode(Op.COUNT, samples), *train(layers), encode(Op.LOOP, 1), encode(Op.HALT)]


def random_program(rng, layers):
    """Samples that are learned, with instructions left out, repeated and added."""
    words = []
    for _ in range(rng.randint(1, 3)):
        for word in train(layers):
            words += [word] * rng.choice([0, 1, 1, 1, 1, 1, 1, 1, 1, 2])
            if rng.random() < 0.1:
                op = rng.choice([Op.CONV, Op.KERNELS, Op.BOOST])
                words.append(encode(op, rng.randrange(2) if op is Op.BOOST else 0))
    words = words[:50]
    return [encode(Op.COUNT, 2), *words, encode(Op.LOOP, 1), encode(Op.HALT)]


def lockstep(rng, sizes: Sizes | None = None, **forms) -> Lockstep:
    config, front, layers = random_core(rng, sizes, **forms)
    return lockstep_of(rng, config, front, layers, random_program(rng, len(layers)), 8)


def lockstep_of(rng, config, front, layers, program, samples, kind=Lockstep) -> Lockstep:
    """With random counters and images."""
    run = kind(config, layers, program, random_counters(rng, config, layers),
                   random_samples(rng, config, front, layers, samples),
                   prng=rng.randrange(1, 1 << 64), front=front)
    half = 1 << (config.conv_counter_bits - 1)
    kernels = run.machine.parts["conv"].counters
    kernels[:] = [rng.randrange(-half, half) for _ in kernels]
    return run


FORMS = [{}, {"single_port": True}, {"pipelined": True}]


@pytest.mark.parametrize("case", range(6))
def test_random_programs(case, fresh_seed):
    rng = random.Random(f"{fresh_seed} {case}")
    run = lockstep(rng, **FORMS[case % 3])
    run.pause = stalls(rng, rng.choice([0, 3, 60]))
    run.run(step=case < 3)


@pytest.mark.parametrize("case", range(2))
def test_blank_windows_that_are_skipped(case, fresh_seed):
    """By a unit that does, in programs of all kinds."""
    rng = random.Random(f"{fresh_seed} {case}")
    sizes = random_sizes(rng, kernel=2, pool=1, at_once=1, kernels=4, rows=6, columns=8)
    run = lockstep(rng, sizes, **FORMS[2 * case])
    run.run(step=False)


@pytest.mark.parametrize("case", range(3))
def test_a_core_that_only_infers(case, fresh_seed):
    """Kernels stay, and BOOST finds nothing to change."""
    rng = random.Random(f"{fresh_seed} {case}")
    config, front, layers = random_core(rng, trainable=False)
    kernels, boost = encode(Op.KERNELS), encode(Op.BOOST, 1)
    program = [encode(Op.COUNT, 3), encode(Op.RECV), kernels, encode(Op.CONV), kernels, boost,
               *(encode(Op.FWD, n) for n in range(1, len(layers) + 1)), encode(Op.LOOP, 1),
               encode(Op.HALT)]
    run = lockstep_of(rng, config, front, layers, program, 3, Inferring)
    run.pause = stalls(rng, rng.choice([0, 3, 60]))
    run.run(step=False)
    assert run.machine.run is Run.HALTED


def test_rows_in_front_are_checked_alike(fresh_seed):
    """By the loader of tables and by the golden model: what fits, and what is one off."""
    rng = random.Random(fresh_seed)
    config, front, layers = random_core(rng)
    image = config.conv_rows * config.conv_channels * config.lanes
    values = {"inputs": [front.inputs, image, image + 1, image - config.lanes, config.lanes, 1],
              "outputs": [front.outputs, front.outputs - 1, front.outputs + config.conv_at_once,
                          0, 2 * front.outputs],
              "skip": [front.skip, 0, 1, config.conv_columns, config.conv_columns + 1, 255],
              "planes": [front.planes, 0, config.conv_planes + 1],
              "shift": [15, 16], "gain": [-16, -15, 0, 1]}
    cases = [(replace(front, **{name: value}), layers)
             for name, found in values.items() for value in found]
    cases += [(front, [replace(layers[0], inputs=layers[0].inputs + 1), *layers[1:]]),
              (front, [replace(layers[0], planes=config.conv_bits + 1), *layers[1:]])]
    dut = TableLoader(config)

    async def testbench(ctx):
        for row, others in cases:
            try:
                check_table(config, [row, *others])
                fault = False
            except TableError:
                fault = True
            found, written = await load(ctx, dut, [row, *others])
            assert found == fault, (row, others)
            if not fault:
                places = place(config, others)
                expected = [record_of(config, layer, placed)
                            for layer, placed in zip(others, places, strict=True)]
                for found, record in zip(written[1:], expected, strict=True):
                    assert all(found[name] == record[name] for name in (
                        "words", "outputs", "trit_base", "residual_base", "input_base",
                        "output_base", "shift", "gain")), others
                kept = front_record(config, row)
                for name in "shift", "gain", "window_rows", "window_columns", "kernel_groups":
                    assert written[0][name] == kept[name], (name, row)

    simulate(dut, testbench)


def test_cycles_of_a_row_in_front(fresh_seed):
    config, front, _ = random_core(random.Random(fresh_seed))
    conv, dut = convolution_of(config, front), FrontRow(config)

    async def drive(ctx):
        for name, value in ("rows", conv.rows * conv.channels), ("columns", conv.columns), (
                "outputs", conv.outputs), ("start", 1):
            ctx.set(getattr(dut, name), value)
        cycles = sum(conv.windows) + conv.outputs // config.conv_at_once + 6
        cycles += conv.rows + 1 if conv.channels > 1 else 0
        for cycle in range(cycles + 1):
            *_, done = await ctx.tick().sample(dut.done)
            ctx.set(dut.start, 0)
            assert done == (cycle == cycles), cycle

    simulate(dut, drive)


async def load(ctx, dut, rows):
    """Have a table read; whether it was refused, and the records that were written."""
    data = b"".join(pack_fields(LAYER_ROW, **vars(row)) for row in rows)
    at, written = 0, []
    ctx.set(dut.rows, len(rows))
    ctx.set(dut.start, 1)
    while True:
        *_, rewind, take, write, record, done, fault = await ctx.tick().sample(
            dut.rewind, dut.take, dut.write, dut.record, dut.done, dut.fault)
        ctx.set(dut.start, 0)
        if write:
            written.append(record)
        if done:
            return bool(fault), written
        at = 0 if rewind else at + take
        ctx.set(dut.byte, data[at] if at < len(data) else 0)


@pytest.mark.parametrize("kernel, channels", [(2, 1), (1, 2), (3, 1)])
def test_the_link_reaches_counters_that_lie_side_by_side(kernel, channels, fresh_seed):
    """All of memory K is written in any order and read back; 4, 2 or 1 lie in a word."""
    rng = random.Random(fresh_seed)
    sizes = random_sizes(rng, kernel=kernel, channels=channels, pool=1)
    config, *_ = random_core(rng, sizes)
    dut, kept = Engine(config.changed(update_lanes=config.lanes)), {}
    depth, memory = config.conv_kernels * sizes.taps, dut.memory

    async def drive(ctx):
        ctx.set(memory.space, Space.K)
        for address in rng.sample(range(depth), depth):
            kept[address] = rng.randrange(1 << sizes.counter_bits)
            ctx.set(memory.address, address)
            ctx.set(memory.write_data, kept[address] << len(memory.write_data) - 16)
            ctx.set(memory.write, 1)
            await ctx.tick()
        ctx.set(memory.write, 0)
        for address in rng.sample(range(depth), depth):
            ctx.set(memory.address, address)
            await ctx.tick().repeat(4)
            found = ctx.get(memory.read_data) & (1 << sizes.counter_bits) - 1
            assert found == kept[address], address

    simulate(dut, drive)
