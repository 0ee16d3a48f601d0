"""Every pair of options and forms that goes together, in a core beside the reference machine."""

import itertools

import pytest

from tritgrad.model.config import FORMS
from tritgrad.sim.trials import together
from tritgrad.units.registry import CHOICES, refused_pairs

from ..hw.cases import random_lockstep

SETS = list(together())
CASES = [(number, form) for number in range(len(SETS)) for form in FORMS]


@pytest.mark.parametrize(("number", "form"), CASES)
def test_a_core_of_many_units_is_the_models(fresh_seed, number, form):
    run = random_lockstep(fresh_seed, units=SETS[number], chance=0, form=form, max_size=10)
    assert all(getattr(run.config, name) for name in SETS[number])
    assert getattr(run.config, form) == FORMS[form]
    run.run(limit=40)


def test_no_pair_is_left_out():
    added = [name for name, option in CHOICES.items() if not option.default]
    drawn = {frozenset(pair) for chosen in SETS for pair in itertools.combinations(chosen, 2)}
    allowed = {frozenset(pair) for pair in itertools.combinations(added, 2)} - set(refused_pairs())
    assert drawn == allowed
    forms = {frozenset((name, form)) for name in added for form in FORMS} & set(refused_pairs())
    assert not forms
