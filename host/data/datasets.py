"""Data sets as the networks see them: split, scaled to bit planes, labels numbered.

The order of the steps, each over the rows that the one before left:

1. training and test rows: the data set's own, those of a test file, or `split_rows`;
2. classes: the sorted distinct labels of all rows, training and test;
3. scaling: fitted to all training rows;
4. validation rows: `split_rows` again, over the training rows numbered from 0 in file order;
5. the limit: the first N of the remaining training rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from ...model.rng import split_rows
from .idx import CLASS_NAMES, load_idx
from .scaling import Scaling, check_planes
from .tables import NUMBER, Table, listed, read_csv, read_npz

__all__ = ["MAX_CLASSES", "Dataset", "load"]

Bytes = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]
Text = npt.NDArray[np.str_]

#: Classes that the widest core can have.
MAX_CLASSES = 256

IMAGE_SETS = ("mnist", "fashion-mnist")


@dataclass(frozen=True, eq=False)
class Dataset:
    """Rows ready to be sent to a core.

    Attributes
    ----------
    name
        As given; for a file its name without the folder.
    x_train, x_test, x_val
        uint8 (rows, inputs), 0 to 2^planes - 1.
    y_train, y_test, y_val
        int64 (rows,), numbers of `class_names`.
    class_names
        The labels of all rows, sorted: as numbers if all are numbers, else by code point.
    planes
        Bit planes of the inputs.
    scaling
        What makes inputs of the data set's own numbers.
    image_shape
        (rows, columns) if a row is an image, flattened row-major.
    columns
        Names of the features of a CSV file.
    train_rows
        int64 (rows,): the number of each row of `x_train` in the file, from 0, rising.
    """

    name: str
    x_train: Bytes
    y_train: Labels
    x_test: Bytes
    y_test: Labels
    x_val: Bytes | None
    y_val: Labels | None
    class_names: tuple[str, ...]
    planes: int
    scaling: Scaling
    image_shape: tuple[int, int] | None
    columns: tuple[str, ...] | None
    train_rows: npt.NDArray[np.int64]

    @property
    def inputs(self) -> int:
        """Features of a row."""
        return self.x_train.shape[1]

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)


@dataclass(frozen=True, eq=False)
class _Parts:
    """Rows before scaling. None: to be split off, fitted or counted from the data."""

    name: str
    train: Table
    test: Table | None
    planes: int
    scaling: Scaling | None = None
    class_names: tuple[str, ...] | None = None


def load(name: str, *, data_dir: str | Path | None = None, label: str | None = None,
         test: str | Path | None = None, test_fraction: float = 0.2, planes: int | None = None,
         limit: int | None = None, val_fraction: float | None = None,
         scaling: Scaling | None = None, class_names: Sequence[str] | None = None) -> Dataset:
    """Load a data set by name or file.

    Parameters
    ----------
    name
        ``digits``, ``mnist``, ``fashion-mnist``, a .npz or a .csv file.
    data_dir
        Folder of the IDX files, for the MNIST family only.
    label
        Label column, for a CSV file only; by default the last one.
    test
        CSV or NPZ file with the test rows, for a file only.
    test_fraction
        Part of the rows that becomes the test set, where there is no test set already.
    planes
        Bits of an input, 1 to 8; by default 1 for the MNIST family, 4 for everything else.
    limit
        Training rows kept, the first ones; by default all.
    val_fraction
        Part of the training rows that is held back for validation; None or 0 for none.
    scaling, class_names
        Those of a trained model, in place of what the data would give; labels that the model
        does not know are refused.

    Raises
    ------
    BadInput
        One line that names the option, file or cell, its value and the rule.
    """
    if limit is not None and (isinstance(limit, bool) or limit < 1):
        raise BadInput(f"limit must be at least 1, not {limit!r}")
    parts = _parts(name, data_dir, label, test)
    planes = check_planes(parts.planes if planes is None else planes)

    train = parts.train
    rows = np.arange(len(train.values))
    if parts.test is None:
        rows, held = _split(len(train.values), test_fraction, "test_fraction", "test")
        test_values, test_labels = train.values[held], train.labels[held]
    else:
        test_values, test_labels = parts.test.values, parts.test.labels
    values, labels = train.values[rows], train.labels[rows]

    names, y_train, y_test = _number(train.source, labels, test_labels,
                                     class_names or parts.class_names)
    scaling = scaling or parts.scaling or Scaling.fit(values)
    x_train, x_test = scaling.apply(values, planes), scaling.apply(test_values, planes)

    x_val = y_val = None
    if val_fraction:
        kept, held = _split(len(rows), val_fraction, "val_fraction", "validation")
        x_val, y_val = x_train[held], y_train[held]
        rows, x_train, y_train = rows[kept], x_train[kept], y_train[kept]
    chosen = slice(limit)
    return Dataset(
        name=parts.name, x_train=x_train[chosen], y_train=y_train[chosen], x_test=x_test,
        y_test=y_test, x_val=x_val, y_val=y_val, class_names=names, planes=planes, scaling=scaling,
        image_shape=train.image_shape, columns=train.columns, train_rows=rows[chosen])


def _parts(name: str, data_dir: str | Path | None, label: str | None,
           test: str | Path | None) -> _Parts:
    suffix = Path(name).suffix.lower()
    if data_dir is not None and name not in IMAGE_SETS:
        raise BadInput(f"a data folder is for {' and '.join(IMAGE_SETS)} only, not for {name!r}")
    if label is not None and suffix != ".csv":
        raise BadInput(f"a label column ({label!r}) is for CSV files only, not for {name!r}")
    if test is not None and suffix not in (".csv", ".npz"):
        raise BadInput(f"a test file is for CSV and NPZ data only, not for {name!r}")
    if name == "digits":
        return _digits()
    if name in IMAGE_SETS:
        return _images(name, data_dir)
    if suffix == ".csv":
        train, own = read_csv(Path(name), label), None
    elif suffix == ".npz":
        train, own = read_npz(Path(name))
    else:
        raise BadInput(f"data set must be digits, mnist, fashion-mnist or a .npz or .csv file, "
                       f"not {name!r}")
    if test is not None:
        own = _test_table(Path(test), train, label)
    return _Parts(Path(name).name, train, own, planes=4)


def _test_table(path: Path, train: Table, label: str | None) -> Table:
    """The rows of a test file, with the features of the training file in their order."""
    suffix = path.suffix.lower()
    if suffix == ".csv":
        table = read_csv(path, label or train.label_column, train.columns)
    elif suffix == ".npz":
        whole, test = read_npz(path)
        table = test or whole
    else:
        raise BadInput(f"test file must be a .npz or .csv file, not {str(path)!r}")
    if table.values.shape[1] != train.values.shape[1]:
        raise BadInput(f"{path} has {table.values.shape[1]} features a row, "
                       f"{train.source} has {train.values.shape[1]}")
    return table


def _digits() -> _Parts:
    from sklearn.datasets import load_digits  # seconds to load, and only this set needs it

    values, target = load_digits(return_X_y=True)
    table = Table("digits", values, target.astype(np.str_), None, (8, 8))
    return _Parts("digits", table, None, planes=4, scaling=Scaling.fixed(0, 16, 64))


def _images(name: str, data_dir: str | Path | None) -> _Parts:
    x_train, y_train, x_test, y_test = load_idx(name, data_dir)
    shape = x_train.shape[1], x_train.shape[2]
    inputs = shape[0] * shape[1]
    words = CLASS_NAMES[name]
    words += tuple(str(i) for i in range(len(words), 256))
    train, test = (Table(name, x.reshape(len(x), inputs), np.array(words)[y], None, shape)
                   for x, y in ((x_train, y_train), (x_test, y_test)))
    seen = np.union1d(y_train, y_test)
    return _Parts(name, train, test, planes=1, scaling=Scaling.fixed(0, 255, inputs),
                  class_names=tuple(words[i] for i in seen))


def _split(count: int, fraction: float, option: str, part: str,
           ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Row numbers that stay and row numbers of the held-back part, both rising."""
    if not 0 < fraction < 1:
        raise BadInput(f"{option} must be above 0 and below 1, not {fraction!r}")
    kept, held = split_rows(count, fraction)
    if not len(held):
        raise BadInput(f"{option} {fraction!r} of {count} rows leaves no {part} row")
    return kept, held


def _number(source: str, train: Text, test: Text, given: Sequence[str] | None,
            ) -> tuple[tuple[str, ...], Labels, Labels]:
    """Class names and the labels as numbers of them."""
    distinct, numbers = np.unique(np.concatenate([train, test]), return_inverse=True)
    found = distinct.tolist()
    names = tuple(given or _sorted_labels(found))
    if len(names) < 2:
        raise BadInput(f"{source} has the single class {names[0]!r}; at least 2 are needed")
    if len(names) > MAX_CLASSES:
        raise BadInput(f"{source} has {len(names)} classes; at most {MAX_CLASSES} are possible")
    for name in found:
        if name not in names:
            raise BadInput(f"{source} has the label {name!r}; the model knows {listed(names)}")
    numbers = np.array([names.index(name) for name in found], np.int64)[numbers]
    return names, numbers[:len(train)], numbers[len(train):]


def _sorted_labels(labels: Sequence[str]) -> list[str]:
    if all(NUMBER.match(label) for label in labels):
        return sorted(labels, key=lambda label: (Decimal(label), label))
    return sorted(labels)
