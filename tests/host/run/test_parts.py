import numpy as np
import pytest

from tritgrad.host.data.datasets import Rows
from tritgrad.host.run.auto import choose
from tritgrad.host.run.options import TrainOptions
from tritgrad.host.run.parts import held_back
from tritgrad.model.rng import splitmix64


def rows(chosen, **others):
    chosen = np.asarray(chosen)
    values = np.zeros((int(chosen.max()) + 1, 1))
    return Rows(values, values, chosen, None, None, **others)


def sides(found, chosen):
    return [(set(np.asarray(chosen)[a].tolist()), set(np.asarray(chosen)[b].tolist()))
            for a, b in found]


@pytest.mark.parametrize("count", [40, 43, 1999])
def test_plain_rows_are_held_back_in_five_parts_by_splitmix(count):
    found = held_back(rows(range(count)), False)
    order = np.argsort(splitmix64(0, np.arange(count)), kind="stable")
    for (learned, held), expected in zip(found, np.array_split(order, 5), strict=True):
        assert held.tolist() == expected.tolist()
        assert sorted([*learned, *held]) == list(range(count))


def test_of_many_rows_one_part_is_held_back():
    (learned, held), = held_back(rows(range(30_000)), False)
    assert (len(learned), len(held)) == (4000, 2000)
    assert not set(learned.tolist()) & set(held.tolist())


@pytest.mark.parametrize("count", [50, 4000])
def test_copies_of_a_row_are_on_one_side(count):
    chosen = np.repeat(np.arange(count), np.arange(count) % 3 + 1)
    for learned, held in sides(held_back(rows(chosen), False), chosen):
        assert held and learned and not learned & held
    if count == 50:
        places = [held for _, held in held_back(rows(chosen), False)]
        assert sorted(np.concatenate(places)) == list(range(len(chosen)))


@pytest.mark.parametrize("count", [60, 3000])
@pytest.mark.parametrize("ordered", [False, True])
def test_rows_of_a_group_are_on_one_side(count, ordered):
    groups = np.array([f"g{n * n % 7}" for n in range(count)])
    found = held_back(rows(range(count), groups=groups), ordered)
    assert found
    for learned, held in found:
        assert not set(groups[learned]) & set(groups[held])


def test_one_group_cannot_be_parted():
    assert held_back(rows(range(60), groups=np.array(["a"] * 60)), False) == []


@pytest.mark.parametrize("count, stride, length", [(60, 2, 10), (2500, 3, 12), (60, 5, 5)])
def test_windows_that_overlap_are_on_one_side(count, stride, length):
    starts = np.arange(count) * stride
    found = held_back(rows(range(count), starts=starts, length=length), True)
    assert len(found) == (1 if count >= 2000 else 5)
    for learned, held in found:
        read = set((starts[learned][:, None] + np.arange(length)).ravel().tolist())
        assert not read & set((starts[held][:, None] + np.arange(length)).ravel().tolist())
        stretch = np.sort(held)
        assert (np.diff(stretch) == 1).all()  # the rows of a stretch
        assert len(learned) + len(held) >= min(count, 4000 + len(held)) - 2 * (length // stride)
    assert sorted(found[0][1])[-1] == count - 1  # of one part the last rows


def test_rows_in_time_are_held_back_in_stretches():
    for _, held in held_back(rows(range(100)), True):
        assert (np.diff(np.sort(held)) == 1).all()


def table(path, rows=120):
    """Six users of twenty rows each, the label in stretches of five."""
    rng = np.random.default_rng(3)
    lines = [f"{rng.normal():.3f},{n // 20},{'ab'[n // 5 % 2 if n % 20 < 15 else 0]}"
             for n in range(rows)]
    path.write_text("\n".join(["v,user,label", *lines]) + "\n")
    return str(path)


def test_groups_windows_and_copies_of_a_file_are_known(tmp_path):
    file = table(tmp_path / "rows.csv")
    grouped = TrainOptions(dataset=file, device="model", split="group:user", balance=True)
    data = grouped.load_data()
    users = data.rows.groups[data.rows.chosen]
    assert len(np.unique(data.rows.chosen)) < len(users)
    found = held_back(data.rows, grouped.reading.split_rule == "ordered")
    assert found
    for learned, held in found:
        assert not set(users[learned]) & set(users[held])
    windows = TrainOptions(dataset=file, device="model", window=(4, 1))
    data = windows.load_data()
    assert data.rows.groups is None and data.rows.length == 4
    starts = data.rows.starts[data.rows.chosen]
    found = held_back(data.rows, windows.reading.split_rule == "ordered")
    for learned, held in found:
        read = set((starts[learned][:, None] + np.arange(4)).ravel().tolist())
        assert not read & set((starts[held][:, None] + np.arange(4)).ravel().tolist())
    assert choose(grouped, grouped.load_data()).why.startswith("1")


def test_one_group_gets_a_coding_without_a_comparison(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("v,user,label\n" + "".join(
        f"{n * n % 17},{'u' if n < 60 else 'w'},{'ab'[n % 2]}\n" for n in range(70)))
    options = TrainOptions(dataset=str(path), device="model", split="group:user")
    assert choose(options, options.load_data()).why == (
        "60 rows of 1 features are one group, of which nothing can be held back")
