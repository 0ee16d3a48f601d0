"""Skip connections: the unit alone, and engines against the reference machine."""

import random
from dataclasses import replace

import numpy as np
import pytest
from amaranth.sim import Simulator

from tritgrad.firmware import programs
from tritgrad.hw.parts.ports import LayerRecord
from tritgrad.model.arithmetic import skipped
from tritgrad.model.config import MAX_SKIP, CoreConfig
from tritgrad.model.layout import Layer, check_table, place
from tritgrad.model.machine import Sample
from tritgrad.units.skip.rtl import SkipConnection

from ...hw.cases import random_case, random_counters, random_program
from ...hw.lockstep import Inferring, Lockstep, to_int


def skip_case(seed):
    """An engine with a random network of equal hidden layers, most of which skip."""
    rng = random.Random(seed)
    config, _ = random_case(rng)
    depth, n = rng.randint(3, 5), rng.randint(1, 20)
    pipelined = rng.random() < 0.3
    config = replace(config, skip=True, max_layers=depth + rng.randint(0, 1),
                     single_port=not pipelined and rng.random() < 0.4, pipelined=pipelined,
                     banks=config.banks * (3 if pipelined else 1), row_sums=rng.random() < 0.3)
    config = replace(config, conserve=config.row_sums and rng.random() < 0.5,
                     hidden_depth=256)
    sizes = [rng.randint(1, 20), *[n] * (depth - 1), rng.randint(2, 9)]
    layers = [Layer(f, m, config.activation_bits if k else rng.randint(1, config.input_planes),
                    rng.randint(0, 4), rng.choice([0, config.counter_bits - 2]),
                    rng.choice([0, 1, 1, 2, 3, MAX_SKIP + 1]) if 0 < k < depth - 1 else 0)
              for k, (f, m) in enumerate(zip(sizes, sizes[1:], strict=False))]
    used = place(config, [*layers, Layer(0, 0, 0, 0, 0)])[-1]
    config = replace(config, trit_depth=used.trit_base, residual_depth=used.residual_base,
                     hidden_depth=used.input_base)
    check_table(config, layers)
    samples = [Sample(np.array([rng.randrange(1 << layers[0].planes) for _ in range(sizes[0])]),
                      rng.randrange(sizes[-1])) for _ in range(6)]
    return Lockstep(config, layers, random_program(rng, depth, 24, config),
                    random_counters(rng, config, layers), samples, prng=rng.randrange(1, 1 << 64))


@pytest.fixture(name="seeds")
def fixture_seeds(fresh_seed):
    first = fresh_seed
    return range(first, first + 10)


def test_every_instruction_leaves_the_state_of_the_model(seeds):
    for seed in seeds:
        skip_case(seed).run(limit=60)


def test_overlapping_instructions_end_in_the_state_of_the_model(seeds):
    for seed in seeds:
        skip_case(seed).run(step=False)


def test_a_core_that_only_infers_skips_too():
    scores = set()
    for skip in 0, 1, 2, 3:
        rng = random.Random(3)
        config = CoreConfig(lanes=4, banks=2, update_lanes=4, activation_bits=3, input_planes=2,
                            max_inputs=9, max_neurons=10, max_classes=4, trit_depth=64,
                            residual_depth=256, hidden_depth=16, slot_bytes=64, skip=True,
                            trainable=False)
        layers = [Layer(9, 7, 2, 1, 0), Layer(7, 7, 3, 2, 0, skip), Layer(7, 4, 3, 0, 0)]
        x = np.array([rng.randrange(4) for _ in range(9)])
        case = Inferring(config, layers, programs.infer(3, 1),
                         random_counters(rng, config, layers), [Sample(x, 0)])
        case.run(step=False)
        scores.add(tuple(case.machine.scores))
    assert len(scores) > 1


def test_words_are_read_lane_by_lane_and_forgotten_with_clear(fresh_seed):
    seed = fresh_seed
    rng = random.Random(seed)
    for _ in range(6):
        lanes, bits = rng.randint(1, 7), rng.randint(1, 4)
        config = CoreConfig(lanes=lanes, update_lanes=lanes, activation_bits=bits, max_neurons=20,
                            max_classes=9, hidden_depth=64, max_layers=4, skip=True)
        dut = SkipConnection(config)
        n, base = rng.randint(1, 20), rng.randint(0, 5)
        x = np.array([rng.randrange(1 << bits) for _ in range(n)])
        padded = np.pad(x, (0, -n % lanes)).reshape(-1, lanes)

        async def strobe(ctx, signal):
            ctx.set(signal, 1)
            await ctx.tick()
            ctx.set(signal, 0)

        async def testbench(ctx, dut=dut, n=n, x=x, padded=padded, bits=bits, lanes=lanes,
                            base=base, config=config, strobe=strobe):
            for w, word in enumerate(padded):
                ctx.set(dut.stored.address, base + w)
                ctx.set(dut.stored.planes, to_int([to_int(word >> p & 1, 1) for p in range(bits)],
                                                 lanes))
                await strobe(ctx, dut.stored.store)
            for known in True, False:
                for skip in 0, 1, MAX_SKIP + 1:
                    await strobe(ctx, dut.dispatch.clear)
                    for layer in [1, 2] if known else [2]:
                        ctx.set(dut.stage.layer, layer)
                        ctx.set(dut.stage.record, LayerRecord(config).const({
                            "skip": skip if layer == 2 else 0, "input_base": base}))
                        await strobe(ctx, dut.stage.start)
                    await ctx.tick()
                    z = np.array([rng.randrange(-99, 100) for _ in range(n)])
                    found, left = [], list(z)
                    while len(found) < n:
                        valid = bool(left) and rng.random() < 0.7
                        ctx.set(dut.stage.z_valid, valid)
                        ctx.set(dut.stage.z, int(left.pop(0)) if valid else 0)
                        await ctx.tick()
                        assert ctx.get(dut.stage.o_z_valid) == valid  # one cycle later
                        if valid:
                            found.append(ctx.get(dut.stage.o_z))
                    ctx.set(dut.stage.z_valid, 0)
                    assert found == skipped(z, x, skip if known else 0).tolist()

        simulator = Simulator(dut)
        simulator.add_clock(1e-6)
        simulator.add_testbench(testbench)
        simulator.run()


def test_a_layer_takes_one_cycle_more_with_or_without_a_skip():
    cycles = {}
    for skip in False, True:
        config = CoreConfig(lanes=4, banks=2, update_lanes=4, max_inputs=8, max_neurons=8,
                            max_classes=4, trit_depth=64, residual_depth=256, hidden_depth=16,
                            slot_bytes=64, skip=skip)
        layers = [Layer(8, 8, 1, 0, 0), Layer(8, 8, 4, 0, 0), Layer(8, 4, 4, 0, 0)]
        case = Lockstep(config, layers, programs.infer(3, 1), random_counters(
            random.Random(1), config, layers), [Sample(np.ones(8, np.int64), 0)])
        case.build()
        simulator = Simulator(case.engine)
        simulator.add_clock(1e-6)

        async def count(ctx, case=case, skip=skip):
            await case.load(ctx)
            ctx.set(case.engine.hold, 0)
            cycles[skip] = 0
            while ctx.get(case.engine.run).value == 1:
                await ctx.tick()
                cycles[skip] += not ctx.get(case.engine.waiting)

        simulator.add_testbench(count)
        simulator.add_testbench(case.feed, background=True)
        simulator.run()
    assert cycles[True] - cycles[False] == 3 == len(layers)
