"""Tables of numbers with labels from .npz, .npy and IDX files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from .idx import as_pixels, read_idx
from .labels import listed
from .npz import array_names, read_array, read_arrays
from .tables import Table

__all__ = ["read_matrix", "read_npz"]

Array = npt.NDArray[Any]

#: Names of arrays of inputs and of labels, in lower case; the first ones are ours.
INPUTS = ("x", "data", "images", "features", "inputs")
LABELS = ("y", "target", "targets", "labels", "label")
PAIRS = ("x, y", "x_train, y_train, x_test, y_test")


def read_npz(path: Path) -> tuple[Table, Table | None]:
    """Training table and test table of an NPZ file; the latter is None where it holds one set.

    Arrays: either ``x, y`` or ``x_train, y_train, x_test, y_test``, in any case; for x also data,
    images, features or inputs, for y also target, targets, labels or label, and ``train_x``. x is
    (rows, features) or images (rows, height, width), also with one channel first or last; y is
    (rows,) or (rows, 1) integers or strings, or one-hot (rows, classes). Other arrays are ignored
    and not read.
    """
    names = array_names(path)
    parts = {part: _pair(path, names, part) for part in ("", "train", "test")}
    used: list[str] = []
    if parts["train"] and parts["test"]:
        used = [*parts["train"], *parts["test"]]
    elif parts[""]:
        used = list(parts[""])
    else:
        raise BadInput(f"{path} must hold the arrays {' or '.join(PAIRS)} (or others that "
                       f"docs/data.md lists); it holds {listed(names) or 'none'}")
    arrays = read_arrays(path, used)
    unused = [name for name in names if name not in used]
    notes = (f"arrays that are not used: {listed(unused, 5)}",) if unused else ()
    train = _table(path, arrays, used[0], used[1], notes)
    if len(used) == 2:
        return train, None
    test = _table(path, arrays, used[2], used[3], ())
    shapes = [_image(arrays[name]).shape[1:] for name in (used[0], used[2])]
    if shapes[0] != shapes[1]:
        raise BadInput(f"{path}: rows of {used[0]} have the shape {shapes[0]}, "
                       f"rows of {used[2]} {shapes[1]}")
    return train, test


def read_matrix(path: Path) -> tuple[Array, tuple[str, ...]]:
    """Rows without labels (rows, features) of an .npz, .npy or IDX file, and notes."""
    suffix = path.suffix.lower()
    if suffix == ".npz":
        names = array_names(path)
        name = next((n for part in ("", "test") for n in names
                     if _role(n) == ("inputs", part)), None)
        if name is None:
            raise BadInput(f"{path} must hold an array x; it holds {listed(names) or 'none'}")
        unused = [n for n in names if n != name and _role(n)[0] != "labels"]
        values, _ = _values(path, read_arrays(path, [name]), name)
        return values, (f"arrays that are not used: {listed(unused, 5)}",) if unused else ()
    if suffix == ".npy":
        return _values(path, {"the array": read_array(path)}, "the array")[0], ()
    images = as_pixels(path, read_idx(path, dimensions=3))
    turned = "emnist-" in path.name
    if turned:
        images = images.transpose(0, 2, 1)
    return images.reshape(len(images), -1), ("images of EMNIST are turned upright",) if turned \
        else ()


def _role(name: str) -> tuple[str, str]:
    """(``inputs``, ``labels`` or nothing, ``train``, ``test`` or nothing) of an array's name."""
    words = name.lower().split("_")
    part = next((w for w in words if w in ("train", "test")), "")
    rest = [w for w in words if w != part]
    if len(rest) == 1:
        for role, known in (("inputs", INPUTS), ("labels", LABELS)):
            if rest[0] in known:
                return role, part
    return "", part


def _pair(path: Path, names: Sequence[str], part: str) -> tuple[str, str] | None:
    found = []
    for role in ("inputs", "labels"):
        fitting = [name for name in names if _role(name) == (role, part)]
        ours = [name for name in fitting if name.lower().replace(part, "").strip("_") in ("x", "y")]
        fitting = ours or fitting
        if len(fitting) > 1:
            raise BadInput(f"{path} has {len(fitting)} arrays that may be the {role}: "
                           f"{listed(fitting)}; keep one of them")
        found += fitting
    return (found[0], found[1]) if len(found) == 2 else None


def _table(path: Path, arrays: dict[str, Array], x: str, y: str,
           notes: tuple[str, ...]) -> Table:
    values, shape = _values(path, arrays, x)
    labels, how = _labels(path, arrays, y)
    if len(values) != len(labels):
        raise BadInput(f"{path}: {x} has {len(values)} rows, {y} has {len(labels)}")
    return Table(str(path), values, labels, None, shape, y, "by its name",
                 notes=(*how, *notes))


def _image(values: Array) -> Array:
    """Images without their single channel, first or last; other arrays as they are."""
    if values.ndim == 4 and values.shape[3] == 1:
        return values[..., 0]
    if values.ndim == 4 and values.shape[1] == 1:
        return values[:, 0]
    return values


def _values(path: Path, arrays: dict[str, Array],
            name: str) -> tuple[Array, tuple[int, int] | None]:
    """Finite numbers (rows, features), and the shape of an image."""
    values = arrays[name]
    if values.dtype.kind not in "buif":
        raise BadInput(f"{path}: {name} must hold real numbers, not {values.dtype}")
    if values.ndim == 4 and 1 not in (values.shape[1], values.shape[3]):
        raise BadInput(f"{path}: {name} has the shape {values.shape}: images must have one "
                       f"channel; make grey ones of them")
    values = _image(values)
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
    elif flat.dtype.itemsize == 8 and (np.abs(flat.astype(np.float64)) > 2.0**53).any():
        raise BadInput(f"{path}: {name} holds integers above 2^53 ({flat.max()}), which float64 "
                       f"cannot tell apart; subtract their smallest")
    return flat, (values.shape[1], values.shape[2]) if values.ndim == 3 else None


def _labels(path: Path, arrays: dict[str, Array],
            name: str) -> tuple[npt.NDArray[np.str_], tuple[str, ...]]:
    """Labels as text, and how they were stored if that is not plain."""
    labels = arrays[name]
    how: tuple[str, ...] = ()
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    elif labels.ndim == 2 and labels.dtype.kind in "buif" and ((labels == 0) | (
            labels == 1)).all() and len(labels) and (labels.sum(axis=1) == 1).all():
        how = (f"{name} is one-hot; classes are the numbers of its columns, from 0",)
        labels = labels.argmax(axis=1)
    if labels.ndim != 1:
        raise BadInput(f"{path}: {name} must have the shape (rows,) or (rows, 1), or be one-hot, "
                       f"not {labels.shape}")
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
    return text, how
