"""What a run leaves while it goes on, and runs side by side."""

import csv
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tritgrad.errors import OutputError, ToolError
from tritgrad.host.run import watchers
from tritgrad.host.run.checkpoint import Epoch
from tritgrad.host.run.options import TrainOptions
from tritgrad.host.run.running import begun, planned
from tritgrad.host.run.training import CHECKPOINT, Stopped, Watcher
from tritgrad.host.run.watchers import Curve, History, Watchers, tracker

from ..command import call, refusal

OPTIONS = TrainOptions(hidden=(8,), epochs=4, limit=100, device="model", encode="planes")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def trainer(folder, watcher=None, **changes):
    options = TrainOptions(**OPTIONS.as_json() | {"hidden": (8,)} | changes)
    Path(folder).mkdir(exist_ok=True)
    return begun(planned(options, options.load_data(), Watcher()), Path(folder),
                 watcher or Watcher())


def lines(folder):
    with open(Path(folder) / "history.csv", newline="") as file:
        return list(csv.DictReader(file))


def test_each_epoch_is_on_the_disk_when_it_is_over():
    run, seen = trainer("here"), []

    class Looks(Watcher):
        def epoch_over(self, number, epochs, epoch):
            rows = lines("here")
            assert len(rows) == number
            assert float(rows[-1]["test_accuracy"]) == epoch.test_accuracy
            assert int(rows[-1]["updates"]) == epoch.updates
            assert rows[-1]["val_accuracy"] == ""
            seen.append(number)

    run.watcher = Watchers(Watcher(), History(Path("here/history.csv")), Looks())
    run.run()
    assert seen == [1, 2, 3, 4]


def test_a_run_that_stops_and_goes_on_has_each_epoch_once():
    run = trainer("here")

    class Stops(Watcher):
        def epoch_over(self, number, epochs, epoch):
            run.stop = lambda: number == 2

    run.watcher = Watchers(Watcher(), History(Path("here/history.csv")), Stops())
    with pytest.raises(Stopped):
        run.run()
    assert [row["epoch"] for row in lines("here")] == ["1", "2"]
    shown = json.loads(call("compare", "here", "--json").stdout.splitlines()[-1])
    assert shown["runs"][0]["epochs"] == 2
    History(Path("here/history.csv"), [Epoch()] * 3)  # as if killed after an epoch more
    call("train", "--resume", "here", "--device", "model")
    assert [row["epoch"] for row in lines("here")] == ["1", "2", "3", "4"]
    whole = trainer("whole")
    whole.watcher = History(Path("whole/history.csv"))
    whole.run()
    assert lines("whole") == lines("here")


def test_the_curve_is_drawn_anew_every_ten_seconds_and_when_a_run_stops():
    now, drawn = [0.0], []
    run = trainer("here")
    curve = Curve(run, Path("here/curve.png"), lambda history, path: drawn.append(history),
                  lambda: now[0])
    curve.draw()
    assert drawn == []  # nothing to show yet

    class Clock(Watcher):
        def epoch_over(self, number, epochs, epoch):
            now[0] += 6

    run.watcher = Watchers(Watcher(), Clock(), curve)
    run.run()
    assert [len(history["test_accuracy"]) for history in drawn] == [2, 4]
    assert drawn[-1]["layers"] == [64, 8, 10]


@dataclass
class Fake:
    """TensorBoard's writer and MLflow's module at once, as far as they are used."""

    calls: list = field(default_factory=list)

    def SummaryWriter(self, folder):
        self.calls.append(("folder", folder))
        return self

    def add_scalar(self, name, value, step):
        self.calls.append((step, name, value))

    def flush(self):
        self.calls.append("flush")

    def active_run(self):
        return None

    def start_run(self, run_name):
        self.calls.append(("run", run_name))

    def log_params(self, params):
        self.calls.append(params["hidden"])

    def log_metrics(self, metrics, step):
        self.calls.append((step, metrics))


def test_other_programs_are_told_of_each_epoch(monkeypatch):
    fakes = {"tensorboardX": Fake(), "mlflow": Fake()}
    monkeypatch.setattr(watchers, "import_module", fakes.__getitem__)
    call("train", "--hidden", "8", "--epochs", "2", "--limit", "100", "--device", "model",
         "--watch", "tensorboard", "--watch", "mlflow", "--out", "here", "--encode", "planes")
    board, flow = fakes["tensorboardX"].calls, fakes["mlflow"].calls
    rows = lines("here")
    assert board[0] == ("folder", str(Path("here/tensorboard")))
    assert (2, "test_accuracy", float(rows[1]["test_accuracy"])) in board
    assert board[-1] == "flush"
    assert flow[:2] == [("run", "here"), (8,)]
    assert flow[3][0] == 2
    assert flow[3][1]["updates"] == int(rows[1]["updates"])


def test_tensorboard_itself(tmp_path):
    pytest.importorskip("tensorboardX", reason="tensorboardX is not installed")
    made = tracker("tensorboard", tmp_path, OPTIONS)
    made.epoch_over(1, 1, Epoch(samples=10, correct=5))
    assert [path.name.startswith("events") for path in (tmp_path / "tensorboard").iterdir()]


#: Trains twice, the second time while MLflow fails, and prints what MLflow has of the first.
MLFLOW = """
import json, mlflow
from tritgrad.host.cli.main import cli

train = ["train", "--hidden", "8", "--epochs", "2", "--limit", "100", "--device", "model",
         "--encode", "planes", "--watch", "mlflow", "--out"]
cli([*train, "first"], standalone_mode=False)
run = mlflow.active_run().info.run_id
mlflow.end_run()
found = mlflow.get_run(run)
steps = mlflow.MlflowClient().get_metric_history(run, "test_accuracy")
whole = mlflow.log_metrics


def failing(*given, **named):
    raise mlflow.MlflowException("no room. At all")


mlflow.log_metrics = failing
cli([*train, "second"], standalone_mode=False)
print(json.dumps({"name": found.info.run_name, "hidden": found.data.params["hidden"],
                  "test": [[m.step, m.value] for m in steps]}))
"""


def test_mlflow_itself(tmp_path):
    pytest.importorskip("mlflow", reason="mlflow is not installed")
    pytest.importorskip("sqlalchemy", reason="MLflow's store in a file needs SQLAlchemy")
    store = os.environ | {"MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path / 'runs.db'}"}
    done = subprocess.run([sys.executable, "-c", MLFLOW], cwd=tmp_path, env=store, check=False,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    rows = [(n, float(row["test_accuracy"])) for n, row in enumerate(lines(tmp_path / "first"), 1)]
    assert found == {"name": "first", "hidden": "(8,)", "test": [list(row) for row in rows]}
    assert done.stderr.count("MLflow took no more from epoch 1 on: no room\n") == 1
    assert (tmp_path / "second" / "model.npz").exists()  # the run is worth more


def test_a_store_that_mlflow_does_not_take_is_one_line(monkeypatch):
    class Closed(Fake):
        def active_run(self):
            raise OSError("the store is closed. Open it\nor not")
    monkeypatch.setattr(watchers, "import_module", lambda name: Closed())
    with pytest.raises(ToolError, match="^--watch mlflow: the store is closed$"):
        tracker("mlflow", Path("here"), OPTIONS)


def test_without_the_package_the_extra_is_named(monkeypatch):
    def missing(name):
        raise ImportError(name)
    monkeypatch.setattr(watchers, "import_module", missing)
    with pytest.raises(ToolError, match=r"--watch mlflow needs the package mlflow: pip install "
                                        r"'tritgrad\[mlflow\]'"):
        tracker("mlflow", Path("here"), OPTIONS)


def test_a_history_that_cannot_be_written_stops_no_run_later():
    made = History(Path("history.csv"))
    Path("history.csv").unlink()
    Path("history.csv").mkdir()
    made.epoch_over(1, 1, Epoch())
    with pytest.raises((OutputError, ValueError)):
        History(Path("history.csv"))


def test_runs_side_by_side():
    for name, more in ("one", []), ("two", ["--seed", "2", "--hidden", "9"]):
        call("train", "--hidden", "8", "--epochs", "2", "--limit", "100", "--device", "model",
             "--encode", "planes", "--out", name, *more)
    result = call("compare", "one", "two", "--picture", "both.png", "--json")
    found = json.loads(result.stdout)
    assert found["differing"] == ["hidden", "seed"]
    assert [run["layers"] for run in found["runs"]] == [[64, 8, 10], [64, 9, 10]]
    history = json.loads(Path("two/history.json").read_text())
    assert found["runs"][1]["test_accuracy"] == history["test_accuracy"][-1]
    assert found["runs"][1]["best_test_accuracy"] == max(history["test_accuracy"])
    assert "seed 2" in result.stderr
    assert Path("both.png").stat().st_size > 5000
    assert refusal("compare", "one", "none") == "none holds no run: there is no none"
    Path("empty").mkdir()
    assert refusal("compare", "empty") == (
        f"empty holds no run: there is no {Path('empty', CHECKPOINT)}")


def test_a_run_in_memory_keeps_no_files():
    options = TrainOptions(**OPTIONS.as_json() | {"hidden": (8,)})
    run = begun(planned(options, options.load_data(), Watcher()), None, Watcher())
    run.checkpoint_s = 0.0
    run.run()
    assert list(Path().iterdir()) == []
