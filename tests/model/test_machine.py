"""The reference machine running the program `train` is the plain margin rule, bit for bit."""

import random

import numpy as np
import pytest

from tritgrad.firmware import programs
from tritgrad.firmware.isa import Op, encode
from tritgrad.host.device.driver import layer_table
from tritgrad.model.config import CoreConfig
from tritgrad.model.layout import check_table, pack_counters, unpack_counters
from tritgrad.model.machine import Machine, Sample
from tritgrad.model.margin import MarginNetwork
from tritgrad.model.recipe import Recipe


def random_recipe(rng):
    depth = rng.randint(1, 3)
    layers = (*(rng.randint(1, 30) for _ in range(depth)), rng.randint(2, 9))
    bits = rng.randint(6, 12)
    return Recipe(layers, bits, rng.randint(1, 6), rng.randint(1, 8),
                  tuple(rng.randint(-9, bits - 2) for _ in range(depth)),
                  tuple(rng.randint(0, 4) for _ in range(depth - 1)), rng.choice([1, 10, 500]),
                  epochs=1, seed=rng.randrange(1 << 64))


def machine_for(recipe, counters, prng, **shape):
    config = CoreConfig.for_network(recipe.layers, recipe.planes,
                                    counter_bits=recipe.counter_bits,
                                    activation_bits=recipe.activation_bits, **shape)
    machine = Machine(config)
    table = layer_table(recipe, recipe.gains)
    check_table(config, table)
    machine.load_table(table)
    codes, residuals = pack_counters(config, table, counters)
    machine.codes[:, :codes.shape[1]] = codes
    machine.residuals[:len(residuals)] = residuals
    machine.prng.state = prng
    return machine


def counters_of(machine):
    return unpack_counters(machine.config, machine.layers, machine.codes, machine.residuals)


@pytest.mark.parametrize("seed", range(25))
def test_the_program_is_the_rule(seed):
    rng = random.Random(seed)
    recipe = random_recipe(rng)
    network = MarginNetwork(recipe)
    lanes = rng.randint(1, 12)
    machine = machine_for(recipe, network.counters, network.prng.state, lanes=lanes,
                          banks=rng.randint(1, 6), update_lanes=lanes)
    samples = [(np.array([rng.randrange(1 << recipe.planes) if rng.random() < 0.5 else 0
                          for _ in range(recipe.layers[0])]), rng.randrange(recipe.layers[-1]))
               for _ in range(40)]
    machine.program = programs.train(len(machine.layers), len(samples), recipe.margin)
    machine.start()
    machine.inbox.extend(Sample(x, y) for x, y in samples)
    machine.advance()
    stats = [network.train_sample(x, y, recipe.gains) for x, y in samples]
    assert machine.run.name == "HALTED"
    assert machine.statistics.samples == len(samples)
    assert machine.statistics.correct == sum(s.correct for s in stats)
    assert machine.statistics.updates == sum(s.updated for s in stats)
    assert machine.statistics.flips == sum(s.flips for s in stats)
    assert machine.prng.state == network.prng.state
    for found, expected in zip(counters_of(machine), network.counters, strict=True):
        assert np.array_equal(found, expected)


def small():
    recipe = Recipe.default((5, 4, 3), 2, epochs=1)
    network = MarginNetwork(recipe)
    return machine_for(recipe, network.counters, 1, lanes=2, banks=2, update_lanes=1), network


def test_infer_sends_scores_and_changes_nothing():
    machine, network = small()
    before = [c.copy() for c in counters_of(machine)]
    machine.program = programs.infer(2, 3)
    machine.start()
    inputs = [np.array([n, 1, 0, 3, 2]) for n in range(3)]
    machine.inbox.extend(Sample(x, 0) for x in inputs)
    machine.advance()
    assert [result.index for result in machine.outbox] == [0, 1, 2]
    for result, x in zip(machine.outbox, inputs, strict=True):
        assert np.array_equal(result.scores, network.scores(x))
        assert result.prediction == network.predict(x)
    assert all(np.array_equal(a, b) for a, b in zip(counters_of(machine), before, strict=True))


@pytest.mark.parametrize("word", [encode(Op.FWD, 3), encode(Op.BWD, 1), encode(Op.UPD, 3),
                                  encode(Op.BWD, 3)])
def test_a_missing_layer_is_a_fault(word):
    machine, _ = small()
    machine.program = [word]
    machine.start()
    machine.advance()
    assert machine.run.name == "FAULT"
    assert machine.registers.pc == 0


def test_recv_waits_and_the_end_of_the_program_halts():
    machine, _ = small()
    machine.program = [encode(Op.RECV)]
    machine.start()
    machine.advance()
    assert machine.run.name == "RUNNING"
    machine.inbox.append(Sample(np.ones(5, int), 1))
    machine.advance()
    assert machine.run.name == "HALTED"


def test_a_loop_runs_as_often_as_its_count():
    machine, _ = small()
    machine.program = [encode(Op.COUNT, 5), encode(Op.ERR, 1), encode(Op.LOOP, 1)]
    machine.start()
    machine.advance()
    assert machine.statistics.samples == 5
    assert machine.registers.counter == 0
