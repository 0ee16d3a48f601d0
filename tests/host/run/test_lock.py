"""Folders that one program has at a time, runs that go on elsewhere, and what a stopped run is."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from tritgrad.errors import BadInput
from tritgrad.host.data import npz
from tritgrad.host.run.checkpoint import Checkpoint
from tritgrad.host.run.lock import hold
from tritgrad.host.run.moved import find_again
from tritgrad.host.run.training import Stopped, Trainer

from ..command import call, refusal

pytestmark = pytest.mark.usefixtures("folder")

QUICK = ["train", "--device", "model", "--hidden", "6", "--epochs", "4"]


@pytest.fixture
def data(folder):
    """A project: data in a folder of their own."""
    rng = np.random.default_rng(1)
    Path("work/data").mkdir(parents=True)
    x = rng.random((60, 3))
    np.savez("work/data/d.npz", x=x, y=x[:, 0] > x[:, 1])
    return Path("work/data/d.npz")


def results(*arguments):
    return json.loads(call(*arguments, "--json").stdout)


@pytest.fixture
def stop(monkeypatch):
    """Lets a run stop inside its n-th epoch, as Ctrl-C does."""
    def at(number):
        def pause(trainer):
            if len(trainer.checkpoint.position.epochs) == number:
                trainer._save()
                raise Stopped("stopped")
            before(trainer)
        before = Trainer._pause
        monkeypatch.setattr(Trainer, "_pause", pause)
        return lambda: monkeypatch.setattr(Trainer, "_pause", before)
    return at


def test_a_second_run_in_a_folder_is_refused(data):
    call(*QUICK, "--dataset", data, "--out", "run")
    with FileLock("run/.lock"):
        for arguments in ([*QUICK, "--dataset", data, "--out", "run"],
                          ["train", "--resume", "run"],
                          ["train", "--resume", "run/checkpoint.npz"]):
            assert refusal(*arguments).splitlines()[-1] == (
                "another tritgrad is at work in run; wait until it has ended, or choose another "
                "folder")
    call("train", "--resume", "run")


def test_two_processes_and_one_that_is_killed(data):
    """The lock is the system's: a killed run lets go of it."""
    command = [sys.executable, "-m", "tritgrad", *QUICK, "--dataset", str(data), "--epochs",
               "1000000", "--out", "run"]
    first = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while "epoch" not in first.stderr.readline():
        pass
    assert "at work in run" in refusal("train", "--resume", "run")
    first.send_signal(signal.SIGKILL)
    first.communicate(timeout=60)
    with hold(Path("run")):
        pass


def test_a_folder_is_unmade_if_nothing_came_of_it(data, monkeypatch):
    def fail(*arguments, **settings):
        raise BadInput("no device")
    monkeypatch.setattr("tritgrad.host.run.running.open_learner", fail)
    for more in (["--out", "a/b"], []):
        refusal(*QUICK, "--dataset", data, *more)
    assert sorted(os.listdir()) in (["work"], ["runs", "work"])
    assert not os.path.exists("runs") or os.listdir("runs") == []


def test_runs_begun_in_the_same_second_have_folders_of_their_own(data, monkeypatch):
    monkeypatch.setattr("pathlib.Path.exists", lambda path: False)  # as a race looks
    for _ in range(2):
        call(*QUICK, "--dataset", data)
    assert len(os.listdir("runs")) == 2


def test_a_moved_project_goes_on(data, stop):
    whole = results(*QUICK, "--dataset", data, "--out", "whole")
    go_on = stop(2)
    call(*QUICK, "--dataset", data, "--out", "work/runs/a", code=130)
    go_on()
    Path("elsewhere").mkdir()
    Path("work").rename("elsewhere/project")
    moved = Path("elsewhere/project/data/d.npz").absolute()
    result = call("train", "--resume", "elsewhere/project/runs/a", "--json")
    assert json.loads(result.stdout)["state_sha256"] == whole["state_sha256"]
    assert f"d.npz is not there any more; taking {moved}" in " ".join(result.stderr.split())
    # and its model is looked at with the same rows
    found = results("eval", "elsewhere/project/runs/a/model.npz")
    assert found["accuracy"] == whole["test_accuracy"][-1]
    assert found["rows"] == 12


def test_resume_takes_data_of_another_name_if_they_are_the_same(data, stop):
    whole = results(*QUICK, "--dataset", data, "--out", "whole")
    go_on = stop(2)
    call(*QUICK, "--dataset", data, "--out", "run", code=130)
    go_on()
    data.rename("renamed.npz")
    assert "does not exist" in refusal("train", "--resume", "run")
    np.savez("other.npz", x=np.random.default_rng(2).random((60, 3)), y=np.arange(60) % 2)
    assert "are not those that the run in run was started with" in refusal(
        "train", "--resume", "run", "--dataset", "other.npz")
    found = results("train", "--resume", "run", "--dataset", "renamed.npz")
    assert found["state_sha256"] == whole["state_sha256"]


def test_the_longest_end_of_a_path_is_found(folder):
    for name in ("p/data/x.csv", "p/x.csv", "p/runs/r/data/y.csv", "p/no-such-root/z.csv"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()
    near = folder / "p/runs/r/model.npz"
    assert find_again("/old/p/data/x.csv", near) == str(folder / "p/data/x.csv")
    assert find_again("/old/data/y.csv", near) == str(folder / "p/runs/r/data/y.csv")
    assert find_again("/old/q/x.csv", near) == str(folder / "p/x.csv")
    assert find_again("/no-such-root/z.csv", near) == str(folder / "p/no-such-root/z.csv")
    assert find_again("/old/q/no-such-file", near) == "/old/q/no-such-file"
    assert find_again("digits", near) == "digits"


def test_resume_takes_a_checkpoint_file_and_a_new_folder(data, stop):
    whole = results(*QUICK, "--dataset", data, "--out", "whole")
    go_on = stop(2)
    call(*QUICK, "--dataset", data, "--out", "run", code=130)
    go_on()
    shutil.copy("run/checkpoint.npz", "run/kept.npz")
    before = Path("run/kept.npz").read_bytes()
    assert refusal("train", "--resume", "run/kept.npz") == (
        "--resume run/kept.npz would go on in run, which holds another run; give --out DIR for a "
        "new folder")
    assert refusal("train", "--resume", "run", "--out", "whole").startswith(
        "whole holds another run")
    for source, out in (("run/kept.npz", "b"), ("run", "c")):
        found = results("train", "--resume", source, "--out", out)
        assert found["state_sha256"] == whole["state_sha256"]
        assert Path(out, "model.npz").exists()
    assert Path("run/kept.npz").read_bytes() == Path("run/checkpoint.npz").read_bytes() == before
    assert results("train", "--resume", "run/checkpoint.npz")["state_sha256"] == whole[
        "state_sha256"]
    assert "no tritgrad checkpoint" in refusal("train", "--resume", "whole/model.npz", "--out", "d")


def test_more_epochs_are_learned_with_the_last_gains(data):
    first = results(*QUICK, "--dataset", data, "--out", "run")
    longer = results("train", "--resume", "run", "--epochs", "6")
    assert longer["epochs"] == len(longer["test_accuracy"]) == 6
    assert longer["train_accuracy"][:4] == first["train_accuracy"]
    assert longer["gains"] == first["gains"]
    assert longer["state_sha256"] != first["state_sha256"]
    assert results("train", "--resume", "run")["state_sha256"] == longer["state_sha256"]
    assert results("train", "--resume", "run", "--epochs", "6")["epochs"] == 6
    assert refusal("train", "--resume", "run", "--epochs", "5") == (
        "--epochs 5 contradicts the run in run, which has --epochs 6; it may only be more")
    assert "epoch 8/8" in call("train", "--resume", "run", "--epochs", "8").stderr


@pytest.mark.parametrize("name", ["run", "run/checkpoint.npz", "copy.npz"])
def test_a_stopped_run_can_be_used(data, stop, name):
    go_on = stop(3)
    call(*QUICK, "--dataset", data, "--out", "run", "--val-fraction", "0.3", code=130)
    go_on()
    shutil.copy("run/checkpoint.npz", "copy.npz")
    result = call("eval", name, "--json")
    file = name if name != "run" else "run/checkpoint.npz"
    assert json.loads(result.stdout)["model"] == file
    assert f"{file} is of a run that has not ended: in epoch 3 of 4" in result.stderr
    call("export", name, "--npz", "o.npz")
    saved = Checkpoint.load(Path("run/checkpoint.npz"))
    with np.load("o.npz") as arrays:
        assert np.array_equal(arrays["trits_2"], (saved.state.counters[1] >> 6 == 1).astype(int)
                              - (saved.state.counters[1] >> 6 == -2))
    assert call("predict", name, data).stdout.count("\n") == 61


def test_a_folder_without_a_run_is_one_line():
    Path("empty").mkdir()
    assert refusal("eval", "empty") == "empty is a folder without model.npz or checkpoint.npz"


@pytest.fixture
def full(monkeypatch):
    """Makes the disk full for files of some names."""
    def for_names(*names):
        def write(path, content):
            if path.name in names:
                raise npz.write_error(path, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
            before(path, content)
        for place in ("data.npz", "run.report", "run.plots"):
            monkeypatch.setattr(f"tritgrad.host.{place}.write_whole", write)
    before = npz.write_whole
    return for_names


def test_a_disk_that_is_full_at_the_end_costs_no_result(data, folder, full, monkeypatch):
    whole = results(*QUICK, "--dataset", data, "--out", "whole")
    full("model.npz", "history.json", "curve.png")
    result = call(*QUICK, "--dataset", data, "--out", "a b", "--json", code=1)
    assert json.loads(result.stdout)["state_sha256"] == whole["state_sha256"]
    assert f"state_sha256: {whole['state_sha256']}" in result.stderr
    assert result.stderr.splitlines()[-1] == (
        "tritgrad: cannot write a b/model.npz: No space left on device; continue with: tritgrad "
        "train --resume 'a b'")
    monkeypatch.undo()
    assert results("train", "--resume", folder / "a b")["state_sha256"] == whole[
        "state_sha256"]


def test_a_disk_that_is_full_on_the_way_is_told_with_how_to_go_on(data, folder, full, monkeypatch):
    whole = results(*QUICK, "--dataset", data, "--out", "whole")
    monkeypatch.setattr("tritgrad.host.run.training.CHECKPOINT_S", 0.0)
    saves = []
    before = Checkpoint.save

    def save(checkpoint, path):
        saves.append(path)
        if len(saves) == 4:
            full("checkpoint.npz")
        before(checkpoint, path)
    monkeypatch.setattr(Checkpoint, "save", save)
    result = call(*QUICK, "--dataset", data, "--out", "run", code=1)
    assert result.stderr.splitlines()[-1] == (
        "tritgrad: cannot write run/checkpoint.npz: No space left on device; continue with: "
        "tritgrad train --resume run")
    assert sorted(os.listdir("run")) == [".lock", "checkpoint.npz", "history.csv"]
    monkeypatch.undo()
    assert results("train", "--resume", folder / "run")["state_sha256"] == whole[
        "state_sha256"]


def test_a_picture_that_fails_costs_nothing_else(data, monkeypatch):
    def fail(*arguments, **settings):
        raise RuntimeError("no\nfont")
    monkeypatch.setattr("tritgrad.host.run.plots.save_figure", fail)
    trained = call(*QUICK, "--dataset", data, "--out", "run", "--json")
    assert "tritgrad: no picture run/curve.png: no font (RuntimeError)" in trained.stderr
    assert json.loads(trained.stdout)["epochs"] == 4 and Path("run/model.npz").exists()
    shown = call("eval", "run/model.npz", "--json")
    assert "no picture run/model-confusion.png" in shown.stderr
    assert json.loads(shown.stdout)["rows"] == 12
    asked = call("eval", "run/model.npz", "--picture", "a.png", "--json", code=1)
    assert json.loads(asked.stdout)["rows"] == 12


def test_a_real_full_disk_at_the_first_checkpoint(data):
    """A limit on the size of files stands for a disk without room, for any user."""
    limited = ("import resource, runpy, signal, sys; signal.signal(signal.SIGXFSZ, "
               "signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000)); "
               "sys.argv[0] = 'tritgrad'; runpy.run_module('tritgrad', run_name='__main__')")
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", limited, *QUICK, "--hidden", "2000", "--dataset",
                           str(data), "--out", "run"], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "tritgrad: cannot write run/checkpoint.npz: File too large"), time.monotonic() - started
    assert not Path("run").exists()
