"""Whether the first row of a text file names the columns, and what they are called."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...errors import BadInput
from .text_rows import NUMBER, is_missing

__all__ = ["Header", "find_header", "number"]

#: For ``--header``.
CHOICES = ("auto", "yes", "no")


@dataclass(frozen=True)
class Header:
    """The columns of a file.

    Attributes
    ----------
    names
        Of the columns that are read.
    present
        Whether the first row is the header.
    cut
        Which cells of a row are read.
    width
        Cells that a row must have.
    notes
        What was left out.
    """

    names: list[str]
    present: bool
    cut: slice = field(default_factory=lambda: slice(None))
    width: int = 0
    notes: list[str] = field(default_factory=list)


def number(cell: str, decimal: str = ".") -> float | None:
    """The number in a cell, if there is one."""
    cell = cell.replace(",", ".") if decimal == "," and "." not in cell else cell
    return float(cell) if NUMBER.match(cell) else None


def find_header(path: Path, rows: Sequence[Sequence[str]], choice: str | None = None,
                decimal: str = ".", known: Sequence[str] = ()) -> Header:
    """The columns, from the first rows of a file.

    Parameters
    ----------
    path
        What messages call the file.
    rows
        Cells of the first rows.
    choice
        ``yes``, ``no`` or ``auto`` for a first row that names the columns.
    decimal
        The decimal mark.
    known
        Names that a header would have.

    Raises
    ------
    BadInput
        There is no row, a column has no name of its own, or it cannot be told whether the first
        row is a header.
    """
    if choice not in (None, *CHOICES):
        raise BadInput(f"--header must be {', '.join(CHOICES)}, not {choice!r}")
    if not rows:
        raise BadInput(f"{path} is empty; a header row or data are needed")
    first, below = rows[0], rows[1:]
    if choice in (None, "auto"):
        present = set(known) <= set(first) if known else False
        present = present or _is_header(path, first, below, decimal)
    else:
        present = choice == "yes"
    if not present:
        return Header([f"x{i + 1}" for i in range(len(first))], False, width=len(first))
    return _named(path, first, below)


def _named(path: Path, first: Sequence[str], below: Sequence[Sequence[str]]) -> Header:
    """Names from the first row, and the cells that belong to them."""
    names, cut, width, notes = list(first), slice(None), len(first), []
    if below and all(len(row) == len(first) + 1 for row in below):
        width += 1
        if any(row[-1] for row in below):
            cut = slice(1, None)
            notes.append("the first cell of each row, a row name above which the header has "
                         "nothing, is left out")
        else:
            cut = slice(None, -1)
            notes.append("the empty cell at the end of each row is left out")
    elif len(names) > 1 and not names[-1] and not any(row[-1:] != [""] for row in below):
        names, cut = names[:-1], slice(None, -1)
        notes.append("the empty last column is left out")
    if len(names) > 1 and names[0] in ("", "Unnamed: 0") and cut == slice(None):
        names, cut = names[1:], slice(1, None)
        notes.append("the first column has no name and is left out as an index")
    for i, name in enumerate(names):
        if not name:
            raise BadInput(f"{path}: column {i + 1} has no name in the header row")
    if len(set(names)) < len(names):
        twice = next(name for i, name in enumerate(names) if name in names[:i])
        raise BadInput(f"{path}: two columns have the name {twice!r}")
    return Header(names, True, cut, width, notes)


def _is_header(path: Path, first: Sequence[str], below: Sequence[Sequence[str]],
               decimal: str) -> bool:
    """Whether the first row differs from the ones below as names differ from values.

    A text above numbers speaks for a header, a text that occurs again below against it, and beside
    the former one that does not occur again above values that do. If all that could tell are
    numbers above numbers, then they are names if they count the columns, rise and lie far outside
    of what is below, or rise evenly where one lies far outside or a text does not occur again;
    they are values if most of them lie inside and nothing of that is so.
    """
    if not below or all(len(row) == len(first) + 1 for row in below):
        return not all(number(cell, decimal) is not None for cell in first) or bool(below)
    names = again = alone = clear = 0
    heads: list[float] = []
    inside = far = 0
    for i, cell in enumerate(first):
        values = [row[i] for row in below if len(row) > i and not is_missing(row[i])]
        numbers = [number(value, decimal) for value in values]
        found = [n for n in numbers if n is not None]
        head = number(cell, decimal)
        if not values or (not cell and i):
            continue
        if not cell:
            names += _counts(found, (0, 1))
        elif is_missing(cell):
            continue
        elif len(found) == len(values):
            if head is None:
                names += 1
            else:
                heads.append(head)
                low, high = min(found), max(found)
                inside += low <= head <= high
                far += not 2 * low - high <= head <= 2 * high - low
        elif head is not None and not found:
            alone += 1
            heads.append(head)
        elif head is None:
            again += cell in values
            alone += cell not in values
            clear += cell not in values and 2 * len(set(values)) <= len(values)
    if names and names + clear != again or not names and again:
        return names + clear > again if names else False
    if not names:
        steps = [b - a for a, b in zip(heads, heads[1:], strict=False)]
        even = len(steps) > 1 and steps[0] > 0 and max(steps) - min(steps) < 1e-6 * steps[0]
        if not heads or len(heads) > 1 and (_counts(heads, (0,)) or alone and _counts(heads, (1,))):
            return True
        rising = bool(steps) and min(steps) > 0
        if rising and (far == len(heads) or even and (alone or far)):
            return True
        if inside > 0.5 * len(heads) and not _counts(heads, (1,)) and not (
                rising and (alone or far or even)):
            return False
    shown = ", ".join(first[:4]) + (", ..." if len(first) > 4 else "")
    raise BadInput(f"{path}: the first row ({shown}) may be a header or data; "
                   f"give --header yes or --header no")


def _counts(values: Sequence[float], starts: Sequence[int]) -> bool:
    """Whether they are s, s + 1, s + 2, ... of one of the starts."""
    return any(list(values) == [s + i for i in range(len(values))] for s in starts)
