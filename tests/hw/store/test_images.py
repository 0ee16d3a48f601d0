"""Images of a store, shifted and in the order of tiles, against `model.images`."""

import itertools
import random
from dataclasses import replace

import numpy as np
import pytest

from tests.hw.link.harness import get, put, simulate, stalls
from tests.hw.lockstep import sample_words
from tritgrad.hw.store.images import ImageShifter
from tritgrad.model.config import CoreConfig
from tritgrad.model.images import StoredImages, images_of
from tritgrad.model.layout import Layer, tile_order
from tritgrad.model.machine import Sample


def core(lanes, rows, columns, planes=1, shift=1, input_planes=None):
    return CoreConfig(
        lanes=lanes, banks=1, update_lanes=lanes, max_inputs=rows * columns, max_neurons=4,
        max_classes=4, input_planes=input_planes or planes, store=1, store_bits=9,
        store_shift=shift, store_rows=rows, store_columns=columns, store_planes=planes)


def random_core(rng):
    lanes = rng.choice([1, 2, 3, 4, 6, 7, 8, 12, 16, 18, 36])
    planes = rng.randint(1, 3)
    return core(lanes, rng.randint(1, 2 * lanes), rng.randint(1, lanes), planes,
                rng.randint(1, 7), rng.randint(planes, 4))


def words(config, x, label):
    """Of a sample (inputs,)."""
    layer = Layer(len(x), 2, config.input_planes, 0, 0)
    return [{name: int(value) for name, value in word.items()}
            for word in sample_words(config, layer, Sample(x.astype(int), label))]


def plain(word):
    """A word that came."""
    return {name: int(getattr(word, name)) for name in ("planes", "label", "last")}


def played(config, images, cases, idle=lambda: 0, pause=lambda: 0):
    """The words of each of `cases`: inputs of a record, label, dy, dx."""
    dut, found = ImageShifter(config), []

    async def give(ctx):
        ctx.set(dut.rows, images.rows)
        ctx.set(dut.columns, images.columns)
        await ctx.tick().repeat(2)
        for x, label, dy, dx in cases:
            ctx.set(dut.dy, dy)
            ctx.set(dut.dx, dx)
            for word in words(config, x, label):
                await put(ctx, dut.i, word, idle())

    async def take(ctx):
        for _ in cases:
            found.append([])
            while not found[-1] or not found[-1][-1]["last"]:
                found[-1].append(plain(await get(ctx, dut.o, pause())))
        while not ctx.get(dut.idle):  # rows that moved out of the image may be still to come
            await ctx.tick()

    simulate(dut, take, background=[give])
    return found


def random_images(rng, config):
    rows, columns = rng.randint(1, config.store_rows), rng.randint(1, config.store_columns)
    found = images_of(config, Layer(rows * columns, 4, config.store_planes, 0, 0, columns), False)
    assert found == StoredImages(rows, columns, config.lanes, True)
    return found


def random_cases(rng, config, images, count):
    """Records with bits where no pixel is, too."""
    most = config.store_shift
    for _ in range(count):
        share = rng.choice([0.2, 0.7, 1.0])
        x = np.array([rng.randrange(1 << config.store_planes) * (rng.random() < share)
                      for _ in range(images.inputs)])
        yield x, rng.randrange(256), rng.randint(-most, most), rng.randint(-most, most)


@pytest.mark.parametrize("most", [0, 4])
def test_what_is_played_is_the_models(fresh_seed, most):
    rng = random.Random(fresh_seed + most)
    for _ in range(8):
        config = random_core(rng)
        images = random_images(rng, config)
        cases = list(random_cases(rng, config, images, 4))
        found = played(config, images, cases, stalls(rng, most), stalls(rng, most))
        assert found == [words(config, images.shifted(x, dy, dx), label)
                         for x, label, dy, dx in cases]


def mirrored(config):
    return lambda images, x, dy, dx: images.shifted(x, -dy, -dx)


def turning(config):
    """What leaves the image comes in on the other side."""
    def shifted(images, x, dy, dx):
        pixels = x.reshape(images.rows, images.lanes).copy()
        pixels[:, :images.columns] = np.roll(pixels[:, :images.columns], (dy, dx), (0, 1))
        return images.shifted(pixels.reshape(-1), 0, 0)
    return shifted


def sideways(config):
    """Tiles go column by column over the image."""
    def shifted(images, x, dy, dx):
        rows = replace(images, tiled=False).shifted(x, dy, dx).reshape(images.rows, -1)
        pixels = rows[:, :images.columns]
        other = replace(images, rows=images.columns, columns=images.rows)
        return pixels.T.reshape(-1)[tile_order((other.rows, other.columns), images.lanes)]
    return shifted


@pytest.mark.parametrize("wrong", [mirrored, turning, sideways])
def test_a_fault_would_be_seen(wrong):
    """Under a fixed seed each of these differs from what is played."""
    rng = random.Random(1)
    config = core(12, 9, 7, planes=2, shift=2)
    images = StoredImages(9, 7, 12, True)
    cases = [(x, label, 1, -2) for x, label, *_ in random_cases(rng, config, images, 3)]
    shifted = wrong(config)
    assert played(config, images, cases) != [
        words(config, shifted(images, x, dy, dx), label) for x, label, dy, dx in cases]


@pytest.mark.parametrize("height", [7, 2])
def test_an_image_that_is_forgotten(height):
    """With rows and tiles under way: the next one, so high, is as if it had never been."""
    config = core(6, 7, 5, shift=1)
    images = StoredImages(height, 5, 6, True)
    dut, lost, found, wholes = ImageShifter(config), np.ones(7 * 6, int), [], []
    x, label, dy, dx = next(random_cases(random.Random(2), config, images, 1))

    async def give(ctx):
        ctx.set(dut.columns, 5)
        for rows, pause in itertools.product(range(1, 8), range(1, 8)):
            for name, value in ("rows", 7), ("dy", 0), ("dx", 0):
                ctx.set(getattr(dut, name), value)
            for word in words(config, lost, 0)[:rows]:
                await put(ctx, dut.i, word | {"last": 0}, 0)
            await ctx.tick().repeat(pause)
            ctx.set(dut.clear, 1)
            await ctx.tick()
            ctx.set(dut.clear, 0)
            assert ctx.get(dut.idle)
            for name, value in ("rows", height), ("dy", dy), ("dx", dx):
                ctx.set(getattr(dut, name), value)
            found.clear()
            for word in words(config, x, label):
                await put(ctx, dut.i, word, 0)
            while not ctx.get(dut.idle):
                await ctx.tick()
            await ctx.tick()  # `take` has the last word
            wholes.append([*found])

    async def take(ctx):
        ctx.set(dut.o.ready, 1)
        while True:
            *_, word, valid = await ctx.tick().sample(dut.o.payload, dut.o.valid & ~dut.clear)
            if valid:
                found.append(plain(word))

    simulate(dut, give, background=[take])
    assert wholes == [words(config, images.shifted(x, dy, dx), label)] * 49


@pytest.mark.parametrize("dy, pauses, cycles", [
    (0, (0,), 54), (1, (0,), 54), (-1, (0,), 54), (0, (2, 1, 1, 1), 76), (1, (2, 1, 1, 1), 76),
    (-1, (2, 1, 1, 1), 75)])
def test_cycles(dy, pauses, cycles):
    """MNIST's image at a bit with 36 lanes, its rows there at once, or four in nine cycles as the
    words of a record come."""
    pause = itertools.cycle(pauses)
    config = core(36, 28, 28)
    dut, found = ImageShifter(config), []
    x = np.ones(28 * 36, int)

    async def give(ctx):
        ctx.set(dut.rows, 28)
        ctx.set(dut.columns, 28)
        ctx.set(dut.dy, dy)
        await ctx.tick().repeat(2)
        for _ in range(3):
            for word in words(config, x, 1):
                await put(ctx, dut.i, word, next(pause))

    async def take(ctx):
        ctx.set(dut.o.ready, 1)
        cycle = 0
        while len(found) < 3:
            *_, item, valid = await ctx.tick().sample(dut.o.payload, dut.o.valid)
            cycle += 1
            if valid and item.last:
                found.append(cycle)

    simulate(dut, take, background=[give])
    assert found[2] - found[1] == cycles
