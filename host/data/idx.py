"""IDX files of images and labels, where to look for them and how to fetch them."""

import gzip
import logging
import math
import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...cache import cache_folder
from ...errors import BadInput
from .idx_names import FILES, HASHES, MIRRORS, emnist_part, find_files

__all__ = ["ImageSet", "as_pixels", "load_idx", "read_idx", "user_cache"]

Array = npt.NDArray[Any]
Labels = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]

#: NumPy types of the values, by the third byte of a file.
TYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}


def read_idx(path: Path, dimensions: int | None = None) -> Array:
    """An IDX file, gzipped or not, as an array of `dimensions` axes, or as many as it has."""
    try:
        content = path.read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise BadInput(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None
    axes = content[3] if len(content) > 3 and dimensions is None else dimensions or 0
    header = 4 + 4 * axes
    if len(content) < header or content[:2] != b"\0\0" or content[2] not in TYPES or (
            content[3] != axes):
        raise BadInput(f"{path} is no IDX file with {axes} axes: it starts with "
                       f"{content[:4].hex() or 'nothing'}, not 000008{axes:02x}")
    shape = tuple(int(n) for n in np.frombuffer(content, ">u4", axes, 4))
    kind = np.dtype(TYPES[content[2]])
    expected = header + math.prod(shape) * kind.itemsize
    if len(content) != expected:
        raise BadInput(f"{path} has {len(content)} bytes; its shape {shape} needs {expected}")
    return np.frombuffer(content, kind, offset=header).reshape(shape)


def as_pixels(path: Path, images: Array) -> Bytes:
    """Images of another type as bytes: whole numbers from 0 to 255, or parts of 1 times 255."""
    if images.dtype == np.uint8:
        return images
    values = images.astype(np.float64)
    if not np.isfinite(values).all() or values.min(initial=0) < 0 or values.max(initial=0) > 255:
        raise BadInput(f"{path}: pixels must be from 0 to 255, not {values.min():g} to "
                       f"{values.max():g}")
    if values.max(initial=0) <= 1 and images.dtype.kind == "f":
        values = np.floor(255 * values + 0.5)
    if (values % 1).any():
        raise BadInput(f"{path}: pixels must be whole numbers, or all from 0 to 1")
    return values.astype(np.uint8)


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images and labels.

    Attributes
    ----------
    x_train, x_test
        uint8 (n, rows, columns).
    y_train, y_test
        int64 (n,), 0 to 255.
    name
        Of the data set that the files are.
    folder
        Where they were found.
    notes
        What was done to them.
    """

    x_train: Bytes
    y_train: Labels
    x_test: Bytes
    y_test: Labels
    name: str
    folder: Path
    notes: tuple[str, ...]


def user_cache(name: str) -> Path:
    """The folder where downloads of data set `name` are kept."""
    return cache_folder(name)


def load_idx(name: str, data_dir: str | Path | None = None) -> ImageSet:
    """The images of data set `name`, one of `IMAGE_SETS`.

    Looks in `data_dir`, or else in the folder `name` of TRITGRAD_DATA, then in the user's cache,
    then downloads what is published with a known hash into that cache. Images of EMNIST, which
    are stored lying, are turned upright.

    Raises
    ------
    BadInput
        Files are missing, damaged or do not fit each other.
    """
    paths = _find(name, data_dir)
    arrays, notes = [], []
    for i, path in enumerate(paths):
        array = read_idx(path, 3 if i % 2 == 0 else None)
        if i % 2 == 0:
            array = as_pixels(path, array)
        elif array.ndim == 2 and array.shape[1] > 1:
            array = array[:, 0]
            notes.append("of the labels the first number of each row is the class")
        else:
            array = array.reshape(len(array))
        arrays.append(array)
    x_train, y_train, x_test, y_test = arrays
    for images, labels, path in ((x_train, y_train, paths[0]), (x_test, y_test, paths[2])):
        if not images.size:
            raise BadInput(f"{path} holds no images")
        if len(images) != len(labels):
            raise BadInput(f"{path} holds {len(images)} images, the file of labels beside it "
                           f"{len(labels)} labels")
        if labels.dtype.kind == "f" or labels.min() < 0 or labels.max() > 255:
            raise BadInput(f"{path}: labels must be whole numbers from 0 to 255, not "
                           f"{labels.min()} to {labels.max()}")
    if x_train.shape[1:] != x_test.shape[1:]:
        raise BadInput(f"{paths[0]} and {paths[2]} hold images of the sizes {x_train.shape[1:]} "
                       f"and {x_test.shape[1:]}")
    known = emnist_part(paths) or name
    if known.startswith("emnist-"):
        x_train, x_test = x_train.transpose(0, 2, 1), x_test.transpose(0, 2, 1)
        notes.append(f"images of {known} are turned upright")
    return ImageSet(x_train, y_train.astype(np.int64), x_test, y_test.astype(np.int64), known,
                    paths[0].parent, tuple(dict.fromkeys(notes)))


def _find(name: str, data_dir: str | Path | None) -> list[Path]:
    if data_dir is not None:
        folder = Path(data_dir)
        if not folder.is_dir():
            raise BadInput(f"data folder {data_dir} "
                           f"{'is a file' if folder.exists() else 'does not exist'}")
        found = find_files(folder, name)
        missing = [file for file, path in zip(FILES, found, strict=True) if path is None]
        if missing:
            raise BadInput(f"data folder {data_dir} lacks {_and(missing)} (.gz or not)")
        return [path for path in found if path is not None]
    shared = os.environ.get("TRITGRAD_DATA")
    folders = [Path(shared) / name] if shared else []
    for folder in [*folders, user_cache(name)]:
        found = find_files(folder, name)
        if None not in found:
            return [path for path in found if path is not None]
    return _download(name, user_cache(name))


def _download(name: str, folder: Path) -> list[Path]:
    paths = []
    if name not in HASHES:
        raise BadInput(f"{name} is not on this machine: put its four IDX files (.gz or not) into "
                       f"{folder} or into a folder given as --data-dir")
    for file, known, found in zip(FILES, HASHES[name], find_files(folder, name), strict=True):
        paths.append(found if found is not None else _fetch_any(name, file, known, folder))
    return paths


def _fetch_any(name: str, file: str, known: str, folder: Path) -> Path:
    """One file from the first mirror that has it."""
    reason = ""
    for mirror in MIRRORS[name]:
        try:
            return fetch(mirror + file + ".gz", known, folder)
        except (OSError, ValueError) as error:
            reason = "wrong hash" if "hash" in str(error) else type(error).__name__
    raise BadInput(f"{name} is not on this machine and could not be downloaded ({reason}): put "
                   f"{_and(FILES)} (.gz or not) into {folder} or into a folder given as --data-dir")


def fetch(url: str, known: str, folder: Path) -> Path:
    """Download `url` into `folder`; its SHA-256 must be `known`."""
    import pooch  # only a download pays for loading an HTTP client

    pooch.get_logger().setLevel(logging.WARNING)
    return Path(pooch.retrieve(url, f"sha256:{known}", fname=url.rsplit("/", 1)[1], path=folder))


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
