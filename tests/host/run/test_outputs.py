"""Files that a command must not write."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from tritgrad.errors import BadInput, OutputError
from tritgrad.host.data.npz import write_whole
from tritgrad.host.run.outputs import check_outputs

from ..command import call, refusal

pytestmark = pytest.mark.usefixtures("folder")


@pytest.fixture
def model():
    """A trained model, its data, and other names of it."""
    rng = np.random.default_rng(1)
    np.savez("data.npz", x=rng.random((40, 3)), y=rng.integers(0, 2, 40))
    call("train", "--device", "model", "--hidden", "4", "--epochs", "1", "--dataset", "data.npz",
         "--out", "run", "--val-fraction", "0.3")
    Path("run/model.npz").rename("m.npz")
    Path("link.npz").symlink_to("m.npz")
    os.link("m.npz", "hard.npz")
    return Path("m.npz").read_bytes()


@pytest.mark.parametrize("command, message", [
    (["export", "m.npz", "--npz", "m.npz"],
     "--npz m.npz would overwrite MODEL; choose another file"),
    (["export", "m.npz", "--npz", "./run/../m.npz"],
     "--npz ./run/../m.npz would overwrite MODEL m.npz; choose another file"),
    (["export", "link.npz", "--npz", "m.npz"],
     "--npz m.npz would overwrite MODEL link.npz; choose another file"),
    (["export", "m.npz", "--c-header", "hard.npz"],
     "--c-header hard.npz would overwrite MODEL m.npz; choose another file"),
    (["export", "m.npz", "--npz", "o", "--c-header", "o"],
     "--npz o would overwrite --c-header; choose another file"),
    (["export", "m.npz", "--npz", ""], "--npz must name a file, not ''"),
    (["export", "m.npz", "--npz", "."], "--npz . is a folder; name a file in it"),
    (["export", "m.npz", "--npz", "run/"], "--npz run/ is a folder; name a file in it"),
    (["export", "m.npz", "--npz", "no/o.npz"], "--npz no/o.npz: there is no folder no"),
    (["predict", "m.npz", "data.npz", "-o", "data.npz"],
     "-o data.npz would overwrite FILE; choose another file"),
    (["predict", "m.npz", "data.npz", "-o", "m.npz"],
     "-o m.npz would overwrite MODEL; choose another file"),
    (["tune", "m.npz", "--out", "m.npz"],
     "--out m.npz would overwrite MODEL; choose another file"),
    (["trace", "m.npz", "--svg", "a", "--html", "a"],
     "--html a would overwrite --svg; choose another file"),
    (["eval", "m.npz", "--picture", "m.npz"],
     "--picture must be a .png, .svg, .pdf file, not 'm.npz'"),
    (["eval", "m.npz", "--picture", "no/m.png"], "--picture no/m.png: there is no folder no"),
    (["eval", "m.npz", "--device", "sim", "--vcd", "m.npz"],
     "--vcd m.npz would overwrite MODEL; choose another file"),
    (["train", "--dataset", "data.npz", "--vcd", "data.npz"],
     "--vcd data.npz would overwrite --dataset; choose another file"),
    (["verilog", "-o", "a.json"],
     "-o a.json must not end in .json, as a file beside it does"),
    (["verilog", "-o", ""], "-o must name a file, not ''"),
    (["verilog", "-o", "."], "-o . is a folder; name a file in it"),
    (["optimize", "--loss", "x", "--init", "[1]", "--plot", "no/a.png"],
     "--plot no/a.png: there is no folder no"),
])
def test_an_output_that_is_an_input_or_nowhere_is_refused(model, command, message):
    data = Path("data.npz").read_bytes()
    assert refusal(*command) == message
    assert Path("m.npz").read_bytes() == model and Path("data.npz").read_bytes() == data


def test_a_virtual_board_deletes_no_file():
    Path("notes.txt").write_text("mine")
    Path("dangling").symlink_to("not/there/yet")
    for name in ("notes.txt", "dangling"):
        assert refusal("virtual", "icebreaker", "--model", "--link", name) == (
            f"cannot name the port {name}: File exists")
    assert Path("notes.txt").read_text() == "mine"
    assert Path("dangling").is_symlink()


def test_runs_overwrite_nothing_that_they_did_not_write():
    Path("mine").mkdir()
    Path("mine/history.json").write_text("mine")
    assert refusal("train", "--device", "model", "--out", "mine").startswith(
        "mine holds another run (history.json)")


def test_links_and_devices_are_written_through(tmp_path):
    Path("real").mkdir()
    Path("real/a").write_text("old")
    Path("a").symlink_to("real/a")
    write_whole(Path("a"), b"new")
    assert Path("a").is_symlink() and Path("real/a").read_bytes() == b"new"
    write_whole(Path("/dev/null"), b"gone")
    assert not Path("/dev/null").is_file()
    check_outputs({"-o": "/dev/null", "--npz": "/dev/null"})
    assert os.listdir("real") == ["a"]


@pytest.mark.parametrize("number, kind", [
    (errno.ENOSPC, OutputError), (errno.EDQUOT, OutputError), (errno.EROFS, BadInput)])
def test_a_failure_names_the_file_and_leaves_nothing(monkeypatch, number, kind):
    Path("a").write_text("old")

    def full(descriptor):
        raise OSError(number, os.strerror(number))
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(kind, match=f"^cannot write a: {os.strerror(number)}$"):
        write_whole(Path("a"), b"new")
    assert os.listdir() == ["a"] and Path("a").read_text() == "old"
