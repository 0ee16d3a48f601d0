"""MNIST and Fashion-MNIST: the IDX files, where to look for them and how to fetch them."""

import gzip
import logging
import math
import os
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import platformdirs

from ...errors import BadInput

__all__ = ["CLASS_NAMES", "FILES", "load_idx", "read_idx", "user_cache"]

Bytes = npt.NDArray[np.uint8]

#: Images and labels of the training set, then of the test set.
FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte",
         "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")

#: What the labels 0..9 stand for.
CLASS_NAMES = {
    "mnist": tuple("0123456789"),
    "fashion-mnist": ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                      "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
}

MIRRORS = {
    "mnist": ("https://ossci-datasets.s3.amazonaws.com/mnist/",
              "https://storage.googleapis.com/cvdf-datasets/mnist/"),
    "fashion-mnist": ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
}

#: SHA-256 of the published .gz files, in the order of `FILES`.
HASHES = {
    "mnist": ("440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
              "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
              "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
              "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
    "fashion-mnist": ("3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
                      "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
                      "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
                      "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
}


def read_idx(path: Path, dimensions: int) -> Bytes:
    """An IDX file of unsigned bytes, gzipped or not, as an array of `dimensions` axes."""
    try:
        content = path.read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise BadInput(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None
    header = 4 + 4 * dimensions
    if content[:4] != bytes((0, 0, 8, dimensions)) or len(content) < header:
        raise BadInput(f"{path} is no IDX file of bytes with {dimensions} axes: it starts with "
                       f"{content[:4].hex() or 'nothing'}, not 000008{dimensions:02x}")
    shape = tuple(int(n) for n in np.frombuffer(content, ">u4", dimensions, 4))
    expected = header + math.prod(shape)
    if len(content) != expected:
        raise BadInput(f"{path} has {len(content)} bytes; its shape {shape} needs {expected}")
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def user_cache(name: str) -> Path:
    """The folder where downloads of data set `name` are kept."""
    base = os.environ.get("TRITGRAD_CACHE")
    return Path(base or platformdirs.user_cache_dir("tritgrad", appauthor=False)) / name


def load_idx(name: str, data_dir: str | Path | None = None) -> tuple[Bytes, Bytes, Bytes, Bytes]:
    """Training images (n, rows, columns), labels (n,), test images and labels of `name`.

    Looks in `data_dir`, or else in the folder `name` of TRITGRAD_DATA, then in the user's cache,
    then downloads into that cache with a checked hash.

    Raises
    ------
    BadInput
        Files are missing, damaged or do not fit each other.
    """
    paths = _find(name, data_dir)
    x_train, y_train, x_test, y_test = (
        read_idx(path, 3 if i % 2 == 0 else 1) for i, path in enumerate(paths))
    for images, labels, path in ((x_train, y_train, paths[0]), (x_test, y_test, paths[2])):
        if not images.size:
            raise BadInput(f"{path} holds no images")
        if len(images) != len(labels):
            raise BadInput(f"{path} holds {len(images)} images, the file of labels beside it "
                           f"{len(labels)} labels")
    if x_train.shape[1:] != x_test.shape[1:]:
        raise BadInput(f"{paths[0]} and {paths[2]} hold images of the sizes {x_train.shape[1:]} "
                       f"and {x_test.shape[1:]}")
    return x_train, y_train, x_test, y_test


def _find(name: str, data_dir: str | Path | None) -> list[Path]:
    if data_dir is not None:
        found = _in_folder(Path(data_dir))
        missing = [file for file, path in zip(FILES, found, strict=True) if path is None]
        if missing:
            raise BadInput(f"data folder {data_dir} lacks {_and(missing)} (.gz or not)")
        return [path for path in found if path is not None]
    shared = os.environ.get("TRITGRAD_DATA")
    folders = [Path(shared) / name] if shared else []
    for folder in [*folders, user_cache(name)]:
        found = _in_folder(folder)
        if None not in found:
            return [path for path in found if path is not None]
    return _download(name, user_cache(name))


def _in_folder(folder: Path) -> list[Path | None]:
    """The four files of `FILES` in `folder`, None for each that is not there."""
    def pick(file: str) -> Path | None:
        names = (file, file + ".gz", file.replace("-idx", ".idx"))
        return next((folder / n for n in names if (folder / n).is_file()), None)

    return [pick(file) for file in FILES]


def _download(name: str, folder: Path) -> list[Path]:
    paths = []
    for file, known, found in zip(FILES, HASHES[name], _in_folder(folder), strict=True):
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
