"""The engine against the reference machine: random cores, networks, programs and samples."""

import pytest

from .lockstep import random_lockstep

SEEDS = range(24)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_instruction_leaves_the_state_of_the_model(seed):
    run = random_lockstep(seed)
    run.run()
    assert run.executed > 0


@pytest.mark.parametrize("seed", SEEDS)
def test_overlapping_instructions_end_in_the_state_of_the_model(seed):
    random_lockstep(seed).run(step=False)


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
