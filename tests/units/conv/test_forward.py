"""Windows, sums, places and outputs are those of the golden model, in its order."""

import random
from dataclasses import replace

import numpy as np
import pytest
from amaranth import Module
from amaranth.lib import wiring

from tritgrad.model.convolution.kernels import ConvKernels
from tritgrad.model.convolution.shape import Convolution
from tritgrad.units.conv import Sizes
from tritgrad.units.conv.forward import Forward
from tritgrad.units.conv.walk import WindowWalk

from ...hw.link.harness import simulate, wait
from .harness import codes, pixel_bits, random_image, random_kernels, random_pixels, random_sizes


class Pair(wiring.Component):
    """Walk and forward pass joined; image and trits are the test's."""

    def __init__(self, sizes):
        super().__init__({})
        self.walk, self.forward = WindowWalk(sizes), Forward(sizes)

    def elaborate(self, platform):
        m = Module()
        m.submodules.walk, m.submodules.forward = walk, forward = self.walk, self.forward
        m.d.comb += [forward.window.eq(walk.window), forward.valid.eq(walk.valid),
                     forward.last.eq(walk.last), walk.take.eq(forward.take)]
        if forward.sizes.skips:
            m.d.comb += forward.blank.eq(walk.blank)
        return m


def serve(dut, image, kernels):
    """Image rows and groups of trits, a cycle after their addresses."""
    async def memories(ctx):
        while True:
            *_, row, group = await ctx.tick().sample(dut.walk.address, dut.forward.group)
            ctx.set(dut.walk.pixels, image[row] if row < len(image) else 0)
            ctx.set(dut.forward.trits, kernels[group] if group < len(kernels) else [])
    return memories


async def set_up(ctx, dut, conv):
    rows, columns = conv.windows
    ctx.set(dut.walk.rows, rows)
    ctx.set(dut.walk.columns, columns)
    ctx.set(dut.forward.groups, conv.kernels // dut.forward.sizes.at_once)
    ctx.set(dut.forward.shift, conv.shift)


async def strobe(ctx, *signals):
    for signal in signals:
        ctx.set(signal, 1)
    await ctx.tick()
    for signal in signals:
        ctx.set(signal, 0)


async def outputs(ctx, forward):
    """What comes until all is done, and after how many cycles."""
    found, cycles, ended = [], 0, False
    while ctx.get(forward.busy):
        if ctx.get(forward.o_valid):
            assert not ended
            ended = ctx.get(forward.o_last)
            sizes, all_alike = forward.sizes, forward.sizes.skips and ctx.get(forward.o_all)
            found += [(ctx.get(forward.h[q]), ctx.get(forward.gate) >> q & 1,
                       ctx.get(forward.place[q])) for q in range(sizes.at_once)
                      ] * (sizes.groups if all_alike else 1)
        await ctx.tick()
        cycles += 1
    assert ended
    return found, cycles


def expected(kernels: ConvKernels, image: np.ndarray):
    """Outputs, gate bits and places by the golden model; places are searched for."""
    conv = kernels.conv
    features = kernels.forward(image.ravel())
    rows, columns = conv.windows
    seen = kernels._seen(image.ravel())
    places = np.argmax(seen @ kernels.trits().T, axis=2)  # column, row, kernel
    return list(zip(features.h.tolist(), features.gates.astype(int).tolist(),
                    places.ravel().tolist(), strict=True))


def grouped(kernels, at_once):
    """Trits by groups of Q kernels."""
    words = codes(kernels.counters, kernels.conv.counter_bits)
    return [words[n:n + at_once] for n in range(0, len(words), at_once)]


def compare(sizes: Sizes, cases: list[tuple[Convolution, ConvKernels, np.ndarray]],
            stop: int = 0) -> list[int]:
    """Run images one behind the other on one circuit; cycles of each."""
    dut, taken = Pair(sizes), []
    image, trits = [], []

    async def drive(ctx):
        for conv, kernels, pixels in cases:
            image[:] = pixel_bits(sizes, pixels)
            trits[:] = grouped(kernels, sizes.at_once)
            await set_up(ctx, dut, conv)
            if stop:  # an image that is given up leaves nothing behind
                await strobe(ctx, dut.walk.start, dut.forward.start)
                await wait(ctx, stop)
                await strobe(ctx, dut.walk.stop, dut.forward.stop)
                assert not ctx.get(dut.forward.busy)
            await strobe(ctx, dut.walk.start, dut.forward.start)
            found, cycles = await outputs(ctx, dut.forward)
            assert found == expected(kernels, pixels)
            taken.append(cycles)

    simulate(dut, drive, background=[serve(dut, image, trits)])
    return taken


@pytest.mark.parametrize("case", range(5))
def test_outputs_are_the_golden_model_s(case, fresh_seed):
    rng = random.Random(f"{fresh_seed} {case}")
    sizes = random_sizes(rng)
    cases = []
    for _ in range(5):
        conv = random_image(rng, sizes)
        cases.append((conv, random_kernels(rng, conv), random_pixels(rng, conv)))
    compare(sizes, cases, stop=rng.choice([0, rng.randint(1, 60)]))


@pytest.mark.parametrize("kernel", [4, 6, 7])
def test_larger_kernels(kernel, fresh_seed):
    rng = random.Random(f"{fresh_seed} {kernel}")
    sizes = random_sizes(rng, kernel=kernel, pool=rng.randint(1, 2), at_once=1, kernels=2,
                         channels=rng.randint(1, 2))
    cases = []
    for _ in range(3):
        conv = random_image(rng, sizes)
        cases.append((conv, random_kernels(rng, conv), random_pixels(rng, conv)))
    compare(sizes, cases)


def test_blank_windows_that_are_skipped(fresh_seed):
    """In images of a few pixels; not by a unit with more kernels than are in use."""
    rng = random.Random(fresh_seed)
    sizes = random_sizes(rng, kernel=2, pool=rng.randint(1, 2), at_once=rng.choice([1, 2]),
                         rows=9, columns=9, channels=rng.randint(1, 2))
    groups = sizes.pool + 2 + rng.randint(1, 3)
    sizes = replace(sizes, kernels=sizes.at_once * groups, lanes=sizes.at_once * groups * 2)
    assert sizes.skips
    cases = []
    for kernels in sizes.kernels, sizes.kernels, sizes.kernels - sizes.at_once:
        conv = replace(random_image(rng, sizes), kernels=kernels)
        pixels = np.zeros((conv.channels, conv.rows, conv.columns), np.int64)
        for _ in range(rng.randint(0, 3)):
            pixels[rng.randrange(conv.channels), rng.randrange(conv.rows),
                   rng.randrange(conv.columns)] = rng.randrange(1 << conv.planes)
        cases.append((conv, random_kernels(rng, conv), pixels))
    compare(sizes, cases)


@pytest.mark.parametrize("kernels, lit, cycles", [(4, 28, 366), (6, 28, 424), (6, 14, 398)])
def test_cycles_of_an_image_of_28_x_28(kernels, lit, cycles):
    """Of which the first `lit` columns are not blank, so that windows are not that begin there."""
    sizes = Sizes(lanes=36, rows=28, columns=28, kernel=5, pool=3, planes=2, kernels=kernels,
                  at_once=1, bits=2, counter_bits=12)
    conv, pixels = Convolution(28, 28, kernels, 5), np.zeros((28, 28), np.int64)
    pixels[:, :lit] = 1
    kernels = random_kernels(random.Random(kernels), conv)
    assert compare(sizes, [(conv, kernels, pixels)]) == [cycles]
