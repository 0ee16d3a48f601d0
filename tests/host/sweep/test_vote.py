import numpy as np
import pytest

from tritgrad.errors import BadInput
from tritgrad.host.run.model_file import TrainedModel
from tritgrad.host.run.options import TrainOptions
from tritgrad.host.sweep.grid import parse_grid, points
from tritgrad.host.sweep.vote import votes
from tritgrad.host.sweep.work import run_point
from tritgrad.model.fast import FastNetwork

BASE = TrainOptions(epochs=2, limit=200, device="model")


def test_the_sum_of_the_scores_decides(tmp_path):
    runs = points(BASE, parse_grid(["hidden=6,9"]), (1, 2, 3))
    results = [run_point(p.options.as_json(), str(tmp_path / p.name)) for p in runs[:4]]
    found = votes(runs, [*results, None, None], tmp_path)
    data, total = BASE.load_data(), 0
    for point in runs[:3]:
        model = TrainedModel.load(tmp_path / point.name / "model.npz")
        network = FastNetwork(model.recipe)
        network.load(model.counters, 1)
        total = total + network.scores(data.x_test).astype(int)
    right = np.argmax(total, axis=1) == data.y_test
    assert found == {"hidden=6": pytest.approx(100 * right.mean())}  # one network has no vote
    (tmp_path / runs[1].name / "model.npz").unlink()
    with pytest.raises(BadInput, match="seed-2/model.npz is not there; all workers must see"):
        votes(runs, [*results, None, None], tmp_path)
