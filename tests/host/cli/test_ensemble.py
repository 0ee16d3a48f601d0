"""Networks of several seeds that vote."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tritgrad.host.run.model_file import TrainedModel
from tritgrad.model.fast import FastNetwork

from ..command import call, refusal

pytestmark = pytest.mark.usefixtures("folder")

TRAIN = ["train", "--device", "model", "--hidden", "8", "--epochs", "3", "--encode", "signed",
         "--dataset", "rows.npz"]


def result(*arguments):
    return json.loads(call(*arguments, "--json").stdout.splitlines()[-1])


@pytest.fixture
def rows(folder):
    rng = np.random.default_rng(4)
    y = np.arange(240) % 3
    x = rng.normal(size=(240, 4)) + 2 * np.eye(4)[y]
    np.savez("rows.npz", x_train=x[:120], y_train=y[:120], x_test=x[120:], y_test=y[120:])
    return x[120:], y[120:]


def test_the_sum_of_the_scores_decides(rows):
    x, y = rows
    told = result(*TRAIN, "--ensemble", "3", "--seed", "5", "--out", "here")
    assert told["members"] == ["seed-5", "seed-6", "seed-7"]
    models = [TrainedModel.load(f"here/{name}/model.npz") for name in told["members"]]
    assert told["state_sha256"] == [model.state_sha256 for model in models]
    scores = []
    for model in models:
        network = FastNetwork(model.recipe)
        network.load(model.counters, 1)
        scores.append(network.scores(model.coding.apply(x)).astype(int))
    total = sum(scores)
    vote = np.argmax(total, axis=1)
    assert told["test_accuracy"] == pytest.approx(100 * np.mean(vote == y))
    assert told["alone"] == pytest.approx([100 * np.mean(s.argmax(axis=1) == y) for s in scores])
    found = result("eval", "here")
    assert found["accuracy"] == told["test_accuracy"]
    assert found["ensemble"] == told["state_sha256"]
    np.savez("x.npz", x=x)
    predicted = result("predict", "here", "x.npz")["rows"]
    assert [int(row["class"]) for row in predicted] == vote.tolist()
    ordered = np.sort(total, axis=1)
    assert [row["margin"] for row in predicted] == (ordered[:, -1] - ordered[:, -2]).tolist()
    assert json.loads(Path("here/ensemble.json").read_text()) == told


def test_each_network_is_the_run_of_its_seed(rows):
    call(*TRAIN, "--ensemble", "2", "--out", "here")
    alone = result(*TRAIN, "--seed", "2", "--out", "alone")
    model = TrainedModel.load("here/seed-2/model.npz")
    assert model.state_sha256 == alone["state_sha256"]
    more = result("train", "--resume", "here/seed-2", "--epochs", "4")
    assert more["epochs"] == 4  # a member is a run like any other
    assert result("eval", "here")["ensemble"][1] == more["state_sha256"]
    assert result("eval", "here/seed-2")["ensemble"] is None


def test_the_first_one_chooses_the_coding(rows):
    arguments = [a for a in TRAIN if a not in ("--encode", "signed")]
    call(*arguments, "--ensemble", "2", "--out", "here")
    first, second = (TrainedModel.load(f"here/seed-{n}/model.npz").coding for n in (1, 2))
    assert first.text == second.text


def test_refusals(rows):
    call(*TRAIN, "--ensemble", "2", "--out", "here")
    assert "holds another" in refusal(*TRAIN, "--ensemble", "2", "--out", "here")
    assert "--resume here is for one network" in refusal("train", "--resume", "here", "--ensemble",
                                                          "2")
    assert "--vcd w.vcd is for one network" in refusal(*TRAIN, "--ensemble", "2", "--vcd", "w.vcd")
    other = [*TRAIN[:-2], "--dataset", "rows.npz"]
    other[other.index("signed")] = "thermometer:4"
    call(*other, "--out", "other")
    shutil.copytree("other", "here/seed-9")
    assert "here/seed-9/model.npz cannot vote with here/seed-1/model.npz: other inputs" in refusal(
        "eval", "here")
