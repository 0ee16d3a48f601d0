"""A data set of arrays that are in memory already."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from .codings.spec import fit
from .datasets import Dataset, Rows, balanced
from .label_checks import MAX_CLASSES
from .scaling import Scaling, check_planes
from .splits import split
from .summary import Summary

__all__ = ["NAME", "of_arrays"]

#: What such a data set is called.
NAME = "arrays"
#: Bits of an input where nothing else is told, as for files.
PLANES = 4


def of_arrays(values: npt.NDArray[Any], labels: npt.NDArray[np.int64], class_names: Sequence[str],
              *, planes: int | None = None, encode: str | None = None,
              val_fraction: float | None = None, balance: bool = False,
              image_shape: tuple[int, int] | None = None,
              columns: Sequence[str] | None = None) -> Dataset:
    """Training rows as `datasets.load` would give them from a file, without test rows.

    Parameters
    ----------
    values
        Finite numbers (rows, features).
    labels
        (rows,), numbers of `class_names`.
    class_names
        One for each output.
    planes, encode, val_fraction
        As for `datasets.load`.
    balance
        Whether rows of rare classes are repeated, up to the largest class.
    image_shape
        Rows and columns, if a row is an image, flattened row-major.
    columns
        Names of the features.

    Raises
    ------
    BadInput
        No rows, too few or too many classes, an image of another size, or no row left to learn.
    """
    rows, features = values.shape
    if not 2 <= len(class_names) <= MAX_CLASSES:
        count = f"{len(class_names)} class{'' if len(class_names) == 1 else 'es'}"
        raise BadInput(f"y has {count}; a network has from 2 to {MAX_CLASSES}")
    if image_shape is not None and image_shape[0] * image_shape[1] != features:
        raise BadInput(f"image_shape must be rows and columns of the {features} features, "
                       f"not {image_shape!r}")
    chosen, held = np.arange(rows), None
    if val_fraction:
        if not 0 < val_fraction < 1:
            raise BadInput(f"val_fraction must be above 0 and below 1, not {val_fraction!r}")
        chosen, held = split(rows, val_fraction, "random", 0)
        if not len(held) or not len(chosen):
            raise BadInput(f"val_fraction {val_fraction!r} of {rows} rows leaves no "
                           f"{'validation' if len(chosen) else 'training'} row")
    if balance:
        chosen = balanced(chosen, labels[chosen])
    coding = fit(encode or "planes", values, chosen, image_shape=image_shape,
                 planes=check_planes(PLANES if planes is None else planes))
    none = values[:0]
    counts = np.bincount(labels, minlength=len(class_names)).tolist()
    return Dataset(
        name=NAME, x_train=coding.apply(values[chosen]), y_train=labels[chosen],
        x_test=coding.apply(none), y_test=labels[:0],
        x_val=None if held is None else coding.apply(values[held]),
        y_val=None if held is None else labels[held], class_names=tuple(class_names),
        coding=coding, image_shape=image_shape, columns=None if columns is None else tuple(columns),
        train_rows=chosen, rows=Rows(values, none, chosen, held, None), test_rows=None,
        summary=Summary(NAME, rows, features,
                        classes=dict(zip(class_names, counts, strict=True))),
        limits=Scaling.fit(values))
