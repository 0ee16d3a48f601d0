import base64
import io
from dataclasses import replace

import numpy as np
import pytest

from tritgrad.boards import BOARDS
from tritgrad.errors import BadInput, DeviceError
from tritgrad.host.live.studio import Studio, without
from tritgrad.host.live.teacher import Rows, Teacher
from tritgrad.host.run.going_on import gains_of_the_end
from tritgrad.host.run.model_file import TrainedModel
from tritgrad.host.run.options import TrainOptions
from tritgrad.host.run.training import Watcher, open_learner
from tritgrad.model.arithmetic import trits
from tritgrad.model.fast import FastNetwork
from tritgrad.model.rng import initial_prng
from tritgrad.model.state import NetworkState
from tritgrad.sim.virtual import ModelBoard

from ...sim.ports import serving
from ..command import call
from .conftest import made_studio


def three():
    """A 3 as a drawing: three bars and what joins them on the right."""
    drawing = np.zeros((64, 64), np.uint8)
    for row in (6, 28, 50):
        drawing[row:row + 8, 18:44] = 255
    drawing[6:58, 38:46] = 255
    return drawing


def as_trits(layer):
    """Of a layer as a page takes it, (shown, inputs)."""
    values = np.frombuffer(base64.b64decode(layer["trits"]), np.uint8).astype(int) - 1
    return values.reshape(layer["shown"], layer["inputs"])


def plain(state):
    """Counters and PRNG, to be compared."""
    prng = state.prng
    return [c.tolist() for c in state.counters], prng if isinstance(prng, int) else prng.state


def test_a_lesson_is_what_the_golden_model_learns_and_undo_takes_it_back(trained):
    teacher, x = trained.teacher, trained._inputs(three())
    recipe, before = teacher.model.recipe, teacher.snapshot()
    golden = FastNetwork(recipe)
    golden.load_state(replace(teacher.model.state,
                              prng=initial_prng(recipe.layers, recipe.seed).state))
    for lesson, (step, old) in enumerate([(0, 16), (1, 0), (-3, 64)]):
        teacher.teach(x, 3, step, old)
        golden.train(x, np.array([3]), np.arange(1), (step,) * 2)
        rows = (lesson * old + np.arange(old)) % len(trained.data.x_train)
        golden.train(trained.data.x_train, trained.data.y_train, rows, gains_of_the_end(recipe))
    assert plain(teacher.snapshot()) == plain(golden)
    assert teacher.look(x).scores == golden.scores(x)[0].tolist()
    for _ in range(3):
        teacher.undo()
    assert plain(teacher.snapshot()) == plain(teacher.learner.state()) == plain(before)
    with pytest.raises(BadInput, match="^there is nothing to undo$"):
        teacher.undo()


def test_a_device_that_is_not_what_it_holds_is_told(trained):
    state = trained.teacher.snapshot()
    trained.teacher._now = NetworkState([c + 40 for c in state.counters])
    with pytest.raises(DeviceError, match=r"^the device says \[.*\], but from the counters"):
        trained.look(three())


@pytest.mark.parametrize(("given", "message"), [
    ((10, 0, 0), "label must be from 0 to 9, not 10"),
    ((3, 3, 0), "step must be from -3 to 2, not 3"),
    ((3, 0, -1), "old must be from 0 to 256, not -1")])
def test_lessons_that_are_refused(trained, given, message):
    with pytest.raises(BadInput, match=f"^{message}$"):
        trained.teach(three(), *given)
    assert trained.teacher.undos == 0


def test_a_new_class_is_learned_and_the_model_is_saved(trained, tmp_path):
    assert trained.look(three())["predicted"] != 3
    for n in range(10):
        found = trained.teach(three(), 3, 0, 16)
        assert found["lessons"] == found["undos"] == n + 1
    assert found["look"]["predicted"] == 3
    assert [c["name"] for c in found["held"]["classes"] if c["recall"] is not None] == [
        *"0123456789"]
    path = tmp_path / "model.npz"
    path.write_bytes(trained.model_file())
    model = TrainedModel.load(path)
    assert model.extras["learned"][-1]["rows"] == 10
    shown = trained.weights()["layers"]
    assert [len(layer) for layer in model.trits()] == [layer["outputs"] for layer in shown]
    for layer, found in zip(model.trits(), shown, strict=True):
        assert (as_trits(found) == layer[:64]).all()


def test_a_run_tells_its_epochs_and_ends_when_told():
    studio, told = made_studio(epochs=3), []
    studio.tell = lambda state: told.append((state["phase"], len(state["run"]["done"])))
    studio.train()
    assert told[0] == ("training", 0) and told[-1] == ("ready", 3)
    assert studio.run.classes["classes"][3]["recall"] == 0
    studio.tell = lambda state: studio.stop()
    studio.train()
    assert len(studio.run.done) == 0 and studio.state()["phase"] == "ready"
    studio.close()


def test_what_live_is_not_for(tmp_path):
    plain = TrainOptions(dataset="examples/wine.csv", device="model", hidden=(8,)).load_data()
    with pytest.raises(BadInput, match="^live is for images, and wine.csv has plain features"):
        Studio(TrainOptions(), plain, None)
    digits = TrainOptions(device="model").load_data()
    with pytest.raises(BadInput, match=r"^--without must name classes of digits \(0.*not '11'"):
        without(digits, ["11"])
    with pytest.raises(BadInput, match="leaves no training row of digits$"):
        without(digits, digits.class_names)
    call("train", "--device", "model", "--hidden", "8", "--epochs", "1", "--rule", "sign", "--out",
         tmp_path / "run")
    model = TrainedModel.load(tmp_path / "run" / "model.npz")
    with pytest.raises(BadInput, match="^a model that was trained by rule sign learns no single"):
        Teacher(model, None, Rows(digits.x_test, digits.y_test), Rows(digits.x_test,
                                                                      digits.y_test))


def test_the_rtl_learns_the_same_lessons(trained):
    options = TrainOptions(hidden=(64,), device="sim", lanes=16, banks=4, epochs=20)
    model = trained.teacher.as_model()
    device = open_learner(options, model.recipe, Watcher(), None, model.pixels)
    teacher = Teacher(model, device, Rows(trained.held.x[:20], trained.held.y[:20]),
                      trained.teacher.old)
    x = trained._inputs(three())
    for lesson in range(2):
        assert vars(teacher.teach(x, 3, lesson, 8)) | {"cycles": 0} == vars(
            trained.teacher.teach(x, 3, lesson, 8))
        assert teacher.look(x).scores == trained.teacher.look(x).scores
    assert teacher.as_model().state_sha256 == trained.teacher.as_model().state_sha256
    teacher.undo()
    trained.teacher.undo()
    assert plain(teacher.learner.state()) == plain(trained.teacher.learner.state())
    device.close()


def test_a_virtual_board_learns_the_same_lessons(trained, tmp_path):
    board = BOARDS["icebreaker"]
    with serving(ModelBoard(board.config, board.rates), tmp_path) as port:
        there = made_studio(device=f"icebreaker@{port.link}", epochs=2)
        here = made_studio(epochs=2)
        for studio in there, here:
            studio.train()
            assert studio.failure is None
        for number in range(2):
            ours, theirs = (studio.teach(three(), 3, number, 8) for studio in (here, there))
            assert ours["look"]["scores"] == theirs["look"]["scores"]
            assert ours["taught"] | {"cycles": 0} == theirs["taught"] | {"cycles": 0}
        for studio in there, here:
            studio.undo()
        assert plain(there.teacher.snapshot()) == plain(here.teacher.snapshot())
        assert there.weights() == here.weights()
        there.close()
        here.close()


def test_kernels_learn_and_are_shown():
    studio = made_studio((), conv="5x3x3", pool=2, hidden=(12,), epochs=2, limit=300)
    studio.train()
    assert studio.failure is None
    kernels, first, last = studio.weights()["layers"]
    assert (kernels["title"], kernels["shape"], first["title"]) == (
        "5 kernels", [3, 3], "layer 1: 12 neurons")
    counters = studio.teacher.snapshot().counters
    conv = studio.teacher.model.recipe.conv
    assert (as_trits(kernels) == trits(counters[0], conv.counter_bits)).all()
    assert (as_trits(last) == trits(counters[2], 8)).all()
    assert studio.state()["layers"] == ["5x3x3", 45, 12, 10]
    found = studio.teach(three(), 3, 2, 0)  # its scores follow from what was read, or it raises
    assert found["taught"]["updates"] == 1
    assert studio.undo()["lessons"] == 0
    assert [c.tolist() for c in studio.teacher.snapshot().counters] == [
        c.tolist() for c in counters]
    studio.close()


def test_examples_are_the_rows_held_back(trained):
    found = trained.example()
    drawing = np.frombuffer(base64.b64decode(found["drawing"]), np.uint8).reshape(64, 64)
    assert found["label"] == trained.data.class_names[trained.held.y[0]]
    assert (drawing[::8, ::8] // 16 == trained.held.x[0].reshape(8, 8)).all()
    assert io.BytesIO(trained.model_file()).read(2) == b"PK"
