"""Support of granules: skipped, born, purged and left to rest, beside the reference machine."""

import random

import numpy as np
import pytest
from amaranth.sim import Simulator

from tritgrad.firmware import programs
from tritgrad.firmware.isa import Op, encode
from tritgrad.model.arithmetic import trits
from tritgrad.model.blending import granules
from tritgrad.model.config import CoreConfig
from tritgrad.model.layout import Layer, unpack_counters
from tritgrad.model.machine import Sample

from ...hw.cases import random_counters
from ...hw.lockstep import Lockstep, statistics

SMALL = CoreConfig(
    lanes=4, banks=2, update_lanes=2, counter_bits=6, activation_bits=2, input_planes=2,
    max_layers=2, max_inputs=23, max_neurons=7, max_classes=3, trit_depth=64, residual_depth=256,
    hidden_depth=2, program_depth=32, slot_bytes=64, support=True)
LAYERS = [Layer(23, 7, 2, 1, 4), Layer(7, 3, 2, 0, 4)]
SHAPES = {"two ports": {}, "one port": {"single_port": True}, "pipelined": {"pipelined": True},
          "one bank": {"banks": 1}, "a step a word": {"update_lanes": 4},
          "many banks": {"pipelined": True, "banks": 15, "lanes": 1, "update_lanes": 1,
                         "hidden_depth": 8}}


def samples(rng, count):
    return [Sample(np.array([rng.randrange(4) if rng.random() < 0.5 else 0 for _ in range(23)]),
                   rng.randrange(3)) for _ in range(count)]


def shaped(shape):
    return CoreConfig(**{**vars(SMALL), **SHAPES[shape]})


def counters_of(machine):
    return unpack_counters(machine.config, machine.layers, machine.codes, machine.residuals)


def found_support(machine, number):
    """Of the trits in memory T, as they are now."""
    c = machine.config
    return granules.support(trits(counters_of(machine)[number - 1], c.counter_bits), c.banks,
                            c.lanes)


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_purged_is_born_again_rests_and_is_purged(shape):
    rng, config = random.Random(shape), shaped(shape)
    words = [*programs.purge(2, [1, 2], 0, 0)[:-1], *programs.purge(2, [1], 3, 15)[:-1]]
    train = [encode(Op.RECV), encode(Op.FWD, 1), encode(Op.FWD, 2), encode(Op.ERR, 1 << 22),
             encode(Op.BWD, 2), encode(Op.UPD, 1), encode(Op.UPD, 2)]
    words += [encode(Op.CUTOFF, 0), encode(Op.COUNT, 6), *train,
              encode(Op.LOOP, len(words) + 2), encode(Op.CUTOFF, 2 | 3 << 16 | 1 << 20),
              encode(Op.PURGE, 1), *train, *train, encode(Op.HALT)]
    run = Lockstep(config, LAYERS, words, random_counters(rng, config, LAYERS), samples(rng, 8))
    run.run(limit=1000)
    machine = run.machine
    assert machine.run.name == "HALTED"
    inside = machine.parts["support"].layer(1)
    assert 0 < inside.sum() < inside.size
    assert not (found_support(machine, 1) & ~inside).any()


@pytest.mark.parametrize("seed", range(4))
def test_what_became_alive_is_inside(seed):
    rng = random.Random(seed)
    config = CoreConfig(**{**vars(SMALL), "banks": rng.randint(1, 4)})
    zeros = [np.zeros((7, 23), int), random_counters(rng, config, LAYERS)[1]]
    words = programs.train(2, 12, 1 << 20)
    run = Lockstep(config, LAYERS, words, zeros, samples(rng, 12))
    run.machine.parts["support"].inside[:] = False
    run.machine.parts["support"].inside[run.machine.places[1].group_base:] = True
    run.run(step=False)
    inside = run.machine.parts["support"].inside[:run.machine.places[0].groups, :6]
    assert inside.sum() > 0
    assert not (found_support(run.machine, 1) & ~inside).any()


def forward_cycles(config, counters, x):
    """Of layer 1 on the RTL, with the support found by a purge that clears nothing."""
    layer = [Layer(23, 7, 2, 0, 0)]
    words = [*(programs.purge(1, [1], 0, 0)[:-1] if config.support else []),
             encode(Op.RECV), encode(Op.FWD, 1), encode(Op.HALT)]
    run = Lockstep(config, layer, words, [counters], [Sample(x, 0)])
    run.build()
    found = []

    async def drive(ctx):
        await run.load(ctx)
        await run.run_freely(ctx)
        found.append((await statistics(ctx, run.engine.statistics))["forward_cycles"])

    sim = Simulator(run.engine)
    sim.add_clock(1e-6)
    sim.add_testbench(drive)
    sim.add_testbench(run.feed, background=True)
    sim.run()
    return found[0], run.machine


@pytest.mark.parametrize("seed", range(6))
def test_a_granule_outside_costs_no_cycle(seed):
    rng = np.random.default_rng(seed)
    config = CoreConfig(**{**vars(SMALL), "banks": 1, "max_classes": 7, "max_layers": 1})
    counters = rng.integers(-32, 32, (7, 23))
    thin = rng.random((7, 6)) < 0.7
    counters[np.repeat(thin, 4, axis=1)[:, :23]] = 0
    x = rng.integers(0, 4, 23) * (rng.random(23) < 0.7)
    cycles, machine = forward_cycles(config, counters, x)
    inside = machine.parts["support"].inside[:7, :6]
    assert (inside == granules.support(trits(counters, 6), 1, 4)).all()
    plain = CoreConfig(**{**vars(config), "support": False})
    dense, _ = forward_cycles(plain, counters, x)
    everything = granules.forward_cycles(np.ones_like(inside), x, 2, 4)
    assert dense - cycles == everything - granules.forward_cycles(inside, x, 2, 4) - 1
    assert cycles < dense
