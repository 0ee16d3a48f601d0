from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tritgrad.errors import BadInput
from tritgrad.host.data.arrays import read_npz
from tritgrad.host.data.datasets import load
from tritgrad.host.data.features import read_features
from tritgrad.host.data.reading import Reading
from tritgrad.host.data.tables import read_csv


def csv_file(tmp_path: Path, text: str | bytes, name: str = "data.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_label_is_the_last_column_or_the_named_one(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "a,b,kind\n1,2.5,x\n-3e2,.5,y\n")
    table = read_csv(path)
    assert table.values.tolist() == [[1, 2.5], [-300, 0.5]]
    assert table.labels.tolist() == ["x", "y"]
    assert (table.columns, table.label_column) == (("a", "b"), "kind")
    path = csv_file(tmp_path, "kind,a,b\n1,2,3\n")
    table = read_csv(path, Reading(label="kind"))
    assert table.values.tolist() == [[2, 3]] and table.labels.tolist() == ["1"]


def test_what_spreadsheets_write(tmp_path: Path) -> None:
    text = "\ufeffa, b ,\"the, kind\"\r\n 1 ,\"2\",x y\r\n\r\n3,4,\"x,y\"\r\n   \r\n"
    table = read_csv(csv_file(tmp_path, text))
    assert table.columns == ("a", "b") and table.label_column == "the, kind"
    assert table.values.tolist() == [[1, 2], [3, 4]] and table.labels.tolist() == ["x y", "x,y"]


@pytest.mark.parametrize("text, message", [
    ("", r"is empty; a header row or data are needed"),
    ("\n\n", r"is empty; a header row or data are needed"),
    ("a,b\n", r"has a header row and no data"),
    ("a,b\n1,x\n2\n", r", line 3: the header has 2 columns, this row 1"),
    ("a,b\n1,x\n\n2,y,z\n", r", line 4: the header has 2 columns, this row 3"),
    ("a,b\n,x\n", r", line 2, column 'a': missing value ''"),
    ("a,b\nNA,x\n", r", line 2, column 'a': missing value 'NA'"),
    ("a,b\nnan,x\n", r", line 2, column 'a': missing value 'nan'"),
    ("a,b\n1,\n", r", line 2, column 'b': missing label"),
    ("a,b\n1,x\ntwo,y\n", r", line 3, column 'a': 'two' is not a finite number"),
    ("a,b\ninf,x\n", r", line 2, column 'a': 'inf' is not a finite number"),
    ("a,b\n-Infinity,x\n", r", line 2, column 'a': '-Infinity' is not a finite number"),
    ("a,b\n1e999,x\n", r", line 2, column 'a': '1e999' is too large for float64"),
    ("a,b\n1_000,x\n1,x", r", line 2, column 'a': '1_000' is not a finite number"),
    ("a,b\n0x10,x\n1,x", r", line 2, column 'a': '0x10' is not a finite number"),
    ("a,b\n1,x\n١,x\n", r", line 3, column 'a': '١' is not a finite number"),
    ("a:b\n1:x\n", r"has the single column 'a:b'; a label and at least one feature are needed"),
    ("a,a,b\n1,2,x\n", r": two columns have the name 'a'"),
    ("a,,b\n1,2,x\n", r": column 2 has no name in the header row"),
    ("5.1,3.5,1\n4.9,3,1\n", r": the first row (5.1, 3.5, 1) may be a header or data; give"),
    ("a,b\n1,\"x\n", r", line 2: unexpected end of data"),
    ("a,b\n\0,x\n", r"is no text: it holds control characters"),
    (b"\xff\xfea\0,\0b\0\n\0\x00\xd8\n\0", r"is no UTF-16 text"),
    (b"\x89PNG\r\n\x1a\n\0\0", r"is no text: it holds control characters"),
])
def test_bad_csv(tmp_path: Path, text: str | bytes, message: str) -> None:
    path = csv_file(tmp_path, text)
    with pytest.raises(BadInput) as caught:
        read_csv(path)
    assert str(caught.value).startswith(str(path)) and message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unknown_label_lists_the_columns(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "a,b,kind\n1,2,x\n")
    with pytest.raises(BadInput, match=r"has no column 'Kind'; its columns are a, b, kind$"):
        read_csv(path, Reading(label="Kind"))


def test_many_columns_are_not_all_listed(tmp_path: Path) -> None:
    header = ",".join(f"c{i}" for i in range(785)) + ",\"two\nlines\"\n"
    path = csv_file(tmp_path, header + "1," * 785 + "1\n")
    with pytest.raises(BadInput, match=r"columns are c0, .* c19, \.\.\. \(786 in all\)$"):
        read_csv(path, Reading(label="digit"))


def test_numbered_header_is_a_header(tmp_path: Path) -> None:
    assert read_csv(csv_file(tmp_path, "0,1,2\n5,6,x\n")).columns == ("0", "1")
    assert read_csv(csv_file(tmp_path, "1,2,label\n5,6,x\n")).columns == ("1", "2")


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no\.csv does not exist$"):
        read_csv(tmp_path / "no.csv")
    with pytest.raises(BadInput, match=r"is a folder, not a file$"):
        read_csv(tmp_path)
    with pytest.raises(BadInput, match=r"no\.npz does not exist$"):
        read_npz(tmp_path / "no.npz")


def npz_file(tmp_path: Path, **arrays: Any) -> Path:
    path = tmp_path / "data.npz"
    np.savez(path, **arrays)
    return path


def test_npz_of_rows_and_of_images(tmp_path: Path) -> None:
    x = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    table, test = read_npz(npz_file(tmp_path, x=x, y=np.array(["b", "a"])))
    assert test is None and table.image_shape == (2, 3)
    assert table.values.tolist() == x.reshape(2, 6).tolist() and table.values.dtype == np.uint8
    assert table.labels.tolist() == ["b", "a"] and table.columns is None
    rows = np.arange(6.0).reshape(2, 3)
    train, test = read_npz(npz_file(tmp_path, x_train=rows, y_train=[1, 2], x_test=rows[:1],
                                    y_test=np.array([3], np.uint8)))
    assert test is not None and train.image_shape is None
    assert train.labels.tolist() == ["1", "2"] and test.labels.tolist() == ["3"]


@pytest.mark.parametrize("labels, texts", [
    (np.array([1.0, -2.0]), ["1", "-2"]), (np.array([True, False]), ["True", "False"]),
    (np.array([b"x", "ä".encode()]), ["x", "ä"]), (np.array([3, 4], np.int8), ["3", "4"]),
])
def test_npz_labels_of_many_types(tmp_path: Path, labels: np.ndarray, texts: list[str]) -> None:
    table, _ = read_npz(npz_file(tmp_path, x=np.zeros((2, 1)), y=labels))
    assert table.labels.tolist() == texts


X, Y = np.zeros((2, 3)), np.array([0, 1])


@pytest.mark.parametrize("arrays, message", [
    ({}, "must hold the arrays x, y or x_train, y_train, x_test, y_test .*; it holds none"),
    ({"a": X, "y": Y}, "must hold the arrays x, y or .*; it holds a, y$"),
    ({"x_train": X, "y_train": Y}, "must hold the arrays x, y or"),
    ({"x": X, "y": Y[:1]}, ": x has 2 rows, y has 1$"),
    ({"x": X[0], "y": Y}, r": x must have the shape \(rows, features\) .*, not \(3,\)$"),
    ({"x": X[:0], "y": Y[:0]}, r"not be empty, not \(0, 3\)$"),
    ({"x": X[:, :0], "y": Y}, r"not be empty, not \(2, 0\)$"),
    ({"x": np.zeros((2, 3, 4, 5)), "y": Y}, r"\(2, 3, 4, 5\): images must have one channel"),
    ({"x": X + 1j, "y": Y}, ": x must hold real numbers, not complex128$"),
    ({"x": np.array([["1", "2"]] * 2), "y": Y}, ": x must hold real numbers, not <U1$"),
    ({"x": np.array([[1, None]] * 2), "y": Y}, "array 'x' holds Python objects; only numbers"),
    ({"x": X, "y": np.array(["a", None])}, "array 'y' holds Python objects; only numbers"),
    ({"x": np.array([[1, np.nan, 2]] * 2), "y": Y}, ": x, row 0, feature 1: nan is not a finite"),
    ({"x": np.array([[1, 2, 3], [1, 2, -np.inf]]), "y": Y}, ": x, row 1, feature 2: -inf is not"),
    ({"x": X, "y": X}, r": y must have the shape \(rows,\) .* one-hot, not \(2, 3\)$"),
    ({"x": X, "y": np.array([0.5, 1])}, ": y, row 0: the label 0.5 is neither an integer nor"),
    ({"x": X, "y": np.array([1, np.nan])}, ": y, row 1: the label nan is neither"),
    ({"x": X, "y": np.array(["a", ""])}, ": y, row 1: missing label$"),
    ({"x": X, "y": np.array([b"\xff", b"a"])}, ": y holds labels that are not UTF-8 text$"),
    ({"x": X, "y": np.array(["2020-01-01"] * 2, "M8[D]")}, ": y must hold integers or strings"),
    ({"x_train": X, "y_train": Y, "x_test": X[:, :2], "y_test": Y},
     r": rows of x_train have the shape \(3,\), rows of x_test \(2,\)$"),
    ({"x_train": X, "y_train": Y, "x_test": X, "y_test": Y[:1]}, ": x_test has 2 rows, y_test"),
])
def test_bad_npz(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    path = npz_file(tmp_path, **arrays)
    with pytest.raises(BadInput, match=message) as caught:
        read_npz(path)
    assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)


def test_damaged_npz(tmp_path: Path) -> None:
    path = npz_file(tmp_path, x=X, y=Y)
    content = path.read_bytes()
    path.write_bytes(content[:-30])
    with pytest.raises(BadInput, match=r"is no \.npz file \(or is cut short\)$"):
        read_npz(path)
    np.save(tmp_path / "plain.npy", X)
    with pytest.raises(BadInput, match=r"is no \.npz file"):
        read_npz(tmp_path / "plain.npy")
    path.write_bytes(content.replace(b"NUMPY", b"NUMPI"))
    with pytest.raises(BadInput, match=r"'x'"):
        read_npz(path)


def test_features_to_predict(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "kind,b,a\nx,1,2\ny,3,4\n")
    assert read_features(path, ["a", "b"]).values.tolist() == [[2, 1], [4, 3]]
    with pytest.raises(BadInput, match=r"lacks the column 'c'; needed are a, c$"):
        read_features(path, ["a", "c"])
    with pytest.raises(BadInput, match=r"has 4 features a row; the model takes 2$"):
        read_features(path, inputs=2)
    path = csv_file(tmp_path, "b\n1\n2\n")
    assert read_features(path, inputs=1).values.tolist() == [[1], [2]]
    with pytest.raises(BadInput, match=r"has 1 features a row; the model takes 4$"):
        read_features(path, inputs=4)
    assert read_features(npz_file(tmp_path, x=np.ones((2, 2, 2)))).values.shape == (2, 4)
    assert read_features(npz_file(tmp_path, x_test=np.ones((5, 2)))).values.shape == (5, 2)
    with pytest.raises(BadInput, match=r"must hold an array x; it holds z$"):
        read_features(npz_file(tmp_path, z=np.ones(3)))
    with pytest.raises(BadInput, match=r"must be a \.csv, \.tsv, \.npz, \.npy or IDX file$"):
        read_features(tmp_path / "data.txt")
    image = tmp_path / "t10k-images-idx3-ubyte"
    image.write_bytes(bytes((0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 9, 8, 7, 6)))
    assert read_features(image, inputs=2).values.tolist() == [[9, 8], [7, 6]]


@pytest.mark.parametrize("names", [
    ("X", "Y"), ("data", "target"), ("images", "labels"), ("features", "label"),
])
def test_npz_arrays_by_other_names(tmp_path: Path, names: tuple[str, str]) -> None:
    table, test = read_npz(npz_file(tmp_path, **{names[0]: X + [[1], [2]], names[1]: Y}))
    assert test is None and table.values[:, 0].tolist() == [1, 2]
    assert table.label_column == names[1]


@pytest.mark.parametrize("names", [
    ("X_train", "y_train", "X_test", "y_test"), ("train_x", "train_y", "test_x", "test_y"),
    ("train_images", "train_labels", "test_images", "test_labels"),
])
def test_npz_parts_by_other_names(tmp_path: Path, names: tuple[str, ...]) -> None:
    arrays = dict(zip(names, (X, Y, X[:1] + 5, Y[:1]), strict=True))
    train, test = read_npz(npz_file(tmp_path, val_x=X, **arrays))
    assert test is not None and len(train.values) == 2 and test.values.tolist() == [[5, 5, 5]]
    assert train.notes == ("arrays that are not used: val_x",)


def test_npz_with_two_of_a_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="has 2 arrays that may be the inputs: data, images; keep"):
        read_npz(npz_file(tmp_path, data=X, images=X, y=Y))
    assert read_npz(npz_file(tmp_path, x=X + 1, data=X, y=Y))[0].values[0, 0] == 1


def test_npz_arrays_that_are_not_used_may_be_anything(tmp_path: Path) -> None:
    path = npz_file(tmp_path, x=X, y=Y, meta=np.array([{"a": 1}], dtype=object))
    assert read_npz(path)[0].notes == ("arrays that are not used: meta",)
    assert read_features(path).values.shape == (2, 3)


@pytest.mark.parametrize("labels, texts", [
    (np.array([[3], [4]]), ["3", "4"]), (np.array([["a"], ["b"]]), ["a", "b"]),
    (np.array([[0, 0, 1], [1, 0, 0]]), ["2", "0"]), (np.eye(2, 5), ["0", "1"]),
    (np.eye(2, dtype=bool), ["0", "1"]),
])
def test_npz_labels_in_columns(tmp_path: Path, labels: np.ndarray, texts: list[str]) -> None:
    table, _ = read_npz(npz_file(tmp_path, x=X, y=labels))
    assert table.labels.tolist() == texts
    assert bool(table.notes) == (labels.shape[1] > 1)


@pytest.mark.parametrize("labels", [
    np.array([[1, 1], [0, 1]]), np.array([[0, 0], [0, 1]]), np.array([[0.5, 0.5], [0, 1]]),
    np.array([[2, -1], [0, 1]]),
])
def test_npz_columns_of_labels_that_are_not_one_hot(tmp_path: Path, labels: np.ndarray) -> None:
    with pytest.raises(BadInput, match="or be one-hot, not"):
        read_npz(npz_file(tmp_path, x=X, y=labels))


def test_npz_images_with_one_channel_first_or_last(tmp_path: Path) -> None:
    images = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    for x in (images[:, None], images[..., None]):
        table, _ = read_npz(npz_file(tmp_path, x=x, y=Y))
        assert table.image_shape == (3, 4)
        assert table.values.tolist() == images.reshape(2, 12).tolist()
        assert read_features(npz_file(tmp_path, images=x)).values.shape == (2, 12)
    train, _ = read_npz(npz_file(tmp_path, x_train=images, y_train=Y, x_test=images[..., None],
                                 y_test=Y))
    assert train.image_shape == (3, 4)


def test_npz_integers_that_float64_cannot_tell_apart(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"x holds integers above 2\^53 \(4611686018427387905\)"):
        read_npz(npz_file(tmp_path, x=np.array([[2**62], [2**62 + 1]]), y=Y))


def test_npy_holds_features_and_no_labels(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    np.save(path, X)
    assert read_features(path, inputs=3).values.tolist() == X.tolist()
    with pytest.raises(BadInput, match=r"x\.npy is one array, without labels; put inputs and lab"):
        load(str(path))
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(BadInput, match=r"x\.npy is no \.npy file, or damaged"):
        read_features(path)
    np.save(path, np.array([{}], dtype=object))
    with pytest.raises(BadInput, match=r"x\.npy holds Python objects"):
        read_features(path)


def test_test_rows_on_another_scale_are_refused(tmp_path: Path) -> None:
    x = np.arange(60, dtype=np.uint8).reshape(10, 6) * 4
    y = np.arange(10) % 2
    path = npz_file(tmp_path, x_train=x, y_train=y, x_test=x / 255, y_test=y)
    with pytest.raises(BadInput, match="the test rows hold numbers from 0 to 0.92.*, the training "
                                       "rows integers from 0 to 236; bring them to one scale"):
        load(str(path))
    path = npz_file(tmp_path, x_train=x, y_train=y, x_test=x, y_test=y == 1)
    data = load(str(path))
    assert data.y_test.tolist() == y.tolist()
    assert data.summary.notes == (
        "labels spelled otherwise are read: 'False' as '0', 'True' as '1'",)
