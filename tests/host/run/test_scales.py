"""``tritgrad train --scales``: kept in every file, continued, evaluated, refused elsewhere."""

import json
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from tritgrad.errors import BadInput
from tritgrad.host.device.driver import Driver, layer_table
from tritgrad.host.device.session import Session
from tritgrad.host.device.transport import GoldenTransport, SimTransport
from tritgrad.host.run.checkpoint import Checkpoint
from tritgrad.host.run.learners import DeviceLearner, ModelLearner
from tritgrad.host.run.model_file import TrainedModel
from tritgrad.host.run.options import TrainOptions
from tritgrad.host.run.training import CHECKPOINT, Stopped, Watcher, resume, start
from tritgrad.model.config import CoreConfig
from tritgrad.model.margin import MarginNetwork
from tritgrad.model.recipe import Recipe
from tritgrad.model.rng import epoch_order
from tritgrad.model.scales.chip import refreshed, size_exponent
from tritgrad.model.scales.rows import RowScales
from tritgrad.model.state import NetworkState

from ..command import call, refusal

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
    assert model.parts["scales"].bytes() == network.scales.bytes()
    assert model.recipe.scale_refresh == 2
    again = json.loads(call("eval", "here/model.npz", "--json").stdout)
    assert again["accuracy"] == found["test_accuracy"][-1]
    call("export", "here/model.npz", "--npz", "out.npz")
    kept = RowScales.of(TrainedModel.load("here/model.npz").parts).codes
    assert [np.load("out.npz")[f"scale_codes_{n}"].tolist() for n in (1, 2)] == [
        codes.tolist() for codes in kept]


def test_without_the_flag_there_are_none():
    found = json.loads(call("train", *QUICK[4:], "--json", "--out", "here").stdout)
    assert found["scales"] is None and not TrainedModel.load("here/model.npz").parts


def test_eval_applies_the_factors_of_the_file():
    call(*QUICK, "--out", "here")
    model = TrainedModel.load("here/model.npz")
    scales = model.parts["scales"]
    assert isinstance(scales, RowScales)
    for codes in scales.codes[1:]:
        codes[:] = 7  # 2^15: no power that counts, so all scores are 0
    model.save("zero.npz")
    found = json.loads(call("eval", "zero.npz", "--json").stdout)
    first = np.mean(OPTIONS.load_data().y_test == 0)
    assert found["accuracy"] == pytest.approx(100 * first)


def model_learner(recipe):
    return ModelLearner(recipe)


def sim_learner(recipe):
    core = CoreConfig.for_network(recipe.layers, recipe.planes, lanes=8, banks=4, update_lanes=4,
                                  scales=True)
    learner = DeviceLearner(Driver(Session(SimTransport(core))), recipe)
    learner.chunk = 50
    return learner


@pytest.mark.parametrize("learner", [model_learner, sim_learner])
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
    steps = [RowScales.of(run.state.parts).step for run in (checkpoint, whole)]
    assert 0 < steps[0] < steps[1]
    rest = resume(checkpoint, data, Path(), learner(recipe), Watcher()).run()
    assert rest.state_sha256 == whole.state_sha256
    assert rest.best.sha256 == whole.best.sha256
    assert rest.best.parts["scales"].bytes() == whole.best.parts["scales"].bytes()


def test_refusals():
    assert "--rule sign has no --scales" in refusal("train", "--rule", "sign", "--scales")


def far_scales(rng, layers):
    """Scales as after votes that agreed: no two rows alike."""
    scales = RowScales.initial(layers[1:])
    scales.step = 700
    for corr, codes, inputs in zip(scales.corr, scales.codes, layers, strict=False):
        reach = scales.step << size_exponent(inputs)
        corr[:] = rng.integers(-reach, reach + 1, len(corr))
        codes[:] = [refreshed(int(c), scales.step, size_exponent(inputs)) for c in corr]
    return scales


def golden_driver(recipe, **options):
    config = CoreConfig.for_network(recipe.layers, recipe.planes, slot_bytes=512, **options)
    golden = GoldenTransport(config)
    return Driver(Session(golden, nonce=1)), golden


@pytest.mark.parametrize(("lanes", "seed"), [(4, 1), (6, 2), (16, 3)])
def test_a_device_that_forgets_ends_with_the_same_scales(lanes, seed):
    rng = np.random.default_rng(seed)
    recipe = Recipe.default((20, 9, 7, 4), 2, margin=300, seed=seed, scale_refresh=2)
    x = rng.integers(0, 4, (120, 20)).astype(np.uint8)
    y = rng.integers(0, 4, 120)
    driver, golden = golden_driver(recipe, lanes=lanes, update_lanes=2, scales=True)
    learners = DeviceLearner(driver, recipe), ModelLearner(recipe)
    state = learners[1].state()
    for learner in learners:
        scales = far_scales(np.random.default_rng(seed), recipe.layers)
        learner.load(replace(state, parts={"scales": scales}))
    for part in range(0, 120, 30):
        for learner in learners:
            learner.train(x[part:part + 30], y[part:part + 30], recipe.gains_in(0))
        if part == 30:
            learners[0].state()
        golden.device.reset()
    scales = [learner.part("scales") for learner in learners]
    assert scales[0].bytes() == scales[1].bytes() and scales[0].step > 720
    assert len({s for layer in scales[0].applied() for s in layer}) > 5
    scores = [learner.infer(x)[1] for learner in learners]
    assert np.array_equal(*scores)


def test_a_core_without_scales_refuses_them():
    recipe = Recipe.default((20, 9, 4), 2, scale_refresh=2)
    driver, _ = golden_driver(recipe)
    with pytest.raises(BadInput, match="was built without scales"):
        DeviceLearner(driver, recipe)
    with pytest.raises(BadInput, match="was built without scales"):
        driver.load_state(layer_table(recipe, recipe.gains), NetworkState(
            MarginNetwork(recipe).counters, 1, {"scales": RowScales.initial([9, 4])}))


def test_a_core_with_scales_learns_without_them():
    recipe = Recipe.default((20, 9, 4), 2)
    driver, _ = golden_driver(recipe, scales=True)
    rng = np.random.default_rng(1)
    x, y = rng.integers(0, 4, (60, 20)).astype(np.uint8), rng.integers(0, 4, 60)
    learners = DeviceLearner(driver, recipe), ModelLearner(recipe)
    for learner in learners:
        learner.start()
        learner.train(x, y, recipe.gains)
    assert learners[0].part("scales") is None
    assert np.array_equal(*(learner.infer(x)[1] for learner in learners))
