"""What the commands say about the data they read, and what they refuse."""

import json
from pathlib import Path

import numpy as np
import pytest

from tritgrad.host.run.metrics import balanced_accuracy
from tritgrad.host.run.model_file import TrainedModel
from tritgrad.host.run.model_rows import model_rows

from ..command import call, refusal

pytestmark = pytest.mark.usefixtures("folder")

TRAIN = ["train", "--device", "model", "--hidden", "8", "--epochs", "2", "--out", "run"]
MODEL = "run/model.npz"


def write(path, rows, header="a,b,c,y", labels="012", shift=0):
    """Rows that are easy to tell apart, in a file of some form."""
    rng = np.random.default_rng(shift)
    lines = [header]
    for i in range(rows):
        a, b, c = (v + rng.random() for v in (3 * (i % 3), 5 - 3 * (i % 3), 4))
        cells = {"a": f"{a:.3f}", "b": f"{b:.3f}", "c": f"{c:.3f}", "y": labels[i % 3],
                 "id": str(i)}
        lines.append(",".join(cells[name] for name in header.split(",")))
    Path(path).write_text("\n".join(lines) + "\n")


def told(result):
    """The block on standard error, without what follows."""
    return "\n".join(result.stderr.splitlines())


def test_every_command_says_first_what_it_read():
    write("d.csv", 60)
    for arguments in ([*TRAIN, "--dataset", "d.csv", "--val-fraction", "0.2"], ["eval", MODEL],
                      ["predict", MODEL, "d.csv"], ["trace", MODEL], ["tune", MODEL],
                      ["train", "--resume", "run"]):
        result = call(*arguments)
        assert told(result).startswith("data     d.csv: "), arguments
        assert "3 features" in result.stderr.splitlines()[0]
        if arguments[0] != "predict":
            assert result.stderr.splitlines()[1] == (
                "label    'y', by its name" if arguments[0] in ("train", "tune")
                else "label    'y', as in training")
    for arguments in (["train", "--resume", "run"], ["eval", MODEL], ["predict", MODEL, "d.csv"],
                      ["trace", MODEL], ["tune", MODEL]):
        found = json.loads(call(*arguments, "--json").stdout.splitlines()[-1])["data"]
        assert found["name"] == "d.csv" and found["rows"] == 60 and found["features"] == 3
    assert json.loads(Path("run/history.json").read_text())["data"]["classes"] == {
        "0": 20, "1": 20, "2": 20}


@pytest.mark.parametrize(("labels", "test_labels"), [
    ("012", ["0.0", "1.0", "2.0"]), ("abc", "ABC"), (["<=50K", ">50K", "?K"],
                                                      ["<=50K.", ">50K.", "?K."]),
])
def test_labels_spelled_otherwise_are_read_and_told(labels, test_labels):
    write("d.csv", 60, labels=labels)
    write("t.csv", 30, labels=test_labels, shift=1)
    result = call(*TRAIN, "--dataset", "d.csv", "--test", "t.csv")
    assert "labels spelled otherwise are read: " in result.stderr
    found = json.loads(call("eval", MODEL, "--dataset", "t.csv", "--json").stdout.splitlines()[-1])
    assert found["class_names"] == sorted(labels) and found["rows"] == 30
    assert [c["rows"] for c in found["classes"]] == [10, 10, 10]
    assert "labels spelled otherwise are read" in found["data"]["notes"][0]
    write("t.csv", 30, labels=["p", "q", "r"])
    assert refusal("eval", MODEL, "--dataset", "t.csv").endswith(
        f"has the label 'p'; the model knows {', '.join(sorted(labels))}")


def test_extra_and_reordered_columns_at_eval_as_at_predict():
    write("d.csv", 60)
    call(*TRAIN, "--dataset", "d.csv")
    write("o.csv", 30, "y,id,c,a,b", shift=1)
    write("p.csv", 30, shift=1)
    accuracies, classes = set(), []
    for file in ("o.csv", "p.csv"):
        result = call("eval", MODEL, "--dataset", file, "--json")
        accuracies.add(json.loads(result.stdout.splitlines()[-1])["accuracy"])
        classes.append(call("predict", MODEL, file).stdout.splitlines()[1:])
    assert len(accuracies) == 1 and classes[0] == classes[1]
    result = call("eval", MODEL, "--dataset", "o.csv")
    assert "columns the model does not use: id" in result.stderr
    assert "columns are in another order than in training" in result.stderr


def test_rows_in_another_unit_are_told():
    write("d.csv", 60)
    call(*TRAIN, "--dataset", "d.csv")
    Path("far.csv").write_text("a,b,c,y\n" + "".join(
        f"{90 + i},{99 - i},77,0\n" for i in range(30)))
    for command in (["predict", MODEL, "far.csv"], ["eval", MODEL, "--dataset", "far.csv"]):
        errors = " ".join(call(*command).stderr.split())
        assert "of the inputs lie outside the range of the training rows and are clipped" in errors
        assert "warning all 30 rows are predicted as '" in errors
    found = json.loads(call("predict", MODEL, "far.csv", "--json").stdout)["data"]
    assert len(found["warnings"]) == 2 and found["outside"] == 1


def test_training_rows_never_count_as_test_rows():
    write("d.csv", 60)
    call(*TRAIN, "--dataset", "d.csv", "--test-fraction", "0.25")
    assert refusal("eval", MODEL, "--test-fraction", "0.5") == (
        "--test-fraction 0.5 is not that of the training (0.25): rows that the model was trained "
        "on would count as test rows; leave it away")
    assert " of 15 test rows of d.csv right" in call("eval", MODEL).stdout
    call("eval", MODEL, "--test-fraction", "0.25")
    lines = Path("d.csv").read_text().splitlines()
    Path("d.csv").write_text("\n".join(lines[:-20]) + "\n")
    result = call("eval", MODEL)
    assert " of 40 rows of d.csv (changed since training) right" in result.stdout
    assert "warning  the file has changed since training" in result.stderr


def test_a_test_file_that_has_changed_is_told():
    write("d.csv", 60)
    write("t.csv", 30, shift=1)
    call(*TRAIN, "--dataset", "d.csv", "--test", "t.csv")
    assert " of 30 test rows of d.csv right" in call("eval", MODEL).stdout
    write("t.csv", 27, shift=2)
    result = call("eval", MODEL)
    assert " of 27 test rows of d.csv right" in result.stdout
    assert "the test rows are not those of the training" in result.stderr
    write("u.csv", 24, shift=2)
    assert " of 24 test rows of u.csv right" in call("eval", MODEL, "--test", "u.csv").stdout


def test_other_files_are_looked_at_in_their_order():
    write("d.csv", 60)
    call(*TRAIN, "--dataset", "d.csv")
    write("new.csv", 4, shift=3)
    result = call("eval", MODEL, "--dataset", "new.csv")
    assert " of 4 rows of new.csv right" in result.stdout
    write("new.csv", 30, shift=3)
    _, x, y, rows = model_rows(TrainedModel.load(MODEL), MODEL, "new.csv", {})
    assert rows == "rows of new.csv" and y.tolist() == [0, 1, 2] * 10 and len(x) == 30


def test_options_of_files_reach_the_loader_and_go_with_the_model():
    Path("d.csv").write_text("".join(
        f"{i},{i % 7}|{'u' if i % 2 else 'v'}|?|{'yes' if i % 2 else 'no'}|{i // 9}\n"
        for i in range(90)))
    result = call(*TRAIN, "--dataset", "d.csv", "--delimiter", "pipe", "--decimal", ",",
                  "--header", "no", "--label", "4", "--drop", "x3", "--split", "group:x5",
                  "--split-seed", "3", "--classes", "no,yes,maybe", "--balance")
    for text in ("cells are separated by pipes", "numbers have a decimal comma", "x2 (2)",
                 "label    'x4', as told", "classes  3: no 45, yes 45, maybe 0",
                 "whole groups of 'x5'", "left out as told: x3", "no header; the first row is"):
        assert text in told(result), text
    model = TrainedModel.load(MODEL)
    assert model.class_names == ("no", "yes", "maybe") and model.columns == ("x1", "x2=u", "x2=v")
    assert "test rows of d.csv right" in call("eval", MODEL).stdout
    Path("new.csv").write_text("x2,x1\nu,1.5\nv,2.5\n")
    assert len(call("predict", MODEL, "new.csv").stdout.splitlines()) == 3
    assert refusal("train", "--resume", "run", "--split-seed", "4") == (
        "--split-seed 4 contradicts the run in run, which has --split-seed 3")


def test_windows_of_a_series():
    Path("d.csv").write_text("a,b,y\n" + "".join(
        f"{i % 4 * (1 + i // 50 % 2)},{i % 3},{'slow' if i // 50 % 2 else 'fast'}\n"
        for i in range(400)))
    result = call(*TRAIN, "--dataset", "d.csv", "--window", "8,4")
    assert "windows of 8 rows, one every 4; " in result.stderr
    assert "the last rows)" in " ".join(result.stderr.split())
    assert TrainedModel.load(MODEL).coding.features == 16
    Path("new.csv").write_text("".join(Path("d.csv").read_text().splitlines(True)[:21]))
    assert len(call("predict", MODEL, "new.csv").stdout.splitlines()) == 1 + 4
    assert "test rows of d.csv" in call("eval", MODEL).stdout
    for value in ("0", "x", "4,0", "1,2,3"):
        assert refusal(*TRAIN, "--dataset", "d.csv", "--window", value) == (
            f"--window must be N or N,STRIDE, integers above 0, not '{value}'")


def test_balanced_accuracy_is_the_mean_over_the_classes():
    truth, found = np.array([0] * 8 + [1] * 2 + [3]), np.array([0] * 8 + [1, 0] + [3])
    assert balanced_accuracy(truth, found) == pytest.approx(100 * (1 + 0.5 + 1) / 3)
    assert np.isnan(balanced_accuracy(truth[:0], found[:0]))
    write("d.csv", 60)
    result = call(*TRAIN, "--dataset", "d.csv", "--json")
    trained = json.loads(result.stdout)["test_balanced"][-1]
    evaluated = json.loads(call("eval", MODEL, "--json").stdout)
    assert evaluated["balanced_accuracy"] == trained
    assert trained == pytest.approx(np.mean([c["recall"] for c in evaluated["classes"]]))
