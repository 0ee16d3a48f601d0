"""Training with a support: the schedule, and the compiled model beside reference machine."""

import random

import numpy as np
import pytest

from tritgrad.errors import BadInput
from tritgrad.firmware import programs
from tritgrad.host.device.driver import layer_table
from tritgrad.model.arithmetic import trits
from tritgrad.model.blending.granules import support
from tritgrad.model.blending.pruning import ALL, Pruning
from tritgrad.model.config import CoreConfig
from tritgrad.model.fast import FastNetwork
from tritgrad.model.layout import check_table, pack_counters, unpack_counters
from tritgrad.model.machine import Machine, Sample
from tritgrad.model.recipe import Recipe


def test_the_schedule_of_a_run():
    plan = Pruning(every=100, cutoff=30, banks=8, lanes=16)
    assert plan.last(1000) == 600
    assert [plan.cutoff_after(n, 1000) for n in (0, 50, 100, 300, 599, 600, 700)] == [
        None, None, 30, 30, None, 30, None]
    assert [plan.rests(n, 1000) for n in (0, 599, 600, 1000)] == [False, False, True, True]
    assert [plan.ahead(n) for n in (0, 99, 100)] == [100, 1, 100]
    assert (Pruning.layers(1), Pruning.layers(2), Pruning.layers(4)) == ([1], [1], [1, 2, 3])
    assert Pruning.small(8) == 5


def test_refusals():
    with pytest.raises(BadInput, match="cutoff of pruning must be an integer from 0 to 128, not "):
        Pruning(100, 129, 8, 16)
    with pytest.raises(BadInput, match="every of pruning must be an integer from 1 to "):
        Pruning(0, 1, 8, 16)
    with pytest.raises(BadInput, match="at most three fifths of the run's 160 samples, not 100"):
        Pruning(100, 1, 8, 16).check(160)
    recipe = Recipe.default((9, 3), 1)
    with pytest.raises(BadInput, match="nothing can be purged"):
        FastNetwork(recipe).purge([1], 0, 0)
    pruned = FastNetwork(Recipe.default((9, 3), 1, prune=Pruning(1, 1, 1, 4)))
    with pytest.raises(BadInput, match=r"the support of layer 1 leaves out \d+ granules"):
        pruned.load(pruned.counters, 1, inside=[np.zeros((3, 3), bool)])
    with pytest.raises(BadInput, match=r"granules \[\(3, 3\)\], not \[\(1, 1\)\]"):
        pruned.load(pruned.counters, 1, inside=[np.zeros((1, 1), bool)])


def machine_for(recipe, network, config):
    machine, table = Machine(config), layer_table(recipe, recipe.gains)
    check_table(config, table)
    machine.load_table(table)
    codes, residuals = pack_counters(config, table, network.counters)
    machine.codes[:, :codes.shape[1]] = codes
    machine.residuals[:len(residuals)] = residuals
    machine.prng.state = network.prng.state
    for placed, inside in zip(machine.places, network.support, strict=True):
        machine.parts["support"].inside[placed.group_base:placed.group_base + placed.groups,
                        :placed.words] = inside
    return machine


def run(machine, words, samples=()):
    machine.program = words
    machine.start()
    machine.inbox.extend(samples)
    machine.advance()
    assert machine.run.name == "HALTED"


def other_units(seed, depth):
    """Of seeds from 12 on: what a recipe has beside pruning."""
    rng = random.Random(f"{seed} units")
    if seed < 12:
        return {}
    return {"scale_refresh": rng.choice([None, 0, 2]), "conserve": rng.random() < 0.6,
            "skip": rng.randrange(3) if depth == 3 else None}


@pytest.mark.parametrize("seed", range(30))
def test_births_rest_and_purges_are_those_of_the_reference_machine(seed):
    rng = random.Random(seed)
    depth = rng.randint(1, 3)
    sizes = [*(rng.randint(3, 30) for _ in range(depth)), rng.randint(2, 7)]
    others = other_units(seed, depth)
    if others.get("skip") is not None:
        sizes[2] = sizes[1]
    lanes, banks = rng.randint(1, 9), rng.randint(1, 5)
    recipe = Recipe(sizes, rng.randint(6, 10), 3, rng.randint(1, 4),
                    tuple(rng.randint(-3, 4) for _ in range(depth)),
                    tuple(rng.randint(0, 2) for _ in range(depth - 1)), 10_000, epochs=1,
                    seed=rng.randrange(1 << 64), prune=Pruning(10, 1, banks, lanes), **others)
    config = CoreConfig.for_network(sizes, recipe.planes, lanes=lanes, banks=banks,
                                    update_lanes=lanes, counter_bits=recipe.counter_bits,
                                    activation_bits=3, support=True,
                                    scales=recipe.scale_refresh is not None,
                                    row_sums=recipe.conserve, conserve=recipe.conserve,
                                    skip=recipe.skip is not None)
    network = FastNetwork(recipe)
    machine = machine_for(recipe, network, config)
    x = np.array([[rng.randrange(1 << recipe.planes) if rng.random() < 0.6 else 0
                   for _ in range(sizes[0])] for _ in range(40)], np.uint8)
    y = np.array([rng.randrange(sizes[-1]) for _ in x])
    small = rng.randrange(recipe.counter_bits)
    for part, rest, limits in ((slice(0, 10), False, (0, ALL)), (slice(10, 25), False, (2, small)),
                               (slice(25, 40), True, (banks * lanes // 3, 0))):
        layers = Pruning.layers(depth)
        network.purge(layers, *limits)
        run(machine, programs.purge(depth, layers, *limits))
        network.train(x, y, np.arange(40), recipe.gains, start=part.start, stop=part.stop,
                      rest=rest)
        run(machine, programs.train(depth, part.stop - part.start, recipe.margin, rest=rest,
                                    scale_refresh=recipe.scale_refresh),
            [Sample(a.astype(np.int64), int(b)) for a, b in zip(x[part], y[part], strict=True)])
        found = unpack_counters(config, machine.layers, machine.codes, machine.residuals)
        for number, (a, b) in enumerate(zip(network.counters, found, strict=True)):
            assert (a == b).all()
            placed = machine.places[number]
            kept = machine.parts["support"].inside[placed.group_base:][:placed.groups]
            inside = kept[:, :placed.words]
            assert (network.support[number] == inside).all()
            needed = support(trits(a, recipe.counter_bits), banks, lanes)
            assert not (needed & ~inside).any()
    assert machine.prng.state == network.prng.state
    if (scales := network.scales) is not None:
        part = machine.parts["scales"]
        assert scales.step == part.corr[-1] > 0
        for number, (corr, codes) in enumerate(zip(scales.corr, scales.codes, strict=True), 1):
            assert (part.corr[machine.rows(number)] == corr).all()
            assert (part.factors[machine.rows(number)] == codes).all()
    again = FastNetwork(recipe)
    again.load(network.counters, network.prng.state, network.scales, network.support)
    assert all((a == b).all() for a, b in zip(again.support, network.support, strict=True))


@pytest.mark.parametrize("seed", range(4))
def test_what_rests_outside_owes_nothing_to_a_row_s_sum(seed):
    """Counters everywhere stand just before their next trit; half of the granules are outside."""
    rng = np.random.default_rng(seed)
    recipe = Recipe((12, 6), 8, 3, 2, (2,), (), 10_000, epochs=1, seed=1, conserve=True,
                    prune=Pruning(10, 1, 2, 3))
    config = CoreConfig.for_network(recipe.layers, 2, lanes=3, banks=2, update_lanes=3,
                                    activation_bits=3, support=True, row_sums=True, conserve=True)
    network = FastNetwork(recipe)
    inside = rng.random((3, 4)) < 0.5
    trits_of = rng.integers(-1, 2, (6, 12)) * np.repeat(np.repeat(inside, 2, axis=0), 3, axis=1)
    counters = trits_of * 64 + rng.choice([-2, 61], (6, 12)) * (trits_of >= 0)
    network.load([counters], 1, inside=[inside])
    machine = machine_for(recipe, network, config)
    x, y = rng.integers(0, 4, (8, 12)).astype(np.uint8), rng.integers(0, 6, 8)
    done = network.train(x, y, np.arange(8), recipe.gains, rest=True)
    run(machine, programs.train(1, 8, recipe.margin, rest=True),
        [Sample(a.astype(np.int64), int(b)) for a, b in zip(x, y, strict=True)])
    found, = unpack_counters(config, machine.layers, machine.codes, machine.residuals)
    assert (network.counters[0] == found).all()
    assert done.flips == machine.statistics.flips > 0
