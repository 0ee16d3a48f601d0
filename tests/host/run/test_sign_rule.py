"""``tritgrad train --rule sign``: the source's own ternary network, on the model only."""

import json
from pathlib import Path

import numpy as np
import pytest

from tritgrad.errors import BadInput
from tritgrad.host.run.checkpoint import Checkpoint
from tritgrad.host.run.learners import ModelLearner
from tritgrad.host.run.model_file import TrainedModel
from tritgrad.host.run.options import TrainOptions
from tritgrad.host.run.training import CHECKPOINT, Stopped, Watcher, resume, start
from tritgrad.model.discrete.ternary import TernaryMLP
from tritgrad.model.rng import epoch_order

from ..command import call, refusal

pytestmark = pytest.mark.usefixtures("folder")

QUICK = ["train", "--rule", "sign", "--hidden", "12", "--epochs", "2", "--limit", "150"]
OPTIONS = TrainOptions(hidden=(12,), epochs=3, limit=150, device="model", rule="sign",
                       val_fraction=0.05)


def of(options):
    """A learner by such options."""
    recipe = options.recipe(options.load_data())
    return ModelLearner(recipe, None, options.method(recipe))


def test_cli_ternary_mlp():
    found = json.loads(call(*QUICK, "--json", "--out", "here").stdout)
    assert (found["rule"], found["device"]) == ("sign", "model")
    assert (found["margin"], found["gains"], found["shifts"]) == (None, None, None)
    data = TrainOptions(limit=150).load_data()
    network, correct, updates = TernaryMLP((64, 12, 10), 1), [0, 0], 0
    for epoch in range(2):
        for row in epoch_order(1, epoch, 150):
            x = np.where(data.x_train[row] >= 8, 1, -1)
            target = np.where(np.arange(10) == data.y_train[row], 1, -1)
            correct[epoch] += int(np.argmax(network.scores(x)) == data.y_train[row])
            updates += bool((network.forward(x) != target).any())
            network.train_step(x, target)
    model = TrainedModel.load("here/model.npz")
    assert model.rule == "sign"
    assert all((a == b.weights).all() for a, b in zip(model.trits(), network.layers, strict=True))
    assert found["train_accuracy"] == [100 * c / 150 for c in correct]
    assert found["updates"] == updates
    assert found["flips"] > 0
    tests = np.where(data.x_test >= 8, 1, -1)
    right = 100 * float(np.mean(np.argmax(network.scores(tests), axis=1) == data.y_test))
    assert found["test_accuracy"][-1] == pytest.approx(right)


def test_eval_and_predict_take_its_activations():
    found = json.loads(call(*QUICK, "--json", "--out", "here").stdout)
    again = json.loads(call("eval", "here/model.npz", "--json").stdout)
    assert again["accuracy"] == found["test_accuracy"][-1]
    data = TrainOptions(limit=150).load_data()
    np.savez("rows.npz", x=data.x_test.astype(float))
    lines = call("predict", "here/model.npz", "rows.npz").stdout.splitlines()[1:]
    right = np.mean([line.split(",")[0] == data.class_names[k]
                     for line, k in zip(lines, data.y_test, strict=True)])
    assert 100 * right == pytest.approx(found["test_accuracy"][-1])


def test_it_is_refused_where_it_cannot_run():
    device = "--rule sign runs on --device model only, not on sim"
    assert refusal(*QUICK, "--device", "sim") == device
    assert refusal(*QUICK, "--margin", "5") == "--rule sign has no --margin; leave it away"
    assert refusal(*QUICK, "--act-shift", "2") == "--rule sign has no --act-shift; leave it away"
    call(*QUICK, "--out", "here")
    assert refusal("train", "--resume", "here", "--device", "sim") == device
    assert refusal("train", "--resume", "here", "--rule", "margin") == (
        "--rule margin contradicts the run in here, which has --rule sign")
    assert refusal("eval", "here/model.npz", "--device", "sim") == device
    for option in ("--npz", "--c-header"):
        assert refusal("export", "here/model.npz", option, "x") == (
            "here/model.npz was trained by rule sign, whose activations are signs; export writes "
            "networks with clipped activations")
    assert not Path("x").exists()
    with pytest.raises(BadInput, match="^rule must be margin, spsa, fd or sign, not 'other'$"):
        TrainOptions(rule="other")


def test_a_run_stops_and_goes_on_as_if_nothing_had_happened(tmp_path):
    data = OPTIONS.load_data()

    def learner():
        made = of(OPTIONS)
        made.chunk = 40
        return made
    whole = start(OPTIONS, data, tmp_path, learner(), Watcher()).run()
    calls = iter(range(99))
    with pytest.raises(Stopped):
        start(OPTIONS, data, tmp_path, learner(), Watcher(),
              stop=lambda: next(calls) >= 5).run()
    checkpoint = Checkpoint.load(tmp_path / CHECKPOINT)
    assert checkpoint.options.rule == "sign"
    rest = resume(checkpoint, data, tmp_path, learner(), Watcher()).run()
    assert rest.state_sha256 == whole.state_sha256
    assert [e.correct for e in rest.position.epochs] == [e.correct for e in whole.position.epochs]
    call("train", "--resume", tmp_path, "--rule", "sign")


def test_checkpoints_from_before_the_rules_are_of_the_margin_rule():
    stored = TrainOptions(hidden=(3,)).as_json()
    del stored["rule"]
    assert TrainOptions.from_json(stored) == TrainOptions(hidden=(3,))
    del stored["seed"]
    with pytest.raises(ValueError, match=r"^options \['seed'\]$"):
        TrainOptions.from_json(stored)


@pytest.mark.parametrize("bits", [6, 8, 14])
def test_trits_travel_in_the_middle_of_their_cells(bits):
    options = TrainOptions(hidden=(12,), device="model", rule="sign", counter_bits=bits)
    learner = of(options)
    before = [layer.weights.copy() for layer in learner.golden.network.layers]
    state = learner.state()
    assert {abs(int(c)) for layer in state.counters for c in np.unique(layer)} == {
        0, 2 ** (bits - 2) + 2 ** (bits - 3)}
    learner.load(state)
    assert all((a == b.weights).all() for a, b in
               zip(before, learner.golden.network.layers, strict=True))


def test_a_vote_learns_and_goes_on_as_if_nothing_had_happened(tmp_path):
    options = TrainOptions(hidden=(32,), epochs=8, limit=600, device="model", rule="sign", vote=64,
                           sparsity=4)
    data = options.load_data()

    def learner():
        return of(options)
    assert learner().chunk == 512
    whole = start(options, data, tmp_path, learner(), Watcher()).run()
    calls = iter(range(99))
    with pytest.raises(Stopped):
        start(options, data, tmp_path, learner(), Watcher(), stop=lambda: next(calls) >= 5).run()
    rest = resume(Checkpoint.load(tmp_path / CHECKPOINT), data, tmp_path, learner(),
                  Watcher()).run()
    assert rest.state_sha256 == whole.state_sha256
    assert whole.position.epochs[-1].test_accuracy > 65
    assert {abs(int(c)) for layer in whole.state.counters for c in np.unique(layer)} == {0, 96}


def test_the_command_says_how_many_vote():
    found = json.loads(call(*QUICK, "--vote", "32", "--json", "--out", "here").stdout)
    assert (found["vote"], found["sparsity"]) == (32, 6)
    again = json.loads(call("eval", "here/model.npz", "--json").stdout)
    assert again["accuracy"] == found["test_accuracy"][-1]
    one = json.loads(call(*QUICK, "--vote", "1", "--json").stdout)
    assert (one["vote"], one["sparsity"]) == (None, None)
    assert one["state_sha256"] == json.loads(call(*QUICK, "--json").stdout)["state_sha256"]
    assert refusal("train", "--vote", "8") == "--rule margin has no --vote; leave it away"
    assert refusal(*QUICK, "--vote", "5000") == "--vote must be an integer from 1 to 4096, not 5000"
    assert refusal(*QUICK, "--sparsity", "3") == "--rule sign has no --sparsity; leave it away"
    assert refusal(*QUICK, "--vote", "8", "--batch", "3") == (
        "--rule sign has no --batch; leave it away")
    assert refusal("train", "--rule", "sign", "--resume", "here", "--vote", "16") == (
        "--vote 16 contradicts the run in here, which has --vote 32")
