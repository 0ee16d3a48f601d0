"""The vote of a setting's networks: scores of all seeds are added, the greatest sum decides."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...errors import BadInput
from ..run.ensemble import check_alike, voted
from ..run.metrics import accuracy
from ..run.model_file import TrainedModel
from ..run.options import TrainOptions
from .grid import Point

__all__ = ["votes"]


def votes(runs: Sequence[Point], results: Sequence[dict[str, Any] | None], folder: Path,
          ) -> dict[str, float]:
    """How good the networks of each setting are together, on the golden model.

    Parameters
    ----------
    runs, results
        Of the sweep; runs without a result do not vote.
    folder
        Of the sweep, where each run has its folder with a model.

    Returns
    -------
    By setting, per cent of the test rows; none of settings with less than two networks.

    Raises
    ------
    BadInput
        A model is not there, or networks of a setting read rows otherwise.
    """
    found: dict[str, list[tuple[Path, dict[str, Any]]]] = {}
    for point, result in zip(runs, results, strict=True):
        if result is not None and result["test_accuracy"][-1] is not None:
            found.setdefault(point.setting, []).append((folder / point.name / "model.npz", result))
    return {name: _vote(group) for name, group in found.items() if len(group) > 1}


def _vote(group: Sequence[tuple[Path, dict[str, Any]]]) -> float:
    files = [file for file, _ in group]
    missing = [file for file in files if not file.is_file()]
    if missing:
        raise BadInput(f"--ensemble: {missing[0]} is not there; all workers must see the folder "
                       "of --out under the same name")
    models = [TrainedModel.load(file) for file in files]
    check_alike(files, models)
    first = group[0][1]
    options = TrainOptions.from_json(first["options"])
    data = replace(options, encode=first["encode"], planes=None).load_data()
    return accuracy(data.y_test, voted(models, data.x_test))
