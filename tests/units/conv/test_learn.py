"""Errors move counters, trits and the PRNG as the golden model says."""

import random

import numpy as np
import pytest
from amaranth import Module, Mux, Signal
from amaranth.lib import wiring

from tritgrad.hw.parts.arith import popcount
from tritgrad.hw.parts.prng import XorShift64
from tritgrad.model.convolution.shape import Convolution
from tritgrad.model.rng import XorShift64 as Prng
from tritgrad.units.conv import Sizes
from tritgrad.units.conv.gather import ErrorWords, KernelSums
from tritgrad.units.conv.kernels import KernelStore, pass_members
from tritgrad.units.conv.learn import KernelSteps
from tritgrad.units.conv.walk import WindowWalk

from ...hw.link.harness import simulate
from .harness import codes, pixel_bits, random_image, random_kernels, random_pixels, random_sizes
from .test_forward import expected, strobe


class Learner(wiring.Component):
    """Sums, steps, walk, kernels and generator joined; image, errors and places are the test's."""

    def __init__(self, sizes, update_lanes):
        super().__init__({})
        self.steps, self.walk = KernelSteps(sizes), WindowWalk(sizes)
        self.gather = KernelSums(sizes, update_lanes)
        self.words = ErrorWords(self.gather.words, 2 * update_lanes, 1 << 16)
        self.store, self.random = KernelStore(sizes), XorShift64()
        self.flips = Signal(16)
        self.summed = Signal()

    def elaborate(self, platform):
        m = Module()
        m.submodules.steps, m.submodules.walk = steps, walk = self.steps, self.walk
        m.submodules.store, m.submodules.random = store, generator = self.store, self.random
        m.submodules.gather, m.submodules.words = gather, words = self.gather, self.words
        m.d.comb += [
            gather.window.eq(walk.window), gather.valid.eq(walk.valid), gather.last.eq(walk.last),
            gather.groups.eq(steps.groups), walk.take.eq(gather.take),
            walk.start.eq(gather.start), words.address.eq(gather.error_address),
            gather.error_there.eq(words.there), gather.error_word.eq(words.word),
            gather.read_kernel.eq(steps.read_kernel), steps.sums.eq(gather.sums),
            steps.found.eq(gather.found), steps.summed.eq(self.summed),
            generator.i_draw.eq(steps.draw),
            steps.dither.eq(generator.o_draw), steps.counters.eq(store.counters),
            *(getattr(store, name).eq(getattr(steps, name)) for name in pass_members(steps.sizes)),
        ]
        m.d.sync += self.flips.eq(Mux(steps.start, 0, self.flips + popcount(steps.flips)))
        with m.If(gather.done):
            m.d.sync += self.summed.eq(1)
        with m.If(gather.start):
            m.d.sync += self.summed.eq(0)
        return m


def serve(dut, memories):
    """Words of the test's memories, a cycle after their addresses."""
    ports = {"image": (dut.walk.address, dut.walk.pixels),
             "places": (dut.gather.place_address, dut.gather.place_word)}

    async def serving(ctx):
        while True:
            *_, _a, _b = read = await ctx.tick().sample(*(a for a, _ in ports.values()))
            for (name, (_, word)), address in zip(ports.items(), read[-2:], strict=True):
                words = memories[name]
                ctx.set(word, words[address] if address < len(words) else 0)
    return serving


def write(dut, memories, pause):
    """The words of errors, once they are to come, each after so many cycles; then `ended`."""
    words = dut.words

    async def writing(ctx):
        while True:
            begin = 0
            while not begin:
                *_, begin = await ctx.tick().sample(words.begin)
            for n, word in enumerate(memories["errors"]):
                for _ in range(pause()):
                    await ctx.tick()
                ctx.set(words.write, 1)
                ctx.set(words.write_address, n)
                ctx.set(words.write_data, word)
                await ctx.tick()
                ctx.set(words.write, 0)
            ctx.set(words.ended, 1)
            await ctx.tick()
            ctx.set(words.ended, 0)
    return writing


def packed(values, bits, items):
    """Words of so many items each."""
    return [sum((int(v) & (1 << bits) - 1) << n * bits for n, v in enumerate(values[i:i + items]))
            for i in range(0, len(values), items)]


def compare(sizes, update_lanes, cases, seed, pause=lambda: 0, early=lambda: 0):
    """Cases are kernels, pixels, error trits; kernels go on from one to the next of their kind.

    Errors are written each after so many cycles of `pause`; steps begin `early` cycles after the
    sums, or before them. Returned are the cycles of sums and steps together, and of the steps.
    """
    dut, prng = Learner(sizes, update_lanes), Prng(seed)
    memories, cycles = {"image": [], "errors": [], "places": []}, []

    async def drive(ctx):
        ctx.set(dut.random.i_load, 1)
        ctx.set(dut.random.i_state, prng.state)
        await ctx.tick()
        ctx.set(dut.random.i_load, 0)
        for kernels, pixels, errors in cases:
            conv = kernels.conv
            places = [place for _, _, place in expected(kernels, pixels)]
            memories["image"] = pixel_bits(sizes, pixels)
            memories["errors"] = packed(errors, 2, update_lanes)
            memories["places"] = packed(places, sizes.place_bits, sizes.at_once)
            for n, word in enumerate(dut.store.data):
                value = kernels.counters.ravel()[n] if n < kernels.counters.size else 0
                ctx.set(word, int(value) & (1 << sizes.counter_bits) - 1)
            rows, columns = conv.windows
            ctx.set(dut.walk.rows, rows)
            ctx.set(dut.walk.columns, columns)
            ctx.set(dut.steps.groups, conv.kernels // sizes.at_once)
            ctx.set(dut.steps.right, -conv.gain)
            await strobe(ctx, dut.steps.rebuild)
            await ended(ctx, dut.steps.busy)
            check(ctx, kernels)
            flips = kernels.update(np.array(errors),
                                   kernels.forward(pixels.ravel()).patches, prng)
            await strobe(ctx, dut.words.begin, dut.gather.start)
            spent = 1
            for _ in range(early()):
                await ctx.tick()
                spent += 1
            await strobe(ctx, dut.steps.start)
            steps = await ended(ctx, dut.steps.busy)
            check(ctx, kernels)
            assert ctx.get(dut.random.o_state) == prng.state
            assert ctx.get(dut.flips) == flips
            cycles.append((spent + steps, steps))

    async def ended(ctx, busy):
        spent = 0
        while ctx.get(busy):
            await ctx.tick()
            spent += 1
        await ctx.tick()
        return spent

    def check(ctx, kernels):
        data = dut.store.data
        found = [ctx.get(data[n]) for n in range(kernels.counters.size)]
        mask = (1 << sizes.counter_bits) - 1
        assert found == (kernels.counters.ravel() & mask).tolist()
        for f, code in enumerate(codes(kernels.counters, sizes.counter_bits)):
            word = ctx.get(dut.store.trit_memories[f % sizes.at_once].data[f // sizes.at_once])
            assert [trit(word, t) for t in range(sizes.taps)] == [
                trit(code, t) for t in range(sizes.taps)]

    simulate(dut, drive, background=[serve(dut, memories), write(dut, memories, pause)])
    return cycles


def trit(codes, tap):
    """Of the codes of a kernel; 00 and 11 are one."""
    return (0, 1, -1, 0)[codes >> 2 * tap & 3]


def random_errors(rng, conv):
    """None, all +1, all -1, or a few; a kernel without any now and then."""
    errors = np.array([rng.choice([0, 0, 1, -1]) for _ in range(conv.outputs)])
    kind = rng.randrange(6)
    if kind < 3:
        errors[:] = (0, 1, -1)[kind]
    if kind > 3:
        errors[rng.randrange(conv.kernels)::conv.kernels] = 0
    return errors


@pytest.mark.parametrize("case", range(5))
def test_counters_trits_draws_and_flips(case, fresh_seed):
    rng = random.Random(f"{fresh_seed} {case}")
    sizes = random_sizes(rng, **({"kernels": 1, "at_once": 1} if case == 4 else {}))
    conv = random_image(rng, sizes)
    kernels, cases = random_kernels(rng, conv), []
    for _ in range(4):
        if rng.random() < 0.3:
            conv = random_image(rng, sizes)
            kernels = random_kernels(rng, conv)
        cases.append((kernels, random_pixels(rng, conv), random_errors(rng, conv)))
    slow, late = rng.choice([0, 0, 3, 40]), rng.choice([0, 0, 20, 300])
    compare(sizes, rng.randint(1, 5), cases, rng.randrange(1, 1 << 64),
            pause=lambda: rng.randint(0, slow), early=lambda: rng.randint(0, late))


@pytest.mark.parametrize("kernel", [4, 6, 7])
def test_larger_kernels(kernel, fresh_seed):
    rng = random.Random(f"{fresh_seed} {kernel}")
    sizes = random_sizes(rng, kernel=kernel, kernels=2, at_once=rng.randint(1, 2),
                         channels=rng.randint(1, 2))
    conv = random_image(rng, sizes)
    compare(sizes, rng.randint(1, 5),
            [(random_kernels(rng, conv), random_pixels(rng, conv), random_errors(rng, conv))
             for _ in range(2)], rng.randrange(1, 1 << 64))


@pytest.mark.parametrize("kernel", [2, 3])
def test_cycles(kernel):
    """Of an image of 2 x 2 windows, as 0, 1 and all of 8 kernels have an error: a pair of window
    and kernel a cycle, and steps of which the sums are there; two or one tap a cycle."""
    side = 3 + kernel
    sizes = Sizes(lanes=8, rows=side, columns=side, kernel=kernel, pool=2, planes=2, kernels=8,
                  at_once=2, bits=2, counter_bits=8, together=4 - kernel)
    conv, rng = Convolution(side, side, 8, kernel, 2, counter_bits=8), random.Random(1)
    cases = []
    for wrong in 0, 1, 8:
        errors = np.zeros((4, 8), np.int64)
        errors[:, :wrong] = 1
        cases.append((random_kernels(rng, conv), random_pixels(rng, conv), errors.ravel()))
    steps = [(kernel ** 2 // (4 - kernel) + 2) * wrong + 2 * (8 - wrong) for wrong in (0, 1, 8)]
    sums, ends = conv.outputs + kernel + 4, [2, 2, 6]
    found = compare(sizes, 2, cases, 1)
    assert [both for both, _ in found] == [sums + n + end
                                           for n, end in zip(steps, ends, strict=True)]
    found = compare(sizes, 2, cases, 1, early=lambda: 200)
    assert [own for _, own in found] == [n + end for n, end in zip(steps, ends, strict=True)]
