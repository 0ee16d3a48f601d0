"""How good predictions are: accuracies, per class figures, confusion matrix."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["ClassReport", "Counts", "accuracy", "balanced", "balanced_accuracy", "class_reports",
           "confusion_matrix"]

Labels = npt.NDArray[np.integer]
Counts = npt.NDArray[np.int64]


def accuracy(truth: Labels, predicted: Labels) -> float:
    """Per cent of rows that were predicted right; nan of no rows."""
    return 100.0 * int(np.count_nonzero(truth == predicted)) / len(truth) if len(truth) else np.nan


def balanced_accuracy(truth: Labels, predicted: Labels) -> float:
    """Per cent of rows that were predicted right, each class with its own rows; their mean.

    Classes without rows do not count; nan of no rows.
    """
    if not len(truth):
        return np.nan
    rows = np.bincount(truth)
    return balanced(np.bincount(truth[truth == predicted], minlength=len(rows)), rows)


def balanced(right: Counts, rows: Counts) -> float:
    """`balanced_accuracy` by rows of each class that are right, and its rows: (classes,) each."""
    return 100.0 * float((right[rows > 0] / rows[rows > 0]).mean())


def confusion_matrix(truth: Labels, predicted: Labels, classes: int) -> Counts:
    """Rows counted by (true class, predicted class): int64 (classes, classes)."""
    cells = truth.astype(np.int64) * classes + predicted
    return np.bincount(cells, minlength=classes * classes).reshape(classes, classes)


@dataclass(frozen=True)
class ClassReport:
    """One class of a confusion matrix.

    Attributes
    ----------
    name
        Name of the class.
    rows
        Rows of this class.
    recall
        Per cent of its rows that were found; None if it has no rows.
    precision
        Per cent of its predictions that were right; None if it was never predicted.
    """

    name: str
    rows: int
    recall: float | None
    precision: float | None


def class_reports(matrix: Counts, class_names: tuple[str, ...]) -> list[ClassReport]:
    """One report a class, in the order of the matrix."""
    def per_cent(part: int, whole: int) -> float | None:
        return 100.0 * part / whole if whole else None

    return [ClassReport(name, int(matrix[k].sum()),
                        per_cent(int(matrix[k, k]), int(matrix[k].sum())),
                        per_cent(int(matrix[k, k]), int(matrix[:, k].sum())))
            for k, name in enumerate(class_names)]
