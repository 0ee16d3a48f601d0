"""Row sums: kept by every update, and any single-bit fault of T found by SCRUB."""

import random
from itertools import product

import numpy as np
import pytest
from amaranth import Cat, Module, Signal
from amaranth.sim import Simulator

from tritgrad.firmware.isa import Op, encode
from tritgrad.hw.parts.arith import add_mod3, canonical_mod3, sum_mod3
from tritgrad.hw.parts.pipeline import read_delay
from tritgrad.hw.parts.ports import RunState
from tritgrad.model.arithmetic import trits
from tritgrad.model.config import CoreConfig
from tritgrad.model.layout import Layer, pack_counters, row_sums
from tritgrad.model.machine import Sample

from ...hw.cases import random_counters, random_lockstep
from ...hw.lockstep import Lockstep

SMALL = CoreConfig(
    lanes=4, banks=2, update_lanes=2, counter_bits=6, activation_bits=2, input_planes=2,
    max_layers=2, max_inputs=9, max_neurons=6, max_classes=3, trit_depth=16, residual_depth=64,
    hidden_depth=2, program_depth=32, slot_bytes=64, row_sums=True)
LAYERS = [Layer(9, 5, 2, 1, 4), Layer(5, 3, 2, 0, 4)]
TRAIN = [encode(Op.RECV), encode(Op.FWD, 1), encode(Op.FWD, 2), encode(Op.ERR, 1 << 22),
         encode(Op.BWD, 2), encode(Op.UPD, 1), encode(Op.UPD, 2)]
SCRUB = [encode(Op.SCRUB, 1), encode(Op.SCRUB, 2), encode(Op.HALT)]

SHAPES = {"two ports": {}, "one port": {"single_port": True}, "pipelined": {"pipelined": True}}
#: Each of them with updates that conserve.
CONSERVING = {f"{name}, conserving": {**options, "conserve": True}
              for name, options in SHAPES.items()}


def shaped(shape: str) -> CoreConfig:
    return CoreConfig(**{**vars(SMALL), **{**SHAPES, **CONSERVING}[shape]})


def comb(build, inputs, values):
    """What a combinational function gives for each value."""
    m = Module()
    i, o = Signal(inputs), Signal(2)
    m.d.comb += o.eq(build(i))
    found = []

    async def drive(ctx):
        for value in values:
            ctx.set(i, value)
            found.append(ctx.get(o))

    sim = Simulator(m)
    sim.add_testbench(drive)
    sim.run()
    return found


def test_arithmetic_mod_3_exhaustively():
    assert [n % 3 for n in comb(lambda i: add_mod3(i[:2], i[2:]), 4, range(16))] == [
        (n % 4 + n // 4) % 3 for n in range(16)]
    assert comb(lambda i: canonical_mod3(sum_mod3(i)), 10, range(1024)) == [
        n % 3 for n in range(1024)]
    both = list(product(range(16), range(16)))
    assert comb(lambda i: canonical_mod3(sum_mod3(Cat(i[:4], ~i[4:]))), 8,
                [new + 16 * old for new, old in both]) == [(new - old) % 3 for new, old in both]


def test_every_single_bit_error_moves_the_trit_by_one():
    """In each of the four codes, and so every error changes a row's sum mod 3."""
    trit = trits(np.array([0b000000, 0b010000, -0b100000, -0b010000]), 6).tolist()
    for code, bit in product(range(4), range(2)):
        assert abs(trit[code ^ 1 << bit] - trit[code]) == 1
        assert (code - trit[code]) % 3 == 0


@pytest.mark.parametrize("shape", [*SHAPES, *CONSERVING])
@pytest.mark.parametrize("seed", range(2))
def test_sums_follow_every_update(seed, shape):
    rng = random.Random(seed)
    config = shaped(shape)
    samples = [Sample(np.array([rng.randrange(4) for _ in range(9)]), rng.randrange(3))
               for _ in range(3)]
    run = Lockstep(config, LAYERS, [*TRAIN, *TRAIN, *TRAIN, *SCRUB],
                   random_counters(rng, config, LAYERS), samples, prng=seed + 1)
    sums = run.machine.parts["row_sums"].sums
    before = sums.copy()
    run.run(step=seed % 2 == 0)
    assert run.machine.run.name == "HALTED"
    assert run.machine.statistics.flips >= 3
    assert (sums == before).all() == config.conserve
    for layer, placed in zip(LAYERS, run.machine.places, strict=True):
        first = placed.output_base * config.lanes
        assert (sums[first:first + layer.outputs]
                == row_sums(config, layer, placed, run.machine.codes)).all()


class Faults(Lockstep):
    """Flips each bit of T that a row uses, one after the other; SCRUB must stop each program."""

    async def run_freely(self, ctx):
        engine, config = self.engine, self.config
        ctx.set(engine.hold, 0)
        self.found = {}
        placed = self.machine.places
        used = sorted({(row % config.banks,
                        p.trit_base + row // config.banks * p.words + word)
                       for layer, p in zip(self.layers, placed, strict=True)
                       for row in range(layer.outputs) for word in range(p.words)})
        assert await self._scrub(ctx) == RunState.HALTED
        for bank, address in used:
            word = engine.trits.memories[bank].data[address]
            good = ctx.get(word)
            for bit in range(2 * config.lanes):
                ctx.set(word, good ^ 1 << bit)
                self.found[bank, address, bit] = await self._scrub(ctx)
                ctx.set(word, good)
        assert await self._scrub(ctx) == RunState.HALTED

    async def _scrub(self, ctx):
        engine = self.engine
        while ctx.get(engine.run) == RunState.RUNNING:
            await ctx.tick()
        ctx.set(engine.begin, 1)
        await ctx.tick()
        ctx.set(engine.begin, 0)
        self.cycles = 0
        while ctx.get(engine.run) == RunState.RUNNING:
            await ctx.tick()
            self.cycles += 1
        return ctx.get(engine.run)


@pytest.mark.parametrize("shape", SHAPES)
def test_scrub_finds_every_single_bit_error_of_t(shape):
    config = shaped(shape)
    layers = [Layer(5, 3, 2, 1, 2), Layer(3, 2, 2, 0, 2)]
    run = Faults(config, layers, SCRUB, random_counters(random.Random(7), config, layers), [])
    run.run(step=False)
    words = 3 * 2 + 2 * 1  # rows times words of each layer
    assert len(run.found) == words * 2 * config.lanes
    assert set(run.found.values()) == {RunState.CORRUPT}
    # For each layer a cycle to dispatch and three or more behind its words; two for the program.
    assert run.cycles == words + 2 * (4 + read_delay(config)) + 2


def test_scrub_finds_every_single_bit_error_of_the_sums():
    run = Lockstep(SMALL, LAYERS, SCRUB, random_counters(random.Random(3), SMALL, LAYERS), [])
    machine, sums = run.machine, run.machine.parts["row_sums"].sums
    for n in [*range(5), *range(8, 11)]:
        good = sums[n]
        sums[n] = (good + 1) % 3
        machine.start()
        machine.advance()
        assert machine.run.name == "CORRUPT"
        sums[n] = good
    machine.start()
    machine.advance()
    assert machine.run.name == "HALTED"


@pytest.mark.parametrize("step", [True, False])
def test_a_corrupt_row_stops_rtl_and_model_alike(step):
    run = Lockstep(SMALL, LAYERS, [encode(Op.COUNT, 3), encode(Op.SCRUB, 1), encode(Op.COUNT, 4)],
                   random_counters(random.Random(5), SMALL, LAYERS), [])
    run.machine.codes[1, 0, 2] ^= 2
    run.run(step=step)
    assert run.machine.run.name == "CORRUPT"
    assert (run.machine.registers.pc, run.machine.registers.counter) == (2, 3)


def test_a_layer_that_does_not_exist_is_a_fault():
    run = Lockstep(SMALL, LAYERS[:1], [encode(Op.SCRUB, 2)],
                   random_counters(random.Random(1), SMALL, LAYERS[:1]), [])
    run.run()
    assert run.machine.run.name == "FAULT"


def test_the_random_programs_scrub():
    scrubbed = [word for seed in range(24) for word in random_lockstep(seed).program
                if word >> 24 == Op.SCRUB]
    assert len(scrubbed) > 5


def test_unused_lanes_are_summed():
    config = SMALL
    codes, _ = pack_counters(config, LAYERS, random_counters(random.Random(2), config, LAYERS))
    run = Lockstep(config, LAYERS, SCRUB, random_counters(random.Random(2), config, LAYERS), [])
    placed = run.machine.places[0]
    before = row_sums(config, LAYERS[0], placed, codes)
    codes[0, placed.words - 1, 3] = 1  # behind the ninth input of row 0
    after = row_sums(config, LAYERS[0], placed, codes)
    assert (after - before).tolist()[1:] == [0] * 4
    assert (after - before)[0] % 3 == 1
