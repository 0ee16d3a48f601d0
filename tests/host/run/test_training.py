"""Runs: the same on every device, stopped, killed, continued, on devices that forget."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest

from tritgrad.errors import BadInput
from tritgrad.host.device.driver import Driver
from tritgrad.host.device.session import Session
from tritgrad.host.device.transport import GoldenTransport
from tritgrad.host.run.checkpoint import Checkpoint, Epoch
from tritgrad.host.run.learners import DeviceLearner, ModelLearner
from tritgrad.host.run.options import TrainOptions, suitable_update_lanes
from tritgrad.host.run.report import as_model, dense_cycles, report, write_files
from tritgrad.host.run.training import CHECKPOINT, Stopped, Watcher, resume, start

SMALL = TrainOptions(hidden=(12,), epochs=3, limit=150, device="model", val_fraction=0.05)
TIMES = ("seconds", "samples_per_second")


def golden_learner(options, data, golden=None):
    recipe = options.recipe(data)
    golden = golden or GoldenTransport(options.core(recipe.layers, recipe.planes))
    learner = DeviceLearner(Driver(Session(golden)), recipe)
    learner.chunk = 40
    return learner


def model_learner(options, data, chunk=64):
    learner = ModelLearner(options.recipe(data))
    learner.chunk = chunk
    return learner


def run(options, folder, learner=model_learner, **settings):
    data = options.load_data()
    return start(options, data, folder, learner(options, data), Watcher(), **settings).run()


def lasting(outcome):
    """The report without what differs between two equal runs."""
    return {name: value for name, value in report(outcome).items() if name not in TIMES}


@pytest.mark.parametrize("changes", [
    {}, {"hidden": (9, 7), "shift_augment": 1}, {"counter_bits": 10, "seed": 2**64 - 1},
    {"planes": 2, "gain": 1, "output_gain": -4, "act_shift": (1,), "margin": 7},
])
def test_model_and_machine_behind_the_link_are_the_same_run(tmp_path, changes):
    options = TrainOptions(**{**SMALL.as_json(), **changes})
    model = run(options, tmp_path)
    machine = run(options, tmp_path, golden_learner)
    hidden = {"cycles", "cycles_per_sample", "roofline_fraction"}
    assert ({k: v for k, v in lasting(model).items() if k not in hidden}
            == {k: v for k, v in lasting(machine).items() if k not in hidden})
    assert report(model)["cycles"] is None
    assert report(machine)["cycles"] is None  # the golden device counts none


def test_the_size_of_a_chunk_does_not_matter(tmp_path):
    wanted = lasting(run(SMALL, tmp_path))
    for chunk in (1, 7, 1000):
        assert lasting(run(SMALL, tmp_path, lambda o, d, c=chunk: model_learner(o, d, c))) == wanted


@pytest.mark.parametrize("chunk, seconds, expected", [
    (512, 0.1, 500 * 150 // 100), (512, 1.0, 512), (512, 0.0, 4096), (1000, 0.05, 1500),
    (40, 0.1, 40)])
def test_a_chunk_over_the_line_takes_a_fraction_of_a_second(monkeypatch, chunk, seconds, expected):
    """One that somebody has made smaller stays."""
    data = SMALL.load_data()
    learner = golden_learner(SMALL, data)
    learner.start()
    learner.chunk = chunk
    clock = SimpleNamespace(monotonic=iter([7.0, 7.0 + seconds]).__next__)
    monkeypatch.setattr("tritgrad.host.run.learners.time", clock)
    learner.train(data.x_train[:150], data.y_train[:150], learner.recipe.gains)
    assert abs(learner.chunk - expected) <= 1


def test_a_stopped_run_continues_as_if_nothing_had_happened(tmp_path):
    wanted = lasting(run(SMALL, tmp_path))
    data = SMALL.load_data()
    for polls in range(1, 40, 3):
        asked = iter(range(polls))
        with pytest.raises(Stopped) as caught:
            run(SMALL, tmp_path, stop=lambda asked=asked: next(asked, None) is None)
        assert str(caught.value) == f"stopped; continue with: tritgrad train --resume {tmp_path}"
        assert caught.value.exit_code == 130
        checkpoint = Checkpoint.load(tmp_path / CHECKPOINT)
        trainer = resume(checkpoint, data, tmp_path, model_learner(SMALL, data), Watcher())
        assert lasting(trainer.run()) == wanted
        if polls > 30:
            break


def test_a_run_may_continue_on_another_device(tmp_path):
    wanted = run(SMALL, tmp_path)
    asked = iter(range(4))
    with pytest.raises(Stopped):
        run(SMALL, tmp_path, stop=lambda: next(asked, None) is None)
    data = SMALL.load_data()
    trainer = resume(Checkpoint.load(tmp_path / CHECKPOINT), data, tmp_path,
                     golden_learner(SMALL, data), Watcher())
    outcome = trainer.run()
    assert outcome.state_sha256 == wanted.state_sha256
    assert report(outcome)["cycles"] is None


def test_a_finished_run_has_nothing_left_to_do(tmp_path):
    wanted = run(SMALL, tmp_path)
    data = SMALL.load_data()
    trainer = resume(Checkpoint.load(tmp_path / CHECKPOINT), data, tmp_path,
                     model_learner(SMALL, data), Watcher())
    assert lasting(trainer.run()) == lasting(wanted)


@pytest.mark.parametrize("period", [97, 150, 211])
def test_a_device_that_is_reset_again_and_again_ends_with_the_same_state(tmp_path, period):
    options = TrainOptions(**{**SMALL.as_json(), "epochs": 2})
    wanted = lasting(run(options, tmp_path))
    data = options.load_data()
    recipe = options.recipe(data)
    golden = GoldenTransport(options.core(recipe.layers, recipe.planes))
    learner = golden_learner(options, data, golden)
    feed, calls = golden.device.feed, [0]

    def unreliable(frame):
        calls[0] += 1
        if calls[0] % period == 0:
            golden.device.reset()
        return feed(frame)

    golden.device.feed = unreliable
    outcome = start(options, data, tmp_path, learner, Watcher(), checkpoint_s=0.0).run()
    assert calls[0] > period
    assert lasting(outcome)["state_sha256"] == wanted["state_sha256"]
    assert lasting(outcome)["test_accuracy"] == wanted["test_accuracy"]


def test_kill_in_the_middle_of_a_run(tmp_path):
    script = textwrap.dedent(f"""
        from pathlib import Path
        from tests.host.run.test_training import SMALL, golden_learner, run
        run(SMALL, Path({str(tmp_path)!r}), golden_learner, checkpoint_s=0.0)
    """)
    process = subprocess.Popen([sys.executable, "-c", script])
    path = tmp_path / CHECKPOINT
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if path.exists() and Checkpoint.load(path).position.finished == 1:
            break
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    checkpoint = Checkpoint.load(path)
    assert 1 <= checkpoint.position.finished < SMALL.epochs
    data = SMALL.load_data()
    outcome = resume(checkpoint, data, tmp_path, model_learner(SMALL, data), Watcher()).run()
    undisturbed = run(SMALL, tmp_path)
    assert outcome.state_sha256 == undisturbed.state_sha256
    assert report(outcome)["test_accuracy"] == report(undisturbed)["test_accuracy"]


def test_known_hash_of_digits(tmp_path):
    outcome = run(TrainOptions(hidden=(64,), epochs=40, device="model"), tmp_path)
    assert round(report(outcome)["test_accuracy"][-1], 1) == 97.8


def test_dense_roofline():
    data = SMALL.load_data()
    recipe = TrainOptions(hidden=(128,)).recipe(data)
    assert dense_cycles(recipe, 256) == (4 * 64 * 128 + 4 * 128 * 10) / 256


def test_the_best_epoch_is_kept_beside_the_last(tmp_path):
    outcome = run(SMALL, tmp_path)
    files, failure = write_files(outcome, tmp_path)
    assert failure is None
    assert sorted(name for name in os.listdir(tmp_path) if not name.startswith(".")) == [
        "best.npz", "checkpoint.npz", "history.json", "model.npz"]
    assert set(files) == {"model", "best epoch's model", "history"}
    values = report(outcome)["val_accuracy"]
    assert report(outcome)["best_epoch"] == values.index(max(values)) + 1


def test_a_model_from_within_an_epoch_has_no_accuracy_yet(tmp_path):
    ended = run(SMALL, tmp_path)
    stopped = replace(ended, position=replace(ended.position,
                                              epochs=[*ended.position.epochs, Epoch()]))
    best = ended.position.epochs[ended.position.best_epoch - 1]
    last = ended.position.epochs[-1]
    for outcome, of_best, epoch in ((ended, False, last), (ended, True, best),
                                    (stopped, False, Epoch()), (stopped, True, best)):
        extras = as_model(outcome, of_best).extras
        assert (extras["test_accuracy"], extras["val_accuracy"]) == (
            epoch.test_accuracy, epoch.val_accuracy)


def test_shift_augmentation_is_for_images(tmp_path):
    path = tmp_path / "plain.csv"
    path.write_text("a,b,label\n" + "1,2,x\n3,4,y\n" * 10)
    with pytest.raises(BadInput, match=r"^--shift-augment and --augment are for images; plain"):
        TrainOptions(dataset=str(path), shift_augment=1).load_data()


@pytest.mark.parametrize(("lanes", "wanted", "found"), [
    (16, None, 16), (8, None, 8), (36, None, 12), (32, None, 16), (17, None, 1), (16, 4, 4),
    (0, None, 1)])
def test_update_lanes_divide_the_lanes(lanes, wanted, found):
    assert suitable_update_lanes(lanes, wanted) == found
