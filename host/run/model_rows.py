"""Which rows of which data a trained model is looked at with."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from ..data.datasets import Dataset, load
from ..data.idx_names import IMAGE_SETS
from ..data.reading import Reading
from .checkpoint import fingerprint
from .layouts import model_layout, model_limits
from .model_file import TrainedModel
from .moved import find_data
from .options import data_path

__all__ = ["model_rows", "rows_of_file"]

Labels = npt.NDArray[np.int64]

#: Options that decide which rows are test rows: only those of the training are of use.
SPLITTING = ("test_fraction", "split", "split_seed")
#: Options of a text file that another one has of its own.
OWN = ("label", "header", "delimiter", "decimal", "missing")


def model_rows(model: TrainedModel, model_file: str, dataset: str | None, given: dict[str, Any],
               ) -> tuple[Dataset, npt.NDArray[np.uint8], Labels, str]:
    """The rows that a trained model is looked at with.

    These are the test rows of the data that the model was trained on, as far as they are those of
    the training; of other data, or of a file that has changed, all rows in the file's order.

    Parameters
    ----------
    model, model_file
        The model and where it came from.
    dataset
        A data set's name or file; None for the one the model was trained on.
    given
        Options as in `TrainOptions`; what is None is as in training where the data are the same.

    Returns
    -------
    The data, inputs, labels, and what rows they are.

    Raises
    ------
    BadInput
        The data do not fit the model, have no such rows, or an option would take rows for test
        rows that the model was trained on.
    """
    stored: dict[str, Any]
    stored, moved = find_data(model.extras.get("options") or {}, Path(model_file))
    if dataset is None and "dataset" not in stored:
        raise BadInput(f"{model_file} does not say what it was trained on; give --dataset")
    name: str = stored["dataset"] if dataset is None else data_path(dataset) or dataset
    same = name == stored.get("dataset")
    for option in SPLITTING:
        value, trained = given.get(option), stored.get(option)
        if same and value is not None and trained is not None and value != trained:
            raise BadInput(f"--{option.replace('_', '-')} {value} is not that of the training "
                           f"({trained}): rows that the model was trained on would count as test "
                           f"rows; leave it away")
    data = _load(model, name, same, given, stored)
    for sentence in moved if same else ():
        data = _noted(data, sentence)
    was = model.extras.get("data") or {}
    found = fingerprint(data)
    seen = bool(was) and all(was.get(part) == found[part] for part in ("x_test", "y_test"))
    file = name != "digits" and name not in IMAGE_SETS
    told = given.get("test")
    if told is not None and told != stored.get("test"):
        x, y, rows = data.x_test, data.y_test, f"test rows of {Path(told).name}"
    elif seen or not file or same and not was:
        x, y, rows = data.x_test, data.y_test, f"test rows of {data.name}"
    elif same and data.test_rows is None:
        x, y, rows = data.x_test, data.y_test, f"test rows of {data.name}"
        data = _noted(data, "the test rows are not those of the training: they have changed since")
    else:
        x, y = data.in_order(data.x_train, data.x_test)
        rows = f"rows of {data.name}"
        if same:
            rows += " (changed since training)"
            data = _noted(data, "the file has changed since training: which of its rows the model "
                                "was trained on is not known, so all are taken")
    if not len(x):
        raise BadInput(f"{data.name} has no {rows.split(' of ')[0]} to evaluate")
    return data, x, y, rows


def rows_of_file(model: TrainedModel, file: str, given: dict[str, Any],
                 ) -> tuple[Dataset, npt.NDArray[Any], Labels]:
    """All rows of a labelled file in its order: the data, their numbers before coding, labels.

    Parameters
    ----------
    model
        Its coding and classes are those of the rows.
    file
        CSV or NPZ.
    given
        Options of a text file as in `TrainOptions`.
    """
    data = _load(model, data_path(file) or file, False, given, {})
    return data, *data.in_order(data.rows.train, data.rows.test)


def _load(model: TrainedModel, name: str, same: bool, given: dict[str, Any],
          stored: dict[str, Any]) -> Dataset:
    values: dict[str, Any] = {option: given.get(option) for option in OWN}
    others = [field for field in Reading.__dataclass_fields__
              if field not in (*OWN, "classes", "balance")]
    if same:
        values = {o: v if v is not None else stored.get(o) for o, v in values.items()}
        values |= {o: stored[o] for o in others if stored.get(o) is not None}
    values = {o: tuple(v) if isinstance(v, list) else v for o, v in values.items()}
    test = given.get("test") or (stored.get("test") if same else None)
    data_dir = given.get("data_dir") or (stored.get("data_dir") if same else None)
    fraction = given.get("test_fraction") or stored.get("test_fraction", 0.2)
    return load(name, planes=model.recipe.planes, coding=model.coding,
                class_names=model.class_names, reading=Reading(**values), data_dir=data_dir,
                test=test, test_fraction=fraction, layout=model_layout(model),
                limits=model_limits(model), whole=True)


def _noted(data: Dataset, warning: str) -> Dataset:
    return replace(data, summary=replace(data.summary,
                                         warnings=(*data.summary.warnings, warning)))
