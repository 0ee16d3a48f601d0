"""The cores that are tried cover what the records say."""

import itertools
import random

from tritgrad.sim.trials import CORES, SMALL, random_units
from tritgrad.units.registry import CHOICES, OPTIONS, refused_pairs

ADDED = [name for name, option in CHOICES.items() if not option.default]


def test_each_option_and_each_pair_that_goes_together_is_attacked():
    refused = refused_pairs()
    for name, option in OPTIONS.items():
        assert any(getattr(core, name) != option.default for core in CORES.values()), name
    for a, b in itertools.combinations(ADDED, 2):
        built = any(getattr(core, a) and getattr(core, b) for core in CORES.values())
        assert built == (frozenset((a, b)) not in refused), (a, b)


def test_there_are_not_many_more_cores_than_units():
    """Each is compiled."""
    assert len(CORES) <= 12
    assert len(set(CORES.values())) == len(CORES)


def test_the_first_option_is_certainly_there():
    for seed, name in itertools.product(range(5), ADDED):
        assert getattr(random_units(random.Random(seed), SMALL, [name]), name)
    odd = SMALL.changed(lanes=9, update_lanes=3)
    assert 16 % random_units(random.Random(1), odd, ["resident"]).lanes == 0


def test_each_option_comes_with_others_and_without():
    seen = {name: set() for name in ADDED}
    for seed in range(60):
        config = random_units(random.Random(seed), SMALL)
        for name in ADDED:
            seen[name].add(bool(getattr(config, name)))
    assert all(values == {False, True} for values in seen.values())
