"""What the columns of a text file hold, and rows of numbers made of them."""

import array
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from shlex import quote
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from .header import number
from .text_rows import is_missing

__all__ = ["Column", "Parsed", "guess_kinds", "looks_like_time", "parse"]

Floats = npt.NDArray[np.float64]

#: Values of a column of text, at most, and their part of the rows, that can be categories.
MAX_CATEGORIES = 64
MAX_DISTINCT = 0.5
BLOCK = 1024
#: Of a column of numbers too, though refused there.
INFINITE = re.compile(r"[+-]?inf(inity)?\Z", re.IGNORECASE)
TRUTH = {"true": 1.0, "false": 0.0}
#: A date or a time, or both.
TIME = re.compile(r"(\d{4}[-/.]\d\d?[-/.]\d\d?|\d\d?[-/.]\d\d?[-/.]\d{2,4}|\d\d?:\d\d(:\d\d)?)"
                  r"([T ]\d\d?:\d\d.*)?\Z", re.ASCII)


@dataclass(frozen=True)
class Column:
    """A feature of a text file.

    Attributes
    ----------
    name
        In the header.
    kind
        ``number``; ``truth``: True is 1 and False is 0; ``category``: one input for each value.
    values
        Those of a category, sorted.
    """

    name: str
    kind: str = "number"
    values: tuple[str, ...] = ()

    @property
    def inputs(self) -> list[str]:
        """Names of the inputs that are made of it."""
        return [f"{self.name}={value}" for value in self.values] or [self.name]


@dataclass
class Parsed:
    """Rows of a file.

    Attributes
    ----------
    numbers
        float64 (rows, inputs) in the order of `columns`; NaN where a number is missing, and no
        category set where it is missing or unknown.
    columns
        Kinds and categories.
    texts
        Cells of the columns that were wanted as they are.
    lines
        Line of each row in the file, int64 (rows,).
    broken
        Positions in `numbers` before which a row was dropped.
    dropped
        Rows that were dropped for a missing value.
    missing
        Cells without a value in the rows that were kept, per column that has any.
    unknown
        Values of each category that are not among its values, with their rows.
    """

    numbers: Floats
    columns: list[Column]
    texts: dict[str, list[str]]
    lines: npt.NDArray[np.int64]
    broken: list[int]
    dropped: int
    missing: dict[str, int]
    unknown: dict[str, Counter[str]]


def looks_like_time(values: Iterable[str]) -> bool:
    """Whether all texts are dates or times, and there is one."""
    found = list(values)
    return bool(found) and all(map(TIME.match, found))


def guess_kinds(names: Sequence[str], rows: Sequence[Sequence[str]], decimal: str) -> list[str]:
    """``number``, ``truth`` or ``text`` for each column, from the first rows.

    Numbers are a column in which most cells are, so that the odd one out is named by its line.
    """
    kinds = []
    for i in range(len(names)):
        cells = [row[i] for row in rows if len(row) > i and not is_missing(row[i])]
        numbers = sum(number(cell, decimal) is not None or bool(INFINITE.match(cell))
                      for cell in cells)
        if cells and all(cell.lower() in TRUTH for cell in cells):
            kinds.append("truth")
        else:
            kinds.append("number" if 2 * numbers >= len(cells) else "text")
    return kinds


def parse(source: str, names: Sequence[str], rows: Iterable[tuple[int, list[str]]],
          columns: Mapping[str, Column | None], kept: Sequence[str], decimal: str,
          missing: str, needed: Sequence[str] = ()) -> Parsed:
    """Read the rows.

    Parameters
    ----------
    source
        What messages call the file.
    names
        Its columns.
    rows
        Line number and cells of each; all as long as `names`.
    columns
        The features in the order of the inputs: None for a column of text whose categories are
        to be found.
    kept
        Columns whose text is wanted.
    decimal
        The decimal mark.
    missing
        What to do with a row that lacks a number or a category: ``drop`` it, ``mean``: keep it,
        ``refuse`` it.
    needed
        Of `kept`, those in which a missing mark drops the row, unless it is refused.
    """
    where = {name: names.index(name) for name in [*columns, *kept]}
    plain = [n for n, c in columns.items() if c is not None and c.kind == "number"]
    texts: dict[str, list[str]] = {n: [] for n in [*columns, *kept] if n not in plain}
    numbers = {name: array.array("d") for name in plain}
    lines = array.array("q")
    broken: list[int] = []
    holes: Counter[str] = Counter()
    dropped = 0
    wanted = [n for n in columns if n in texts] + [n for n in needed if n not in columns]
    for block in _blocks(rows):
        cells = list(zip(*(row for _, row in block), strict=True))
        bad: set[int] = set()
        found = {}
        for name in plain:
            found[name], gaps = _numbers(source, name, cells[where[name]], block, decimal)
            bad |= gaps
            holes[name] += len(gaps)
        for name in wanted:
            gaps = {i for i, cell in enumerate(cells[where[name]]) if is_missing(cell)}
            bad |= gaps
            holes[name] += len(gaps)
        if bad and missing == "refuse":
            _refuse(source, min(bad), block, [*columns, *needed], needed, where)
        drop = (bad if missing == "drop"
                else {i for n in needed for i, c in enumerate(cells[where[n]]) if is_missing(c)})
        stay = [i for i in range(len(block)) if i not in drop]
        for i in sorted(drop):
            broken.append(len(lines) + sum(j < i for j in stay))
        dropped += len(drop)
        for name in plain:
            numbers[name].extend(found[name] if not drop else [found[name][i] for i in stay])
        for name, text in texts.items():
            text.extend(cells[where[name]] if not drop
                        else [cells[where[name]][i] for i in stay])
        lines.extend(block[i][0] for i in stay)
    line_numbers = np.array(lines, np.int64)
    whole, done, unknown = _coded(source, columns, numbers, texts, line_numbers)
    gone = {"drop": (), "refuse": ()}.get(missing, [n for n in holes if holes[n]
                                                     and n not in needed])
    return Parsed(whole, done, {n: texts[n] for n in kept}, line_numbers, broken, dropped,
                  {n: holes[n] for n in gone}, unknown)


def _coded(source: str, columns: Mapping[str, Column | None], numbers: dict[str, Any],
           texts: Mapping[str, list[str]], lines: npt.NDArray[np.int64],
           ) -> tuple[Floats, list[Column], dict[str, Counter[str]]]:
    """Inputs of the features, the features, and categories of each that are not known."""
    parts: list[Floats] = [np.zeros((len(lines), 0))]
    done: list[Column] = []
    unknown: dict[str, Counter[str]] = {}
    for name, column in columns.items():
        if name in numbers:
            values = np.array(numbers.pop(name), np.float64)
            _check_exact(source, name, values)
            parts.append(values[:, None])
            done.append(column or Column(name))
        else:
            column = column or _find_categories(source, name, texts[name], lines)
            coded, strange = _encode(column, texts[name])
            if strange:
                unknown[name] = strange
            parts.append(coded)
            done.append(column)
    return np.concatenate(parts, axis=1), done, unknown


def _blocks(rows: Iterable[tuple[int, list[str]]]) -> Iterator[list[tuple[int, list[str]]]]:
    source = iter(rows)
    while block := list(islice(source, BLOCK)):
        yield block


def _numbers(source: str, name: str, cells: Sequence[str], block: Sequence[tuple[int, Any]],
             decimal: str) -> tuple[Sequence[float], set[int]]:
    """The numbers in cells, and where one is missing (NaN there)."""
    text = "".join(cells)
    # float() takes more than a table should: 1_000, digits of other scripts, inf, nan
    if text.isascii() and "_" not in text and (decimal == "." or "." not in text):
        try:
            found = [float(c) for c in (cells if decimal == "." else
                                        [cell.replace(",", ".") for cell in cells])]
        except ValueError:
            pass
        else:
            if all(map(math.isfinite, found)):
                return found, set()
    found, gaps = [], set()
    for i, cell in enumerate(cells):
        value = number(cell, decimal)
        if value is None and is_missing(cell):
            gaps.add(i)
            value = math.nan
        elif value is None:
            hint = ("; --decimal , reads decimal commas" if decimal == "." and
                    number(cell, ",") is not None else "")
            raise BadInput(f"{source}, line {block[i][0]}, column {name!r}: {cell!r} is not a "
                           f"finite number{hint}")
        elif math.isinf(value):
            raise BadInput(f"{source}, line {block[i][0]}, column {name!r}: {cell!r} is too large "
                           f"for float64")
        found.append(value)
    return found, gaps


def _refuse(source: str, row: int, block: Sequence[tuple[int, list[str]]],
            names: Sequence[str], needed: Sequence[str], where: Mapping[str, int]) -> None:
    line, cells = block[row]
    name = next(n for n in names if is_missing(cells[where[n]]))
    if name in needed:
        raise BadInput(f"{source}, line {line}, column {name!r}: missing label "
                       f"{cells[where[name]]!r}; --missing drop leaves such rows out, --classes "
                       f"names it if it is a class")
    raise BadInput(f"{source}, line {line}, column {name!r}: missing value "
                   f"{cells[where[name]]!r}; --missing drop or mean reads such files")


def _check_exact(source: str, name: str, values: Floats) -> None:
    """Refuse numbers so large that float64 cannot tell neighbours apart."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return
    largest = float(np.abs(finite).max())
    if largest > 2.0**53 and finite.max() - finite.min() < 4096 * math.ulp(largest):
        raise BadInput(f"{source}, column {name!r}: numbers as large as {largest:g} lie too close "
                       f"together for float64; subtract their smallest, or leave the column away "
                       f"with --drop")


def _find_categories(source: str, name: str, cells: Sequence[str],
                     lines: npt.NDArray[np.int64]) -> Column:
    counts = Counter(cell for cell in cells if not is_missing(cell))
    if counts and all(value.lower() in TRUTH for value in counts):
        return Column(name, "truth")
    values = sorted(counts)
    dated = looks_like_time(values)
    kind = "dates or times" if dated else "text"
    if dated or len(values) > MAX_CATEGORIES or (len(values) > 3 and
                                                 len(values) > MAX_DISTINCT * len(cells)):
        first = next((i for i, cell in enumerate(cells) if counts.get(cell)), 0)
        raise BadInput(f"{source}, line {lines[first]}, column {name!r}: {cells[first]!r} is not a "
                       f"finite number; {kind} with {len(values)} different values in "
                       f"{len(cells)} rows cannot be categories; leave it away with "
                       f"--drop {quote(name)}")
    return Column(name, "category", tuple(values))


def _encode(column: Column, cells: Sequence[str]) -> tuple[Floats, Counter[str]]:
    """Inputs (rows, inputs) of a column of text, and values that it does not know."""
    if column.kind == "truth":
        strange = Counter(c for c in cells if c.lower() not in TRUTH and not is_missing(c)
                          and c not in ("0", "1"))
        codes = {"0": 0.0, "1": 1.0} | TRUTH
        return np.array([[codes.get(c.lower(), math.nan)] for c in cells]).reshape(-1, 1), strange
    place = {value: i for i, value in enumerate(column.values)}
    chosen = np.array([place.get(cell, -1) for cell in cells], np.int64)
    coded = np.zeros((len(cells), len(place)))
    rows = np.flatnonzero(chosen >= 0)
    coded[rows, chosen[rows]] = 1.0
    return coded, Counter(c for c in cells if c not in place and not is_missing(c))
