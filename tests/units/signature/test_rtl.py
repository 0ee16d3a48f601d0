"""The signature's register against the model's folding, and what it cannot miss."""

import numpy as np
import pytest

from tritgrad.errors import ConfigError
from tritgrad.model.config import CoreConfig
from tritgrad.model.signature import signature
from tritgrad.units.signature.rtl import Signature

from ...hw.link.harness import simulate

SIZES = {"lanes": 36, "banks": 2, "trit_depth": 6, "residual_depth": 12, "signature": True}


@pytest.mark.parametrize(("update_lanes", "bits"), [(1, 6), (4, 8), (36, 8), (12, 14)])
def test_the_register_has_the_models_signature(update_lanes, bits, fresh_seed):
    config = CoreConfig(**SIZES, update_lanes=update_lanes, counter_bits=bits)
    rng = np.random.default_rng(fresh_seed)
    residual_bits = config.residual_bits
    codes = rng.integers(0, 4, (2, 6, 36))
    residuals = rng.integers(0, 1 << residual_bits, (12, update_lanes))
    written = signature(config, codes, residuals)
    dut = Signature(config)

    def word(lanes, width):
        return sum(int(lane) << width * n for n, lane in enumerate(lanes))

    async def testbench(ctx):
        changed = 0
        while changed < 60 or signature(config, codes, residuals) == written:
            changed += 1
            steps = codes.reshape(-1, update_lanes)
            place, row = rng.integers(len(steps)), rng.integers(12)
            step = rng.random() < 0.7
            new_trits = rng.integers(0, 4, update_lanes)
            new_residuals = rng.integers(0, 1 << residual_bits, update_lanes)
            for name, value in {
                    "new": word(new_trits, 2), "old": word(steps[place], 2),
                    "new_residuals": word(new_residuals, residual_bits),
                    "old_residuals": word(residuals[row], residual_bits),
                    "step": int(step)}.items():
                ctx.set(getattr(dut.changes, name), value)
            if step:
                steps[place], residuals[row] = new_trits, new_residuals
            await ctx.tick()
        ctx.set(dut.changes.step, 0)
        await ctx.tick().repeat(2)
        assert ctx.get(dut.status.value) == signature(config, codes, residuals) ^ written
        ctx.set(dut.status.loaded, 1)
        await ctx.tick()
        assert ctx.get(dut.status.value) == 0

    simulate(dut, testbench)


def test_each_bit_of_both_memories_changes_it():
    config = CoreConfig(**{**SIZES, "lanes": 4}, update_lanes=2)
    codes, residuals = np.zeros((2, 6, 4), np.int64), np.zeros((12, 2), np.int64)
    for memory, bits in (codes, 2), (residuals, config.residual_bits):
        for place in np.ndindex(memory.shape):
            for bit in range(bits):
                memory[place] ^= 1 << bit
                assert signature(config, codes, residuals) != 0
                memory[place] ^= 1 << bit


@pytest.mark.parametrize(("changed", "words"), [
    ({"trainable": False}, "trainable"), ({"slot_bytes": 64}, "slot_bytes")])
def test_cores_that_cannot_have_it(changed, words):
    with pytest.raises(ConfigError, match=words):
        CoreConfig(**{**SIZES, "lanes": 4, "update_lanes": 2} | changed)
