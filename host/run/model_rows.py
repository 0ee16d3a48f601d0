"""Which rows of which data a trained model is looked at with."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from ..data.datasets import Dataset, load
from .checkpoint import fingerprint
from .model_file import TrainedModel
from .options import data_path

__all__ = ["model_rows"]

Labels = npt.NDArray[np.int64]


def model_rows(model: TrainedModel, model_file: str, dataset: str | None, given: dict[str, Any],
               ) -> tuple[Dataset, npt.NDArray[np.uint8], Labels, str]:
    """The rows that a trained model is looked at with.

    Parameters
    ----------
    model, model_file
        The model and where it came from.
    dataset
        A data set's name or file; None for the one the model was trained on.
    given
        Options of `load`; what is None is as in training where the data are the same.

    Returns
    -------
    The data, inputs, labels, and what rows they are.

    Raises
    ------
    BadInput
        The data do not fit the model, or have no such rows.
    """
    stored: dict[str, Any] = dict(model.extras.get("options") or {})
    if dataset is None and "dataset" not in stored:
        raise BadInput(f"{model_file} does not say what it was trained on; give --dataset")
    name: str = stored["dataset"] if dataset is None else data_path(dataset) or dataset
    same = name == stored.get("dataset")
    settings: dict[str, Any] = {key: value if value is not None
                                else stored.get(key) if same else None
                                for key, value in given.items()}
    if settings["test_fraction"] is None:
        settings["test_fraction"] = stored.get("test_fraction", 0.2)
    data = load(name, planes=model.recipe.planes, coding=model.coding,
                class_names=model.class_names, **settings)
    if data.columns is not None and model.columns is not None and data.columns != model.columns:
        raise BadInput(f"{data.name} has the columns {', '.join(data.columns)}; the model takes "
                       f"{', '.join(model.columns)}, in this order")
    seen = (model.extras.get("data") or {}).get("x_test") == fingerprint(data)["x_test"]
    if seen or same or Path(name).suffix.lower() not in (".csv", ".npz"):
        x, y, rows = data.x_test, data.y_test, f"test rows of {data.name}"
    else:
        x, y = np.concatenate([data.x_train, data.x_test]), np.concatenate([data.y_train,
                                                                            data.y_test])
        rows = f"rows of {data.name}"
    if not len(x):
        raise BadInput(f"{data.name} has no {rows.split(' of ')[0]} to evaluate")
    return data, x, y, rows
