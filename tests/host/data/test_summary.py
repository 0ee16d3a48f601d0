from pathlib import Path

import numpy as np
import pytest

from tritgrad.errors import BadInput
from tritgrad.host.data.datasets import load
from tritgrad.host.data.features import read_features, scale_warnings
from tritgrad.host.data.reading import Reading
from tritgrad.host.data.scaling import Scaling
from tritgrad.host.data.summary import Summary, one_class_warning


def test_the_block_has_at_most_80_columns_and_says_all() -> None:
    summary = Summary(
        "a file with a name.csv", 1200, 784, 3, "kind", "the last column",
        {f"class {i}": 100 + i for i in range(26)}, {"training": 960, "test": 240},
        "0.2 of the rows held back: at random, seed 0", 0.0123, notes=("a note " * 20,),
        warnings=("something is likely wrong",))
    lines = summary.lines()
    assert all(len(line) < 80 for line in lines)
    assert lines[0] == "data     a file with a name.csv: 1,200 rows used, 3 dropped; 784 features"
    assert lines[1] == "label    'kind', the last column"
    assert lines[2].startswith("classes  26: class 0 100, class 1 101, ")
    text = "\n".join(lines)
    assert "rows     960 training, 240 test (0.2 of the rows held back: at random" in text
    assert "range    1.2 % of the inputs of the test rows lie outside the range" in text
    assert "warning  something is likely wrong" in text
    assert summary.as_json()["classes"]["class 25"] == 125
    assert Summary("x", 1, 1).lines() == ["data     x: 1 row used; 1 feature"]


def write(tmp_path: Path, rows: list[str], header: str = "a,b,y", name: str = "d.csv") -> str:
    (tmp_path / name).write_text("\n".join([header, *rows]) + "\n")
    return str(tmp_path / name)


def test_what_is_counted(tmp_path: Path) -> None:
    path = write(tmp_path, [f"{i},{i % 5},{'xz'[i % 2]}" for i in range(40)])
    test = write(tmp_path, ["5,1,x", "99,1,z", "-4,9,z", "1,1,x"], name="t.csv")
    found = load(path, test=test).summary
    assert found.outside == 3 / 8
    assert (found.rows, found.features, found.classes) == (44, 2, {"x": 22, "z": 22})
    assert found.parts == {"training": 40, "test": 4} and found.split == "test rows of t.csv"
    assert "38 % of the inputs lie outside the range of the training rows" in found.warnings[-1]
    found = load(path, val_fraction=0.25, limit=10).summary
    assert found.parts == {"training": 10, "test": 8, "validation": 8}
    assert found.warnings == ("column 'a' only counts the rows; --drop a leaves it out",)
    found = load(path, reading=Reading(missing="drop")).summary
    assert found.dropped == 0 and found.label_reason == "by its name"


def test_more_than_five_per_cent_outside_is_a_warning_but_for_few_training_rows() -> None:
    limits = Scaling.fixed(0, 1, 1)
    values = np.zeros((100, 1))
    values[:5] = 2
    assert scale_warnings(values, limits) == []
    values[5] = -1
    assert "6 % of the inputs lie outside" in scale_warnings(values, limits)[0]
    assert scale_warnings(values, limits, training=20) == []
    assert scale_warnings(values, limits, training=500)


def test_rows_on_another_scale_inside_the_range_are_a_warning(tmp_path: Path) -> None:
    limits = Scaling.fixed(0, 255, 4)
    rng = np.random.default_rng(1)
    np.savez(tmp_path / "new.npz", x=rng.random((20, 4)))
    found = read_features(tmp_path / "new.npz", limits=limits).summary
    assert found.outside == 0.0
    assert "the numbers span at most 0.4 % of the range of the training rows" in found.warnings[0]
    np.savez(tmp_path / "new.npz", x=255 * rng.random((20, 4)))
    assert not read_features(tmp_path / "new.npz", limits=limits).summary.warnings


def test_predictions_that_are_all_one_class() -> None:
    assert "all 10 rows are predicted as 'x'" in (one_class_warning(["x"] * 10, 3) or "")
    assert one_class_warning(["x"] * 9, 3) is None
    assert one_class_warning(["x"] * 10 + ["z"], 3) is None


def test_labels_that_look_like_no_classes_are_refused_unless_told(tmp_path: Path) -> None:
    rows = [f"{i},{i % 3},{i * 37 % 40}" for i in range(40)]
    path = write(tmp_path, rows, "a,kind,price")
    with pytest.raises(BadInput, match=(
            r"label column 'price' \(the last column\): the labels look like no classes: 40 "
            r"different values, .*; --label names the right column, --accept-labels takes them as "
            r"they are; columns that look like classes: kind$")):
        load(path)
    assert load(path, label="kind").summary.label == "kind"
    names = tuple(str(i) for i in range(40))
    for told in (Reading(label="price", classes=names), Reading(classes=names)):
        warnings = load(path, reading=told).summary.warnings
        assert any(text.startswith("the labels look like no classes: 40") for text in warnings)
    data = load(path, test=path, reading=Reading(accept_labels=True))
    assert data.classes == 40


def test_a_last_column_like_all_others_is_no_label(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    rows = [",".join(map(str, [i % 10, *rng.integers(0, 30, 3)])) for i in range(900)]
    path = write(tmp_path, [*rows, "0,0,0,0", "0,29,29,29"], "digit,p0,p1,p2")
    with pytest.raises(BadInput, match="label column 'p2' .* 30 numbers in the range of the other "
                                       "columns; .*; columns that look like classes: digit$"):
        load(path)
    assert load(path, label="digit").classes == 10


def test_marks_of_missing_labels_in_arrays(tmp_path: Path) -> None:
    path = tmp_path / "d.npz"
    np.savez(path, x=np.arange(20.0).reshape(10, 2), y=np.array(["a", "nan", "b", "a", "b"] * 2))
    with pytest.raises(BadInput, match="array 'y': 'nan' in 2 rows marks a missing label; leave "
                                       "those rows out, or name all classes with --classes"):
        load(str(path))
    assert load(str(path), reading=Reading(classes=("a", "b", "nan"))).classes == 3


@pytest.mark.parametrize("options, message", [
    (Reading(header="yes"), "--header is for CSV files only, not for 'digits'"),
    (Reading(drop=("a",)), "--drop is for CSV files only"),
    (Reading(missing="drop"), "--missing is for CSV files only"),
    (Reading(split="group:a"), "--split group:a is for CSV files only"),
    (Reading(window=(2, 2)), "--window is for rows of features; digits has images"),
])
def test_options_of_text_files_alone(options: Reading, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        load("digits", reading=options)


def test_the_only_text_beside_a_last_column_of_numbers_is_told(tmp_path: Path) -> None:
    rows = [f"{'uvw'[i % 3]},{i * 7 % 11},{i % 4}" for i in range(40)]
    found = load(write(tmp_path, rows, "my kind,a,count")).summary
    assert found.warnings == (
        "column 'my kind' is the only text: if it is the label, give --label 'my kind'",)
    assert not load(write(tmp_path, rows, "kind,a,class")).summary.warnings
