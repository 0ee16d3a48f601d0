"""``tritgrad train --prune``: alike on every device, continued, reported, refused elsewhere."""

import json
from itertools import count
from pathlib import Path

import pytest

from tritgrad.errors import BadInput
from tritgrad.host.device.driver import Driver
from tritgrad.host.device.session import Session
from tritgrad.host.device.transport import GoldenTransport
from tritgrad.host.run.checkpoint import Checkpoint
from tritgrad.host.run.learners import DeviceLearner, ModelLearner
from tritgrad.host.run.model_file import TrainedModel
from tritgrad.host.run.options import TrainOptions
from tritgrad.host.run.training import CHECKPOINT, Stopped, Watcher, resume, start
from tritgrad.model.arithmetic import trits
from tritgrad.model.blending.granules import Support, support

from ..command import call, refusal

pytestmark = pytest.mark.usefixtures("folder")

SHAPE = {"lanes": 8, "banks": 4, "update_lanes": 8}
OPTIONS = TrainOptions(hidden=(24,), epochs=5, limit=120, device="model", prune=(60, 9),
                       dataset="digits", **SHAPE)
QUICK = ["train", "--hidden", "24", "--epochs", "5", "--limit", "120", "--prune", "60,9",
         "--lanes", "8", "--banks", "4", "--update-lanes", "8"]


def golden(options, data):
    recipe = options.recipe(data)
    driver = Driver(Session(GoldenTransport(options.core(recipe.layers, recipe.planes))))
    return DeviceLearner(driver, recipe, data.image_shape)


def test_model_and_device_prune_alike():
    data = OPTIONS.load_data()
    recipe = OPTIONS.recipe(data)
    runs = [start(OPTIONS, data, Path(), learner, Watcher()).run() for learner in (
        ModelLearner(recipe, data.image_shape), golden(OPTIONS, data))]
    assert runs[0].state_sha256 == runs[1].state_sha256
    for name in "births", "deaths", "inside", "flips", "correct", "test_accuracy":
        assert [getattr(e, name) for e in runs[0].position.epochs] == [
            getattr(e, name) for e in runs[1].position.epochs], name
    epochs = runs[0].position.epochs
    assert sum(e.births for e in epochs) > 0 < sum(e.deaths for e in epochs)
    assert [e.deaths for e in epochs[3:]] == [e.births for e in epochs[3:]] == [0, 0]


def test_the_command_on_rtl_ends_as_the_model():
    found = [json.loads(call(*QUICK, "--device", device, "--json", "--out", device).stdout)
             for device in ("model", "sim")]
    assert found[0]["state_sha256"] == found[1]["state_sha256"]
    assert found[0]["prune"] == found[1]["prune"]
    pruned, epochs = found[1]["prune"], found[1]["cycles_per_sample"]
    assert pruned["granules"] == 6 * 8 + 3 * 3
    assert pruned["inside"] == pruned["inside_by_epoch"][-1] < pruned["granules"]
    assert 0.5 < pruned["zero_trits"] < 1
    assert len(epochs) == 5
    model = TrainedModel.load("sim/model.npz")
    assert model.state_sha256 == found[0]["state_sha256"] and model.recipe.prune is None
    assert json.loads(call("eval", "sim/model.npz", "--json").stdout)["accuracy"] == found[1][
        "test_accuracy"][-1]


@pytest.mark.parametrize("chunks", [1, 4, 8])
def test_a_run_goes_on_where_it_stopped(chunks):
    data = OPTIONS.load_data()
    recipe = OPTIONS.recipe(data)
    whole = start(OPTIONS, data, Path(), ModelLearner(recipe, data.image_shape), Watcher()).run()
    asked = count()
    stopped = start(OPTIONS, data, Path(), golden(OPTIONS, data), Watcher(),
                    stop=lambda: next(asked) >= chunks)
    with pytest.raises(Stopped):
        stopped.run()
    checkpoint = Checkpoint.load(Path(CHECKPOINT))
    found, kept = ([support(trits(c, 8), 4, 8) for c in checkpoint.state.counters],
                   checkpoint.state.parts["support"])
    assert isinstance(kept, Support)
    assert all(not (a & ~b).any() for a, b in zip(found, kept.inside, strict=True))
    rest = resume(checkpoint, data, Path(), ModelLearner(recipe, data.image_shape),
                  Watcher()).run()
    assert rest.state_sha256 == whole.state_sha256
    for ours, theirs in zip(rest.position.epochs, whole.position.epochs, strict=True):
        assert (ours.births, ours.deaths, ours.inside) == (
            theirs.births, theirs.deaths, theirs.inside)


def test_a_reset_device_is_brought_back_with_its_support():
    data = OPTIONS.load_data()
    for folder in "a", "b":
        Path(folder).mkdir()
    expected = start(OPTIONS, data, Path("a"), ModelLearner(OPTIONS.recipe(data),
                                                            data.image_shape), Watcher())
    learner = golden(OPTIONS, data)
    trained = learner.train
    calls = count()

    def train(*given):
        if next(calls) in (3, 7):
            learner.driver.session.transport.device.reset()
        return trained(*given)

    learner.train = train
    found = start(OPTIONS, data, Path("b"), learner, Watcher(), checkpoint_s=1e9).run()
    assert found.state_sha256 == expected.run().state_sha256


def test_refusals():
    for words, message in (
            (["--prune", "60"], "--prune must be EVERY,CUTOFF, not '60'"),
            (["--prune", "60,x"], "--prune must be integers separated by commas"),
            (["--prune", "60,9", "--rule", "sign"], "--rule sign has no --prune"),
            (["--prune", "0,9"], "EVERY of --prune must be an integer from 1"),
            (["--prune", "60,300"], "CUTOFF of --prune must be an integer from 0 to 256, not 300"),
            (["--prune", "999999,9", "--epochs", "1"], "at most three fifths of the run's")):
        assert message in refusal("train", "--device", "model", *words)
    data = OPTIONS.load_data()
    plain = TrainOptions(hidden=(24,), limit=120, dataset="digits", **SHAPE)
    driver = golden(plain, data).driver
    with pytest.raises(BadInput, match="was built without a support: --prune is not possible"):
        DeviceLearner(driver, OPTIONS.recipe(data))
    with pytest.raises(BadInput, match="was built without a support: it cannot prune"):
        driver.act("purge", [1], 0, 0)
    other = TrainOptions(hidden=(24,), limit=120, prune=(60, 9), lanes=8, banks=2, dataset="digits")
    with pytest.raises(BadInput, match="granules of 4 x 8 trits, not 2 x 8: give --banks 4"):
        DeviceLearner(golden(OPTIONS, data).driver, other.recipe(data))


def test_old_checkpoints_have_no_support(tmp_path):
    data = OPTIONS.load_data()
    plain = TrainOptions(hidden=(4,), epochs=1, limit=20, device="model", dataset="digits")
    start(plain, data, tmp_path, ModelLearner(plain.recipe(data)), Watcher())
    loaded = Checkpoint.load(tmp_path / CHECKPOINT)
    assert not loaded.state.parts and loaded.state.counters[0].shape == (4, 64)
