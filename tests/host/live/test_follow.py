"""A run that is trained elsewhere, on a page."""

import json
from dataclasses import replace

import pytest

from tritgrad.errors import BadInput
from tritgrad.host.live.follow import Follower, epochs_of
from tritgrad.host.run.learners import inferred
from tritgrad.host.run.metrics import accuracy
from tritgrad.host.run.model_file import TrainedModel
from tritgrad.host.run.options import TrainOptions
from tritgrad.host.run.report import write_files
from tritgrad.host.run.running import begun, planned
from tritgrad.host.run.training import Stopped, Watcher
from tritgrad.host.run.watchers import HISTORY, History, Watchers

from ..command import refusal
from .conftest import asked, served

OPTIONS = TrainOptions(hidden=(8,), epochs=3, limit=300, device="model")


def a_run(folder, epochs, options=OPTIONS):
    """A run in a folder that is stopped behind so many epochs, if it has more."""
    trainer = begun(planned(options, options.load_data(), Watcher()), folder, Watcher())
    trainer.watcher = Watchers(Watcher(), History(folder / HISTORY))
    trainer.stop = lambda: epochs <= trainer.checkpoint.position.finished < options.epochs
    try:
        outcome = trainer.run()
    except Stopped:
        return trainer
    write_files(outcome, folder)
    return trainer


def test_a_run_is_seen_to_go_on_and_to_end(tmp_path):
    follower = Follower(str(tmp_path))
    assert not follower.look_again() and follower.state()["layers"] == []
    with pytest.raises(BadInput, match="has no checkpoint yet$"):
        follower.weights()
    first = a_run(tmp_path, 1)
    assert follower.look_again() and not follower.look_again()
    state = follower.state()
    assert (state["phase"], state["networks"], state["layers"]) == ("following", 1, [64, 8, 10])
    assert (len(state["run"]["done"]), state["run"]["epochs"]) == (1, 3)
    epoch = first.checkpoint.position.epochs[0]
    assert state["run"]["done"][0] == {
        "train": epoch.train_accuracy, "test": epoch.test_accuracy, "updates": epoch.updates,
        "flips": epoch.flips, "cycles": None}
    for path in tmp_path.iterdir():
        path.unlink()
    a_run(tmp_path, 3)
    assert follower.look_again()
    state, model = follower.state(), TrainedModel.load(tmp_path / "model.npz")
    assert len(state["run"]["done"]) == 3 and state["networks"] == 2
    assert [c.tolist() for c in follower.model.counters] == [c.tolist() for c in model.counters]
    rows = follower._held
    right = accuracy(rows.y, inferred(follower._learner, rows.x)[0])
    assert state["run"]["classes"]["accuracy"] == right and state["run"]["classes"]["rows"] == 300
    assert [layer["title"] for layer in follower.weights()["layers"]] == [
        "layer 1: 8 neurons", "layer 2: 10 neurons"]


def test_plain_features_are_followed_too(tmp_path):
    a_run(tmp_path, 2, replace(OPTIONS, dataset="examples/wine.csv", limit=None, epochs=2))
    follower = Follower(str(tmp_path / HISTORY))
    assert follower.look_again()
    state = follower.state()
    assert state["dataset"] == "wine.csv" and len(state["run"]["classes"]["classes"]) == 3
    assert follower.weights()["layers"][0]["shape"] is None


def test_files_that_are_no_run(tmp_path):
    (tmp_path / HISTORY).write_text("a,b\n1,2\n")
    follower = Follower(str(tmp_path))
    assert follower.look_again()
    assert follower.state()["failure"] == "history.csv is no history of a run"
    assert not follower.look_again()
    assert follower.state()["failure"] == "history.csv is no history of a run"  # until it changes
    assert epochs_of("epoch,train_accuracy,test_accuracy,samples,updates,flips,cycles\n"
                     "1,50.0,,10,3,2,500\n2,7") == [
        {"train": 50.0, "test": None, "updates": 3, "flips": 2, "cycles": 50.0}]


@pytest.mark.parametrize("extras", [{}, {"options": {"hidden": [8]}}])
def test_a_model_that_is_of_no_run_is_said(tmp_path, extras):
    (tmp_path / "run").mkdir()
    a_run(tmp_path / "run", 3)
    folder = tmp_path / "model"
    folder.mkdir()
    replace(TrainedModel.load(tmp_path / "run" / "model.npz"),
            extras=extras).save(folder / "model.npz")
    follower = Follower(str(folder))
    assert follower.look_again()
    assert follower.state()["failure"] == "model.npz is not of a run of tritgrad train"


def test_the_page_asks_for_weights_and_for_nothing_else(tmp_path):
    a_run(tmp_path, 3)
    with Follower(str(tmp_path)) as follower, served(follower) as page:
        status, body = asked(page + "/api/weights", {})
        assert status == 200 and len(json.loads(body)["layers"]) == 2
        for name in "undo", "standing", "example", "train":
            assert json.loads(asked(f"{page}/api/{name}", {})[1])["error"] == (
                "this page follows a run; tritgrad live RUN draws for its network")


def test_what_cannot_be_followed(tmp_path):
    assert refusal("live", "--follow", tmp_path / "none") == (
        f"--follow {tmp_path / 'none'}: there is no such run")
    (tmp_path / "x.csv").touch()
    assert refusal("live", "--follow", tmp_path / "x.csv") == (
        f"--follow {tmp_path / 'x.csv'} must be a run's folder or its history.csv")
    assert refusal("live", "model.npz", "--follow", tmp_path) == (
        f"--follow {tmp_path} goes without model.npz")
    assert refusal("live", "--hidden", "8", "--follow", tmp_path) == (
        f"--follow {tmp_path} goes without --hidden")
