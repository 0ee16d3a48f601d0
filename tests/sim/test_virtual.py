"""Whole runs through a pseudo-terminal: on the golden model, and on boards' compiled top levels."""

import dataclasses
import os

import pytest

from tritgrad.boards import find_board
from tritgrad.host.device import serial_port
from tritgrad.host.device.open import open_board
from tritgrad.host.run.learners import DeviceLearner
from tritgrad.host.run.options import TrainOptions
from tritgrad.host.run.report import report
from tritgrad.host.run.training import Watcher, start
from tritgrad.model.config import CoreConfig
from tritgrad.sim.board import CompiledBoard
from tritgrad.sim.virtual import ModelBoard, VirtualPort
from tritgrad.sim.wire import Faults

from .ports import serving

#: 0.1 % of the bytes damaged each way, and some late.
BAD = Faults(drop=0.0004, flip=0.0003, repeat=0.0003, delay=0.0005)
OPTIONS = TrainOptions(hidden=(12,), epochs=3, limit=300)
SMALL = dataclasses.replace(OPTIONS, hidden=(8,), epochs=2, limit=64, test_fraction=0.02)
CONFIG = CoreConfig(lanes=8, banks=2, update_lanes=8, max_inputs=64, max_neurons=16, max_classes=10,
                    trit_depth=128, residual_depth=256, hidden_depth=4, program_depth=16,
                    slot_bytes=1024)
#: What a run is, apart from how long it took: any sample lost or repeated would show.
SAME = ("train_accuracy", "test_accuracy", "updates_by_epoch", "flips_by_epoch", "state_sha256",
        "samples")


def trained(options, folder, device=None, chunk=64, **settings):
    """A run on the golden model, or on a device behind a port; its report and the port."""
    data = options.load_data()
    recipe = options.recipe(data)
    if device is None:
        from tritgrad.host.run.training import open_learner

        model = dataclasses.replace(options, device="model")
        learner = open_learner(model, recipe, Watcher())
        return report(start(model, data, folder, learner, Watcher()).run()), None
    with serving(device, folder, **settings) as port:
        learner = DeviceLearner(open_board(f"@{port.link}", recipe), recipe, data.image_shape)
        learner.chunk = chunk
        try:
            run = start(options, data, folder, learner, Watcher(), checkpoint_s=0.3)
            result = report(run.run())
        finally:
            learner.close()
    return result, port


def lasting(result):
    return {name: result[name] for name in SAME}


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """The runs of the golden model without a link."""
    return {options: lasting(trained(options, tmp_path_factory.mktemp("model"))[0])
            for options in (OPTIONS, SMALL)}


def test_the_model_behind_a_port_is_the_model(tmp_path, expected):
    result, port = trained(OPTIONS, tmp_path, ModelBoard(CONFIG))
    assert lasting(result) == expected[OPTIONS]
    assert port.to_device.damaged == port.to_host.damaged == 0


@pytest.mark.parametrize("seed", range(3))
def test_damaged_bytes_change_nothing(tmp_path, expected, seed):
    result, port = trained(OPTIONS, tmp_path, ModelBoard(CONFIG), faults=BAD, seed=seed)
    assert lasting(result) == expected[OPTIONS]
    assert port.to_device.damaged > 20
    assert port.to_host.damaged > 2


def test_resets_change_nothing(tmp_path, expected):
    result, port = trained(OPTIONS, tmp_path, ModelBoard(CONFIG), reset_every=25_001)
    assert lasting(result) == expected[OPTIONS]
    assert port.resets > 0


def test_unplugging_changes_nothing(tmp_path, expected):
    result, port = trained(OPTIONS, tmp_path, ModelBoard(CONFIG), unplug_every=25_001)
    assert lasting(result) == expected[OPTIONS]
    assert port.unplugged > 0


def test_the_link_of_a_board_that_was_killed_is_made_anew(tmp_path, monkeypatch):
    """Its terminal is gone, or already the next board's: the system gives the same one again."""
    link, ends = tmp_path / "port", os.openpty()
    link.symlink_to(os.ttyname(ends[1]))
    with pytest.raises(FileExistsError):
        VirtualPort(ModelBoard(CONFIG), link)
    monkeypatch.setattr(os, "openpty", lambda: ends)
    port = VirtualPort(ModelBoard(CONFIG), link)
    assert os.readlink(link) == os.ttyname(port._slave)
    port.close()
    assert not link.is_symlink()


def test_everything_at_once_changes_nothing(tmp_path, expected, monkeypatch):
    # How far a run comes between two resets depends on how fast the machine repairs.
    monkeypatch.setattr("tritgrad.host.run.learners.MAX_RESETS", 1000)
    result, port = trained(OPTIONS, tmp_path, ModelBoard(CONFIG), faults=BAD, seed=7,
                           chunk=64, reset_every=70_001, unplug_every=61_001)
    assert lasting(result) == expected[OPTIONS]
    assert port.resets > 0
    assert port.unplugged > 0


@pytest.fixture(params=["icebreaker", "ulx3s-25f"])
def board(request, monkeypatch):
    """A board's top level around a small core. It has all the time that a busy machine needs."""
    monkeypatch.setattr(serial_port, "CONTACT_S", 60.0)
    monkeypatch.setattr(serial_port, "FIRST_BYTE_S", 0.01)
    with CompiledBoard.of(find_board(request.param), CONFIG) as made:
        yield made


def test_a_virtual_board_is_the_model(tmp_path, board, expected):
    assert lasting(trained(SMALL, tmp_path, board)[0]) == expected[SMALL]


def test_damaged_bytes_on_a_virtual_board(tmp_path, board, expected):
    result, port = trained(SMALL, tmp_path, board, faults=BAD, seed=3)
    assert lasting(result) == expected[SMALL]
    assert port.to_device.damaged > 3


def test_a_virtual_board_reset_in_mid_epoch(tmp_path, board, expected):
    result, port = trained(SMALL, tmp_path, board, chunk=32, reset_every=7_001)
    assert lasting(result) == expected[SMALL]
    assert port.resets > 0


def test_a_virtual_board_unplugged_in_mid_epoch(tmp_path, board, expected):
    result, port = trained(SMALL, tmp_path, board, chunk=32, unplug_every=7_001)
    assert lasting(result) == expected[SMALL]
    assert port.unplugged > 0
