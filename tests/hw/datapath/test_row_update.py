"""Cycles of the unit that updates several rows at once, between lists that are known already."""

import random

import pytest

from tritgrad.hw.datapath.row_update import RowUpdateUnit
from tritgrad.hw.parts.pipeline import read_delay
from tritgrad.model.config import CoreConfig

from ..link.harness import simulate


def run(config, rows, words, backward):
    """Cycle by cycle while the unit is busy: words of R and T written to each part, and errors.

    Lists hold so many `rows`, the inputs' list so many non-zero words of as many there are.
    """
    dut, seen = RowUpdateUnit(config), []
    assert len(rows) == dut.parts

    async def testbench(ctx):
        at, entry = [0] * dut.parts, 0
        for name, value in {"words": words, "gain": 0}.items():
            ctx.set(getattr(dut.record, name), value)
        ctx.set(dut.backward, backward)
        ctx.set(dut.start, 1)
        await ctx.tick()
        ctx.set(dut.start, 0)
        while True:
            ctx.set(dut.row_valid, sum((n > 0) << part for part, n in enumerate(rows)))
            ctx.set(dut.row_ended, sum((n == 0) << part for part, n in enumerate(rows)))
            ctx.set(dut.row_last, sum((n > 0 and at[part] % n == n - 1) << part
                                      for part, n in enumerate(rows)))
            ctx.set(dut.entry_valid, words > 0)
            ctx.set(dut.entry_ended, words == 0)
            ctx.set(dut.entry_last, words > 0 and entry % words == words - 1)
            ctx.set(dut.entry.index, entry % words if words else 0)
            *_, busy, residual, trit, error, take, entry_take = await ctx.tick().sample(
                dut.busy, dut.residual_write, dut.trit_write, dut.error_write, dut.row_take,
                dut.entry_take)
            if not busy:
                assert not residual and not trit and not error
                return
            seen.append((residual, trit, error))
            entry += entry_take
            for part in range(dut.parts):
                at[part] += take >> part & 1

    simulate(dut, testbench, limit=2000)
    return seen


def random_config(rng):
    lanes, rows = rng.randint(1, 6), rng.choice([2, 4])
    return CoreConfig(
        lanes=lanes, banks=rows * rng.randint(1, 2) * 2,
        update_lanes=rng.choice([u for u in range(1, lanes + 1) if lanes % u == 0]),
        input_planes=2, activation_bits=2, max_inputs=8 * lanes, max_neurons=8 * lanes,
        max_classes=4, trit_depth=64, residual_depth=512, hidden_depth=16, slot_bytes=64,
        update_rows=rows, pipelined=rng.random() < 0.5)


@pytest.mark.parametrize("number", range(3))
def test_an_update_takes_rounds_times_words_times_steps(fresh_seed, number):
    rng = random.Random(fresh_seed + number)
    config = random_config(rng)
    rows = [rng.randint(0, 4) for _ in range(config.update_rows)]
    rows[rng.randrange(len(rows))] = 4
    words = rng.randint(1, 5)
    seen, late = run(config, rows, words, False), read_delay(config)
    spent = max(rows) * words * config.steps
    assert len(seen) == spent + late + 4
    # A word of R is written three cycles and the delay behind its step, one of T with the last.
    for cycle, (residual, trit, error) in enumerate(seen):
        step = cycle - late - 3
        number = step // (words * config.steps)
        there = sum((number < n) << part for part, n in enumerate(rows)) if 0 <= step < spent else 0
        assert residual == there and error == 0
        assert trit == (there if step % config.steps == config.steps - 1 else 0)


@pytest.mark.parametrize("number", range(3))
def test_a_backward_pass_takes_rounds_times_words_times_steps(fresh_seed, number):
    rng = random.Random(fresh_seed + number)
    config = random_config(rng)
    rows = [rng.randint(0, 4) for _ in range(config.update_rows)]
    rows[rng.randrange(len(rows))] = 4
    words = rng.randint(1, 5)
    seen, late = run(config, rows, words, True), read_delay(config)
    spent = 4 * words * config.steps
    assert len(seen) == spent + late + 4
    for cycle, (residual, trit, error) in enumerate(seen):
        step = cycle - late - 3
        assert residual == trit == 0
        assert error == (0 <= step < spent and step % 4 == 3)


def test_without_an_input_it_ends_at_once(fresh_seed):
    config = random_config(random.Random(fresh_seed))
    assert run(config, [3] * config.update_rows, 0, False) == [(0, 0, 0)]
