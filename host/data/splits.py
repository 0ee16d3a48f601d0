"""Which rows are held back for tests, and windows of rows that are one sample each."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from ...model.rng import splitmix64
from .tables import Table

__all__ = ["split", "windows"]

Indices = npt.NDArray[np.int64]
Text = npt.NDArray[np.str_]


def split(count: int, fraction: float, rule: str, seed: int, labels: Text | None = None,
          groups: Text | None = None) -> tuple[Indices, Indices]:
    """Row numbers that stay and row numbers of the held-back part, both rising.

    Parameters
    ----------
    count
        Number of rows.
    fraction
        Part that is held back, above 0 and below 1; as the decimal that it prints as. At most
        ``floor(count * fraction)`` rows.
    rule
        ``random``: in the order of ``out(seed, row)`` of SplitMix64, the first ones.
        ``stratified``: that within each class, ``floor(n * fraction)`` of its n rows.
        ``ordered``: the last ones. ``group:...``: whole groups, numbered as sorted text, in the
        order of ``out(seed, group)``, as long as they fit.
    seed
        Of the random rules.
    labels, groups
        Text (rows,), for the rules that need them.
    """
    share = Fraction(str(fraction))
    most = int(count * share)
    if rule == "ordered":
        held = np.arange(count - most, count)
    elif rule == "stratified" and labels is not None:
        order = np.argsort(splitmix64(seed, np.arange(count)), kind="stable")
        parts = [order[labels[order] == label] for label in np.unique(labels)]
        held = np.concatenate([part[:int(len(part) * share)] for part in parts])
    elif groups is not None:
        names, number, sizes = np.unique(groups, return_inverse=True, return_counts=True)
        chosen = np.zeros(len(names), bool)
        for group in np.argsort(splitmix64(seed, np.arange(len(names))), kind="stable"):
            chosen[group] = sizes[chosen].sum() + sizes[group] <= most
        held = np.flatnonzero(chosen[number])
    else:
        held = np.argsort(splitmix64(seed, np.arange(count)), kind="stable")[:most]
    kept = np.ones(count, bool)
    kept[held] = False
    return np.flatnonzero(kept), np.sort(held).astype(np.int64)


def windows(table: Table, rows: int, stride: int) -> tuple[Table, Indices, int]:
    """Each window of rows in succession as one sample.

    Windows begin every `stride` rows of a stretch: rows of one group between which none was
    dropped. The inputs are those of the first row, then those of the second, and so on; the
    label is that of all rows, and a window in which it changes is left out.

    Returns
    -------
    table
        One row a window; columns are called ``name[0]`` for the first row's to
        ``name[rows - 1]``.
    first
        Row of `table` at which each window begins, int64 (windows,).
    left_out
        Windows in which the label changes.

    Raises
    ------
    BadInput
        There is no window.
    """
    count = len(table.values)
    cuts = set((table.starts if table.starts is not None else np.zeros(0, np.int64)).tolist())
    if table.groups is not None:
        cuts |= set((np.flatnonzero(table.groups[1:] != table.groups[:-1]) + 1).tolist())
    bounds = [0, *sorted(cut for cut in cuts if 0 < cut < count), count]
    starts = np.concatenate([np.arange(low, high - rows + 1, stride, dtype=np.int64)
                             for low, high in zip(bounds, bounds[1:], strict=False)])
    places = starts[:, None] + np.arange(rows)
    same = np.ones(len(starts), bool)
    if len(table.labels):
        same = (table.labels[places] == table.labels[starts, None]).all(axis=1)
    starts, places = starts[same], places[same]
    if not len(starts):
        raise BadInput(f"{table.source} has no window of {rows} rows in succession with one label")
    values = table.values[places].reshape(len(starts), -1)
    names = table.columns or tuple(f"x{i + 1}" for i in range(table.values.shape[1]))
    columns = tuple(f"{name}[{i}]" for i in range(rows) for name in names)
    return replace(
        table, values=values, columns=columns,
        labels=table.labels[starts] if len(table.labels) else table.labels,
        groups=table.groups[starts] if table.groups is not None else None,
        starts=None), starts, int((~same).sum())
