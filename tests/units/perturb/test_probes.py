"""Resident samples, directions and steps along them: engines against the reference machine."""

import random

import pytest

from tritgrad.firmware.programs import train_fd
from tritgrad.model.discrete.walk import state_of

from ...hw.cases import random_counters, random_lockstep
from ...hw.lockstep import Lockstep

#: Of steps of both signs, with memories of all three kinds.
SEEDS = (28, 21, 10, 12)


@pytest.mark.parametrize("seed", SEEDS[:1])
def test_every_instruction_leaves_the_state_of_the_model(seed):
    random_lockstep(seed, units=["resident"], chance=0).run(limit=40)


@pytest.mark.parametrize("seed", SEEDS)
def test_overlapping_instructions_end_in_the_state_of_the_model(seed):
    random_lockstep(seed, units=["resident"], chance=0).run(step=False)


def test_the_seeds_exercise_steps_of_both_signs():
    losses, flips = [], 0
    for seed in SEEDS:
        run = random_lockstep(seed, units=["resident"], chance=0)
        run.machine.start()
        run.machine.inbox.extend(run.samples)
        run.machine.advance()
        losses.append(run.machine.parts["perturb"].loss)
        flips += run.machine.statistics.flips
    assert min(losses) < 0 < max(losses)
    assert flips > 50


@pytest.mark.parametrize("seed", SEEDS[:2])
def test_one_weight_at_a_time(seed):
    """Over the end of a layer, and of the last one."""
    rng = random.Random(seed)
    case = random_lockstep(seed, units=["resident"], chance=0, max_layers=2, max_size=12)
    config, layers = case.config, case.layers
    shapes = [(layer.outputs, layer.inputs) for layer in layers]
    ends = shapes[0][0] * shapes[0][1]
    program = train_fd(len(layers), config.resident, margin=40, steps=6)
    run = Lockstep(config, layers, program, random_counters(rng, config, layers), case.samples,
                   prng=state_of(ends - 3, shapes))
    run.run(step=False)
    assert run.machine.run.name == "HALTED"
