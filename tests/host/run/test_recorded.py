"""Files that an earlier version wrote, and which every later one must read: version 0.1.0.

Both are of ``train --dataset digits --hidden 8 --epochs 3 --limit 200 --val-fraction 0.2``: the
checkpoint after the first epoch, the model after the last.
"""

import json
import shutil
from pathlib import Path

from tritgrad.host.run.model_file import TrainedModel

from ..command import call

RECORDED = Path(__file__).parent / "recorded"
SHA256 = "582a81fb731fed6db7e57f26d0720148ff19d9fc3bc23bcdb6ce9aa069b69fa0"


def last_object(result):
    """What ``--json`` printed."""
    return json.loads(result.stdout.splitlines()[-1])


def test_a_run_of_an_earlier_version_goes_on_and_ends_with_the_same_bits(folder):
    Path("run").mkdir()
    shutil.copy(RECORDED / "checkpoint-0.1.npz", "run/checkpoint.npz")
    found = last_object(call("train", "--resume", "run", "--device", "model", "--json"))
    assert (found["state_sha256"], found["epochs"]) == (SHA256, 3)
    assert found["updates_by_epoch"] == [200, 200, 196]


def test_a_model_of_an_earlier_version_is_evaluated_as_it_was(folder):
    shutil.copy(RECORDED / "model-0.1.npz", "model.npz")
    found = last_object(call("eval", "model.npz", "--json"))
    assert (found["state_sha256"], found["rows"]) == (SHA256, 359)
    assert found["accuracy"] == 100 * 99 / 359  # 27.5766..., as the run's own report says


def test_such_a_model_has_its_network_and_classes():
    model = TrainedModel.load(RECORDED / "model-0.1.npz")
    assert model.recipe.layers == (64, 8, 10) and len(model.class_names) == 10
