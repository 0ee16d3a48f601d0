"""Engines that update several rows at once against the reference machine."""

import random

import numpy as np
import pytest

from tritgrad.firmware import programs
from tritgrad.firmware.frames import Space
from tritgrad.hw import engine, row_training
from tritgrad.hw.datapath import row_lists, row_update
from tritgrad.hw.memory import row_stores
from tritgrad.hw.parts.pipeline import read_delay, write_delay
from tritgrad.model.config import CoreConfig
from tritgrad.model.layout import Layer, place
from tritgrad.model.machine import Sample

from .cases import random_case, random_counters, random_program
from .formal.prover import planted
from .link.harness import simulate
from .lockstep import Lockstep


def random_rows(seed: int, rows: int, pipelined: bool) -> Lockstep:
    """A random engine of so many rows at once with random state, program and samples."""
    rng = random.Random(seed)
    config, layers = random_case(rng)
    banks = rows * rng.randint(1, 3)
    config = config.changed(banks=banks * (3 if pipelined else 1), pipelined=pipelined,
                            update_rows=rows, drain=1 if config.lanes % 2 else 2)
    used = place(config, [*layers, Layer(0, 0, 0, 0, 0)])[-1]
    config = config.changed(trit_depth=max(config.trit_depth, used.trit_base),
                            residual_depth=max(config.residual_depth, used.residual_base))
    top, density = 1 << layers[0].planes, rng.choice([0.1, 0.5, 1.0])
    samples = [Sample(np.array([rng.randrange(top) if rng.random() < density else 0
                                for _ in range(layers[0].inputs)]),
                      rng.randrange(layers[-1].outputs)) for _ in range(12)]
    return Lockstep(config, layers, random_program(rng, len(layers), 18, config),
                    random_counters(rng, config, layers), samples,
                    prng=rng.randrange(1, 1 << 64))


@pytest.mark.parametrize("pipelined", [False, True])
@pytest.mark.parametrize("rows", [2, 4])
@pytest.mark.parametrize("step", [True, False])
def test_the_state_is_the_model_s(fresh_seed, rows, pipelined, step):
    """After each instruction, and after programs that wait for their samples here and there."""
    run, rng = random_rows(fresh_seed, rows, pipelined), random.Random(fresh_seed)
    run.pause = lambda: rng.choice([0, 0, 1, 7])
    run.run(step=step)


def learning(rows: int, seed: int) -> Lockstep:
    """Eight samples learned by a network whose rows take draws but for the first layer's."""
    rng = random.Random(seed)
    config = CoreConfig(lanes=4, banks=8, update_lanes=2, input_planes=2, activation_bits=4,
                        max_inputs=16, max_neurons=24, max_classes=5, max_layers=3, trit_depth=64,
                        residual_depth=512, hidden_depth=16, slot_bytes=64, update_rows=rows)
    layers = [Layer(16, 23, 2, 1, 4), Layer(23, 17, 4, 3, -1), Layer(17, 5, 4, 0, -2)]
    samples = [Sample(np.array([rng.randrange(4) for _ in range(16)]), rng.randrange(5))
               for _ in range(8)]
    return Lockstep(config, layers, programs.train(3, 8, 1 << 20),
                    random_counters(rng, config, layers), samples, prng=rng.randrange(1, 1 << 64))


def test_rows_at_once_take_fewer_cycles():
    taken = {}
    for rows in 1, 2, 4:
        run = learning(rows, 3)
        run.run(step=False)
        assert run.machine.statistics.updates == 8 and run.machine.statistics.flips > 20
        taken[rows] = run.cycles
    assert taken[4] < taken[2] < taken[1]


@pytest.mark.parametrize("pipelined", [False, True])
@pytest.mark.parametrize("rows", [2, 4])
def test_the_link_finds_words_in_their_parts(rows, pipelined):
    rng = random.Random(rows)
    config = CoreConfig(lanes=3, banks=8, update_lanes=3, trit_depth=8, residual_depth=31,
                        pipelined=pipelined, update_rows=rows)
    dut, late = engine.Engine(config), read_delay(config) + write_delay(config)
    words = {(Space.T, bank, n): rng.getrandbits(6) for bank in range(8) for n in range(8)}
    words |= {(Space.R, 0, n): rng.getrandbits(18) for n in range(31)}

    async def testbench(ctx):
        memory = dut.memory

        def address(where):
            for name, value in zip(("space", "bank", "address"), where, strict=True):
                ctx.set(getattr(memory, name), value)

        for where in rng.sample(sorted(words), len(words)):
            address(where)
            shift = len(memory.write_data) - 8 * (1 if where[0] == Space.T else 3)
            ctx.set(memory.write_data, words[where] << shift)
            ctx.set(memory.write, 1)
            await ctx.tick()
        ctx.set(memory.write, 0)
        await ctx.tick().repeat(late + 1)
        for bank, store in enumerate(dut.trits.memories):
            assert [ctx.get(store.data[n]) for n in range(8)] == [
                words[Space.T, bank, n] for n in range(8)]
        assert [ctx.get(dut.residuals.row(n)) for n in range(31)] == [
            words[Space.R, 0, n] for n in range(31)]
        for where in rng.sample(sorted(words), len(words)):
            address(where)
            await ctx.tick().repeat(2 + read_delay(config))
            assert ctx.get(memory.read_data) & ((1 << 18) - 1) == words[where]

    simulate(dut, testbench)


#: Module, what stands in its source, what stands there instead, and who has the class.
FAULTS = {
    "draws of two rows swapped": (row_update, "self.rows[part].draw", "self.rows[part ^ 1].draw",
                                  row_training, "RowUpdateUnit"),
    "draws in a backward pass": (row_training, "sequencer.update & (update.record.gain < 0)",
                                 "(update.record.gain < 0)", engine, "row_training"),
    "rows of a bank at once": (row_lists, "Mux(found, 1 << part, 0)",
                               "Mux(found, 1 << (self.count[0] > self.count[1]), 0)",
                               row_training, "RowLists"),
    "rows behind a list's first lost": (
        row_update, "m.d.sync += done.eq(done | self.row_last & taking)",
        "m.d.sync += done.eq(done | taking)", row_training, "RowUpdateUnit"),
    "a step of R lost": (row_update, "self.residual_write[part].eq(update_3)",
                         "self.residual_write[part].eq(update_3 & (flow.steps[late + 3] == 0))",
                         row_training, "RowUpdateUnit"),
    "a list is not waited for": (
        row_update, "known.eq((self.row_valid | self.row_ended | done).all())", "known.eq(1)",
        row_training, "RowUpdateUnit"),
    "a row's errors not summed": (row_update, "tree_sum(terms)", "terms[0]",
                                  row_training, "RowUpdateUnit"),
    "flips of a row not counted": (row_update, "tree_sum(flow.flips)", "flow.flips[0]",
                                   row_training, "RowUpdateUnit"),
    "a write to a bank of another part": (row_stores, "places[delay] == n // self.parts",
                                          "places[delay] == n", engine, "RowTritStore"),
    "residuals in the order of rows": (row_lists, "with m.If(part == self.parts - 1):",
                                       "with m.If(part == 0):", row_training, "RowLists"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found(monkeypatch, name):
    module, old, new, user, attribute = FAULTS[name]
    made = planted(module, old, new)
    monkeypatch.setattr(user, attribute,
                        made if attribute == "row_training" else getattr(made, attribute))
    with pytest.raises(AssertionError):
        learning(2, 5).run(limit=40)
        learning(4, 6).run(step=False)
