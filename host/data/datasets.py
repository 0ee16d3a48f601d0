"""Data sets as the networks see them: split, scaled to bit planes, labels numbered.

The order of the steps, each over the rows that the one before left:

1. training and test rows: the data set's own, those of a test file, or `split_rows`;
2. classes: the sorted distinct labels of all rows, training and test;
3. coding: ranges, means and quantiles fitted to all training rows;
4. validation rows: `split_rows` again, over the training rows numbered from 0 in file order;
5. the limit: the first N of the remaining training rows;
6. coding: inputs selected by these rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from ...model.rng import split_rows
from .codings.coding import Coding
from .codings.spec import fit
from .idx import CLASS_NAMES, load_idx
from .scaling import Scaling, check_planes
from .tables import NUMBER, Table, listed, read_csv, read_npz

__all__ = ["MAX_CLASSES", "Dataset", "Rows", "load"]

Bytes = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]
Text = npt.NDArray[np.str_]

#: Classes that the widest core can have.
MAX_CLASSES = 256

IMAGE_SETS = ("mnist", "fashion-mnist")


@dataclass(frozen=True, eq=False)
class Rows:
    """The numbers of a data set before they are coded.

    Attributes
    ----------
    train, test
        Finite numbers (rows, features) of any real dtype; `train` with the validation rows.
    chosen, held
        Rows of `train` that are learned, and that are held back for validation.
    scaling
        The range of the features, where it is not to be fitted.
    """

    train: npt.NDArray[Any]
    test: npt.NDArray[Any]
    chosen: npt.NDArray[np.int64]
    held: npt.NDArray[np.int64] | None
    scaling: Scaling | None


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
    coding
        What makes inputs of the data set's own numbers.
    image_shape
        (rows, columns) if a row is an image, flattened row-major.
    columns
        Names of the features of a CSV file.
    train_rows
        int64 (rows,): the number of each row of `x_train` in the file, from 0, rising.
    rows
        The numbers that the inputs were made of.
    """

    name: str
    x_train: Bytes
    y_train: Labels
    x_test: Bytes
    y_test: Labels
    x_val: Bytes | None
    y_val: Labels | None
    class_names: tuple[str, ...]
    coding: Coding
    image_shape: tuple[int, int] | None
    columns: tuple[str, ...] | None
    train_rows: npt.NDArray[np.int64]
    rows: Rows

    @property
    def inputs(self) -> int:
        """Inputs of a row."""
        return self.x_train.shape[1]

    @property
    def planes(self) -> int:
        """Bit planes of the inputs."""
        return self.coding.planes

    @property
    def pixels(self) -> tuple[int, int] | None:
        """Rows and columns, if each input is a pixel."""
        return self.image_shape if self.coding.keeps_pixels else None

    def coded(self, encode: str) -> "Dataset":
        """The same rows with inputs by another coding."""
        return self._with(fit(encode, self.rows.train, self.rows.chosen,
                              scaling=self.rows.scaling, image_shape=self.image_shape))

    def _with(self, coding: Coding) -> "Dataset":
        rows = self.rows
        return replace(
            self, coding=coding, x_train=coding.apply(rows.train[rows.chosen]),
            x_test=coding.apply(rows.test),
            x_val=None if rows.held is None else coding.apply(rows.train[rows.held]))

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
         encode: str | None = None, coding: Coding | None = None,
         class_names: Sequence[str] | None = None) -> Dataset:
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
        Bits of an input, 1 to 8, if it is one a feature; by default 1 for the MNIST family, 4 for
        everything else.
    limit
        Training rows kept, the first ones; by default all.
    val_fraction
        Part of the training rows that is held back for validation; None or 0 for none.
    encode
        The coding, see `tritgrad.host.data.codings.spec`; by default ``planes``.
    coding, class_names
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
    kept, y_val = np.arange(len(rows)), None
    held_back = None
    if val_fraction:
        kept, held_back = _split(len(rows), val_fraction, "val_fraction", "validation")
        y_val = y_train[held_back]
    chosen = kept[:limit]
    numbers = Rows(values, test_values, chosen, held_back, parts.scaling)
    if coding is None:
        coding = fit(encode or "planes", values, chosen, scaling=parts.scaling,
                     image_shape=train.image_shape, planes=planes)
    return Dataset(
        name=parts.name, x_train=coding.apply(values[chosen]), y_train=y_train[chosen],
        x_test=coding.apply(test_values), y_test=y_test,
        x_val=None if held_back is None else coding.apply(values[held_back]), y_val=y_val,
        class_names=names, coding=coding, image_shape=train.image_shape, columns=train.columns,
        train_rows=rows[chosen], rows=numbers)


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
