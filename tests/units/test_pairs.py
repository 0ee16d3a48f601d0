"""Every pair of options and forms that goes together, in a core beside the reference machine."""

import itertools

import pytest

from tritgrad.model.config import FORMS
from tritgrad.sim.trials import together
from tritgrad.units.registry import CHOICES, refused_pairs

from ..hw.cases import random_lockstep

SETS = list(together())
REFUSED = refused_pairs()


def beside(form, names):
    """Those of some options that go together with a form."""
    return tuple(name for name in names if frozenset((name, form)) not in REFUSED)


CASES = list(dict.fromkeys((form, units) for names in SETS for form in FORMS
                           if (units := beside(form, names))))


@pytest.mark.parametrize(("form", "units"), CASES)
def test_a_core_of_many_units_is_the_models(fresh_seed, form, units):
    run = random_lockstep(fresh_seed, units=units, chance=0, form=form, max_size=10)
    assert all(getattr(run.config, name) for name in units)
    assert getattr(run.config, form) == FORMS[form]
    run.run(limit=40)


def test_no_pair_is_left_out():
    added = [name for name, option in CHOICES.items() if not option.default]
    drawn = {frozenset(pair) for chosen in SETS for pair in itertools.combinations(chosen, 2)}
    allowed = {frozenset(pair) for pair in itertools.combinations(added, 2)} - set(REFUSED)
    assert drawn == allowed
    drawn = {frozenset((form, name)) for form, units in CASES for name in units}
    assert drawn == {frozenset((form, name)) for form in FORMS for name in added} - set(REFUSED)
