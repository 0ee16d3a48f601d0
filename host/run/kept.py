"""Rows that a model keeps of those it has learned, so that later ones do not drive them out.

A sample of all rows seen so far, each row as likely as any other: the rows with the least keys,
where a row's key is an output of SplitMix64. Such samples can be added up as more rows come.
Source: Cohen and Kaplan, "Summarizing data using bottom-k sketches", 2007.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from ...model.rng import splitmix64

__all__ = ["Kept", "check_size"]

Labels = npt.NDArray[np.int64]

#: Takes the keys of rows apart from what else is drawn with a seed.
KEYS = 0x6B657074
#: Rows that are kept at most.
MOST = 1_000_000


def check_size(size: int) -> int:
    """The size if so many rows can be kept. Raises `BadInput`."""
    if not 1 <= size <= MOST:
        raise BadInput(f"--replay must be a file, or a number of rows from 1 to {MOST}, "
                       f"not {size!r}")
    return size


@dataclass(frozen=True, eq=False)
class Kept:
    """A sample of the rows that a network has learned.

    Attributes
    ----------
    values
        Their numbers before coding (rows, features), of any real dtype.
    labels
        int64 (rows,).
    keys
        uint64 (rows,), rising.
    size
        Rows at most.
    seen
        Rows of which these are a sample.
    """

    values: npt.NDArray[Any]
    labels: Labels
    keys: npt.NDArray[np.uint64]
    size: int
    seen: int

    def __post_init__(self) -> None:
        rows = len(self.labels)
        if self.values.ndim != 2 or not len(self.values) == len(self.keys) == rows <= self.size:
            raise BadInput(f"a model's kept rows must be as many values, labels and keys and at "
                           f"most {self.size}, not {self.values.shape}, {rows}, {len(self.keys)}")
        if rows > self.seen or not np.isfinite(self.values).all():
            raise BadInput(f"a model's kept rows must be finite and of at least as many rows seen, "
                           f"not {rows} of {self.seen}")

    @classmethod
    def of(cls, size: int, seed: int, values: npt.NDArray[Any], labels: Labels,
           before: "Kept | None" = None) -> "Kept":
        """A sample of the rows (rows, features), and of those of an earlier one, if there is."""
        seen = before.seen if before else 0
        keys = np.atleast_1d(splitmix64(seed ^ KEYS, np.arange(seen, seen + len(labels))))
        if before is not None:
            values = np.concatenate([before.values, values])
            labels = np.concatenate([before.labels, labels])
            keys = np.concatenate([before.keys, keys])
        first = np.argsort(keys, kind="stable")[:check_size(size)]
        return cls(values[first], labels[first].astype(np.int64), keys[first], size,
                   seen + len(labels) - (len(before.labels) if before else 0))

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Arrays of a model file, for `from_arrays`."""
        return {"kept_values": self.values, "kept_labels": self.labels, "kept_keys": self.keys,
                "kept_counts": np.array([self.size, self.seen], np.int64)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> "Kept | None":
        """The inverse of `arrays`; None where there are none."""
        if "kept_values" not in arrays:
            return None
        size, seen = arrays["kept_counts"].tolist()
        return cls(arrays["kept_values"], arrays["kept_labels"], arrays["kept_keys"], size, seen)
