"""Going on with a model by the commands: on the golden model, the RTL and a virtual board."""

import json
from pathlib import Path

import numpy as np
import pytest

from tritgrad.boards import find_board
from tritgrad.host.device import serial_port
from tritgrad.host.run.model_file import TrainedModel
from tritgrad.model.config import CoreConfig
from tritgrad.sim.board import CompiledBoard

from ...sim.ports import serving
from ..command import call, refusal

pytestmark = pytest.mark.usefixtures("folder")

CORE = ["--lanes", "8", "--banks", "2", "--update-lanes", "8"]
CONFIG = CoreConfig(lanes=8, banks=2, update_lanes=8, max_inputs=64, max_neurons=16, max_classes=10,
                    trit_depth=128, residual_depth=256, hidden_depth=4, program_depth=16,
                    slot_bytes=1024)
CENTRES = {"x": (0, 0, 5), "y": (4, 1, 0), "z": (-3, 5, 2), "w": (6, 6, 6)}


def write(path, rows, classes, seed=1):
    rng = np.random.default_rng(seed)
    labels = rng.choice(list(classes), rows)
    lines = ["a,b,c,label"]
    for label in labels:
        numbers = np.array(CENTRES[str(label)]) + rng.normal(size=3)
        lines.append(",".join(f"{n:.3f}" for n in numbers) + f",{label}")
    Path(path).write_text("\n".join(lines) + "\n")


def result(*arguments):
    return json.loads(call(*arguments, "--json").stdout.splitlines()[-1])


def lasting(found):
    return {name: found[name] for name in (
        "train_accuracy", "test_accuracy", "updates_by_epoch", "flips_by_epoch", "state_sha256",
        "epochs", "samples", "replayed", "from", "layers", "encode") if name in found}


@pytest.fixture
def begun(folder):
    """A model of two classes that has an output for a third, and keeps 12 rows."""
    write("old.csv", 90, "xy")
    write("new.csv", 60, "z", seed=2)
    write("all.csv", 40, "xyz", seed=3)
    return result("train", "--device", "model", "--dataset", "old.csv", "--encode", "signed",
                  "--hidden", "16", "--epochs", "20", "--classes", "x,y,z", "--replay", "12",
                  "--out", "old")


def test_a_run_that_goes_on_is_one_on_all_devices(begun, monkeypatch):
    go_on = ["train", "--from", "old", "--dataset", "new.csv", "--test", "all.csv", "--replay",
             "12"]
    learn = ["learn", "old", "new.csv", "--replay", "12", "--epochs", "2"]
    devices = [(["--device", "model"], []), (["--device", "sim"], CORE)]
    monkeypatch.setattr(serial_port, "CONTACT_S", 60.0)  # a busy machine needs its time
    monkeypatch.setattr(serial_port, "FIRST_BYTE_S", 0.01)
    with CompiledBoard.of(find_board("icebreaker"), CONFIG) as board:
        with serving(board, Path.cwd()) as port:
            devices.append((["--device", f"@{port.link}"], []))
            runs, streams = [], []
            for n, (device, core) in enumerate(devices):
                runs.append(lasting(result(*go_on, *device, *core, "--out", f"new-{n}")))
                found = result(*learn, *device, *core, "-o", f"stream-{n}.npz")
                streams.append({k: found[k] for k in ("curve", "state_sha256", "accuracy_after")})
    assert runs[1:] == runs[:1] * 2
    assert streams[1:] == streams[:1] * 2
    assert runs[0]["from"] == begun["state_sha256"]
    assert (runs[0]["epochs"], runs[0]["samples"], runs[0]["replayed"]) == (3, 60, 12)
    assert runs[0]["test_accuracy"][-1] > 80


def test_a_stream_is_a_run_in_the_order_of_the_file(begun):
    for order in "file", "random":
        for replay in [], ["--replay", "12"], ["--replay", "old.csv"]:
            run = result("train", "--from", "old", "--dataset", "new.csv", "--test", "all.csv",
                         "--order", order, *replay, "--epochs", "2", "--device", "model", "--out",
                         f"{order}{len(replay)}{replay[-1:]}")
            stream = result("learn", "old", "new.csv", "--order", order, *replay, "--epochs", "2")
            assert run["state_sha256"] == stream["state_sha256"]
            if not replay:  # a run counts old rows too
                right = sum(point["correct"] for point in stream["curve"])
                assert right / 120 == pytest.approx(sum(run["train_accuracy"]) / 200)


def test_more_rows_are_kept_as_more_are_learned(begun):
    assert TrainedModel.load("old/model.npz").kept.seen == 72
    result("train", "--from", "old", "--dataset", "new.csv", "--test", "all.csv", "--device",
           "model", "--out", "new")
    kept = TrainedModel.load("new/model.npz").kept
    assert (kept.size, kept.seen, len(kept.labels)) == (12, 132, 12)
    assert set(kept.labels.tolist()) == {0, 1, 2}
    result("learn", "new", "all.csv", "--replay", "20", "-o", "last.npz")
    last = TrainedModel.load("last.npz")
    assert (last.kept.size, last.kept.seen) == (20, 172)
    assert [step["rows"] for step in last.extras["learned"]] == [60, 40]


def test_a_class_that_nobody_named_gets_an_output(begun):
    write("more.csv", 40, "w", seed=5)
    write("four.csv", 60, "wxyz", seed=6)
    found = result("train", "--from", "old", "--dataset", "more.csv", "--test", "four.csv",
                   "--classes", "w,x,y,z", "--replay", "12", "--gain", "-3", "--epochs", "20",
                   "--device", "model", "--out", "new")
    assert found["layers"] == [6, 16, 4]
    old, new = TrainedModel.load("old/model.npz"), TrainedModel.load("new/model.npz")
    assert new.class_names == ("x", "y", "z", "w")
    assert new.counters[0].shape == old.counters[0].shape
    told = result("eval", "new", "--dataset", "four.csv")
    assert told["accuracy"] == found["test_accuracy"][-1]
    recalls = {c["name"]: c["recall"] for c in told["classes"]}
    assert recalls["w"] > 90 and recalls["x"] > 50


def test_a_run_that_goes_on_can_be_continued(begun):
    go_on = ["train", "--from", "old", "--dataset", "new.csv", "--test", "all.csv", "--replay",
             "12", "--device", "model"]
    whole = result(*go_on, "--epochs", "4", "--out", "whole")
    result(*go_on, "--epochs", "2", "--out", "part")
    Path("old").rename("elsewhere")
    assert "old/model.npz" in refusal("train", "--resume", "part", "--epochs", "4")
    Path("elsewhere").rename("old")
    again = result("train", "--resume", "part", "--epochs", "4")
    assert lasting(again) == lasting(whole)
    call("train", "--device", "model", "--dataset", "old.csv", "--encode", "signed", "--hidden",
         "8", "--epochs", "1", "--classes", "x,y,z", "--replay", "12", "--out", "other")
    Path("old/model.npz").write_bytes(Path("other/model.npz").read_bytes())
    assert "is another model than the run was started from" in refusal(
        "train", "--resume", "part", "--epochs", "5")


def test_given_gains_fall_as_in_any_run(begun):
    found = result("train", "--from", "old", "--dataset", "new.csv", "--test", "all.csv", "--gain",
                   "-2", "--epochs", "3", "--device", "model", "--out", "new")
    recipe = TrainedModel.load("new/model.npz").recipe
    assert recipe.gains[0] == -2 and recipe.epochs == 3 == found["epochs"]
    plain = TrainedModel.load("old/model.npz").recipe
    assert recipe.gains[1] == plain.gains[1]


def test_a_stream_that_drifts_is_told_and_followed(begun):
    write("drift.csv", 300, "xy", seed=8)
    lines = Path("drift.csv").read_text().splitlines()
    moved = [",".join([*(f"{float(v) + 9:.3f}" for v in row.split(",")[:3]), row[-1]])
             for row in lines[1:]]
    Path("drift.csv").write_text("\n".join([lines[0], *moved]) + "\n")
    told = call("learn", "old", "drift.csv", "--adapt", "100", "--json", "-o", "adapted.npz")
    curve = json.loads(told.stdout)["curve"]
    assert all(point["outside"] > 0.4 for point in curve)
    assert all(point["recoded"] is not None for point in curve)
    assert "outside" in told.stderr and "codes changed" in told.stderr
    frozen = result("learn", "old", "drift.csv", "-o", "frozen.npz")
    assert json.loads(told.stdout)["accuracy_after"] >= frozen["accuracy_after"]
    after = result("eval", "adapted.npz", "--dataset", "drift.csv")
    assert after["accuracy"] == json.loads(told.stdout)["accuracy_after"]
    assert after["data"]["outside"] < 0.1


def test_windows_are_the_models_in_all_that_goes_on_from_it(folder):
    for name, rows in ("waves.csv", 240), ("more.csv", 90):
        lines = [f"{7 * i % 30},{i % 30 // 10}" for i in range(rows)]
        Path(name).write_text("\n".join(["a,label", *lines]) + "\n")
    call("train", "--device", "model", "--dataset", "waves.csv", "--window", "4,2", "--hidden", "6",
         "--encode", "signed", "--epochs", "4", "--out", "old")
    windows = 9 * 4  # four in each stretch of ten rows, which no label changes in
    for order in "file", "random":
        learned = result("learn", "old", "more.csv", "-o", "new.npz", "--order", order)
        again = result("train", "--device", "model", "--from", "old", "--dataset", "more.csv",
                       "--test", "more.csv", "--epochs", "1", "--order", order, "--out", order)
        assert learned["rows"] == windows
        assert learned["state_sha256"] == again["state_sha256"]
    assert result("eval", "old", "--dataset", "more.csv")["rows"] == windows
    split = result("train", "--device", "model", "--from", "old", "--dataset", "more.csv",
                   "--out", "split")
    assert split["data"]["split"].endswith("the last rows")


def test_standard_input_is_called_so(begun):
    assert refusal("learn", "old", "-", stdin="a,b,c,label\n") == (
        "standard input has a header row and no data")


@pytest.mark.parametrize("arguments, message", [
    (["--from", "old", "--hidden", "9"], "--hidden goes without --from "),
    (["--from", "old", "--recipe", "r1"], "--recipe goes without --from "),
    (["--from", "old", "--classes", "x,y"], "--classes must name the classes of "),
    (["--from", "old", "--floor", "-2"], "--floor -2 goes with --gain"),
    (["--from", "old", "--replay", "nowhere.csv"], "nowhere.csv"),
    (["--from", "old", "--replay", "0"], "rows from 1 to 1000000, not 0"),
    (["--from", "old", "--epochs", "0"], "--epochs must be at least 1, not 0"),
    (["--replay", "old.csv"], "old rows of a file go with --from MODEL"),
    (["--from", "old", "--rule", "spsa"], "--rule goes without --from ")])
def test_refusals(begun, arguments, message):
    assert message in refusal("train", "--device", "model", "--dataset", "new.csv", "--test",
                              "all.csv", *arguments, "--out", "new")


def test_a_model_without_rows_and_a_run_without_data(begun):
    call("train", "--device", "model", "--dataset", "old.csv", "--hidden", "8", "--epochs", "1",
         "--encode", "signed", "--out", "bare")
    for command in (["learn", "bare", "old.csv", "--replay", "5"],
                    ["train", "--from", "bare", "--dataset", "old.csv", "--replay", "5", "--device",
                     "model", "--out", "new"]):
        assert "keeps no rows; give a file of old rows" in refusal(*command)
    assert "name them with --dataset" in refusal("train", "--from", "bare", "--device", "model")
