from pathlib import Path

import numpy as np
import pytest

from tritgrad.errors import BadInput
from tritgrad.host.data.datasets import load
from tritgrad.host.data.features import read_features
from tritgrad.host.data.reading import Reading
from tritgrad.host.data.splits import split, windows
from tritgrad.host.data.tables import Table
from tritgrad.model.rng import split_rows, splitmix64

LABELS = np.array(list("aaaaaaaaaabbbbbc"))


def test_random_is_the_rule_that_there_was() -> None:
    for n, fraction in ((16, 0.2), (100, 0.29), (7, 0.5)):
        kept, held = split(n, fraction, "random", 0)
        wanted = split_rows(n, fraction)
        assert kept.tolist() == wanted[0].tolist() and held.tolist() == wanted[1].tolist()
    _, held = split(50, 0.2, "random", 7)
    assert held.tolist() == sorted(sorted(range(50), key=lambda i: splitmix64(7, i))[:10])


def test_stratified_takes_the_same_part_of_each_class() -> None:
    kept, held = split(16, 0.2, "stratified", 3, LABELS)
    assert LABELS[held].tolist() == ["a", "a", "b"]
    assert sorted([*kept, *held]) == list(range(16))
    first = sorted(range(10), key=lambda i: splitmix64(3, i))[:2]
    assert held[:2].tolist() == sorted(first)


def test_ordered_takes_the_last_rows_and_groups_stay_whole() -> None:
    assert split(10, 0.25, "ordered", 0)[1].tolist() == [8, 9]
    groups = np.array(list("uuvvvvwwxx"))
    for seed in range(9):
        kept, held = split(10, 0.4, "group:g", seed, groups=groups)
        assert set(groups[kept]).isdisjoint(groups[held]) and 0 < len(held) <= 4
    assert len({tuple(split(10, 0.4, "group:g", s, groups=groups)[1]) for s in range(9)}) > 1


def written(tmp_path: Path, rows: int, label: str, name: str = "d.csv") -> str:
    """Rows i, 2i of user i // 10, with a class by an expression of i."""
    path = tmp_path / name
    path.write_text("a,b,user,y\n" + "".join(
        f"{i},{2 * i},u{i // 10},{eval(label)}\n" for i in range(rows)))
    return str(path)


def test_groups_and_seeds_by_option(tmp_path: Path) -> None:
    path = written(tmp_path, 60, "i % 2")
    data = load(path, reading=Reading(split="group:user"), val_fraction=0.3)
    assert data.columns == ("a", "b") and data.test_rows is not None
    assert data.summary.split.endswith("whole groups of 'user'")
    parts = [set((np.asarray(rows) // 10).tolist()) for rows in (data.train_rows, data.test_rows)]
    assert parts[0].isdisjoint(parts[1]) and len(parts[1]) == 1 and len(parts[0]) == 4
    one, two = (load(path, reading=Reading(split_seed=s)) for s in (0, 1))
    assert one.train_rows.tolist() != two.train_rows.tolist()
    with pytest.raises(BadInput, match="has no column 'who'"):
        load(path, reading=Reading(split="group:who"))
    with pytest.raises(BadInput, match="--split group:y is the label; groups must be of another"):
        load(path, reading=Reading(split="group:y", label="y"))
    with pytest.raises(BadInput, match="test_fraction 0.1 of 60 rows leaves no test row"):
        load(path, test_fraction=0.1, reading=Reading(split="group:user"))


def test_a_class_that_only_test_rows_have_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, 20, "'rare' if i == 13 else 'often' if i % 2 else 'half'")
    seed = next(s for s in range(99) if 13 in split(20, 0.2, "random", s)[1])
    told = Reading(split_seed=seed, drop=("user",))
    with pytest.raises(BadInput, match="'rare' in 1 test rows and in no training row; .*strat"):
        load(path, reading=told)
    data = load(path, reading=Reading(split_seed=seed, drop=("user",), split="stratified"))
    assert (data.y_train == data.class_names.index("rare")).sum() == 1
    data = load(path, reading=Reading(split_seed=seed, drop=("user",),
                                      classes=("rare", "often", "half", "never")))
    assert data.class_names == ("rare", "often", "half", "never")
    with pytest.raises(BadInput, match="has the label 'rare', which --classes does not name"):
        load(path, reading=Reading(drop=("user",), classes=("often", "half")))


def series(labels: str, groups: str | None = None, starts: list[int] | None = None) -> Table:
    count = len(labels)
    return Table("s", np.arange(2.0 * count).reshape(count, 2), np.array(list(labels)), ("u", "v"),
                 groups=None if groups is None else np.array(list(groups)),
                 starts=None if starts is None else np.array(starts))


def test_windows_are_rows_in_succession_of_one_label() -> None:
    made, first, changed = windows(series("aaaabbbb"), 3, 1)
    assert first.tolist() == [0, 1, 4, 5] and changed == 2
    assert made.columns == ("u[0]", "v[0]", "u[1]", "v[1]", "u[2]", "v[2]")
    assert made.values[1].tolist() == [2, 3, 4, 5, 6, 7] and made.labels.tolist() == list("aabb")
    assert windows(series("aaaaaaa"), 3, 3)[1].tolist() == [0, 3]
    assert windows(series("aaaaaaaa", "xxxxyyyy"), 3, 1)[1].tolist() == [0, 1, 4, 5]
    assert windows(series("aaaaaaaa", starts=[5]), 3, 1)[1].tolist() == [0, 1, 2, 5]
    with pytest.raises(BadInput, match="s has no window of 3 rows in succession with one label"):
        windows(series("ababab"), 3, 1)


def test_windows_are_never_in_training_and_test_alike(tmp_path: Path) -> None:
    path = written(tmp_path, 60, "i // 20 % 2")
    data = load(path, reading=Reading(window=(4, 2), drop=("user",)), planes=8)
    assert data.summary.split.endswith("the last rows") and data.inputs == 8
    first = np.arange(0, 57, 2)
    kept = first[first // 20 == (first + 3) // 20]
    assert data.test_rows is not None
    assert kept[data.test_rows].tolist() == [48, 50, 52, 54, 56]
    assert kept[data.train_rows].max() == 44  # not 46, whose last rows are those of 48
    for rule in ("random", "stratified"):
        with pytest.raises(BadInput, match=f"of 4 rows every 2 overlap, and --split {rule}"):
            load(path, reading=Reading(window=(4, 2), drop=("user",), split=rule))
    assert load(path, reading=Reading(window=(4, 4), drop=("user",), split="random")).inputs == 8
    data = load(path, reading=Reading(window=(4, 2), split="group:user"))
    assert data.layout is not None and data.layout.window == (4, 2)
    new = read_features(Path(path), layout=data.layout, inputs=8)
    assert len(new.values) == 6 * 4  # labels do not matter, users do
    assert any("24 windows of 4 rows" in note for note in new.summary.notes)


def test_rows_of_rare_classes_are_repeated(tmp_path: Path) -> None:
    path = written(tmp_path, 60, "'rare' if i % 6 == 0 else 'often'")
    plain = load(path, reading=Reading(drop=("user",)))
    data = load(path, reading=Reading(drop=("user",), balance=True))
    assert plain.class_names == ("often", "rare")
    often, rare = np.bincount(plain.y_train)
    times = round(often / rare)
    assert np.bincount(data.y_train).tolist() == [often, rare * times] and times > 1
    assert (np.diff(data.train_rows) >= 0).all() and len(data.x_test) == len(plain.x_test)


@pytest.mark.parametrize("options, message", [
    ({"split": "half"}, "--split must be random, stratified, ordered or group:COL, not 'half'"),
    ({"split": "group:"}, "--split must be"),
    ({"split_seed": -1}, "--split-seed must be an integer from 0"),
    ({"split_seed": 3, "split": "ordered"}, ("--split-seed 3 is of random splits; with --split "
                                             "ordered the last rows are split off")),
    ({"split_seed": 3, "window": (2, 2)}, "with --split ordered, as --window has it, the last"),
    ({"window": (0, 1)}, "--window must be N or N,STRIDE, integers above 0, not '0,1'"),
    ({"classes": ("a",)}, "--classes must be at least two names separated by commas, not 'a'"),
    ({"classes": ("a", "b", "a")}, "--classes names 'a' twice"),
    ({"header": "perhaps"}, "--header must be auto, yes or no, not 'perhaps'"),
    ({"missing": "median"}, "--missing must be refuse, drop or mean, not 'median'"),
])
def test_bad_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(BadInput) as caught:
        Reading(**options)  # type: ignore[arg-type]
    assert message in str(caught.value)
