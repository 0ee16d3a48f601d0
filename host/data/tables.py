"""Tables of numbers with labels, from CSV and NPZ files, checked cell by cell."""

import array
import csv
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from .idx import read_idx
from .npz import need_file, read_arrays

__all__ = ["NUMBER", "Table", "listed", "read_csv", "read_features", "read_npz"]

Array = npt.NDArray[Any]

#: A finite number as people write it.
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\Z", re.ASCII)
MISSING = {"", "?", "na", "n/a", "nan", "null", "none"}


@dataclass(frozen=True, eq=False)
class Table:
    """Labelled rows of one file.

    Attributes
    ----------
    source
        What the messages call it.
    values
        Finite numbers (rows, features) of any real dtype.
    labels
        Text (rows,); integers in plain decimal.
    columns
        Names of the features, None where the file has none.
    image_shape
        (rows, columns) of an image that was flattened row-major, or None.
    label_column
        Name of the column of labels, None where the file has none.
    """

    source: str
    values: Array
    labels: npt.NDArray[np.str_]
    columns: tuple[str, ...] | None = None
    image_shape: tuple[int, int] | None = None
    label_column: str | None = None


def read_csv(path: Path, label: str | None = None, columns: Sequence[str] | None = None) -> Table:
    """The labelled rows of a CSV file with a header row.

    Parameters
    ----------
    path
        UTF-8 text, fields separated by commas; blank lines are ignored.
    label
        Header of the label column, by default the last one.
    columns
        The features that must be there, in any order; by default all but the label.
    """
    rows = _csv_rows(path)
    header = _header(path, rows)
    if label is None:
        target = len(header) - 1
    elif label in header:
        target = header.index(label)
    else:
        raise BadInput(f"{path} has no column {label!r}; its columns are {listed(header)}")
    wanted = [i for i in range(len(header)) if i != target]
    if not wanted:
        raise BadInput(f"{path} has the single column {header[0]!r}; a label and at least one "
                       f"feature are needed, separated by commas")
    if columns is not None:
        names = {header[i]: i for i in wanted}
        _check_columns(path, list(names), columns, extra_allowed=False)
        wanted = [names[name] for name in columns]
    values, labels = _parse(path, header, rows, wanted, target)
    return Table(str(path), values, np.array(labels), tuple(header[i] for i in wanted),
                 label_column=header[target])


def listed(names: Sequence[str], most: int = 20) -> str:
    """Names in one line, the first ones if there are many."""
    shown = ", ".join(" ".join(name.split()) for name in names[:most])
    return shown if len(names) <= most else f"{shown}, ... ({len(names)} in all)"


def _csv_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line number and stripped cells of every row that is not blank."""
    need_file(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True, skipinitialspace=True)
            for cells in reader:
                stripped = [cell.strip() for cell in cells]
                if stripped not in ([], [""]):
                    yield reader.line_num, stripped
    except UnicodeDecodeError:
        raise BadInput(f"{path} is not UTF-8 text") from None
    except csv.Error as error:
        raise BadInput(f"{path}, line {reader.line_num}: {error}") from None
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror or error}") from None


def _header(path: Path, rows: Iterator[tuple[int, list[str]]]) -> list[str]:
    """The names of the columns, from the first row."""
    _, header = next(rows, (0, []))
    if not header:
        raise BadInput(f"{path} is empty; a header row is needed")
    for i, name in enumerate(header):
        if not name:
            raise BadInput(f"{path}: column {i + 1} has no name in the header row")
    if len(set(header)) < len(header):
        twice = next(name for i, name in enumerate(header) if name in header[:i])
        raise BadInput(f"{path}: two columns have the name {twice!r}")
    if _looks_like_data(header):
        raise BadInput(f"{path}: the first row holds numbers; a header row is needed")
    return header


def _looks_like_data(header: Sequence[str]) -> bool:
    """Whether all names but at most one are numbers, and these do not just count the columns."""
    numbers = [float(name) for name in header if NUMBER.match(name)]
    if len(numbers) < max(1, len(header) - 1):
        return False
    return numbers[0] % 1 != 0 or any(b - a != 1 for a, b in zip(numbers, numbers[1:],
                                                               strict=False))


def _check_columns(path: Path, found: Sequence[str], wanted: Sequence[str],
                   extra_allowed: bool) -> None:
    missing = [name for name in wanted if name not in found]
    if missing:
        raise BadInput(f"{path} lacks the column {missing[0]!r}; needed are {listed(wanted)}")
    extra = [name for name in found if name not in wanted]
    if extra and not extra_allowed:
        raise BadInput(f"{path} has the column {extra[0]!r}, which the training data have not")


def _parse(path: Path, header: Sequence[str], rows: Iterable[tuple[int, list[str]]],
           wanted: Sequence[int], target: int | None) -> tuple[Array, list[str]]:
    """Numbers of the wanted columns (rows, features), text of the target column."""
    numbers = array.array("d")
    labels = []
    count = 0
    for line, cells in rows:
        if len(cells) != len(header):
            raise BadInput(f"{path}, line {line}: the header has {len(header)} columns, "
                           f"this row {len(cells)}")
        numbers.extend(_numbers(f"{path}, line {line}", [header[i] for i in wanted],
                                [cells[i] for i in wanted]))
        if target is not None:
            if not cells[target]:
                raise BadInput(f"{path}, line {line}, column {header[target]!r}: missing label")
            labels.append(cells[target])
        count += 1
    if not count:
        raise BadInput(f"{path} has a header row and no data")
    return np.frombuffer(numbers, np.float64).reshape(count, len(wanted)), labels


def _numbers(where: str, names: Sequence[str], cells: Sequence[str]) -> list[float]:
    text = "".join(cells)
    # float() takes more than a table should: 1_000, digits of other scripts, inf, nan
    if text.isascii() and "_" not in text:
        try:
            numbers = [float(cell) for cell in cells]
        except ValueError:
            pass
        else:
            if all(map(math.isfinite, numbers)):
                return numbers
    for name, cell in zip(names, cells, strict=True):
        if cell.lower() in MISSING:
            raise BadInput(f"{where}, column {name!r}: missing value {cell!r}")
        if not NUMBER.match(cell):
            raise BadInput(f"{where}, column {name!r}: {cell!r} is not a finite number")
    raise BadInput(f"{where}: a number is too large for float64")


def read_npz(path: Path) -> tuple[Table, Table | None]:
    """Training table and test table of an NPZ file; the latter is None where it holds x and y.

    Arrays: either ``x, y`` or ``x_train, y_train, x_test, y_test``; x (rows, features) or images
    (rows, height, width), y (rows,) integers or strings. Other arrays are ignored.
    """
    arrays = read_arrays(path)
    split = ("x_train", "y_train", "x_test", "y_test")
    if all(name in arrays for name in split):
        train = _npz_table(path, arrays, "x_train", "y_train")
        test = _npz_table(path, arrays, "x_test", "y_test")
        if arrays["x_train"].shape[1:] != arrays["x_test"].shape[1:]:
            raise BadInput(f"{path}: rows of x_train have the shape {arrays['x_train'].shape[1:]}, "
                           f"rows of x_test {arrays['x_test'].shape[1:]}")
        return train, test
    if "x" in arrays and "y" in arrays:
        return _npz_table(path, arrays, "x", "y"), None
    raise BadInput(f"{path} must hold the arrays x, y or {', '.join(split)}; "
                   f"it holds {listed(list(arrays)) or 'none'}")


def _npz_table(path: Path, arrays: dict[str, Array], x: str, y: str) -> Table:
    values, shape = _npz_values(path, arrays, x)
    labels = _npz_labels(path, arrays, y)
    if len(values) != len(labels):
        raise BadInput(f"{path}: {x} has {len(values)} rows, {y} has {len(labels)}")
    return Table(str(path), values, labels, None, shape)


def _npz_values(path: Path, arrays: dict[str, Array],
                name: str) -> tuple[Array, tuple[int, int] | None]:
    """Finite numbers (rows, features), and the shape of an image."""
    values = arrays[name]
    if values.dtype.kind not in "buif":
        raise BadInput(f"{path}: {name} must hold real numbers, not {values.dtype}")
    if values.ndim not in (2, 3) or 0 in values.shape:
        raise BadInput(f"{path}: {name} must have the shape (rows, features) or (rows, height, "
                       f"width) and not be empty, not {values.shape}")
    flat = values.reshape(len(values), -1)
    if flat.dtype.kind == "f":
        with np.errstate(over="ignore"):
            flat = flat.astype(np.float64)
        bad = np.argwhere(~np.isfinite(flat))
        if len(bad):
            row, column = bad[0]
            raise BadInput(f"{path}: {name}, row {row}, feature {column}: {flat[row, column]} is "
                           f"not a finite number")
    elif flat.dtype.kind == "b":
        flat = flat.astype(np.uint8)
    return flat, (values.shape[1], values.shape[2]) if values.ndim == 3 else None


def _npz_labels(path: Path, arrays: dict[str, Array], name: str) -> npt.NDArray[np.str_]:
    labels = arrays[name]
    if labels.ndim != 1:
        raise BadInput(f"{path}: {name} must have the shape (rows,), not {labels.shape}")
    if labels.dtype.kind == "f":
        whole = np.isfinite(labels) & (np.abs(labels) < 2**53)
        whole &= np.where(whole, labels, 0.5) % 1 == 0
        if not whole.all():
            raise BadInput(f"{path}: {name}, row {np.argmin(whole)}: the label "
                           f"{labels[np.argmin(whole)]} is neither an integer nor a string")
        labels = labels.astype(np.int64)
    elif labels.dtype.kind == "S":
        try:
            labels = np.char.decode(labels, "utf-8")
        except UnicodeDecodeError:
            raise BadInput(f"{path}: {name} holds labels that are not UTF-8 text") from None
    elif labels.dtype.kind not in "buiU":
        raise BadInput(f"{path}: {name} must hold integers or strings, not {labels.dtype}")
    text = labels.astype(np.str_)
    if (text == "").any():
        raise BadInput(f"{path}: {name}, row {np.argmax(text == '')}: missing label")
    return text


def read_features(path: Path, columns: Sequence[str] | None = None,
                  inputs: int | None = None) -> Array:
    """Rows to predict, without labels: (rows, features).

    Parameters
    ----------
    path
        CSV with a header row, NPZ with an array ``x`` (or only ``x_test``), or an IDX image file.
    columns
        Features to take from a CSV file, in any order there; its other columns are ignored. None:
        all its columns.
    inputs
        Features that a row must have, None for any number.
    """
    if path.suffix.lower() == ".csv":
        rows = _csv_rows(path)
        header = _header(path, rows)
        names = list(columns) if columns is not None else header
        _check_columns(path, header, names, extra_allowed=True)
        values, _ = _parse(path, header, rows, [header.index(name) for name in names], None)
    elif path.suffix.lower() == ".npz":
        arrays = read_arrays(path)
        name = next((n for n in ("x", "x_test") if n in arrays), None)
        if name is None:
            raise BadInput(f"{path} must hold an array x; it holds "
                           f"{listed(list(arrays)) or 'none'}")
        values, _ = _npz_values(path, arrays, name)
    elif path.suffix.lower() == ".gz" or path.name.endswith("ubyte"):
        images = read_idx(path, dimensions=3)
        values = images.reshape(len(images), -1)
    else:
        raise BadInput(f"{path} must be a .csv, .npz or IDX file")
    if inputs is not None and values.shape[1] != inputs:
        raise BadInput(f"{path} has {values.shape[1]} features a row; the model takes {inputs}")
    return values
