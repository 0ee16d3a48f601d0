"""``tritgrad train --scales``: kept in every file, continued, evaluated, refused elsewhere."""

import json
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from tritgrad.host.checkpoint import Checkpoint
from tritgrad.host.learners import ModelLearner
from tritgrad.host.modelfile import TrainedModel
from tritgrad.host.options import TrainOptions
from tritgrad.host.training import CHECKPOINT, Stopped, Watcher, resume, start
from tritgrad.model.margin import MarginNetwork
from tritgrad.model.rng import epoch_order

from .command import call, refusal

pytestmark = pytest.mark.usefixtures("folder")

QUICK = ["train", "--scales", "--scale-refresh", "2", "--hidden", "12", "--epochs", "2",
         "--limit", "150", "--device", "model"]
OPTIONS = TrainOptions(hidden=(12,), epochs=3, limit=150, device="model", scales=True,
                       scale_refresh=1, val_fraction=0.05)


def test_the_command_learns_scales_as_the_reference_does():
    found = json.loads(call(*QUICK, "--json", "--out", "here").stdout)
    options = TrainOptions(hidden=(12,), epochs=2, limit=150, scales=True, scale_refresh=2,
                           device="model")
    data = options.load_data()
    network = MarginNetwork(options.recipe(data))
    for epoch in range(2):
        for row in epoch_order(1, epoch, 150):
            network.train_sample(data.x_train[row], int(data.y_train[row]),
                                 network.recipe.gains_in(epoch))
    assert found["state_sha256"] == network.state_sha256()
    scales = found["scales"]
    assert (scales["refresh"], scales["steps"]) == (4, network.scales.step)
    exact = [s for layer in network.scales.exact(network.recipe.layers[:-1]) for s in layer]
    assert scales["exact"] == [float(min(exact)), float(max(exact))]
    assert min(exact) != max(exact)
    model = TrainedModel.load("here/model.npz")
    assert model.state_sha256 == found["state_sha256"]
    assert (model.scales.bytes(), model.recipe.scale_refresh) == (network.scales.bytes(), 2)
    again = json.loads(call("eval", "here/model.npz", "--json").stdout)
    assert again["accuracy"] == found["test_accuracy"][-1]
    assert "trained with scales" in refusal("export", "here/model.npz", "--npz", "out.npz")


def test_without_the_flag_there_are_none():
    found = json.loads(call("train", *QUICK[4:], "--json", "--out", "here").stdout)
    assert found["scales"] is None and TrainedModel.load("here/model.npz").scales is None


def test_eval_applies_the_factors_of_the_file():
    call(*QUICK, "--out", "here")
    model = TrainedModel.load("here/model.npz")
    for codes in model.scales.codes[1:]:
        codes[:] = 7  # 2^15: no power that counts, so all scores are 0
    model.save("zero.npz")
    found = json.loads(call("eval", "zero.npz", "--json").stdout)
    first = np.mean(OPTIONS.load_data().y_test == 0)
    assert found["accuracy"] == pytest.approx(100 * first)


def test_a_run_goes_on_where_it_stopped():
    data = OPTIONS.load_data()
    recipe = OPTIONS.recipe(data)
    whole = start(OPTIONS, data, Path(), ModelLearner(recipe), Watcher()).run()
    asked = count()
    stopped = start(OPTIONS, data, Path(), ModelLearner(recipe), Watcher(),
                    stop=lambda: next(asked) >= 2)
    with pytest.raises(Stopped):
        stopped.run()
    checkpoint = Checkpoint.load(Path(CHECKPOINT))
    assert 0 < checkpoint.scales.step < whole.scales.step
    rest = resume(checkpoint, data, Path(), ModelLearner(recipe), Watcher()).run()
    assert rest.state_sha256 == whole.state_sha256
    assert rest.best_scales.bytes() == whole.best_scales.bytes()


def test_refusals():
    assert "rule sign has no --scales" in refusal("train", "--rule", "sign", "--scales")
    assert "scales are learned on device model only, not on sim" in refusal(
        "train", "--scales", "--device", "sim")
