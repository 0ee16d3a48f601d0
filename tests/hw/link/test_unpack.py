"""The unpacker against the golden device's reading of a sample."""

import random

import numpy as np
import pytest

from tritgrad.firmware.wire import pack_sparse, unpack_sample
from tritgrad.hw.link.unpack import Unpacker
from tritgrad.model.config import CoreConfig, ceil_div
from tritgrad.model.layout import Layer
from tritgrad.model.machine import Sample

from ..lockstep import sample_words
from .harness import get, put, simulate, stalls, wait


def run(config, cases, rng, most=2):
    """Send samples (inputs, planes, bytes, label) in either form; the words of each."""
    dut = Unpacker(config)
    found = [[] for _ in cases]
    idle = stalls(rng, most)

    async def send(ctx):
        for (inputs, planes, data, label), words in zip(cases, found, strict=True):
            if sparse := rng.random() < 0.5:
                dense = np.frombuffer(data, np.uint8)[None]
                data = bytearray(pack_sparse(dense, planes)[0].tobytes())
            ctx.set(dut.sparse, sparse)
            ctx.set(dut.inputs, inputs)
            ctx.set(dut.planes, planes)
            ctx.set(dut.label, label)
            ctx.set(dut.start, 1)
            await ctx.tick()
            ctx.set(dut.start, 0)
            ctx.set(dut.label, 0xAA)
            for byte in data:
                await put(ctx, dut.i, byte, idle())
            while not words or not words[-1]["last"]:
                assert sparse or not ctx.get(dut.i.ready)
                await ctx.tick()

    async def receive(ctx):
        for words in found:
            while not words or not words[-1]["last"]:
                item = await get(ctx, dut.o, idle())
                words.append({name: int(getattr(item, name))
                              for name in ("planes", "label", "last")})
        await wait(ctx, 30)
        assert not ctx.get(dut.o.valid)

    simulate(dut, send, receive)
    return found


def expected(config, inputs, planes, data, label):
    sample = Sample(unpack_sample(data, inputs, planes), label)
    return [{name: int(value) for name, value in word.items()}
            for word in sample_words(config, Layer(inputs, 2, planes, 0, 0), sample)]


def random_case(rng, config):
    inputs = rng.choice([1, config.max_inputs, rng.randint(1, config.max_inputs)])
    planes = rng.randint(1, config.input_planes)
    share = rng.random()
    data = bytes(rng.choice([0, 255, rng.randrange(256)]) if rng.random() < share else 0
                 for _ in range(planes * ceil_div(inputs, 8)))
    return inputs, planes, data, rng.randrange(256)


@pytest.mark.parametrize("lanes", [1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 36])
@pytest.mark.parametrize("planes", [1, 3])
def test_samples_of_many_sizes(lanes, planes, fresh_seed):
    seed = fresh_seed
    rng = random.Random(seed)
    config = CoreConfig(lanes=lanes, update_lanes=lanes, input_planes=planes,
                        max_inputs=rng.choice([1, 5, 8, 40, 63]))
    cases = [random_case(rng, config) for _ in range(12)]
    found = run(config, cases, rng, most=rng.choice([0, 3]))
    assert found == [expected(config, *case) for case in cases]


def test_takes_a_byte_a_cycle():
    config = CoreConfig(lanes=16, update_lanes=16, input_planes=2, max_inputs=160)
    data = bytes(range(40))
    dut = Unpacker(config)

    async def send(ctx):
        ctx.set(dut.inputs, 160)
        ctx.set(dut.planes, 2)
        ctx.set(dut.start, 1)
        ctx.set(dut.o.ready, 1)
        await ctx.tick()
        ctx.set(dut.start, 0)
        ctx.set(dut.i.valid, 1)
        for byte in data:
            ctx.set(dut.i.p, byte)
            assert ctx.get(dut.i.ready)
            await ctx.tick()
        assert ctx.get(dut.o.valid) and ctx.get(dut.o.p.last)

    simulate(dut, send)


@pytest.mark.parametrize("share", [0, 0.4, 1])
def test_a_sparse_sample_takes_a_cycle_more_for_eight_groups(share):
    config = CoreConfig(lanes=16, update_lanes=16, input_planes=2, max_inputs=160)
    rng = random.Random(1)
    dense = np.array([[255 * (rng.random() < share)] * 2 for _ in range(20)], np.uint8)
    data, dut = iter(pack_sparse(dense.reshape(1, -1), 2)[0].tolist()), Unpacker(config)

    async def send(ctx):
        for name, value in ("inputs", 160), ("planes", 2), ("sparse", 1), ("start", 1):
            ctx.set(getattr(dut, name), value)
        ctx.set(dut.o.ready, 1)
        await ctx.tick()
        ctx.set(dut.start, 0)
        ctx.set(dut.i.valid, 1)
        for _ in range(3 + 40):
            assert not (ctx.get(dut.o.valid) and ctx.get(dut.o.p.last))
            if ctx.get(dut.i.ready):
                ctx.set(dut.i.p, next(data))
            await ctx.tick()
        assert ctx.get(dut.o.valid) and ctx.get(dut.o.p.last)

    simulate(dut, send)
