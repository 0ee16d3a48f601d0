"""`tritgrad tune`: thresholds learned, written, measured on the model and on the RTL."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tritgrad.host.run.model_file import TrainedModel

from ..command import call, refusal

pytestmark = pytest.mark.usefixtures("folder")


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory):
    """A network whose shifts were spoilt after training."""
    out = tmp_path_factory.mktemp("run") / "run"
    call("train", "--device", "model", "--hidden", "48,24", "--epochs", "6", "--val-fraction",
         "0.2", "--out", out)
    model = TrainedModel.load(out / "model.npz")
    recipe = replace(model.recipe, shifts=tuple(s + 2 for s in model.recipe.shifts))
    replace(model, recipe=recipe).save(out / "spoilt.npz")
    return out / "spoilt.npz", model.recipe


@pytest.mark.parametrize("device", [
    ("model",), ("sim", "--lanes", "8", "--banks", "4", "--update-lanes", "4")])
def test_thresholds_are_learned_and_measured(spoilt, device):
    file, recipe = spoilt
    found = json.loads(call("tune", file, "--out", "tuned.npz", "--json", "--device",
                            *device).stdout)
    tuned = TrainedModel.load("tuned.npz")
    assert tuned.recipe.shifts == recipe.shifts == tuple(found["shifts"][1])
    assert tuned.recipe.margin == found["margin"][1] != recipe.margin
    assert found["accuracy"][1] > found["accuracy"][0] + 20
    assert tuned.state_sha256 == TrainedModel.load(file).state_sha256


def test_the_file_goes_beside_the_model(spoilt):
    result = call("tune", spoilt[0], "--steps", "2")
    assert result.stdout.splitlines()[-1] == str(spoilt[0].with_name("spoilt-tuned.npz"))
    assert spoilt[0].with_name("spoilt-tuned.npz").exists()


@pytest.mark.parametrize("options, message", [
    (("--confidence", "2"), "--confidence must be between 0 and 1, not 2.0"),
    (("--steps", "0"), "--steps must be at least 1, not 0"),
    (("--temperature", "0"), "temperature must be a finite number above 0, not '0'")])
def test_bad_input(spoilt, options, message):
    assert refusal("tune", spoilt[0], *options) == message


def test_without_validation_rows():
    call("train", "--device", "model", "--hidden", "8", "--epochs", "1", "--limit", "60", "--out",
         "plain")
    assert refusal("tune", Path("plain") / "model.npz") == (
        "plain/model.npz was trained without validation rows; train with --val-fraction")
