"""The rows of a data set by name or file, before they are split and scaled."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import BadInput
from .arrays import read_npz
from .idx import load_idx
from .idx_names import IMAGE_SETS, class_words
from .reading import Layout, Reading
from .scaling import Scaling
from .tables import TEXT_SUFFIXES, Table, read_csv

__all__ = ["Source", "read_source"]


@dataclass(frozen=True, eq=False)
class Source:
    """Rows before scaling.

    Attributes
    ----------
    name
        As given; for a file its name without the folder.
    train, test
        The rows; `test` is None where they are to be split off.
    planes
        Bits of an input where nothing else is told.
    scaling, class_names
        Those that are known; None to fit or count them.
    """

    name: str
    train: Table
    test: Table | None
    planes: int
    scaling: Scaling | None = None
    class_names: tuple[str, ...] | None = None


def read_source(name: str, data_dir: str | Path | None, reading: Reading,
                test: str | Path | None, layout: Layout | None) -> Source:
    """The rows of a data set; parameters and errors as of `datasets.load`."""
    suffix = Path(name).suffix.lower()
    if data_dir is not None and name not in IMAGE_SETS:
        raise BadInput(f"a data folder is for {', '.join(IMAGE_SETS)} only, not for {name!r}")
    if suffix not in TEXT_SUFFIXES:
        _refuse_text_options(name, reading)
    if test is not None and suffix not in (*TEXT_SUFFIXES, ".npz"):
        raise BadInput(f"a test file is for CSV and NPZ data only, not for {name!r}")
    if name == "digits":
        return _digits()
    if name in IMAGE_SETS:
        return _images(name, data_dir)
    if suffix in TEXT_SUFFIXES:
        train, own = read_csv(Path(name), reading, layout), None
    elif suffix == ".npz":
        train, own = read_npz(Path(name))
    elif suffix == ".npy":
        raise BadInput(f"{name} is one array, without labels; put inputs and labels as x and y "
                       f"into a .npz file")
    else:
        raise BadInput(f"data set must be digits, {', '.join(IMAGE_SETS)}, or a .npz, .csv or "
                       f".tsv file, not {name!r}")
    if test is not None:
        own = _test_table(Path(test), train, reading)
    return Source(Path(name).name, train, own, planes=4)


def _refuse_text_options(name: str, reading: Reading) -> None:
    if reading.label is not None:
        raise BadInput(f"a label column ({reading.label!r}) is for CSV files only, "
                       f"not for {name!r}")
    for option in (*Reading.TEXT_ONLY, "missing"):
        if getattr(reading, option):
            raise BadInput(f"--{option} is for CSV files only, not for {name!r}")
    if reading.group is not None:
        raise BadInput(f"--split {reading.split} is for CSV files only, not for {name!r}")


def _test_table(path: Path, train: Table, reading: Reading) -> Table:
    """The rows of a test file, with the features of the training file in their order."""
    suffix = path.suffix.lower()
    if suffix in TEXT_SUFFIXES:
        table = read_csv(path, reading, train.layout)
    elif suffix == ".npz":
        both, test = read_npz(path)
        table = test or both
    else:
        raise BadInput(f"test file must be a .npz, .csv or .tsv file, not {str(path)!r}")
    if table.values.shape[1] != train.values.shape[1]:
        raise BadInput(f"{path} has {table.values.shape[1]} features a row, "
                       f"{train.source} has {train.values.shape[1]}")
    return table


def _digits() -> Source:
    from sklearn.datasets import load_digits  # seconds to load, and only this set needs it

    values, target = load_digits(return_X_y=True)
    table = Table("digits", values, target.astype(np.str_), None, (8, 8))
    return Source("digits", table, None, planes=4, scaling=Scaling.fixed(0, 16, 64),
                  class_names=tuple("0123456789"))


def _images(name: str, data_dir: str | Path | None) -> Source:
    found = load_idx(name, data_dir)
    shape = found.x_train.shape[1], found.x_train.shape[2]
    inputs = shape[0] * shape[1]
    words = np.array(class_words(found.name))
    train, test = (Table(name, x.reshape(len(x), inputs), words[y], None, shape, notes=found.notes)
                   for x, y in ((found.x_train, found.y_train), (found.x_test, found.y_test)))
    return Source(found.name, train, test, planes=1, scaling=Scaling.fixed(0, 255, inputs),
                  class_names=tuple(words[i] for i in np.unique(found.y_train)))
