import numpy as np
import pytest

from tritgrad.errors import BadInput
from tritgrad.host.run.mixing import sequence, turns
from tritgrad.model.rng import epoch_order, rotated_order


def test_without_old_rows_it_is_the_order_of_training():
    assert (sequence(4, 2, 30, 0, "random") == epoch_order(4, 2, 30)).all()
    assert (sequence(4, 2, 30, 0, "file") == np.arange(30)).all()


@pytest.mark.parametrize("order", ["random", "file", "rotate"])
@pytest.mark.parametrize("new, old, rounds", [(30, 7, 4), (10, 25, 1), (3, 3, 1), (101, 100, 1)])
def test_new_rows_come_once_and_old_ones_in_whole_rounds(order, new, old, rounds):
    found = sequence(1, 0, new, old, order)
    assert np.bincount(found, minlength=new + old).tolist() == [1] * new + [rounds] * old
    fresh = found[found < new]
    wanted = {"file": np.arange(new), "random": epoch_order(1, 0, new),
              "rotate": rotated_order(1, 0, new)}
    assert (fresh == wanted[order]).all()
    again = found[found >= new] - new
    assert all(sorted(again[n * old:(n + 1) * old]) == list(range(old)) for n in range(rounds))


def test_old_rows_are_spread_evenly():
    for part, again in turns(1, 0, 100, 50, "file"):
        assert (len(part), len(again)) == (10, 10)


def test_rounds_differ():
    first, second = sequence(1, 0, 40, 20, "file"), sequence(1, 1, 40, 20, "file")
    assert (first != second).any()
    old = first[first >= 40]
    assert (old[:20] != old[20:]).any()


def test_an_order_that_there_is_not():
    with pytest.raises(BadInput, match="^--order must be random, file or rotate, not 'up'$"):
        sequence(1, 0, 4, 0, "up")
