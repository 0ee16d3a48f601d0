from fractions import Fraction
from math import floor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tritgrad.errors import BadInput
from tritgrad.host.data.datasets import load
from tritgrad.host.data.reading import Reading
from tritgrad.host.data.scaling import Scaling
from tritgrad.host.data.tables import read_csv

MASK = 2**64 - 1
WINE = Path(__file__).parents[3] / "examples" / "wine.csv"


def out(n: int) -> int:
    """SplitMix64 of seed 0, written out again."""
    z = (n + 1) * 0x9E3779B97F4A7C15 & MASK
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
    return z ^ z >> 31


def held_back(n: int, count: int) -> list[int]:
    return sorted(sorted(range(n), key=out)[:count])


def write_csv(path: Path, rows: list[list[object]], header: str = "a,b,kind") -> str:
    path.write_text("\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n")
    return str(path)


# Scaling


@given(st.lists(st.integers(-2**38, 2**38), min_size=1, max_size=20),
       st.lists(st.integers(-2**38, 2**38), min_size=1, max_size=20), st.integers(1, 8))
def test_scaling_of_integers_is_exact(train: list[int], other: list[int], planes: int) -> None:
    low, high = min(train), max(train)
    scaling = Scaling.fit(np.array(train)[:, None])
    values = np.array(train + other)[:, None]
    expected = [
        0 if low == high else
        min(255, max(0, floor(Fraction(255 * (v - low), high - low) + Fraction(1, 2))))
        for v in train + other]
    for dtype in (np.int64, np.float64):
        scaled = scaling.apply(values.astype(dtype), planes)
        assert scaled.dtype == np.uint8
        assert scaled[:, 0].tolist() == [e >> (8 - planes) for e in expected]


@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=20),
       st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=20))
def test_scaling_of_floats_is_in_range_and_rises(train: list[float], other: list[float]) -> None:
    scaling = Scaling.fit(np.array(train)[:, None])
    values = np.sort(np.array(train + other))[:, None]
    scaled = scaling.apply(values, 8)[:, 0].tolist()
    assert scaled == sorted(scaled)
    if min(train) < max(train):
        assert scaling.apply(np.array([[min(train)], [max(train)]]), 8).tolist() == [[0], [255]]
    else:
        assert set(scaled) == {0}


def test_ties_round_up_and_outside_is_clipped() -> None:
    scaling = Scaling.fixed(0, 510, 1)
    values = np.array([[-1000], [-1], [0], [1], [2], [3], [509], [510], [10**9]])
    assert scaling.apply(values, 8)[:, 0].tolist() == [0, 0, 0, 1, 1, 2, 255, 255, 255]


def test_blocks_do_not_show() -> None:
    values = np.random.default_rng(0).normal(size=(10_000, 3))
    scaling = Scaling.fit(values)
    whole = np.floor(255 * (values - scaling.minimum) / (scaling.maximum - scaling.minimum) + 0.5)
    assert (scaling.apply(values, 8) == whole).all()


@pytest.mark.parametrize("low, high, message", [
    ([0.0], [1.0, 2.0], r"not arrays of the shapes \(1,\) and \(2,\)$"),
    ([], [], "needs a minimum and a maximum for every feature"),
    ([1.0], [0.0], "needs finite numbers with minimum <= maximum$"),
    ([np.nan], [0.0], "needs finite numbers"),
    ([0.0, -1e308], [1.0, 1e308], "^feature 2 spans -1e.308 to 1e.308, more than can be scaled$"),
])
def test_bad_scaling(low: list[float], high: list[float], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        Scaling(np.array(low), np.array(high))


def test_scaling_needs_the_features_it_was_fitted_to() -> None:
    with pytest.raises(BadInput, match=r"^the data must have 2 features a row, not the shape"):
        Scaling.fixed(0, 1, 2).apply(np.zeros((3, 4)), 4)
    for planes in (0, 9, True, 1.0):
        with pytest.raises(BadInput, match=f"^planes must be an integer from 1 to 8, not {planes}"):
            Scaling.fixed(0, 1, 2).apply(np.zeros((3, 2)), planes)  # type: ignore[arg-type]


# Splits, scaling and classes together


def test_digits() -> None:
    from sklearn.datasets import load_digits
    values, target = load_digits(return_X_y=True)
    data = load("digits")
    held = held_back(1797, 359)
    kept = [i for i in range(1797) if i not in set(held)]
    assert data.train_rows.tolist() == kept
    scaled = (510 * values.astype(int) + 16) // 32 >> 4
    assert (data.x_train == scaled[kept]).all() and (data.x_test == scaled[held]).all()
    assert (data.y_train == target[kept]).all() and (data.y_test == target[held]).all()
    assert data.class_names == tuple("0123456789")
    assert (data.name, data.planes, data.inputs, data.image_shape) == ("digits", 4, 64, (8, 8))
    assert data.x_val is None and data.y_val is None


def test_validation_and_limit_come_last_and_change_no_scaling() -> None:
    plain = load(str(WINE))
    data = load(str(WINE), val_fraction=0.25, limit=50)
    n = len(plain.x_train)
    held = held_back(n, n // 4)
    kept = [i for i in range(n) if i not in set(held)][:50]
    assert data.x_val is not None and data.y_val is not None
    assert (data.x_val == plain.x_train[held]).all() and (data.y_val == plain.y_train[held]).all()
    assert (data.x_train == plain.x_train[kept]).all()
    assert (data.y_train == plain.y_train[kept]).all()
    assert (data.train_rows == plain.train_rows[kept]).all()
    assert (data.x_test == plain.x_test).all()
    fitted, plainly = (d.coding.stored()[1] for d in (data, plain))
    assert (fitted["coding_1_minimum"] == plainly["coding_1_minimum"]).all()
    table = read_csv(WINE)
    assert (fitted["coding_1_maximum"] == table.values[plain.train_rows].max(axis=0)).all()
    assert load(str(WINE), val_fraction=0).x_val is None
    assert len(load(str(WINE), limit=10**6).x_train) == n


def test_wine() -> None:
    data = load(str(WINE))
    assert (data.name, data.planes, data.inputs) == ("wine.csv", 4, 13)
    assert data.class_names == ("barbera", "barolo", "grignolino")
    assert data.columns is not None and data.columns[0] == "alcohol"
    assert len(data.x_train) + len(data.x_test) == 178 and len(data.x_test) == 35
    assert data.x_train.max() == 15 and data.image_shape is None


@pytest.mark.parametrize("n, fraction, count", [
    (10, 0.7, 7), (100, 0.29, 29), (35, 0.2, 7), (9, 0.2, 1), (1000, 0.001, 1)])
def test_fraction_is_the_decimal_that_was_given(
        tmp_path: Path, n: int, fraction: float, count: int) -> None:
    path = write_csv(tmp_path / "d.csv", [[i, i, i % 2] for i in range(n)])
    assert len(load(path, test_fraction=fraction).x_test) == count


@pytest.mark.parametrize("labels, names", [
    (["10", "9", "-1"], ("-1", "9", "10")), (["1.0", "10", "2"], ("1.0", "2", "10")),
    (["10", "9", "b"], ("10", "9", "b")), (["b", "B", "a"], ("B", "a", "b")),
    (["01", "1", "0"], ("0", "01", "1")), (["é", "z", "e"], ("e", "z", "é")),
])
def test_order_of_classes(tmp_path: Path, labels: list[str], names: tuple[str, ...]) -> None:
    rows: list[list[object]] = [[i, -i, label] for i, label in enumerate(labels * 4)]
    data = load(write_csv(tmp_path / "d.csv", rows))
    assert data.class_names == names
    assert [names[k] for k in data.y_train] == [rows[i][2] for i in data.train_rows]


def test_constant_feature_is_zero(tmp_path: Path) -> None:
    data = load(write_csv(tmp_path / "d.csv", [[7, i, i % 2] for i in range(20)]), planes=8)
    assert not data.x_train[:, 0].any() and data.x_train[:, 1].max() == 255


def test_test_file_has_the_same_columns_in_any_order(tmp_path: Path) -> None:
    train = write_csv(tmp_path / "train.csv", [[0, 5, "x"], [10, 15, "y"], [2, 9, "x"]])
    test = write_csv(tmp_path / "test.csv", [["Y", 25, 5], ["x", 15, 0]], "kind,b,a")
    data = load(train, test=test, planes=8)
    assert data.class_names == ("x", "y")
    assert data.x_test.tolist() == [[128, 255], [0, 255]] and data.y_test.tolist() == [1, 0]
    assert data.train_rows.tolist() == [0, 1, 2]
    test = write_csv(tmp_path / "test.csv", [[1, 2, "x"]], "a,c,kind")
    with pytest.raises(BadInput, match=r"test\.csv lacks the column 'b'; needed are a, b$"):
        load(train, test=test)
    test = write_csv(tmp_path / "test.csv", [[1, 2, 3, "x"]], "a,c,b,kind")
    assert load(train, test=test, planes=8).x_test.tolist() == [[26, 0]]
    test = write_csv(tmp_path / "test.csv", [[1, 2, "x"]], "a,b,species")
    with pytest.raises(BadInput, match=r"has no column 'kind'; its columns are a, b, species$"):
        load(train, test=test)


def test_npz_with_and_without_a_test_set(tmp_path: Path) -> None:
    x = np.arange(40, dtype=np.int32).reshape(10, 2, 2)
    y = np.arange(10) % 3
    whole, split = str(tmp_path / "whole.npz"), str(tmp_path / "split.npz")
    np.savez(whole, x=x, y=y)
    np.savez(split, x_train=x[:6], y_train=y[:6], x_test=x[6:], y_test=y[6:])
    data = load(whole, test_fraction=0.3)
    assert len(data.x_test) == 3 and data.image_shape == (2, 2) and data.classes == 3
    data = load(split, planes=8)
    assert data.x_train[:, 0].tolist() == [0, 51, 102, 153, 204, 255]
    assert data.x_test.tolist() == [[255] * 4] * 4
    assert data.class_names == ("0", "1", "2")
    assert len(load(split, test=whole).x_test) == 10
    assert len(load(whole, test=split).x_test) == 4
    np.savez(split, x=x[:, :, :1], y=y)
    with pytest.raises(BadInput, match=r"has 2 features a row, .*whole\.npz has 4$"):
        load(whole, test=split)


def test_data_for_a_trained_model_keep_its_scaling_and_classes(tmp_path: Path) -> None:
    model = load(str(WINE))
    half = write_csv(tmp_path / "half.csv", [[1, 2, "x"], [3, 4, "y"], [9, 9, "x"]])
    data = load(str(WINE), test=str(WINE), coding=model.coding, class_names=model.class_names)
    table = read_csv(WINE)
    assert (data.x_test == model.coding.apply(table.values)).all()
    with pytest.raises(BadInput, match=r"has the label 'x'; the model knows p, y$"):
        load(half, class_names=("p", "y"), test=half)
    with pytest.raises(BadInput, match=r"^the data must have 13 features a row, not the shape"):
        load(half, class_names=("x", "y"), coding=model.coding, test=half)
    data = load(half, class_names=("x", "w", "y"), test=half)
    assert data.y_test.tolist() == [0, 2, 0]


@pytest.mark.parametrize("options, message", [
    ({"name": "cifar"}, r"^data set must be digits, .* a \.npz, \.csv or \.tsv file, not 'cifar'$"),
    ({"name": "digits", "data_dir": "x"}, "^a data folder is for mnist, .* only, not for 'digits'"),
    ({"name": "digits", "label": "x"}, "^a label column .'x'. is for CSV files only, not for "),
    ({"name": "digits", "test": "x.csv"}, "^a test file is for CSV and NPZ data only, not for "),
    ({"test": "x.txt"}, r"^test file must be a \.npz, \.csv or \.tsv file, not 'x\.txt'$"),
    ({"label": "grape"}, "has no column 'grape'; its columns are alcohol, "),
    ({"label": "alcohol"}, "has the label '13.24' in 2 test rows and in no training row; "),
    ({"planes": 9}, "^planes must be an integer from 1 to 8, not 9$"),
    ({"limit": 0}, "^limit must be at least 1, not 0$"),
    ({"test_fraction": 0.0}, r"^test_fraction must be above 0 and below 1, not 0\.0$"),
    ({"test_fraction": 1.0}, r"^test_fraction must be above 0 and below 1, not 1\.0$"),
    ({"test_fraction": float("nan")}, "^test_fraction must be above 0 and below 1, not nan$"),
    ({"test_fraction": 0.001}, r"^test_fraction 0\.001 of 178 rows leaves no test row$"),
    ({"val_fraction": -0.5}, r"^val_fraction must be above 0 and below 1, not -0\.5$"),
    ({"val_fraction": 0.001}, r"^val_fraction 0\.001 of 143 rows leaves no validation row$"),
])
def test_bad_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        load(**{"name": str(WINE), **options})


def test_number_of_classes(tmp_path: Path) -> None:
    one = write_csv(tmp_path / "one.csv", [[i, i, "x"] for i in range(9)])
    with pytest.raises(BadInput, match=r"has the single class 'x'; at least 2 are needed$"):
        load(one)
    many = write_csv(tmp_path / "many.csv", [[i, i, i] for i in range(257)])
    with pytest.raises(BadInput, match=r"257 different values, 257 of them in one or two rows"):
        load(many)
    told = Reading(accept_labels=True)
    with pytest.raises(BadInput, match=r"has 257 classes; at most 256 are possible$"):
        load(many, test=many, reading=told)
    most = write_csv(tmp_path / "most.csv", [[i, i, i] for i in range(256)])
    assert load(most, test=most, reading=told).classes == 256
    lone = write_csv(tmp_path / "lone.csv", [[1, 2, "x"], [3, 4, "y"]])
    with pytest.raises(BadInput, match=r"^test_fraction 0\.2 of 2 rows leaves no test row$"):
        load(lone)


@given(st.binary(max_size=300))
def test_any_bytes_end_in_one_line(content: bytes) -> None:
    import tempfile
    with tempfile.TemporaryDirectory() as folder:
        for suffix in (".csv", ".npz"):
            path = Path(folder) / f"data{suffix}"
            path.write_bytes(content)
            with pytest.raises(BadInput) as caught:
                load(str(path))
            assert "\n" not in str(caught.value)
