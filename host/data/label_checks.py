"""Labels as numbers of classes, and what is refused rather than guessed about them."""

from collections import Counter
from collections.abc import Sequence
from shlex import quote

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from .labels import (
    listed,
    match_labels,
    missing_labels,
    near_spellings,
    sorted_labels,
    suspicion,
)
from .reading import Reading
from .tables import Table
from .text_rows import NUMBER

__all__ = ["MAX_CLASSES", "check_labels", "check_scale", "number_labels"]

Text = npt.NDArray[np.str_]
Labels = npt.NDArray[np.int64]

#: Classes that the widest core can have.
MAX_CLASSES = 256
#: Different values of a column that may be the label instead, at most, and rows of each, at least.
FEW, ENOUGH = 20, 3


def check_labels(table: Table, reading: Reading) -> list[str]:
    """What is odd about labels that were told to be taken as they are.

    Raises
    ------
    BadInput
        They look like no classes, or hold marks of missing values, and nothing says that they
        are meant.
    """
    what = "label column" if table.layout else "array"
    marks = [] if reading.classes else missing_labels(table.labels)
    if marks:
        rows = int(np.isin(table.labels, marks).sum())
        raise BadInput(f"{table.source}, {what} {table.label_column!r}: {marks[0]!r} in {rows} "
                       f"rows marks a missing label; leave those rows out, or name all classes "
                       f"with --classes if it is one")
    warnings = [f"classes {' and '.join(map(repr, group))} differ only in how they are spelled"
                for group in near_spellings(np.unique(table.labels).tolist())[:3]]
    warnings += _text_beside(table)
    odd = suspicion(table.labels.tolist()) or _like_others(table)
    if odd is None:
        return warnings
    told = reading.label is not None or reading.classes is not None or reading.accept_labels
    if told:
        return [f"the labels look like no classes: {odd}", *warnings]
    which = f" ({table.label_reason})" if table.layout else ""
    others = _other_labels(table)
    hint = (f"; columns that look like classes: {listed(others, 3)}" if others else "")
    told_by = "--label names the right column, " if table.layout else ""
    raise BadInput(f"{table.source}, {what} {table.label_column!r}{which}: the labels look like no "
                   f"classes: {odd}; {told_by}--accept-labels takes them as they are{hint}")


def _like_others(table: Table) -> str | None:
    """Whether the last column is of the range of most others, as a pixel is, not named a label."""
    if table.layout is None or table.label_reason != "the last column":
        return None
    labels = np.unique(table.labels).tolist()
    if len(labels) <= FEW or not all(NUMBER.match(label) for label in labels):
        return None
    numbers = [float(label) for label in labels]
    alike = ((table.values.min(axis=0) == min(numbers)) &
             (table.values.max(axis=0) == max(numbers))).sum()
    return (f"{len(labels)} numbers in the range of the other columns"
            if 2 * alike > table.values.shape[1] else None)


def _text_beside(table: Table) -> list[str]:
    """A warning where the label is numbers, for being last, and one other column is text."""
    columns = table.layout.columns if table.layout else ()
    text = [column.name for column in columns if column.kind == "category"]
    if len(text) != 1 or table.label_reason != "the last column" or not all(
            NUMBER.match(label) for label in np.unique(table.labels).tolist()):
        return []
    return [(f"column {text[0]!r} is the only text: if it is the label, give --label "
            f"{quote(text[0])}")]


def _other_labels(table: Table) -> list[str]:
    """Other columns of few values that each occur some times."""
    found, place = [], 0
    for column in table.layout.columns if table.layout else ():
        values = table.values[:, place:place + len(column.inputs)]
        place += len(column.inputs)
        if column.kind == "category":
            counts = values.sum(axis=0)
        else:
            distinct, counts = np.unique(values[:, 0], return_counts=True)
            if (distinct % 1 != 0).any():
                continue
        if 2 <= len(counts) <= FEW and counts.min() >= ENOUGH:
            found.append(column.name)
    return found


def check_scale(train: Table, test: Table) -> None:
    """Refuse test rows from 0 to 1 of training rows that are bytes."""
    a, b = train.values, test.values
    if a.dtype.kind in "ui" and b.dtype.kind == "f" and a.max() > 100 and a.min() >= 0 and (
            b.min() >= 0 and b.max() <= 1 and (b % 1).any()):
        raise BadInput(f"{test.source}: the test rows hold numbers from {b.min():g} to "
                       f"{b.max():g}, the training rows integers from {a.min()} to {a.max()}; "
                       f"bring them to one scale")


def number_labels(source: str, train: Text, test_source: str, test: Text,
                  told: Sequence[str] | None, known: Sequence[str] | None,
                  model: bool) -> tuple[tuple[str, ...], Labels, Labels, list[str]]:
    """Class names, the labels as numbers of them, and how labels spelled otherwise were read.

    Parameters
    ----------
    source, train, test_source, test
        Files and their labels.
    told
        All classes, as a model or ``--classes`` names them.
    known
        Those of a data set with known classes, which only training rows can have.
    model
        Whether `told` are a model's.

    Raises
    ------
    BadInput
        Too few or too many classes, or a label that is none of them.
    """
    found = np.unique(train).tolist()
    names = tuple(told or known or sorted_labels(found))
    if len(names) < 2:
        raise BadInput(f"{source} has the single class {names[0]!r}; at least 2 are needed")
    if len(names) > MAX_CLASSES:
        raise BadInput(f"{source} has {len(names)} classes; at most {MAX_CLASSES} are possible")
    counts = Counter(train.tolist()) + Counter(test.tolist())
    matched = match_labels(list(counts), names)
    for label, rows in counts.items():
        if label in names or label in matched:
            continue
        if model:
            raise BadInput(f"{source} has the label {label!r}; the model knows {listed(names)}")
        if told:
            raise BadInput(f"{source} has the label {label!r}, which --classes does not name")
        split = (" or --split stratified, which keeps a row of each class for training"
                 if source == test_source else "")
        raise BadInput(f"{test_source} has the label {label!r} in {rows} test rows and in no "
                       f"training row; classes are {listed(names, 6)}; leave those rows out, or "
                       f"name all classes with --classes{split}")
    place = {name: i for i, name in enumerate(names)}
    place |= {label: place[name] for label, name in matched.items()}
    notes = []
    if matched:
        pairs = [f"{label!r} as {name!r}" for label, name in matched.items()]
        notes.append(f"labels spelled otherwise are read: {listed(pairs, 6)}")

    def numbers(labels: Text) -> Labels:
        distinct, inverse = np.unique(labels, return_inverse=True)
        return np.array([place[name] for name in distinct.tolist()], np.int64)[inverse]

    return names, numbers(train), numbers(test), notes
