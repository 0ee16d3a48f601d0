"""Rows to predict: the features of a trained model, from a file of any kind."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from .arrays import read_matrix
from .columns import Column
from .reading import Layout, Reading
from .scaling import Scaling
from .splits import windows
from .summary import CLIPPED, Summary, clip_warning
from .tables import TEXT_SUFFIXES, Table, read_csv

__all__ = ["Features", "read_features", "scale_warnings"]

Array = npt.NDArray[Any]

#: Part of the training range that many rows together span, below which the scale is another.
NARROW = 0.02


@dataclass(frozen=True, eq=False)
class Features:
    """Rows without labels.

    Attributes
    ----------
    values
        Numbers (rows, inputs).
    summary
        What was read.
    """

    values: Array
    summary: Summary


def read_features(path: Path, columns: Sequence[str] | None = None, inputs: int | None = None,
                  layout: Layout | None = None, reading: Reading | None = None,
                  limits: Scaling | None = None) -> Features:
    """Rows to predict: (rows, features), or (windows, features).

    Parameters
    ----------
    path
        A text file, an NPZ with an array ``x`` (or only ``x_test``), a .npy, or an IDX image file.
    columns
        Features to take from a text file, in any order there; its other columns are ignored.
        None: all its columns.
    inputs
        Features that a row must have, None for any number.
    layout
        How the file was read that the model was trained on, in place of `columns`.
    reading
        How to read the file.
    limits
        The range of the training rows, for what the summary says.
    """
    reading = reading or Reading()
    if path.suffix.lower() in TEXT_SUFFIXES:
        if layout is None and columns is not None:
            layout = Layout(tuple(map(Column, columns)), None, tuple(columns))
        table = read_csv(path, reading, layout, labelled=False)
    elif path.suffix.lower() in (".npz", ".npy", ".gz") or path.name.endswith("ubyte"):
        values, unused = read_matrix(path)
        table = Table(str(path), values, np.zeros(0, np.str_), notes=unused)
    else:
        raise BadInput(f"{path} must be a .csv, .tsv, .npz, .npy or IDX file")
    notes = list(table.notes)
    dropped = table.dropped
    if dropped:
        notes.append("dropped rows have no prediction")
    if layout is not None and layout.window is not None:
        table, first, _ = windows(table, *layout.window)
        notes.append(f"{len(first):,} windows of {layout.window[0]} rows, one every "
                     f"{layout.window[1]}")
    values = table.values
    if layout is not None and layout.fill is not None:
        if len(layout.fill) == values.shape[1]:
            values = np.where(np.isnan(values), layout.fill, values)
    elif np.issubdtype(values.dtype, np.floating) and np.isnan(values).any():
        raise BadInput(f"{path}: --missing mean needs a model that was trained with it")
    if inputs is not None and values.shape[1] != inputs:
        raise BadInput(f"{path} has {values.shape[1]} features a row; the model takes {inputs}")
    outside = limits.outside(values) if limits is not None else None
    warnings = [*table.warnings, *(scale_warnings(values, limits) if limits else [])]
    return Features(values, Summary(
        path.name, len(values), values.shape[1], dropped, outside=outside, judged="these rows",
        notes=tuple(notes), warnings=tuple(warnings)))


def scale_warnings(values: Array, limits: Scaling, training: int | None = None) -> list[str]:
    """What speaks for numbers on another scale than that of the training rows.

    Parameters
    ----------
    values
        Numbers (rows, inputs).
    limits
        The range of the training rows.
    training
        How many of these there were, if rows of the same kind are judged: n of them leave about
        2 / (n + 1) of the numbers of others outside.
    """
    outside = limits.outside(values)
    usual = CLIPPED if training is None else max(CLIPPED, 6 / (training + 1))
    if outside is not None and outside > usual:
        return [clip_warning(outside)]
    span = limits.maximum - limits.minimum
    used = span > 0
    if len(values) > 9 and used.any():
        widths = (values.max(axis=0).astype(np.float64) - values.min(axis=0))[used] / span[used]
        if widths.max() < NARROW:
            return [(f"the numbers span at most {100 * widths.max():.1f} % of the range of the "
                    f"training rows: are they in the same unit?")]
    return []
