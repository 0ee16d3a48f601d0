import warnings
from pathlib import Path

import numpy as np
import pytest

from tritgrad.errors import BadInput
from tritgrad.host.run.metrics import accuracy, class_reports, confusion_matrix
from tritgrad.host.run.plots import confusion_matrix as draw_matrix
from tritgrad.host.run.plots import learning_curve


def history(epochs: int, **more: object) -> dict[str, object]:
    return {"dataset": "digits", "layers": [64, 64, 10], "device": "sim", "samples": 1438,
            "train_accuracy": [80.0 + e for e in range(epochs)],
            "test_accuracy": [75.5 + e for e in range(epochs)],
            "updates": [300 - e for e in range(epochs)], **more}


@pytest.mark.parametrize("epochs", [0, 1, 2, 15])
def test_learning_curve_of_any_length(tmp_path: Path, epochs: int) -> None:
    path = tmp_path / "curve.png"
    learning_curve(history(epochs), path)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_svg_names_data_network_device_and_last_accuracy(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import matplotlib
    monkeypatch.setitem(matplotlib.rcParams, "svg.fonttype", "none")
    path = tmp_path / "curve.svg"
    learning_curve(history(3, val_accuracy=[70.0, 71.0, 72.25], dataset="cost$.csv"), path)
    text = path.read_text()
    for part in ("64-64-10", "trained on sim", "train: 82.00 %", "test: 77.50 %",
                 "validation: 72.25 %"):
        assert part in text


def test_same_run_without_updates(tmp_path: Path) -> None:
    learning_curve(history(2, updates=[0, 0]), tmp_path / "curve.png")


@pytest.mark.parametrize("classes", [2, 12, 41])
def test_confusion_matrix_of_many_classes(tmp_path: Path, classes: int) -> None:
    matrix = np.arange(classes * classes).reshape(classes, classes) % 7
    path = tmp_path / "matrix.png"
    draw_matrix(matrix, [f"class {i}" for i in range(classes)], path)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_confusion_matrix_says_how_many_are_right(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import matplotlib
    monkeypatch.setitem(matplotlib.rcParams, "svg.fonttype", "none")
    path = tmp_path / "matrix.svg"
    draw_matrix(np.array([[2, 1], [0, 1]]), ["a", "b"], path)
    assert "75.00 % of 4 right" in path.read_text()


def test_strange_class_names_draw_without_a_warning(tmp_path: Path) -> None:
    names = ["$x_{", "猫", "a" * 300, "<&>"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        draw_matrix(np.zeros((4, 4), int), names, tmp_path / "matrix.svg")


def test_pictures_go_only_where_they_can(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"^a picture must be a \.png, \.svg, \.pdf file, not 'x'$"):
        learning_curve(history(1), "x")
    with pytest.raises(BadInput, match=r"^cannot write .*no/curve\.png: No such file"):
        learning_curve(history(1), tmp_path / "no" / "curve.png")


def test_metrics() -> None:
    truth = np.array([0, 0, 0, 1, 1, 2])
    predicted = np.array([0, 1, 0, 1, 1, 1])
    matrix = confusion_matrix(truth, predicted, 4)
    assert matrix.tolist() == [[2, 1, 0, 0], [0, 2, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]]
    assert accuracy(truth, predicted) == pytest.approx(400 / 6)
    first, second, third, none = class_reports(matrix, ("a", "b", "c", "d"))
    assert (first.rows, first.recall, first.precision) == (3, pytest.approx(200 / 3), 100.0)
    assert (second.recall, second.precision) == (100.0, 50.0)
    assert (third.rows, third.recall, third.precision) == (1, 0.0, None)
    assert (none.rows, none.recall, none.precision) == (0, None, None)


def test_accuracy_of_nothing_is_no_number() -> None:
    assert np.isnan(accuracy(np.array([], int), np.array([], int)))
