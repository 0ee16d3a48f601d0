"""The activation unit against `model.arithmetic`: activations, gate bits, compact words."""

import random

import numpy as np
import pytest

from tritgrad.hw.datapath.activation import ActivationUnit
from tritgrad.model import arithmetic
from tritgrad.model.config import CoreConfig

from ..link.harness import simulate


@pytest.mark.parametrize("lanes, bits, drain", [
    (4, 4, 1), (5, 2, 1), (16, 4, 1), (1, 3, 1), (3, 8, 1), (2, 3, 2), (6, 4, 2), (16, 1, 2)])
def test_layers_of_random_sums(lanes, bits, drain):
    rng = random.Random(lanes)
    config = CoreConfig(lanes=lanes, update_lanes=lanes, activation_bits=bits, max_neurons=40,
                        max_inputs=200, hidden_depth=96, drain=drain)
    dut = ActivationUnit(config)
    top = 1 << (config.score_bits - 1)

    async def testbench(ctx):
        for _ in range(25):
            outputs, shift = rng.randint(1, 40), rng.randint(0, 12)
            base, layer = rng.randrange(40), rng.randint(1, config.max_layers - 1)
            spread = rng.choice([top, 1 << (shift + bits)])
            z = [rng.randrange(-spread, spread) % (2 * top) for _ in range(outputs)]
            z = [value - 2 * top if value >= top else value for value in z]
            ctx.set(dut.record, {"outputs": outputs, "shift": shift, "output_base": base})
            ctx.set(dut.layer, layer)
            ctx.set(dut.read_layer, layer + 1)
            ctx.set(dut.start, 1)
            await ctx.tick()
            ctx.set(dut.start, 0)
            for n in range(0, outputs, drain):
                assert not ctx.get(dut.read_final)
                ctx.set(dut.z, z[n])
                if drain == 2:
                    ctx.set(dut.z_next, z[n + 1] if n + 1 < outputs else rng.randrange(-top, top))
                ctx.set(dut.z_valid, 1)
                await ctx.tick()
                ctx.set(dut.z_valid, 0)
                if rng.random() < 0.2:
                    await ctx.tick()
            cycles = 0
            while ctx.get(dut.busy):
                await ctx.tick()
                cycles += 1
                assert cycles < 4
            assert ctx.get(dut.read_final)

            h, gates = arithmetic.activate(np.array(z), shift, bits)
            words = -(-outputs // lanes)
            found = np.zeros(words * lanes, int)
            for n in range(ctx.get(dut.read_count)):
                entry = ctx.get(dut.memory.data[base + n])
                assert entry.planes != 0
                for lane in range(lanes):
                    found[entry.index * lanes + lane] = sum(
                        (entry.planes >> (p * lanes + lane) & 1) << p for p in range(bits))
            assert found[:outputs].tolist() == h.tolist()
            assert not found[outputs:].any()
            stored = [ctx.get(dut.gate_memory.data[base + w]) >> lane & 1
                      for w in range(words) for lane in range(lanes)]
            assert stored[:outputs] == gates.astype(int).tolist()
            assert not any(stored[outputs:])

    simulate(dut, testbench)
