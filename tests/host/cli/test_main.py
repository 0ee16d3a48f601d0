"""The `tritgrad` command: what it prints, writes and refuses."""

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tritgrad.host.cli.main import cli
from tritgrad.host.device.transport import GoldenTransport
from tritgrad.host.run import training
from tritgrad.host.run.model_file import TrainedModel

from ..command import call, refusal

pytestmark = pytest.mark.usefixtures("folder")

QUICK = ["train", "--device", "model", "--hidden", "12", "--epochs", "2", "--limit", "200"]
KEYS = {
    "dataset": str, "device": str, "layers": list, "counter_bits": int, "planes": int, "rule": str,
    "epochs": int, "seed": int, "samples": int, "train_accuracy": list, "test_accuracy": list,
    "updates": int, "flips": int, "cycles": int, "cycles_per_sample": list, "lanes": int,
    "total_lanes": int, "roofline_fraction": float, "seconds": float, "samples_per_second": float,
    "state_sha256": str,
}


def lasting(text):
    result = json.loads(text.splitlines()[-1])
    return {k: v for k, v in result.items() if k not in ("seconds", "samples_per_second")}


def test_train_on_the_model_ends_with_one_json_object():
    result = call(*QUICK, "--json", "--out", "here")
    assert len(result.stdout.splitlines()) == 1
    found = json.loads(result.stdout)
    for name, kind in KEYS.items():
        if name in ("cycles", "cycles_per_sample", "roofline_fraction"):
            assert found[name] is None
        else:
            assert isinstance(found[name], kind), name
    assert (found["dataset"], found["device"], found["rule"]) == ("digits", "model", "margin")
    assert (found["layers"], found["planes"], found["samples"]) == ([64, 12, 10], 4, 200)
    assert len(found["train_accuracy"]) == len(found["test_accuracy"]) == found["epochs"] == 2
    assert all(0 <= a <= 100 for a in found["train_accuracy"] + found["test_accuracy"])
    assert re.fullmatch("[0-9a-f]{64}", found["state_sha256"])
    assert TrainedModel.load("here/model.npz").state_sha256 == found["state_sha256"]
    assert json.loads(Path("here/history.json").read_text()) == found
    assert sorted(os.listdir("here")) == [".lock", "checkpoint.npz", "curve.png", "history.csv",
                                          "history.json", "model.npz"]


def test_train_through_the_link(monkeypatch):
    monkeypatch.setattr(training, "SimTransport", lambda config, *rest: GoldenTransport(config))
    arguments = [*QUICK, "--json", "--lanes", "8", "--banks", "4"]
    arguments[2] = "sim"
    found = lasting(call(*arguments).stdout)
    assert (found["lanes"], found["total_lanes"]) == (8, 32)
    assert found["cycles"] is found["cycles_per_sample"] is None  # this device counts none
    assert found["state_sha256"] == lasting(call(*QUICK, "--json").stdout)["state_sha256"]


def test_without_json_there_is_a_table_and_every_file_is_named():
    result = call(*QUICK, "--out", "here", "--val-fraction", "0.1")
    for name in ("model.npz", "best.npz", "history.json", "curve.png"):
        assert f": here/{name}\n" in result.stdout
    assert "test accuracy" in result.stdout
    assert "epoch 2/2" in result.stderr


def test_runs_never_share_a_folder():
    for _ in range(3):
        call(*QUICK)
    folders = os.listdir("runs")
    assert len(folders) == 3
    assert all(re.fullmatch(r"digits-\d{8}-\d{6}(-\d)?", name) for name in folders)
    call(*QUICK, "--out", "mine")
    assert refusal(*QUICK, "--out", "mine") == (
        "mine holds another run (checkpoint.npz, model.npz, history.json, history.csv, curve.png); "
        "choose another folder or continue it with --resume mine")


@pytest.mark.parametrize(("arguments", "message"), [
    (["--hidden", "x"], "--hidden must be integers separated by commas, not 'x'"),
    (["--hidden", "0"], "--hidden must be sizes from 1 to 65535, not 0"),
    (["--hidden", "8,"], "--hidden must be integers separated by commas, not '8,'"),
    (["--act-shift", "1.5"], "--act-shift must be integers separated by commas, not '1.5'"),
    (["--act-shift", "1,2"],
     "--act-shift must be 1 integers, one for each layer of --hidden, not 1,2"),
    (["--counter-bits", "5"], "--counter-bits must be an integer from 6 to 14, not 5"),
    (["--planes", "9"], "--planes must be an integer from 1 to 8, not 9"),
    (["--margin", "0"], "--margin must be an integer from 1 to 8388607, not 0"),
    (["--gain", "7"], "--gain must be from -15 to 6, not 7"),
    (["--epochs", "0"], "--epochs must be an integer from 1 to 2147483647, not 0"),
    (["--limit", "0"], "--limit must be at least 1, not 0"),
    (["--seed", "-1"], "--seed must be an integer from 0 to 2^64 - 1, not -1"),
    (["--seed", 2**64], "seed must be an integer from 0 to 2^64 - 1"),
    (["--shift-augment", "128"], "--shift-augment must be an integer from 0 to 127 pixels"),
    (["--test-fraction", "1.5"], "--test-fraction must be above 0 and below 1, not 1.5"),
    (["--test-fraction", "nan"], "--test-fraction must be above 0 and below 1, not nan"),
    (["--val-fraction", "-0.1"], "--val-fraction must be above 0 and below 1, not -0.1"),
    (["--dataset", "letters"], "data set must be digits, mnist, fashion-mnist"),
    (["--dataset", "none.csv"], "none.csv does not exist"),
    (["--label", "y"], "a label column ('y') is for CSV files only, not for 'digits'"),
    (["--vcd", "a.vcd"], "--vcd a.vcd needs --device sim, not model"),
    (["--device", "gpu"], "--device must be sim, model, BOARD@PORT or @PORT, not 'gpu'"),
    (["--epochs", "many"], "Invalid value for '--epochs': 'many' is not a valid integer."),
    (["--nonsense"], "No such option '--nonsense'"),
    (["--resume", "nowhere"], "nowhere/checkpoint.npz does not exist"),
    (["--out", "file/below"], "cannot create file/below"),
])
def test_bad_options_are_one_line(arguments, message):
    Path("file").write_text("")
    assert message in refusal(*QUICK, *arguments)


@pytest.mark.parametrize(("option", "value", "message"), [
    ("--lanes", "0", "--lanes must be an integer from 1 to 256, not 0"),
    ("--banks", "999", "--banks must be an integer from 1 to 256, not 999"),
    ("--update-lanes", "5", "--update-lanes must divide --lanes (16), not 5"),
])
def test_impossible_cores_are_one_line(option, value, message):
    assert refusal("train", "--device", "sim", option, value) == message
    assert refusal("check", option, value) == message
    assert refusal("verilog", "-o", "core.v", option, value) == message


@pytest.mark.parametrize(("text", "message"), [
    ("", "empty"), ("a,b,label\n", ""), ("a,b,label\n1,,x\n2,3,y\n", "b"),
    ("a,b,label\n1,oops,x\n2,3,y\n", "oops"), ("a,b,label\n1,2\n2,3,y\n", ""),
    ("a,b,label\n" + "1,2,x\n" * 9, "single class"),
    ("a,label\n" + "".join(f"{i},c{i}\n" for i in range(300)), "300 different values"),
])
def test_bad_files_are_one_line(text, message):
    Path("bad.csv").write_text(text)
    line = refusal(*QUICK, "--dataset", "bad.csv")
    assert "bad.csv" in line
    assert message in line


def test_a_finished_run_resumes_to_the_same_answer():
    wanted = call(*QUICK, "--json", "--out", "here").stdout
    assert lasting(call("train", "--resume", "here", "--json").stdout) == lasting(wanted)
    assert lasting(call(*QUICK, "--resume", "here", "--json").stdout) == lasting(wanted)


def test_resume_refuses_what_contradicts_the_run():
    call(*QUICK, "--out", "here")
    for option, value, has in (("--hidden", "12,8", "12"),
                               ("--margin", "9", "at its default"), ("--seed", "2", "1")):
        assert refusal("train", "--resume", "here", option, value) == (
            f"{option} {value} contradicts the run in here, which has {option} {has}")


def test_resume_refuses_other_data():
    rng = np.random.default_rng(1)
    np.savez("data.npz", x=rng.random((40, 3)), y=rng.integers(0, 2, 40))
    call(*QUICK, "--dataset", "data.npz", "--out", "here")
    np.savez("data.npz", x=rng.random((40, 3)), y=rng.integers(0, 2, 40))
    assert refusal("train", "--resume", "here").startswith(
        "the data of data.npz are not those that the run in here was started with: ")


def test_eval_measures_the_test_rows(monkeypatch):
    wanted = json.loads(call(*QUICK, "--json", "--out", "here").stdout)
    result = call("eval", "here/model.npz")
    assert f"{wanted['test_accuracy'][-1]:.2f} % of 359 test rows of digits right" in result.stdout
    assert Path("here/model-confusion.png").read_bytes().startswith(b"\x89PNG")
    monkeypatch.setattr(training, "SimTransport", lambda config, *rest: GoldenTransport(config))
    found = json.loads(call("eval", "here/model.npz", "--device", "sim", "--json",
                            "--picture", "m.svg").stdout)
    assert found["accuracy"] == wanted["test_accuracy"][-1]
    assert np.array(found["confusion"]).sum() == found["rows"] == 359
    assert Path("m.svg").exists()


def write_table(path, rows, seed=1, names=("a", "b", "c")):
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 50, (rows, 3))
    labels = np.where(values[:, 0] > values[:, 1], "more", "less, or equal")
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*names, "label"])
        writer.writerows([*row, label] for row, label in zip(values, labels, strict=True))
    return values


def test_eval_of_another_file_takes_all_its_rows_with_the_models_scaling():
    write_table("train.csv", 60)
    write_table("new.csv", 25, seed=2)
    call(*QUICK, "--dataset", "train.csv", "--out", "here")
    result = call("eval", "here/model.npz", "--dataset", "new.csv", "--json")
    assert json.loads(result.stdout)["rows"] == 25
    assert json.loads(call("eval", "here/model.npz", "--json").stdout)["rows"] == 12
    Path("copy.csv").write_text(Path("train.csv").read_text())
    copy = json.loads(call("eval", "here/model.npz", "--dataset", "copy.csv", "--json").stdout)
    assert copy["rows"] == 12
    write_table("other.csv", 25, names=("b", "a", "d"))
    assert refusal("eval", "here/model.npz", "--dataset", "other.csv").endswith(
        "other.csv lacks the column 'c'; needed are a, b, c")
    np.savez("wide.npz", x=np.ones((9, 4)), y=["more"] * 9)
    assert "features a row" in refusal("eval", "here/model.npz", "--dataset", "wide.npz")


def test_predict_gives_class_and_margin_of_each_row():
    values = write_table("train.csv", 60)
    call(*QUICK, "--dataset", "train.csv", "--out", "here")
    text = call("predict", "here/model.npz", "train.csv").stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == len(values)
    assert {row["class"] for row in rows} <= {"more", "less, or equal"}
    assert all(int(row["margin"]) >= 0 for row in rows)
    call("predict", "here/model.npz", "train.csv", "--format", "json", "-o", "out.json")
    assert json.loads(Path("out.json").read_text()) == [
        {"class": row["class"], "margin": int(row["margin"])} for row in rows]
    np.savez("wide.npz", x=np.zeros((2, 4)))
    assert refusal("predict", "here/model.npz", "wide.npz") == (
        "wide.npz has 4 features a row; the model takes 3")


def test_export_writes_what_was_asked_for():
    call(*QUICK, "--out", "here")
    result = call("export", "here/model.npz", "--c-header", "net.h", "--npz", "net.npz")
    assert result.stdout == "net.h\nnet.npz\n"
    assert "net_predict" in call("export", "here/model.npz", "--c-header", "n.h", "--prefix",
                                 "net").stdout + Path("n.h").read_text()
    assert refusal("export", "here/model.npz") == (
        "nothing to export; give --c-header FILE, --npz FILE, --onnx FILE or --qonnx FILE")


@pytest.mark.parametrize("command", [["eval"], ["predict", "x.csv"], ["export", "--npz", "o.npz"]])
def test_files_that_are_no_model_are_one_line(command):
    np.savez("other.npz", x=np.zeros(3))
    for name, message in (("missing.npz", "missing.npz does not exist"),
                          ("other.npz", "other.npz is no tritgrad model")):
        assert refusal(command[0], name, *command[1:]) == message


def test_check_compares_two_machines(monkeypatch):
    monkeypatch.setattr("tritgrad.host.cli.check.SimTransport",
                        lambda config, *rest: GoldenTransport(config))
    assert call("check", "--samples", "60", "--lanes", "8", "--banks", "4").stdout == (
        "RTL and golden model agree: 2 networks, 60 samples, 4 x 8 lanes\n")


def test_check_names_the_first_difference(monkeypatch):
    class Broken(GoldenTransport):
        def __init__(self, config, vcd, progress):
            super().__init__(config)
            machine = self.device.machine

            def wrong(change):
                machine.codes[0, 0, 0] = 1
            machine.asks["updated"].append(wrong)

    monkeypatch.setattr("tritgrad.host.cli.check.SimTransport", Broken)
    line = refusal("check", "--samples", "60", code=1)
    assert re.match(r"RTL and golden model differ: (\w+: \d+, golden|layer 1, row 0, input 0: "
                    r"counter -?\d+, golden model -?\d+ \()", line), line


def test_a_bug_is_one_line_unless_debugging(monkeypatch):
    def fail(*arguments, **settings):
        raise ZeroDivisionError("a bug")
    monkeypatch.setattr(training.Trainer, "run", fail)
    assert refusal(*QUICK, code=1) == ("internal error, ZeroDivisionError: a bug "
                                       "(--debug shows where)")
    for arguments in ([*QUICK, "--debug"], ["--debug", *QUICK]):
        result = CliRunner().invoke(cli, arguments)
        assert isinstance(result.exception, ZeroDivisionError)


def test_help_of_every_command_names_all_its_options():
    for name in cli.list_commands(None):
        text = call(name, "--help").stdout
        for parameter in cli.get_command(None, name).params:
            for option in parameter.opts:
                assert not option.startswith("--") or option in text


def test_ctrl_c_writes_a_checkpoint_and_says_how_to_continue():
    process = subprocess.Popen(
        [sys.executable, "-m", "tritgrad", *QUICK, "--epochs", "1000000", "--out", "here"],
        stderr=subprocess.PIPE, text=True)
    while "epoch" not in process.stderr.readline():
        pass
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.splitlines()[-1] == (
        "tritgrad: stopped; continue with: tritgrad train --resume here")
    assert Path("here/checkpoint.npz").exists()


def test_a_failure_of_the_real_command_is_one_line():
    done = subprocess.run([sys.executable, "-m", "tritgrad", "train", "--hidden", "x"],
                          capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "tritgrad: --hidden must be integers separated by commas, not 'x'\n"


def test_a_coding_is_chosen_kept_and_used_by_every_command():
    write_table("train.csv", 90)
    result = call(*QUICK, "--dataset", "train.csv", "--out", "here", "--json")
    report = json.loads(result.stdout.splitlines()[-1])
    (line,) = (text for text in result.stderr.splitlines() if text.startswith("coding"))
    assert line.startswith(f"coding   {report['encode']}: 72 rows of 3 features; % of held")
    assert call("train", "--resume", "here", "--json").stdout.splitlines()[-1] == \
        result.stdout.splitlines()[-1]
    measured = json.loads(call("eval", "here/model.npz", "--json").stdout.splitlines()[-1])
    assert measured["accuracy"] == report["test_accuracy"][-1]
    call(*QUICK, "--dataset", "train.csv", "--encode", "thermometer:4", "--out", "bits")
    call("trace", "bits/model.npz", "--sample", "0", "--html", "page.html")
    call("export", "bits/model.npz", "--c-header", "net.h", "--npz", "net.npz")
    assert "#define TRITGRAD_FEATURES 3" in Path("net.h").read_text()
    with np.load("net.npz", allow_pickle=False) as stored:
        assert stored["coding_1_levels"].shape == (3, 4)
        assert json.loads(str(stored["coding"]))[0]["kind"] == "thermometer"
    named = call(*QUICK, "--dataset", "train.csv", "--planes", "4", "--out", "old", "--json")
    assert json.loads(named.stdout.splitlines()[-1])["layers"][0] == 3


def test_a_recipe_fills_in_what_is_not_given():
    report = json.loads(call("train", "--device", "model", "--recipe", "r4", "--hidden", "12",
                             "--encode", "edges:64:4:1", "--epochs", "2", "--limit", "60",
                             "--json").stdout.splitlines()[-1])
    assert report["layers"] == [256, 12, 10] and report["encode"] == "edges:64:4:1"
    assert report["augment"] == "rotate=2,shear=3,vstretch=2,hstretch=2"
    assert report["clean_epochs"] == 8 and report["floor"] == -2


def test_learn_goes_on_with_a_model():
    write_table("train.csv", 90)
    write_table("new.csv", 40, seed=2)
    call(*QUICK, "--dataset", "train.csv", "--out", "here")
    told = call("learn", "here/model.npz", "new.csv", "--replay", "train.csv", "--json")
    result = json.loads(told.stdout.splitlines()[-1])
    assert (result["rows"], result["replayed"]) == (40, 90)
    assert sum(point["rows"] for point in result["curve"]) == 40
    again = json.loads(call("eval", "here/model-learned.npz", "--dataset", "new.csv",
                            "--json").stdout.splitlines()[-1])
    assert again["accuracy"] == result["accuracy_after"]
    assert again["state_sha256"] == result["state_sha256"]
    Path("other.csv").write_text("a,b,c,label\n1,2,3,perhaps\n")
    assert "'perhaps'" in refusal("learn", "here/model.npz", "other.csv")
    assert "would overwrite" in refusal("learn", "here/model.npz", "new.csv", "-o",
                                        "here/model.npz")
