"""``tritgrad train --rule spsa`` and ``fd``: golden model and RTL end alike, stopped or not."""

import json
from dataclasses import replace

import pytest

from tritgrad.errors import BadInput
from tritgrad.host.device.driver import Driver
from tritgrad.host.device.session import Session
from tritgrad.host.device.transport import GoldenTransport, SimTransport
from tritgrad.host.run.checkpoint import Checkpoint
from tritgrad.host.run.learners import DeviceLearner, ModelLearner
from tritgrad.host.run.options import TrainOptions
from tritgrad.host.run.training import CHECKPOINT, Stopped, Watcher, resume, start
from tritgrad.model.config import CoreConfig
from tritgrad.model.discrete import walk
from tritgrad.model.discrete.direction import generator_state, step_of
from tritgrad.rules.losses import ProbePlan

from ..command import call, refusal

pytestmark = pytest.mark.usefixtures("folder")

OPTIONS = TrainOptions(hidden=(12,), epochs=2, limit=40, device="model", rule="spsa", batch=15,
                       steps=3, lanes=8, banks=4, gain=0)


@pytest.mark.parametrize("batch, resident", [(1, 1), (4, 7), (7, 7), (8, 15)])
def test_a_core_keeps_one_less_than_a_power_of_two(batch, resident):
    assert ProbePlan(batch, 1, 1).resident == resident


#: Both rules, steps on each batch, and what the PRNG holds after two epochs of three batches.
RULES = pytest.mark.parametrize("rule, steps, state", [
    ("spsa", 3, generator_state(1, 2 * 3 * 3)),
    ("fd", 40, walk.state_of(2 * 3 * 40, [(12, 64), (10, 12)]))])


def of_rule(rule, steps):
    return replace(OPTIONS, rule=rule, steps=steps, gain=0 if rule == "spsa" else 4)


def run(options, learner, folder, **settings):
    folder.mkdir()
    return start(options, options.load_data(), folder, learner, Watcher(), **settings).run()


@RULES
def test_the_rule_ends_alike_on_model_and_rtl(rule, steps, state, tmp_path):
    options = of_rule(rule, steps)
    data = options.load_data()
    recipe = options.recipe(data)
    method = options.method(recipe)
    model = ModelLearner(recipe, None, method)
    transport = SimTransport(options.core(recipe.layers, recipe.planes))
    device = DeviceLearner(Driver(Session(transport)), recipe, None, method)
    ours = run(options, model, folder=tmp_path / "a")
    theirs = run(options, device, folder=tmp_path / "b")
    assert ours.state_sha256 == theirs.state_sha256
    assert model.state().prng == device.state().prng == state
    for mine, its in zip(ours.position.epochs, theirs.position.epochs, strict=True):
        assert (mine.samples, mine.correct, mine.flips, mine.test_accuracy) == (
            its.samples, its.correct, its.flips, its.test_accuracy)
        assert its.flips > 0
        assert its.cycles > 0
    device.close()


@RULES
def test_a_stopped_run_goes_on_where_it_was(rule, steps, state, tmp_path):
    options = of_rule(rule, steps)
    data = options.load_data()
    recipe = options.recipe(data)

    def learner():
        return ModelLearner(recipe, None, options.method(recipe))

    whole = run(options, learner(), folder=tmp_path / "a").state_sha256
    asked = iter([False, True])
    with pytest.raises(Stopped):
        run(options, learner(), folder=tmp_path / "b", stop=lambda: next(asked))
    checkpoint = Checkpoint.load(tmp_path / "b" / CHECKPOINT)
    done = (step_of(1, checkpoint.state.prng) if rule == "spsa"
            else walk.number_of(checkpoint.state.prng, recipe.shapes))
    assert done == 2 * steps
    last = learner()
    assert resume(checkpoint, data, tmp_path / "b", last, Watcher()).run().state_sha256 == whole
    assert last.state().prng == state


@pytest.mark.parametrize("rule, sparsity, gain", [("spsa", 5, -8), ("fd", 0, -4)])
def test_the_command_says_what_it_did(rule, sparsity, gain):
    found = json.loads(call("train", "--rule", rule, "--device", "model", "--hidden", "8",
                            "--epochs", "2", "--limit", "60", "--batch", "30", "--steps", "2",
                            "--out", "here", "--json").stdout)
    assert [found[name] for name in ("rule", "batch", "steps", "sparsity", "gains")] == [
        rule, 30, 2, sparsity, [gain, gain]]
    again = json.loads(call("eval", "here/model.npz", "--json").stdout)
    assert again["accuracy"] == found["test_accuracy"][-1]


@pytest.mark.parametrize("options, reason", [
    (("--steps", "2"), "--rule margin has no --steps; leave it away"),
    (("--rule", "spsa", "--batch", "1024"), "batch must be an integer from 1 to 1023, not 1024"),
    (("--rule", "spsa", "--sparsity", "7"), "sparsity must be an integer from 1 to 6, not 7"),
    (("--rule", "fd", "--sparsity", "2"), "--rule fd has no --sparsity; leave it away"),
    (("--rule", "spsa", "--gf3", "check"), "--rule spsa has no --gf3; leave it away"),
    (("--rule", "spsa", "--output-gain", "1"), "--rule spsa has one gain for all layers"),
])
def test_what_the_rule_refuses(options, reason):
    assert reason in refusal("train", "--device", "model", *options)


def test_cores_that_keep_too_few_samples_are_refused():
    data = OPTIONS.load_data()
    recipe = OPTIONS.recipe(data)
    for resident, reason in (0, "cannot learn from losses"), (7, "at most that, not 15"):
        config = CoreConfig.for_network(recipe.layers, recipe.planes, resident=resident)
        driver = Driver(Session(GoldenTransport(config)))
        with pytest.raises(BadInput, match=reason):
            DeviceLearner(driver, recipe, None, OPTIONS.method(recipe))
