"""``tritgrad train --skip``: alike on model and RTL, kept in files, continued, refused."""

import json
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from tritgrad.errors import BadInput
from tritgrad.host.device.driver import Driver
from tritgrad.host.device.session import Session
from tritgrad.host.device.transport import GoldenTransport, SimTransport
from tritgrad.host.run.checkpoint import Checkpoint
from tritgrad.host.run.learners import DeviceLearner, ModelLearner
from tritgrad.host.run.model_file import TrainedModel
from tritgrad.host.run.options import TrainOptions
from tritgrad.host.run.training import CHECKPOINT, Stopped, Watcher, resume, start
from tritgrad.model.config import CoreConfig
from tritgrad.model.recipe import Recipe

from ..command import call, refusal

pytestmark = pytest.mark.usefixtures("folder")

QUICK = ["train", "--skip", "2", "--hidden", "32,32", "--epochs", "2", "--limit", "200"]
OPTIONS = TrainOptions(hidden=(32, 32), epochs=3, limit=150, device="model", skip=2,
                       val_fraction=0.05)


def test_model_and_rtl_end_alike_and_the_files_keep_the_skip():
    cores = {"sim": ["--lanes", "8", "--banks", "4"], "model": []}
    found = {device: json.loads(call(*QUICK, *more, "--device", device, "--json", "--out",
                                     device).stdout) for device, more in cores.items()}
    plain = json.loads(call("train", *QUICK[3:], "--device", "model", "--json", "--out",
                            "plain").stdout)
    assert found["sim"]["state_sha256"] == found["model"]["state_sha256"]
    assert found["sim"]["test_accuracy"] == found["model"]["test_accuracy"]
    assert plain["state_sha256"] != found["model"]["state_sha256"]
    assert (plain["skip"], found["model"]["skip"]) == (None, 2)
    assert TrainedModel.load("model/model.npz").recipe.skips == (0, 3, 0)
    for device, more in cores.items():
        again = json.loads(call("eval", "model/model.npz", "--device", device, *more,
                                "--json").stdout)
        assert again["accuracy"] == found["model"]["test_accuracy"][-1]
    call("export", "model/model.npz", "--npz", "out.npz")
    assert np.load("out.npz")["skips"].tolist() == [0, 3, 0]
    assert refusal("tune", "model/model.npz") == (
        "model/model.npz has skip connections, which tune would leave out")
    assert refusal("trace", "model/model.npz", "--sample", "1") == (
        "model/model.npz has skip connections, which trace would leave out")


def test_skips_scales_pruning_and_row_sums_together_on_model_and_rtl():
    all_of_them = [*QUICK, "--scales", "--scale-refresh", "3", "--prune", "60,9", "--gf3",
                   "conserve", "--lanes", "8", "--banks", "4", "--json", "--out"]
    model, rtl, plain = (json.loads(call(*words).stdout) for words in (
        [*all_of_them, "model", "--device", "model"], [*all_of_them, "sim", "--device", "sim"],
        [*QUICK, "--json", "--out", "plain", "--device", "model"]))
    for name in "state_sha256", "test_accuracy", "prune", "scales", "gf3":
        assert model[name] == rtl[name], name
    assert model["state_sha256"] != plain["state_sha256"]
    assert model["prune"]["deaths"] > 0 and model["gf3"] == "conserve"


def golden_learner(recipe, **options):
    core = CoreConfig.for_network(recipe.layers, recipe.planes, lanes=8, banks=4, update_lanes=4,
                                  **options)
    return DeviceLearner(Driver(Session(GoldenTransport(core), nonce=1)), recipe)


def sim_learner(recipe):
    core = CoreConfig.for_network(recipe.layers, recipe.planes, lanes=8, banks=4, update_lanes=8,
                                  skip=True)
    learner = DeviceLearner(Driver(Session(SimTransport(core))), recipe)
    learner.chunk = 50
    return learner


@pytest.mark.parametrize("learner", [ModelLearner, sim_learner])
def test_a_run_goes_on_where_it_stopped(learner):
    data = OPTIONS.load_data()
    recipe = OPTIONS.recipe(data)
    whole = start(OPTIONS, data, Path(), ModelLearner(recipe), Watcher()).run()
    asked = count()
    stopped = start(OPTIONS, data, Path(), learner(recipe), Watcher(),
                    stop=lambda: next(asked) >= 2)
    with pytest.raises(Stopped):
        stopped.run()
    checkpoint = Checkpoint.load(Path(CHECKPOINT))
    rest = resume(checkpoint, data, Path(), learner(recipe), Watcher()).run()
    assert rest.state_sha256 == whole.state_sha256


def test_a_core_without_skips_refuses_them():
    recipe = Recipe.default((20, 9, 9, 4), 2, skip=1)
    golden_learner(recipe, skip=True)
    with pytest.raises(BadInput, match="was built without skip connections$"):
        golden_learner(recipe)


@pytest.mark.parametrize("options, message", [
    (["--rule", "sign"], "--rule sign has no --skip; leave it away"),
    (["--rule", "spsa"], "--rule spsa has no --skip; leave it away"),
    (["--rule", "fd"], "--rule fd has no --skip; leave it away"),
])
def test_what_goes_without_skips(options, message):
    assert refusal(*QUICK, *options) == message


def test_a_network_without_equal_layers_and_an_s_too_large():
    assert refusal(*QUICK[:3], "--hidden", "32,30") == (
        "--skip must be left away where no hidden layer has as many neurons as the one below it, "
        "as in (64, 32, 30, 10)")
    assert refusal("train", "--skip", "8") == "--skip must be an integer from 0 to 7, not 8"
