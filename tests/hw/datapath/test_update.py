"""Cycles of update and backward pass in a whole engine: rows x words x L/U and a constant."""

import random

import numpy as np
import pytest
from amaranth.sim import Simulator

from tritgrad.firmware.isa import Op, encode
from tritgrad.hw.parts.pipeline import read_delay, write_delay
from tritgrad.model.config import CoreConfig, ceil_div
from tritgrad.model.layout import Layer
from tritgrad.model.machine import Sample

from ..lockstep import Lockstep

# The SEND at the end is dispatched when the update is done.
PROGRAM = [encode(Op.RECV), encode(Op.FWD, 1), encode(Op.FWD, 2), encode(Op.FWD, 3),
           encode(Op.ERR, 1 << 22), encode(Op.BWD, 3), encode(Op.BWD, 2), encode(Op.UPD, 2),
           encode(Op.SEND), encode(Op.HALT)]


def run(config, layers, counters, x):
    """Cycles from dispatch to dispatch of BWD 2 and of UPD 2, draws, and the machine after them."""
    lockstep = Lockstep(config, layers, PROGRAM, counters, [Sample(x, 0)])
    lockstep.build()
    sequencer, unit = lockstep.engine.sequencer, lockstep.engine.update
    dispatches, draws = [], 0

    async def drive(ctx):
        await lockstep.load(ctx)
        await lockstep.run_freely(ctx)

    async def watch(ctx):
        nonlocal draws
        cycle = 0
        while True:
            *_, dispatched, drawn, busy, writes = await ctx.tick().sample(
                sequencer.dispatched, unit.draw, unit.busy,
                unit.trit_write | unit.residual_write | unit.error_write)
            draws += drawn
            assert busy or not writes
            if dispatched:
                dispatches.append(cycle)
            cycle += 1

    sim = Simulator(lockstep.engine)
    sim.add_clock(1e-6)
    sim.add_testbench(drive)
    for testbench in lockstep.feed, watch:
        sim.add_testbench(testbench, background=True)
    sim.run()
    assert len(dispatches) == len(PROGRAM) - 1
    backward, update, end = dispatches[6:]
    return update - backward, end - update, draws, lockstep.machine


@pytest.mark.parametrize("single_port, pipelined", [
    (False, False), (True, False), (False, True)])
@pytest.mark.parametrize("seed, lanes, update_lanes", [
    (0, 4, 4), (2, 6, 2), (3, 5, 1), (4, 12, 3)])
def test_rows_times_words_times_steps(seed, lanes, update_lanes, single_port,
                                           pipelined):
    rng = random.Random(seed)
    config = CoreConfig(lanes=lanes, banks=3, update_lanes=update_lanes, input_planes=2,
                        activation_bits=2, max_inputs=8, max_neurons=60, max_classes=4,
                        max_layers=3, trit_depth=512, residual_depth=2048, hidden_depth=60,
                        slot_bytes=64, single_port=single_port, pipelined=pipelined)
    outputs = rng.randint(8, 15)
    for words in (rng.randint(1, 2), rng.randint(3, 60 // lanes)):
        inputs = words * lanes - rng.randrange(lanes)
        layers = [Layer(8, inputs, 2, 0, 0), Layer(inputs, outputs, 2, 3, 0),
                  Layer(outputs, 4, 2, 0, 0)]
        counters = [np.full((inputs, 8), 64),  # so that every word of layer 2 has an input
                    np.array([[rng.choice([0, 64, 64, -128]) for _ in range(inputs)]
                              for _ in range(outputs)]),
                    np.array([[rng.choice([0, 64, -128]) for _ in range(outputs)]
                              for _ in range(4)])]
        x = np.array([3, *[rng.randrange(4) for _ in range(7)]])
        backward, update, draws, machine = run(config, layers, counters, x)
        assert draws == 0
        first = machine.places[1].output_base * config.steps
        errors = machine.errors[first:first + ceil_div(outputs, update_lanes)].reshape(-1)
        rows = int(np.count_nonzero(errors[:outputs]))
        assert rows > 0
        # The first pass over the rows takes as long as the scan that finds them; it ends with the
        # last row, or a cycle later if the scan goes on behind that.
        late = read_delay(config) + write_delay(config)
        assert backward - outputs - rows * (words * config.steps - 1) - late in (7, 8)
        # Rows are updated from the cycle on in which they are found.
        spent = rows * words * config.steps * (1 + single_port) - single_port
        assert 7 <= update - spent - late <= outputs + 6 + single_port


@pytest.mark.parametrize("fed", [True, False])
def test_a_row_takes_a_draw_even_without_an_input(fed):
    """And only where the gain is negative."""
    config = CoreConfig(lanes=4, banks=3, update_lanes=2, input_planes=2, activation_bits=2,
                        max_inputs=8, max_neurons=12, max_classes=4, max_layers=3, trit_depth=64,
                        residual_depth=256, hidden_depth=8, slot_bytes=64)
    layers = [Layer(8, 8, 2, 0, 0), Layer(8, 10, 2, 3, -2), Layer(10, 4, 2, 0, 0)]
    rng = random.Random(7)
    counters = [np.full((8, 8), 64 * fed),
                *(np.array([[rng.choice([64, 64, -128]) for _ in range(inputs)]
                            for _ in range(outputs)]) for outputs, inputs in ((10, 8), (4, 10)))]
    _, _, draws, machine = run(config, layers, counters, np.full(8, 3 * fed))
    first = machine.places[1].output_base * config.steps
    errors = machine.errors[first:first + 5].reshape(-1)
    assert draws == np.count_nonzero(errors[:10]) > 0
