"""``tritgrad train --conv``: as the reference, kept in files, continued, exported, refused."""

import json
import shutil
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from tritgrad.errors import BadInput
from tritgrad.host.api.estimator import TernaryClassifier
from tritgrad.host.data.codings.spec import fit
from tritgrad.host.interchange.export import as_onnx, as_qonnx
from tritgrad.host.run.checkpoint import Checkpoint
from tritgrad.host.run.export import write_npz
from tritgrad.host.run.mixing import sequence
from tritgrad.host.run.model_file import TrainedModel
from tritgrad.host.run.options import TrainOptions
from tritgrad.host.run.recipes import RECIPES
from tritgrad.host.run.training import CHECKPOINT, Stopped, Watcher, open_learner, resume, start
from tritgrad.model.convolution.network import ConvNetwork
from tritgrad.model.convolution.shape import Convolution
from tritgrad.model.recipe import Recipe

from ..command import call, refusal
from ..interchange.test_export import by_onnxruntime
from .test_export import needs_compiler, run_c

pytestmark = pytest.mark.usefixtures("folder")

OPTIONS = TrainOptions(conv="3x3x3", pool=2, hidden=(12,), epochs=2, limit=150, device="model",
                       wrong=1, shift_augment=1, val_fraction=0.1, gain=0, floor=-2)
QUICK = ["train", "--conv", "3x3x3", "--pool", "2", "--hidden", "12", "--epochs", "2", "--limit",
         "150"]


def reference(model):
    """The golden model's network of a model file."""
    net = ConvNetwork(model.recipe, model.recipe.conv)
    net.kernels.counters = np.array(model.counters[0], np.int64)
    net.counters = [np.array(layer, np.int64) for layer in model.counters[1:]]
    return net


def random_model(conv, coding, hidden=7, seed=3, **given):
    """A network of random counters behind a convolution."""
    recipe = Recipe.default((conv.outputs, hidden, 3), conv.bits, seed=seed, conv=conv)
    rng = np.random.default_rng(seed)
    counters = tuple(rng.integers(-1 << (bits - 1), 1 << (bits - 1), shape, np.int16)
                     for shape, bits in recipe.stored)
    return TrainedModel(recipe=recipe, rule="margin", counters=counters,
                        class_names=("a", "b", "c"), coding=coding, dataset="some data.csv",
                        **{"image_shape": (conv.rows, conv.columns)} | given)


def test_a_run_is_the_references():
    found = json.loads(call(*QUICK, "--wrong", "1", "--json", "--out", "run").stdout)
    options = TrainOptions(conv="3x3x3", pool=2, hidden=(12,), epochs=2, limit=150,
                           device="model", wrong=1)
    data = options.load_data()
    recipe = options.recipe(data)
    assert recipe.conv == Convolution(8, 8, 3, 3, 2)
    net = ConvNetwork(recipe, recipe.conv)
    for epoch in range(2):
        for i in options.order_in(data, epoch):
            net.train_sample(data.x_train[i], int(data.y_train[i]), recipe.gains_in(epoch), 1)
    assert found["state_sha256"] == net.state_sha256()
    assert found["conv"]["kernels"] == 3 and found["device"] == "model"
    model = TrainedModel.load("run/model.npz")
    assert model.state_sha256 == net.state_sha256() and model.recipe == recipe
    predicted = [net.predict(x) for x in data.x_test]
    right = 100 * float(np.mean(np.array(predicted) == data.y_test))
    assert found["test_accuracy"][-1] == right
    assert json.loads(call("eval", "run", "--json").stdout)["accuracy"] == right


def test_a_run_that_was_stopped_ends_as_if_nothing_had_happened(tmp_path):
    data = OPTIONS.load_data()
    recipe = OPTIONS.recipe(data)

    def learner():
        made = open_learner(OPTIONS, recipe, Watcher())
        made.chunk = 64
        return made

    whole = start(OPTIONS, data, tmp_path, learner(), Watcher()).run()
    calls = count()
    trainer = start(OPTIONS, data, tmp_path, learner(), Watcher(), stop=lambda: next(calls) >= 3)
    with pytest.raises(Stopped):
        trainer.run()
    kept = Checkpoint.load(tmp_path / CHECKPOINT)
    assert kept.position.finished < 2 and kept.options == OPTIONS
    again = resume(kept, data, tmp_path, learner(), Watcher()).run()
    assert again.state_sha256 == whole.state_sha256
    assert again.best.sha256 == whole.best.sha256


def test_another_option_of_the_convolution_is_refused_when_a_run_goes_on():
    call(*QUICK, "--out", "run")
    assert "--conv-gain -3 contradicts the run in run" in refusal("train", "--resume", "run",
                                                                 "--conv-gain", "-3")


def test_edges_are_channels():
    found = json.loads(call(*QUICK, "--encode", "channels:20+60+90:3", "--json", "--out",
                            "run").stdout)
    assert found["conv"]["channels"] == 3 and found["conv"]["planes"] == 2
    model = TrainedModel.load("run/model.npz")
    assert model.recipe.conv.inputs == model.coding.inputs == 192
    assert model.counters[0].shape == (3, 27)


def test_a_model_file_with_other_kernels_is_damaged():
    conv = Convolution(3, 4, 2, 2, 2, counter_bits=9)
    coding = fit("planes:2", np.arange(24.0).reshape(2, 12), np.arange(2))
    model = random_model(conv, coding)
    model.save("model.npz")
    assert TrainedModel.load("model.npz").state_sha256 == model.state_sha256
    kernels = model.counters[0].copy()
    kernels[0, 0] = 256
    with pytest.raises(BadInput, match="^a model's counters of kernels must be in -256 to 255, "):
        TrainedModel(**{**vars(model), "counters": (kernels, *model.counters[1:])})
    with pytest.raises(BadInput, match="^a model's counters must be 3 arrays, not 2$"):
        TrainedModel(**{**vars(model), "counters": model.counters[1:]})


@needs_compiler
@pytest.mark.parametrize("conv, text", [
    (Convolution(6, 7, 3, 3, 2), "planes:2"),
    (Convolution(6, 7, 2, 2, 1, planes=4, bits=3, shift=3), "planes:4"),
    (Convolution(6, 7, 2, 3, 3, channels=4), "channels:20+60+90:4"),
])
def test_the_c_header_gives_the_references_scores(tmp_path, conv, text):
    values = np.round(np.random.default_rng(5).normal(size=(60, 42)) * 40, 1)
    coding = fit(text, values, np.arange(60), image_shape=(6, 7))
    model = random_model(conv, coding)
    net = reference(model)
    _, rows = run_c(model, values, tmp_path)
    for x, row in zip(coding.apply(values), rows, strict=True):
        scores = net.scores(x).tolist()
        assert row == [*x.tolist(), *scores, int(np.argmax(scores))]


@pytest.mark.parametrize("conv, text", [
    (Convolution(6, 7, 3, 3, 2), "planes:2"),
    (Convolution(7, 6, 4, 2, 1, planes=4, bits=3, shift=3), "planes:4"),
    (Convolution(7, 6, 2, 3, 3, channels=4), "channels:20+60+90:4"),
])
def test_onnx_gives_the_references_scores(conv, text):
    values = np.round(np.random.default_rng(6).normal(size=(60, 42)) * 40, 1)
    coding = fit(text, values, np.arange(60), image_shape=(conv.rows, conv.columns))
    model = random_model(conv, coding)
    net = reference(model)
    scores, labels = by_onnxruntime(as_onnx(model), values)
    expected = [net.scores(x).tolist() for x in coding.apply(values)]
    assert scores.tolist() == expected and labels.tolist() == np.argmax(expected, axis=1).tolist()
    with pytest.raises(BadInput, match="^the model has a convolution, which QONNX export would"):
        as_qonnx(model)


def test_npz(tmp_path):
    conv = Convolution(3, 4, 2, 2, 2)
    model = random_model(conv, fit("planes:2", np.arange(24.0).reshape(2, 12), np.arange(2)))
    write_npz(model, tmp_path / "trits.npz")
    with np.load(tmp_path / "trits.npz", allow_pickle=False) as stored:
        assert (stored["kernels"].reshape(2, 4) == model.trits()[0]).all()
        assert (stored["trits_1"] == model.trits()[1]).all()
        assert (stored["pool"], stored["pixel_bits"], stored["conv_shift"]) == (2, 2, conv.shift)


def test_the_estimator_has_it_too():
    rng = np.random.default_rng(4)
    x, y = rng.integers(0, 17, (60, 42)), rng.choice(["up", "down"], 60)
    made = TernaryClassifier(conv="3x3x3", pool=2, hidden_layer_sizes=(5,), epochs=2, wrong=1,
                             image_shape=(6, 7)).fit(x, y)
    made.save("model.npz")
    model = TrainedModel.load("model.npz")
    net = reference(model)
    expected = [model.class_names[net.predict(row)] for row in model.coding.apply(x)]
    assert made.predict(x).tolist() == expected


def test_recipes_take_the_model():
    for name in ("r5", "r6", "r8"):
        options = TrainOptions(dataset="mnist", **RECIPES[name])
        assert (options.device, options.wrong, options.floor) == ("model", 1, -2)


@pytest.mark.parametrize("arguments, message", [
    (["--conv", "3x3"], ("kernels must be their number and their equal sides, as in 24x5x5, "
                        "not '3x3'")),
    (["--conv", "3x3x3", "--scales"], "--conv goes without --scales; leave one away"),
    (["--conv", "3x3x3", "--skip", "0"], "--conv goes without --skip; leave one away"),
    (["--conv", "3x3x3", "--rule", "spsa"], "--rule spsa has no --conv; leave it away"),
    (["--conv", "3x3x3", "--wrong", "2"], "--wrong must be 0 or 1, not 2"),
    (["--conv", "3x3x3", "--gain", "6", "--wrong", "1"], "--gain must be from -15 to 5, not 6"),
    (["--pool", "2"], "--pool 2 is of a convolution; give --conv FxKxK too"),
    (["--conv-shift", "0"], "--conv-shift 0 is of a convolution; give --conv FxKxK too"),
    (["--wrong", "1"], "--wrong 1 is of a convolution; give --conv FxKxK too"),
    (["--conv", "3x7x7"], ("--conv 3x7x7 --pool 3: a pool of 3 leaves nothing of images of 8 x 8 "
                          "behind kernels of 7 x 7: each side must be at least 9")),
    (["--conv", "3x9x9"], "--conv 3x9x9 --pool 3: kernel must be an integer from 1 to 7, not 9"),
    (["--conv", "3x3x3", "--encode", "edges"],
     "--conv 3x3x3 sees pixels or channels, not --encode edges"),
    (["--conv", "3x3x3", "--planes", "8"],
     "--conv 3x3x3 --pool 3: --planes must be an integer from 1 to 4, not 8"),
])
def test_refused(arguments, message):
    assert refusal("train", *arguments) == message


def test_tables_have_no_images():
    with open("flowers.csv", "w") as file:
        file.write("a,b,label\n" + "".join(f"{n},{n % 3},{'xy'[n % 2]}\n" for n in range(40)))
    assert refusal("train", "--dataset", "flowers.csv", "--conv", "3x3x3") == (
        "--conv 3x3x3 is for images; flowers.csv has plain features")


def test_what_needs_a_core_or_dense_layers_alone_is_refused():
    call(*QUICK, "--val-fraction", "0.1", "--out", "run")
    shutil.copy("run/model.npz", "model.npz")
    assert refusal("trace", "model.npz", "--sample", "1", "--device", "sim") == (
        "model.npz has a convolution; a core that has one tells no traces: give --device model, "
        "not sim")
    assert refusal("tune", "model.npz") == (
        "model.npz has a convolution, which tune would leave out")
    goes_on = "train", "--from", "model.npz", "--dataset", "digits", "--out", "next"
    file = Path("model.npz").absolute()
    assert refusal(*goes_on, "--gf3", "check") == (
        f"--gf3 check goes without a convolution, and {file} has one; leave it away")
    assert refusal(*goes_on, "--pool", "3") == (
        f"--pool goes without --from {file}: the network is the model's")


@pytest.mark.parametrize("order", ["file", "random"])
def test_learn_is_train_from_and_the_references(order):
    data = replace(OPTIONS, conv=None, wrong=0, shift_augment=0).load_data()
    images = data.rows.train[:40].reshape(-1, 8, 8).astype(np.uint8)
    np.savez("new.npz", x=images, y=data.y_train[:40])
    call(*QUICK, "--wrong", "1", "--out", "run")
    given = "--order", order, "--seed", "7", "--json"
    found = json.loads(call("learn", "run", "new.npz", "-o", "new_model.npz", *given).stdout)
    again = json.loads(call("train", "--device", "model", "--from", "run/model.npz", "--dataset",
                            "new.npz", "--test", "new.npz", "--epochs", "1", "--out", "next",
                            *given).stdout)
    assert found["state_sha256"] == again["state_sha256"]
    model = TrainedModel.load("run/model.npz")
    net = reference(model)
    net.prng.state = ConvNetwork(replace(model.recipe, seed=7), model.recipe.conv).prng.state
    gains = model.recipe.gains_in(model.recipe.epochs - 1)
    x = model.coding.apply(images.reshape(40, -1))
    assert found["accuracy_before"] == 2.5 * sum(
        net.train_sample(x[i], int(data.y_train[i]), gains, 1).correct
        for i in sequence(7, 0, 40, 0, order))
    assert found["state_sha256"] == net.state_sha256()
