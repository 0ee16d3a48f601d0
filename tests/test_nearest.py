"""The tests that `make quick` runs."""

import pytest

from .nearest import ALWAYS, changed, nearest


@pytest.mark.parametrize(("path", "found"), [
    ("hw/datapath/array.py", "tests/hw/datapath/test_array.py"),
    ("tests/hw/datapath/test_array.py", "tests/hw/datapath/test_array.py"),
    ("hw/control/statistics.py", "tests/hw/control/test_statistics.py"),
    ("firmware/wire.py", "tests/hw/link/test_unpack.py"),      # imports it, has no test of its own
    ("tests/hw/lockstep.py", "tests/hw/test_engine.py"),
    ("docs/serial.md", "tests/firmware/test_rates.py"),
])
def test_a_change_finds_its_tests(path, found):
    assert found in nearest([path])


def test_one_module_is_few_tests():
    assert len(nearest(["hw/datapath/array.py"])) == 2


def test_nothing_changed_is_the_direction_of_imports():
    assert nearest([]) == [ALWAYS]


def test_changes_are_paths_of_this_tree():
    assert all(isinstance(path, str) for path in changed())
