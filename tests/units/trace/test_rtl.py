# amaranth: UnusedElaboratable=no

"""The trace unit in an engine against the golden model: random cores, programs and stalls."""

import random

import pytest

from tritgrad.firmware.records import Item
from tritgrad.model.config import CoreConfig
from tritgrad.units.trace.events import EventQueue
from tritgrad.units.trace.rtl import TraceUnit

from ...hw.cases import random_lockstep


def lockstep(seed, most, **options):
    """A random run of which the records are taken with up to so many idle cycles a byte."""
    run = random_lockstep(seed, length=26, units=["trace"], **options)
    rng = random.Random(seed)
    run.idle = lambda: rng.randint(0, rng.randint(0, most))
    return run


@pytest.mark.parametrize("seed", range(5))
def test_records_after_every_instruction_are_those_of_the_model(seed):
    run = lockstep(seed, most=0)
    run.run(limit=60)
    assert run.executed > 0


@pytest.mark.parametrize("seed, most", [(10, 0), (10, 6), (11, 6), (18, 6), (28, 6)])
def test_a_full_queue_stalls_the_core_and_changes_nothing(monkeypatch, seed, most):
    monkeypatch.setattr(TraceUnit, "QUEUE", 16 if seed % 4 == 2 else 8)  # as steps are longer
    run = lockstep(seed, most, chance=0)
    run.run(step=False)
    assert run.held > 0


def test_the_seeds_exercise_every_item_and_saturations():
    kinds, saturated = set(), 0
    for seed in range(10):
        run = lockstep(seed, 0)
        tracer = run.machine.parts["trace"].tracer
        add, update = tracer._add, tracer.update
        tracer._add = lambda data, add=add: (kinds.add(Item(data[0])), add(data))[1]

        def counted(bank, address, error, before, step, after, update=update, config=run.config):
            nonlocal saturated
            half = 1 << (config.counter_bits - 1)
            saturated += int(abs(before + error * step + 0.5).max() > half)
            return update(bank, address, error, before, step, after)

        tracer.update = counted
        run.machine.start()
        run.machine.inbox.extend(run.samples)
        run.machine.advance()
    assert kinds == {*Item}
    assert saturated > 20


@pytest.mark.parametrize("depth", [4, 12, -8])
def test_a_queue_that_cannot_be(depth):
    with pytest.raises(ValueError, match=f"^depth must be a power of two, at least 8, not {depth}"):
        EventQueue(CoreConfig(), depth)
