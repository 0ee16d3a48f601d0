"""A data set as networks see it."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .codings.coding import Coding
from .codings.spec import fit
from .reading import Layout
from .scaling import Scaling
from .summary import Summary

__all__ = ["Bytes", "Dataset", "Indices", "Labels", "Rows"]

Bytes = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Rows:
    """The numbers of a data set before they are coded.

    Attributes
    ----------
    train, test
        Finite numbers (rows, features) of any real dtype; `train` with the validation rows.
    chosen, held
        Rows of `train` that are learned, and that are held back for validation.
    scaling
        The range of the features, where it is not to be fitted.
    groups
        Text, a group for each row of `train`, where groups are not to be split.
    starts, length
        Where each row of `train` begins as a window of so many rows that were read; None where
        they are no windows.
    """

    train: npt.NDArray[Any]
    test: npt.NDArray[Any]
    chosen: npt.NDArray[np.int64]
    held: npt.NDArray[np.int64] | None
    scaling: Scaling | None
    groups: npt.NDArray[np.str_] | None = None
    starts: npt.NDArray[np.int64] | None = None
    length: int = 1


@dataclass(frozen=True, eq=False)
class Dataset:
    """Rows ready to be sent to a core.

    Attributes
    ----------
    name
        As given; for a file its name without the folder.
    x_train, x_test, x_val
        uint8 (rows, inputs), 0 to 2^planes - 1.
    y_train, y_test, y_val
        int64 (rows,), numbers of `class_names`.
    class_names
        The labels of all rows, sorted: as numbers if all are numbers, else by code point.
    coding
        What makes inputs of the data set's own numbers.
    image_shape
        (rows, columns) if a row is an image, flattened row-major.
    columns
        Names of the features of a CSV file.
    train_rows
        int64 (rows,): the number of each row of `x_train` among the rows or windows that were
        read, from 0, rising.
    rows
        The numbers that the inputs were made of.
    test_rows
        The same of `x_test`; None where these are of another file or part.
    summary
        What was read.
    limits
        The range of the training rows.
    layout
        How a text file was read, so that others can be read alike.
    replayed
        Rows at the end of `x_train` that were learned before, and are none of `train_rows`.
    """

    name: str
    x_train: Bytes
    y_train: Labels
    x_test: Bytes
    y_test: Labels
    x_val: Bytes | None
    y_val: Labels | None
    class_names: tuple[str, ...]
    coding: Coding
    image_shape: tuple[int, int] | None
    columns: tuple[str, ...] | None
    train_rows: Indices
    rows: Rows
    test_rows: Indices | None
    summary: Summary
    limits: Scaling
    layout: Layout | None = None
    replayed: int = 0

    @property
    def inputs(self) -> int:
        """Inputs of a row."""
        return self.x_train.shape[1]

    @property
    def planes(self) -> int:
        """Bit planes of the inputs."""
        return self.coding.planes

    @property
    def pixels(self) -> tuple[int, int] | None:
        """Rows and columns, if each input is a pixel."""
        return self.image_shape if self.coding.keeps_pixels else None

    def coded(self, encode: str) -> "Dataset":
        """The same rows with inputs by another coding."""
        return self._with(fit(encode, self.rows.train, self.rows.chosen,
                              scaling=self.rows.scaling, image_shape=self.image_shape))

    def in_order(self, train: npt.NDArray[Any],
                 test: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], Labels]:
        """What there is of the training rows and of the test rows, and the labels.

        Those of one file are in its order, others one behind the other.
        """
        x, y = np.concatenate([train, test]), np.concatenate([self.y_train, self.y_test])
        if self.test_rows is None:
            return x, y
        order = np.argsort(np.concatenate([self.train_rows, self.test_rows]), kind="stable")
        return x[order], y[order]

    def replaying(self, values: npt.NDArray[Any], labels: Labels) -> "Dataset":
        """The same with old rows (rows, features) and their labels behind the training rows."""
        rows, count = self.rows, len(labels)
        chosen = np.concatenate([rows.chosen, len(rows.train) + np.arange(count)])
        return replace(
            self, x_train=np.concatenate([self.x_train, self.coding.apply(values)]),
            y_train=np.concatenate([self.y_train, labels]), replayed=self.replayed + count,
            rows=replace(rows, train=np.concatenate([rows.train, values]), chosen=chosen),
            summary=replace(self.summary, parts={**self.summary.parts, "replayed": count}))

    def _with(self, coding: Coding) -> "Dataset":
        rows = self.rows
        return replace(
            self, coding=coding, x_train=coding.apply(rows.train[rows.chosen]),
            x_test=coding.apply(rows.test),
            x_val=None if rows.held is None else coding.apply(rows.train[rows.held]))

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)
