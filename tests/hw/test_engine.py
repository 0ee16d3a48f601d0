"""The engine against the reference machine: random cores, networks, programs and samples."""

import random

import numpy as np
import pytest

from tritgrad.firmware import programs
from tritgrad.model.config import CoreConfig
from tritgrad.model.layout import Layer
from tritgrad.model.machine import Sample

from .cases import random_counters, random_lockstep
from .lockstep import Lockstep

SEEDS = range(24)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_instruction_leaves_the_state_of_the_model(seed):
    run = random_lockstep(seed)
    run.run()
    assert run.executed > 0


@pytest.mark.parametrize("seed", SEEDS)
def test_overlapping_instructions_end_in_the_state_of_the_model(seed):
    random_lockstep(seed).run(step=False)


def test_a_core_with_resident_samples_is_the_model_s_too():
    run = random_lockstep(13, units=["resident"], chance=0)
    run.run(limit=40)
    assert run.machine.statistics.flips > 0


def test_the_seeds_exercise_updates_flips_and_faults():
    statistics = []
    for seed in SEEDS:
        machine = random_lockstep(seed).machine
        machine.start()
        machine.inbox.extend(random_lockstep(seed).samples)
        machine.advance()
        statistics.append((machine.statistics.updates, machine.statistics.flips, machine.run.name))
    assert sum(updates for updates, _, _ in statistics) > 50
    assert sum(flips for _, flips, _ in statistics) > 50
    assert {"HALTED", "FAULT"} <= {run for _, _, run in statistics}


@pytest.mark.parametrize("pipelined", [False, True])
def test_the_dither_goes_by_an_input_s_position_in_words_of_many_steps(pipelined):
    rng = random.Random(5)
    config = CoreConfig(lanes=8, update_lanes=2, banks=5, input_planes=3, max_layers=2,
                        max_inputs=20, max_neurons=9, max_classes=5, trit_depth=64,
                        residual_depth=512, hidden_depth=8, slot_bytes=64, pipelined=pipelined)
    layers = [Layer(20, 9, 3, 1, -3), Layer(9, 5, 4, 0, -3)]
    samples = [Sample(np.array([rng.randrange(1 << layers[0].planes)
                                for _ in range(layers[0].inputs)]),
                      rng.randrange(layers[-1].outputs)) for _ in range(8)]
    run = Lockstep(config, layers, programs.train(len(layers), 8, 1 << 20),
                   random_counters(rng, config, layers), samples, prng=rng.randrange(1, 1 << 64))
    run.run(step=False)
    assert run.machine.statistics.updates == 8
