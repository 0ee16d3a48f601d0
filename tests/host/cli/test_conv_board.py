"""Convolutions on a virtual board: every command that takes a device, with the model's bits."""

import json
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tritgrad.boards import BOARDS
from tritgrad.boards.recipe import Fitted
from tritgrad.firmware.store import Kind
from tritgrad.host.device import bus, serial_port
from tritgrad.host.device.driver import Driver
from tritgrad.host.device.session import Session
from tritgrad.host.live.studio import Studio
from tritgrad.host.run.checkpoint import Checkpoint
from tritgrad.host.run.learners import DeviceLearner, ModelLearner
from tritgrad.host.run.model_file import TrainedModel
from tritgrad.host.run.options import TrainOptions
from tritgrad.host.run.training import CHECKPOINT, Watcher, open_learner, start
from tritgrad.host.selftest import line as line_steps
from tritgrad.model.convolution.nets import NETS, Net
from tritgrad.model.convolution.shape import Convolution
from tritgrad.model.golden_device import GoldenDevice
from tritgrad.model.state import state_sha256
from tritgrad.sim.board import CompiledBoard, memory_of
from tritgrad.sim.exam import Wired
from tritgrad.sim.virtual import ModelBoard

from ...sim.ports import serving
from ..command import call, refusal

pytestmark = pytest.mark.usefixtures("folder")

#: What the small board is fitted to, and the options of its network.
NET = Net(Convolution(8, 8, 6, 3, 2, gain=0), (12,))
QUICK = ["train", "--conv", "6x3x3", "--pool", "2", "--conv-gain", "0", "--hidden", "12",
         "--epochs", "2", "--limit", "40", "--wrong", "1", "--gain", "0", "--test-fraction", "0.05"]
OPTIONS = TrainOptions(conv="6x3x3", pool=2, conv_gain=0, hidden=(12,), epochs=2, limit=40,
                       wrong=1, gain=0, test_fraction=0.05)


@pytest.fixture(autouse=True)
def small(monkeypatch, tmp_path, loader):
    """A board with a small core, and a recipe of a small network for it."""
    board = BOARDS["ulx3s-25f"]
    assert board.memory is not None
    monkeypatch.setitem(NETS, "r5", NET)
    monkeypatch.setitem(BOARDS, "ulx3s-25f", replace(
        board, networks=((64, 12, 10),), lutram=(), recipes={"r5": Fitted(2)},
        memory=replace(board.memory, bits=12),
        sizes={"lanes": 8, "banks": 4, "update_lanes": 8, "max_classes": 16, "slot_bytes": 512}))
    monkeypatch.setattr(serial_port, "CONTACT_S", 0.5)
    monkeypatch.setattr(serial_port, "PROBE_S", 0.05)
    monkeypatch.setattr(line_steps, "LINK_BYTES", 1 << 12)
    monkeypatch.setattr(line_steps, "TRIPS", 5)
    monkeypatch.setattr(bus, "SYS", tmp_path)  # nothing of this machine's USB


@contextmanager
def board(*, store=True, recipe="r5", core=GoldenDevice):
    """The name of a virtual board as a device."""
    made = BOARDS["ulx3s-25f"]
    made = (made.for_recipe(recipe) if recipe else made).resized(store=store)
    device = ModelBoard(made.config, made.rates)
    device.core = core(made.config)
    with serving(device, Path.cwd()) as port:
        yield f"ulx3s-25f@{port.link}"


def result(*arguments):
    """What a command says at its end, and what it says to people."""
    said = call(*arguments, "--json")
    return json.loads(said.stdout.splitlines()[-1]), said.stderr


@pytest.mark.parametrize("store", [False, True])
def test_a_run_is_that_of_the_model_with_its_images_on_the_line_or_in_the_store(store):
    here, _ = result(*QUICK, "--device", "model", "--out", "here")
    with board(store=store) as device:
        there, said = result(*QUICK, "--device", device, "--out", "there")
        kept = "rows are in the memory of" in " ".join(said.split())
        assert kept == store
        off, _ = result(*QUICK, "--device", device, "--store", "off", "--out", "off")
        ours, theirs = (result("eval", "there", "--device", name)[0] for name in (device, "model"))
        for found in ours, theirs:
            found.pop("device", None)
        assert ours == theirs
    assert here["state_sha256"] == there["state_sha256"] == off["state_sha256"]


def test_the_boards_rtl_trains_from_its_sdram_as_the_model():
    """Through the pins of the UART and of the memory's model."""
    made = BOARDS["ulx3s-25f"].for_recipe("r5")
    assert made.memory is not None
    made = replace(made, memory=replace(made.memory, bits=24)).resized(store=True)
    data, memory = OPTIONS.load_data(), memory_of(made)
    recipe = OPTIONS.recipe(data)
    chip = CompiledBoard.of(made, memory=memory)
    try:
        learner = DeviceLearner(Driver(Session(Wired(chip), 1)), recipe)
        found = start(OPTIONS, data, None, learner, Watcher()).run()
        assert learner.keeps
    finally:
        chip.close()
        memory.close()
    here = start(OPTIONS, data, None, ModelLearner(recipe), Watcher()).run()
    assert found.state_sha256 == here.state_sha256


def test_moved_images_are_not_taken_from_the_store():
    """They differ in every epoch: the host moves and sends them."""
    more = [*QUICK, "--shift-augment", "1"]
    here, _ = result(*more, "--device", "model", "--out", "here")
    with board(store=True) as device:
        there, said = result(*more, "--device", device, "--out", "there")
    assert "in the memory of" not in said
    assert here["state_sha256"] == there["state_sha256"]


def test_a_run_on_a_board_goes_on_there_and_on_the_model():
    with board(store=True) as device:
        begun, _ = result(*QUICK, "--device", device, "--out", "run")
        call("train", "--resume", "run", "--epochs", "3", "--out", "here", "--device", "model")
        call("train", "--resume", "run", "--epochs", "3", "--out", "there", "--device", device)
    here, there = (TrainedModel.load(Path(name, "model.npz")) for name in ("here", "there"))
    assert here.state_sha256 == there.state_sha256 != begun["state_sha256"]
    kernels = Checkpoint.load(Path("run", CHECKPOINT)).state.counters[0]
    assert kernels.shape == (6, 9)


def test_an_ensemble_votes_on_a_board():
    with board() as device:
        told, _ = result(*QUICK, "--ensemble", "2", "--device", device, "--out", "there")
        assert told["members"] == ["seed-1", "seed-2"]
        ours, _ = result("eval", "there", "--device", device)
    theirs, _ = result("eval", "there")
    assert ours["accuracy"] == theirs["accuracy"] == told["test_accuracy"]
    here, _ = result(*QUICK, "--ensemble", "2", "--device", "model", "--out", "here")
    assert here["state_sha256"] == told["state_sha256"]


def test_a_sweep_runs_on_a_board():
    pytest.importorskip("distributed")
    quick = ["sweep", "--seeds", "1", "--grid", "conv=6x3x3", "--grid", "pool=2", "--grid",
             "hidden=12", "--grid", "limit=40", "--epochs", "1", "--jobs", "1"]
    with board() as device:
        found, _ = result(*quick, "--device", device, "--out", "sweep")
    assert (found["runs"], found["failed"]) == (1, 0)
    assert found["settings"][0]["luts"] is None  # the report of the board is of another core
    there = json.loads(next(Path("sweep").rglob("result.json")).read_text())
    here, _ = result("train", "--conv", "6x3x3", "--pool", "2", "--hidden", "12", "--limit", "40",
                     "--epochs", "1", "--device", "model", "--out", "here")
    assert there["state_sha256"] == here["state_sha256"]


def test_lessons_are_learned_on_a_board_as_on_the_model():
    drawing = np.kron(np.eye(8, dtype=np.uint8), np.full((8, 8), 250, np.uint8))
    with board() as device:
        studios = []
        for name in device, "model":
            options = replace(OPTIONS, device=name)
            data = options.load_data()
            studios.append(Studio(options, data, open_learner(options, options.recipe(data),
                                                              Watcher())))
        there, here = studios
        for studio in studios:
            studio.train()
            assert studio.failure is None
        for number in range(2):
            ours, theirs = (studio.teach(drawing, 3, number, 8) for studio in studios)
            assert ours["look"]["scores"] == theirs["look"]["scores"]
        assert there.weights() == here.weights()
        assert state_sha256(there.teacher.snapshot().counters) == state_sha256(
            here.teacher.snapshot().counters)
        model = here.teacher.as_model()
        for studio in studios:
            studio.close()
        studios = []
        for name in device, "model":  # the model that was saved, opened
            options = replace(OPTIONS, device=name)
            studios.append(Studio(options, data, open_learner(
                options, model.recipe, Watcher(), None, model.pixels), model))
        ours, theirs = (studio.teach(drawing, 5, 2, 8) for studio in studios)
        assert ours["look"]["scores"] == theirs["look"]["scores"]
        states = [state_sha256(studio.teacher.snapshot().counters) for studio in studios]
        assert states[0] == states[1]
        for studio in studios:
            studio.close()


class NoStep(GoldenDevice):
    """Its KERNELS takes no draw."""

    def __init__(self, config):
        super().__init__(config)
        self.machine.parts["conv"]._learn = lambda features: None


class OtherTie(GoldenDevice):
    """Of equal sums its CONV keeps the last place."""

    def __init__(self, config):
        super().__init__(config)
        conv = self.machine.parts["conv"]
        forward = conv._forward

        def other():
            forward()
            conv.features.patches[:] = conv.features.patches[:, ::-1]

        conv._forward = other


SELFTEST = ("--networks", "2", "--samples", "8", "--seconds", "0.1", "--recipe", "r5")


def test_a_board_with_a_convolution_tests_itself():
    with board() as device:
        record, lines = result("selftest", device, *SELFTEST)
        info, _ = result("info", device)
        told = call("info", device).stdout
    states = {step["name"]: step["state"] for step in record["steps"]}
    assert record["passed"] and states["convolution"] == "ok"
    assert {name for name, state in states.items() if state == "skipped"} == {
        "USB", "which board", "permission", "FPGA", "bitstream", "clock"}
    assert "6 kernels over 8 x 8 pixels" in lines
    assert info["config"]["conv_kernels"] == 6 and "conv_columns     8" in told


@pytest.mark.parametrize("fault", [NoStep, OtherTie])
def test_a_faulty_convolution_is_found(fault):
    with board(core=fault) as device:
        found = call("selftest", device, *SELFTEST, code=1)
    assert "FAIL 15 " in found.stdout


def test_four_channels_of_edges(monkeypatch):
    monkeypatch.setitem(NETS, "r5", Net(Convolution(8, 8, 4, 3, 2, channels=4, gain=0), (12,)))
    words = ["train", "--conv", "4x3x3", "--encode", "channels", *QUICK[3:]]
    here, _ = result(*words, "--device", "model", "--out", "here")
    with board() as device:
        there, said = result(*words, "--device", device, "--out", "there")
        record, lines = result("selftest", device, *SELFTEST)
    assert "40 rows are in the memory of" in " ".join(said.split())
    assert here["state_sha256"] == there["state_sha256"]
    assert record["passed"] and "4 kernels over 8 x 8 pixels" in lines


def test_a_core_of_another_recipe_is_named():
    with board(recipe="") as device:
        found = call("selftest", device, *SELFTEST, code=1).stdout
    assert "FAIL 10 core: another core: " in found and "--recipe NAME" in found


def test_a_network_and_a_core_of_which_one_has_a_convolution():
    call(*QUICK, "--device", "model", "--out", "with")
    call("train", "--hidden", "12", "--epochs", "1", "--limit", "40", "--device", "model",
         "--out", "without")
    no_core = "was built without a convolution, the network has one: tritgrad boards lists builds"
    with board(recipe="") as device:
        for words in ([*QUICK, "--out", "new"], ["eval", "with"],
                      ["train", "--resume", "with", "--epochs", "3"]):
            assert no_core in refusal(*words, "--device", device)
    with board() as device:
        for words in (["train", "--hidden", "12", "--limit", "40", "--out", "other"],
                      ["eval", "without"]):
            assert "was built with a convolution, the network has none" in refusal(
                *words, "--device", device)


@pytest.mark.parametrize("change, message", [
    (["--conv", "8x3x3"], "has a convolution of up to 6 kernels, 2 at once, the network's is of 8"),
    (["--conv", "3x3x3"], "has a convolution of up to 6 kernels, 2 at once, the network's is of 3"),
    (["--conv", "6x5x5"], "has a convolution with kernel 3, the network's is with 5"),
    (["--pool", "3"], "has a convolution with --pool 2, the network's is with 3"),
    (["--conv-bits", "3"], "has a convolution with bits 2, the network's is with 3"),
    (["--conv-counter-bits", "10"],
     "has a convolution with counter bits 12, the network's is with 10"),
    (["--encode", "planes:3"],
     "has a convolution over pixels of up to 2 bits, the network's have 3"),
    (["--encode", "channels"], "has a convolution with channels 1, the network's is with 4"),
    (["--hidden", "4000"], "layer 1: outputs must be from 1 to 16, not 4000"),
])
def test_a_network_that_the_core_does_not_hold(change, message):
    with board() as device:
        assert message in refusal(*QUICK, *change, "--device", device, "--out", "run")
    assert not Path("run", "model.npz").exists()


def test_images_that_are_larger_than_the_cores():
    rng = np.random.default_rng(1)
    np.savez("large.npz", x=rng.integers(0, 17, (30, 9, 8)), y=np.arange(30) % 3)
    with board() as device:
        assert "has a convolution over up to 8 x 8 pixels, the network's is over 9 x 8" in refusal(
            *QUICK, "--dataset", "large.npz", "--device", device, "--out", "run")


def test_the_store_of_a_board_is_there_with_a_convolution():
    made = BOARDS["ulx3s-25f"].for_recipe("r5").resized(store=True)
    assert (made.config.store, made.config.conv_kernels) == (Kind.RAM, 6)
