import numpy as np
import pytest

from tritgrad.errors import BadInput
from tritgrad.host.run.kept import Kept
from tritgrad.model.rng import splitmix64


def rows(first, count):
    """Rows that say which they are."""
    number = np.arange(first, first + count)
    return np.stack([number, -number], axis=1).astype(float), number % 3


def test_those_with_the_least_outputs_of_splitmix_are_kept():
    kept = Kept.of(5, 7, *rows(0, 100))
    keys = [splitmix64(7 ^ 0x6B657074, n) for n in range(100)]
    expected = sorted(range(100), key=keys.__getitem__)[:5]
    assert kept.values[:, 0].tolist() == expected
    assert kept.labels.tolist() == [n % 3 for n in expected]
    assert kept.keys.tolist() == sorted(keys)[:5]
    assert (kept.size, kept.seen) == (5, 100)


def test_rows_in_parts_are_kept_as_if_they_had_come_at_once():
    whole = Kept.of(8, 3, *rows(0, 60))
    parts = None
    for first, count in (0, 5), (5, 30), (35, 25):
        parts = Kept.of(8, 3, *rows(first, count), parts)
    assert parts.values.tolist() == whole.values.tolist()
    assert parts.labels.tolist() == whole.labels.tolist()
    assert (parts.size, parts.seen) == (8, 60)


def test_every_row_is_as_likely_as_any_other():
    first = sum(int((Kept.of(10, seed, *rows(60, 40), Kept.of(10, seed, *rows(0, 60))).values[:, 0]
                     < 60).sum()) for seed in range(300))
    assert abs(first - 300 * 6) < 100  # six standard deviations


def test_it_comes_back_from_a_file():
    kept = Kept.of(4, 1, *rows(0, 9))
    again = Kept.from_arrays(kept.arrays())
    assert all((getattr(again, name) == getattr(kept, name)).all()
               for name in ("values", "labels", "keys"))
    assert (again.size, again.seen) == (4, 9)
    assert Kept.from_arrays({}) is None


@pytest.mark.parametrize("change, message", [
    ({"labels": np.zeros(3, int)}, "as many values, labels and keys and at most 4, not"),
    ({"size": 3}, "at most 3, not"), ({"seen": 2}, "at least as many rows seen, not 4 of 2"),
    ({"values": np.full((4, 2), np.nan)}, "finite")])
def test_damaged_rows(change, message):
    kept = vars(Kept.of(4, 1, *rows(0, 9)))
    with pytest.raises(BadInput, match=message):
        Kept(**{**kept, **change})


@pytest.mark.parametrize("size", [0, 1_000_001])
def test_sizes(size):
    with pytest.raises(BadInput, match="rows from 1 to 1000000, not"):
        Kept.of(size, 1, *rows(0, 9))
