"""Which column is the label, whether its values can be classes, and spellings of one class."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from .columns import looks_like_time
from .text_rows import NUMBER, is_missing

__all__ = ["choose_label", "listed", "match_labels", "missing_labels", "near_spellings",
           "sorted_labels", "suspicion"]

Text = npt.NDArray[np.str_]

#: Names that say what a column is, in lower case.
LABEL_NAMES = frozenset(("label", "labels", "class", "classes", "target", "targets", "class_label",
                         "classlabel", "target_class"))
#: A hyphen between two letters.
BETWEEN = re.compile(r"(?<=[^\W\d])-(?=[^\W\d])")
#: Different values above which a label is looked at more closely.
MANY = 20


def listed(names: Sequence[str], most: int = 20) -> str:
    """Names in one line, the first ones if there are many."""
    shown = ", ".join(" ".join(name.split()) for name in names[:most])
    return shown if len(names) <= most else f"{shown}, ... ({len(names)} in all)"


def choose_label(source: str, names: Sequence[str], wanted: str | None,
                 ) -> tuple[int, str]:
    """The number of the label column, and why it is that one.

    Raises
    ------
    BadInput
        There is no such column, or two have names that say label.
    """
    if wanted is not None:
        if wanted in names:
            return names.index(wanted), "as told"
        raise BadInput(f"{source} has no column {wanted!r}; its columns are {listed(names)}")
    lower = [name.lower() for name in names]
    named = [i for i, name in enumerate(lower) if name in LABEL_NAMES]
    if not named and "x" not in lower:  # y beside x is a coordinate
        named = [i for i, name in enumerate(lower) if name == "y"]
    if len(named) > 1:
        raise BadInput(f"{source} has {len(named)} columns that may be the label by their names: "
                       f"{listed([names[i] for i in named])}; give --label, and --drop for the "
                       f"others")
    if named:
        return named[0], "by its name"
    return len(names) - 1, "the last column"


def suspicion(labels: Iterable[str]) -> str | None:
    """Why values look like no classes; None if they do not.

    Measured numbers, dates, and more than 20 different values of which most occur hardly more
    than once, or as few as that in a long file; numbers also if they are more than 20 without
    being 0 or 1 to N.
    """
    counts = Counter(labels)
    values, rows = list(counts), sum(counts.values())
    if looks_like_time(values):
        return f"dates or times ({values[0]})"
    numbers = [float(value) for value in values if NUMBER.match(value)]
    numeric = len(numbers) == len(values) and bool(values)
    broken = [value for value in values if NUMBER.match(value) and float(value) % 1]
    if numeric and broken:
        return f"measured numbers ({broken[0]})"
    rare = sum(count <= 2 for count in counts.values())
    once = sum(count == 1 for count in counts.values())
    if len(values) > MANY and 2 * rare > len(values):
        return f"{len(values)} different values, {rare} of them in one or two rows each"
    if numeric and len(values) > 3 and 2 * once > len(values) and rows > 5 * len(values):
        return f"numbers, {once} of {len(values)} in a single row each"
    whole = sorted(numbers)
    if numeric and len(values) > MANY and whole not in (
            [float(i + start) for i in range(len(whole))] for start in (0, 1)):
        return f"{len(values)} different numbers that do not count classes"
    return None


def match_labels(found: Sequence[str], known: Sequence[str]) -> dict[str, str]:
    """What labels that are spelled otherwise stand for among the known ones.

    Tried in this order, each for what is still unknown: the same number (1.0, 01); True and False
    for 1 and 0, and back; the same word but for case, blanks, ``_`` or ``-`` for one, quotes, and
    a point at the end.
    Nothing is matched that fits two known labels.

    Returns
    -------
    A known label for each found one that is not known itself; what has none is left out.
    """
    matched: dict[str, str] = {}
    for key in (_as_number, _as_truth, _as_word):
        places = _by_key(known, key)
        for label in found:
            if label in known or label in matched:
                continue
            fitting = places.get(key(label) or "", [])
            if len(fitting) == 1:
                matched[label] = fitting[0]
    return matched


def near_spellings(labels: Sequence[str]) -> list[list[str]]:
    """Groups of labels that differ only in how they are spelled."""
    groups = [group for key in (_as_number, _as_word) for group in _by_key(labels, key).values()
              if len(group) > 1]
    return [group for i, group in enumerate(groups) if group not in groups[:i]]


def sorted_labels(labels: Sequence[str]) -> list[str]:
    """In the order of the numbers if all are numbers, else by code point."""
    if all(NUMBER.match(label) for label in labels):
        return sorted(labels, key=lambda label: (Decimal(label), label))
    return sorted(labels)


def missing_labels(labels: Text) -> list[str]:
    """Those that are marks of a missing value."""
    return [label for label in np.unique(labels).tolist() if is_missing(label)]


def _by_key(labels: Sequence[str], key: Callable[[str], str | None]) -> dict[str, list[str]]:
    places: dict[str, list[str]] = {}
    for label in labels:
        if (found := key(label)) is not None:
            places.setdefault(found, []).append(label)
    return places


def _as_number(label: str) -> str | None:
    return str(Decimal(label).normalize()) if NUMBER.match(label) else None


def _as_truth(label: str) -> str | None:
    word = label.lower()
    if word in ("true", "false"):
        return word
    number = _as_number(label)
    return {"0": "false", "1": "true"}.get(number or "")


def _as_word(label: str) -> str | None:
    plain = BETWEEN.sub(" ", unicodedata.normalize("NFKC", label).replace("_", " "))
    return " ".join(plain.split()).strip("'\"").rstrip(".").casefold() or None
