"""Checkpoints: whole or refused, and only for their own data."""

import dataclasses

import numpy as np
import pytest

from tritgrad.errors import BadInput
from tritgrad.host.data.npz import read_arrays, write_arrays
from tritgrad.host.run.checkpoint import Checkpoint, Epoch, Position, check_data, fingerprint
from tritgrad.host.run.options import TrainOptions
from tritgrad.model.state import NetworkState


@pytest.fixture
def checkpoint():
    options = TrainOptions(hidden=(5, 4), act_shift=(1, 2), val_fraction=0.1, device="model")
    position = Position([Epoch(3, 2, 1, 7, 100, 50, True, 91.25, 90.5), Epoch(1)], 1, 1, 2.5, 1.5)
    counters = [np.arange(-6, 6, dtype=np.int16).reshape(3, 4), np.ones((2, 3), np.int16)]
    return Checkpoint(options, {"x_train": "ab"}, position, NetworkState(counters, 2**64 - 1),
                      NetworkState([-layer for layer in counters]))


def test_what_is_saved_is_loaded(checkpoint, tmp_path):
    path = tmp_path / "checkpoint.npz"
    checkpoint.save(path)
    loaded = Checkpoint.load(path)
    for name in ("options", "data", "position"):
        assert getattr(loaded, name) == getattr(checkpoint, name)
    assert loaded.state.prng == checkpoint.state.prng
    for name in ("state", "best"):
        for a, b in zip(getattr(loaded, name).counters, getattr(checkpoint, name).counters,
                        strict=True):
            assert a.dtype == np.int16
            assert np.array_equal(a, b)
    assert [p.name for p in tmp_path.iterdir()] == ["checkpoint.npz"]


#: The options of the first checkpoints. All others came later, in the order of the fields.
FIRST = {"dataset": "digits", "data_dir": None, "label": None, "test": None, "test_fraction": 0.2,
         "val_fraction": None, "hidden": [128], "counter_bits": 8, "planes": None,
         "shift_augment": 0, "margin": None, "gain": None, "output_gain": None, "act_shift": None,
         "epochs": 20, "limit": None, "seed": 1, "device": "sim", "lanes": 16, "banks": 16,
         "update_lanes": None}
LATER = {name: value for name, value in TrainOptions().as_json().items() if name not in FIRST}


@pytest.mark.parametrize("count", range(len(LATER) + 1))
def test_checkpoints_from_before_an_option_are_read(count):
    stored = FIRST | dict(list(LATER.items())[:count])
    assert TrainOptions.from_json(stored) == dataclasses.replace(TrainOptions(), epochs=20)


@pytest.mark.parametrize("name", FIRST)
def test_checkpoints_without_one_of_the_first_options_are_damaged(name):
    with pytest.raises(ValueError, match=f"^options .*{name}"):
        TrainOptions.from_json({key: value for key, value in FIRST.items() if key != name})


def test_no_best_epoch_stays_none(checkpoint, tmp_path):
    dataclasses.replace(checkpoint, best=None).save(tmp_path / "c.npz")
    assert Checkpoint.load(tmp_path / "c.npz").best is None


def test_missing_foreign_and_damaged_files_are_refused(checkpoint, tmp_path):
    path = tmp_path / "c.npz"
    with pytest.raises(BadInput, match=r"c\.npz does not exist$"):
        Checkpoint.load(path)
    write_arrays(path, {"x": np.zeros(3)})
    with pytest.raises(BadInput, match=r"c\.npz is no tritgrad checkpoint$"):
        Checkpoint.load(path)
    checkpoint.save(path)
    arrays = read_arrays(path)
    del arrays["counters_2"]
    write_arrays(path, arrays)
    with pytest.raises(BadInput, match=r"c\.npz is a damaged tritgrad checkpoint \(KeyError: "):
        Checkpoint.load(path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(BadInput, match=r"c\.npz is no \.npz file"):
        Checkpoint.load(path)


def test_every_cut_of_the_file_is_refused(checkpoint, tmp_path):
    path = tmp_path / "c.npz"
    checkpoint.save(path)
    whole = path.read_bytes()
    for size in range(0, len(whole), 97):
        path.write_bytes(whole[:size])
        with pytest.raises(BadInput):
            Checkpoint.load(path)


def test_other_data_are_refused_by_name(checkpoint, tmp_path):
    data = TrainOptions(limit=20).load_data()
    checkpoint.data = fingerprint(data)
    check_data(checkpoint, data, tmp_path)
    x = data.x_train.copy()
    x[3, 4] ^= 1
    changed = dataclasses.replace(data, x_train=x, class_names=(*data.class_names[:-1], "nine"))
    with pytest.raises(BadInput) as caught:
        check_data(checkpoint, changed, tmp_path)
    assert str(caught.value) == (f"the data of digits are not those that the run in {tmp_path} was "
                                 f"started with: class_names, x_train differ")
