"""Cycles of forward pass and update: as the units' docstrings say, with zeros skipped."""

import numpy as np
import pytest
from amaranth.sim import Simulator

from tritgrad.firmware.isa import Op, encode
from tritgrad.model.config import CoreConfig
from tritgrad.model.layout import Layer
from tritgrad.model.machine import Sample

from .lockstep import Lockstep, statistics

LANES, BANKS = 4, 2


def cycles(program, inputs, outputs, x, planes=2, update_lanes=4):
    """All cycles of a program on one sample, and those of its forward passes."""
    config = CoreConfig(lanes=LANES, banks=BANKS, update_lanes=update_lanes, input_planes=2,
                        max_inputs=64, max_neurons=16, max_classes=16, trit_depth=256,
                        residual_depth=1024, hidden_depth=8, slot_bytes=64)
    return network_cycles(config, [Layer(inputs, outputs, planes, 0, 0)], program, x)


def network_cycles(config, layers, program, x):
    """The same for any layers; all weights are 1."""
    run = Lockstep(config, layers, program,
                   [np.full((layer.outputs, layer.inputs), 64) for layer in layers],
                   [Sample(np.asarray(x), 0)])
    run.build()
    found = []

    async def drive(ctx):
        await run.load(ctx)
        await run.run_freely(ctx)
        counts = await statistics(ctx, run.engine.statistics)
        found.extend((counts["cycles"], counts["forward_cycles"]))

    sim = Simulator(run.engine)
    sim.add_clock(1e-6)
    sim.add_testbench(drive)
    sim.add_testbench(run.feed, background=True)
    sim.run()
    return found


FORWARD = [encode(Op.RECV), encode(Op.FWD, 1), encode(Op.HALT)]
TRAIN = [encode(Op.RECV), encode(Op.FWD, 1), encode(Op.ERR, 1000), encode(Op.UPD, 1),
         encode(Op.HALT)]
TAIL = 8  # from the dispatch to the last score, but for the planes themselves


@pytest.mark.parametrize("inputs, outputs", [(32, 8), (64, 8), (64, 16), (30, 7)])
def test_a_plane_of_a_word_a_cycle(inputs, outputs):
    words, groups = -(-inputs // LANES), -(-outputs // BANKS)
    last = outputs - (groups - 1) * BANKS
    _, forward = cycles(FORWARD, inputs, outputs, np.full(inputs, 3))
    assert forward == words * 2 * groups + TAIL - BANKS + last


def test_a_dense_forward_pass_is_near_the_roofline():
    config = CoreConfig(lanes=16, banks=16, update_lanes=16, input_planes=1, activation_bits=4)
    layers = [Layer(784, 128, 1, 0, 0), Layer(128, 10, 4, 0, 0)]
    program = [encode(Op.RECV), encode(Op.FWD, 1), encode(Op.FWD, 2), encode(Op.HALT)]
    _, forward = network_cycles(config, layers, program, np.ones(784, int))
    # Every activation is 15: all planes of both layers count.
    roofline = (784 * 128 + 4 * 128 * 10) / config.total_lanes
    assert forward <= roofline / 0.9, forward


def test_two_sums_a_cycle_and_banks_one_behind_the_other():
    layers = [Layer(4, 32, 1, 0, 0), Layer(32, 2, 1, 0, 0)]
    program = [encode(Op.RECV), encode(Op.FWD, 1), encode(Op.FWD, 2), encode(Op.HALT)]

    def forward(**options):
        config = CoreConfig(lanes=4, banks=8, update_lanes=4, input_planes=1, activation_bits=1,
                            max_inputs=32, max_neurons=32, max_classes=2, trit_depth=32,
                            residual_depth=1024, hidden_depth=8, slot_bytes=64, **options)
        return network_cycles(config, layers, program, np.ones(4, int))[1]

    one = forward()
    # A word of inputs, so the drain sets the pace; of the last layer one score leaves a cycle.
    assert one - forward(drain=2) == 32 // 2
    # Two groups of banks.
    assert forward(pipelined=True) - one == 2 * (2 + 1)


def test_a_word_or_plane_of_zeros_costs_nothing():
    x = np.zeros(64, int)
    x[[0, 1, 20, 63]] = [1, 3, 2, 1]  # planes: word 0 both, word 5 the upper, word 15 the lower
    _, forward = cycles(FORWARD, 64, 16, x)
    assert forward == 4 * 8 + TAIL


@pytest.mark.parametrize("update_lanes", [1, 2, 4])
def test_an_update_visits_rows_with_an_error_and_words_with_an_input(update_lanes):
    sparse, dense = np.zeros(64, int), np.ones(64, int)
    sparse[:40] = 1  # so many that the scan for rows is over before them
    few, few_forward = cycles(TRAIN, 64, 16, sparse, update_lanes=update_lanes)
    many, many_forward = cycles(TRAIN, 64, 16, dense, update_lanes=update_lanes)
    steps = LANES // update_lanes
    # Two rows have an error; 10 or 16 words have an input.
    assert (many - many_forward) - (few - few_forward) == 2 * steps * (16 - 10)
