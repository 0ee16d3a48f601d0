"""Tables of numbers with labels from text files, checked cell by cell."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from shlex import quote
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from .columns import Column, Parsed, guess_kinds, parse
from .header import Header, find_header
from .labels import choose_label, listed
from .reading import Layout, Reading
from .text_rows import find_dialect, parse_delimiter, read_rows

__all__ = ["TEXT_SUFFIXES", "Table", "read_csv"]

Array = npt.NDArray[Any]
Text = npt.NDArray[np.str_]

#: Of text files with a row a line.
TEXT_SUFFIXES = (".csv", ".tsv")
BY_PLACE = "columns are taken by their place, as one of the files has no header"
#: Rows that decide what a column holds.
SAMPLE = 1000


@dataclass(frozen=True, eq=False)
class Table:
    """Rows of one file.

    Attributes
    ----------
    source
        What the messages call it.
    values
        Numbers (rows, inputs) of any real dtype; NaN where one is missing.
    labels
        Text (rows,), integers in plain decimal; empty where the rows have no labels.
    columns
        Names of the inputs, None where the file has none.
    image_shape
        (rows, columns) of an image that was flattened row-major, or None.
    label_column, label_reason
        Name of the column or array of labels, and why it is that one.
    layout
        How a text file was read.
    groups
        Text (rows,) of the column that groups rows, if one was asked for.
    lines
        int64 (rows,): the number of each row in the file, from 0.
    starts
        int64, rising: positions at which no row continues the one before, as some were dropped.
    dropped
        Rows that were left out for a missing value.
    notes, warnings
        What is worth knowing about the file, and what is likely wrong.
    """

    source: str
    values: Array
    labels: Text
    columns: tuple[str, ...] | None = None
    image_shape: tuple[int, int] | None = None
    label_column: str | None = None
    label_reason: str = ""
    layout: Layout | None = None
    groups: Text | None = None
    starts: npt.NDArray[np.int64] | None = None
    dropped: int = 0
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Plan:
    """Which columns of a file are read, and as what."""

    columns: dict[str, Column | None]
    label: str | None
    reason: str
    group: str | None
    notes: list[str]


def read_csv(path: Path, reading: Reading | None = None, layout: Layout | None = None,
             labelled: bool = True) -> Table:
    """The rows of a text file.

    Parameters
    ----------
    path
        Cells separated by commas, semicolons, tabs or pipes; blank lines are ignored. The rules
        are in ``docs/data.md``.
    reading
        The options.
    layout
        That of the file whose features these rows are to have, in any order; other columns are
        left out.
    labelled
        Whether the rows must have labels.

    Raises
    ------
    BadInput
        One line that names the line and column, the value and the rule.
    """
    reading = reading or Reading()
    dialect = find_dialect(path, parse_delimiter(reading.delimiter), reading.decimal)
    rows = read_rows(path, dialect)
    sample = list(islice(rows, SAMPLE))
    known = [column.name for column in layout.columns] if layout else []
    header = find_header(path, [cells for _, cells in sample], reading.header, dialect.decimal,
                         known if layout and layout.header else [])
    if layout is not None and (not header.present or not layout.header):
        header = _by_place(path, header, layout)
    body = list(_checked(path, header, sample[1:] if header.present else sample))
    if not body:
        raise BadInput(f"{path} has a header row and no data")
    kinds = guess_kinds(header.names, [cells for _, cells in body], dialect.decimal)
    plan = (_plan_alike(path, header.names, reading, layout, labelled) if layout else
            _plan(path, header.names, kinds, reading, labelled))
    needed = [name for name in (plan.label, plan.group) if name is not None]
    missing = reading.missing or (layout.missing if layout else "refuse")
    # a missing mark among the labels may be a class that --classes names
    checked = [n for n in needed if n != plan.label or not reading.classes]
    parsed = parse(str(path), header.names, chain(body, _checked(path, header, rows)),
                   plan.columns, needed, dialect.decimal, missing, checked)
    if not len(parsed.numbers):
        raise BadInput(f"{path}: all {parsed.dropped} rows lack a value")
    found = Layout(tuple(parsed.columns), plan.label, tuple(header.names), header.present,
                   plan.group, missing, layout.fill if layout else None,
                   layout.window if layout else reading.window)
    notes = [*dialect.notes(), *header.notes, *plan.notes, *_notes(parsed, header)]
    warnings = _unknown(path, parsed, layout) + ([] if layout else _indices(parsed))
    return Table(
        str(path), parsed.numbers, np.array(parsed.texts.get(plan.label or "", []), np.str_),
        found.inputs, None, plan.label, plan.reason, found,
        np.array(parsed.texts[plan.group]) if plan.group else None,
        np.array(sorted(set(parsed.broken)), np.int64), parsed.dropped, tuple(notes),
        tuple(warnings))


def _checked(path: Path, header: Header, rows: "Iterator[tuple[int, list[str]]] | list[Any]",
             ) -> Iterator[tuple[int, list[str]]]:
    """The cells that are read of rows that have as many as they must."""
    for line, cells in rows:
        if len(cells) != header.width:
            what = "the header has" if header.present else "the first row has"
            raise BadInput(f"{path}, line {line}: {what} {len(header.names)} columns, "
                           f"this row {len(cells)}")
        yield line, cells[header.cut]


def _by_place(path: Path, header: Header, layout: Layout) -> Header:
    """The names of another file's columns for one of the two that has no header."""
    features = [column.name for column in layout.columns]
    if header.present and set(features) <= set(header.names):
        return header
    for names in (list(layout.order), [n for n in layout.order if n != layout.label], features):
        if len(names) == len(header.names):
            return Header(names, header.present, header.cut, header.width,
                          [*header.notes, BY_PLACE])
    raise BadInput(f"{path} has {len(header.names)} columns and no names to tell them by; the "
                   f"training data have {len(layout.order)}: {listed(layout.order)}")


def _plan(path: Path, names: list[str], kinds: Sequence[str], reading: Reading,
          labelled: bool) -> _Plan:
    if len(names) < 2 and labelled:
        raise BadInput(f"{path} has the single column {names[0]!r}; a label and at least one "
                       f"feature are needed; --delimiter tells what separates them")
    for name in (*reading.drop, reading.group):
        if name is not None and name not in names:
            raise BadInput(f"{path} has no column {name!r}; its columns are {listed(names)}")
    left = [n for n in names if n not in reading.drop]
    if not left:
        raise BadInput(f"{path}: --drop leaves no column")
    label, reason = None, ""
    if labelled:
        wanted = _named(names, reading.label)
        if wanted is not None and wanted == reading.group:
            raise BadInput(f"{path}: --split group:{wanted} is the label; groups must be of "
                           f"another column")
        free = [n for n in left if n != reading.group]
        place, reason = choose_label(str(path), free or left, wanted)
        label = (free or left)[place]
    columns = {name: (None if kind == "text" else Column(name, kind))
               for name, kind in zip(names, kinds, strict=True)
               if name in left and name not in (label, reading.group)}
    if not columns:
        raise BadInput(f"{path} has no feature beside the label {label!r}")
    notes = [f"left out as told: {listed(reading.drop)}"] if reading.drop else []
    return _Plan(columns, label, reason, reading.group, notes)


def _named(names: Sequence[str], label: str | None) -> str | None:
    """A label that was told by its place in the file, by its name."""
    if label is None or label in names or not label.lstrip("-").isdigit():
        return label
    place = int(label)
    return names[place - 1 if place > 0 else place] if 1 <= abs(place) <= len(names) else label


def _plan_alike(path: Path, names: list[str], reading: Reading, layout: Layout,
                labelled: bool) -> _Plan:
    columns: dict[str, Column | None] = {column.name: column for column in layout.columns}
    lacking = [name for name in columns if name not in names]
    if lacking:
        raise BadInput(f"{path} lacks the column {lacking[0]!r}; needed are "
                       f"{listed(list(columns))}")
    label = None
    if labelled:
        label = _named(names, reading.label) or layout.label
        label = names[choose_label(str(path), names, label)[0]]
    group = next((g for g in (reading.group, layout.group) if g in names), None)
    extra = [n for n in names if n not in columns and n not in (label, group, layout.label)]
    notes = [f"columns the model does not use: {listed(extra, 5)}"] if extra else []
    place = [names.index(name) for name in columns]
    if place != sorted(place):
        notes.append("columns are in another order than in training; they go by their names")
    return _Plan(columns, label, "as in training" if reading.label is None else "as told", group,
                 notes)


def _notes(parsed: Parsed, header: Header) -> list[str]:
    found = [] if header.present else ["no header; the first row is data"]
    coded = [f"{c.name} ({len(c.values)})" for c in parsed.columns if c.kind == "category"]
    if coded:
        found.append(f"text columns, an input for each value: {listed(coded, 8)}")
    truth = [c.name for c in parsed.columns if c.kind == "truth"]
    if truth:
        found.append(f"True is read as 1, False as 0 in {listed(truth, 8)}")
    for name, count in parsed.missing.items():
        if count:
            found.append(f"column {name!r} lacks {count} values")
    return found


def _unknown(path: Path, parsed: Parsed, layout: Layout | None) -> list[str]:
    found = []
    for name, values in parsed.unknown.items():
        rows, word = sum(values.values()), next(iter(values))
        column = next(c for c in parsed.columns if c.name == name)
        if column.kind == "truth":
            raise BadInput(f"{path}, column {name!r}: {word!r} is neither True nor False")
        found.append(f"column {name!r} has values unknown from training in {rows} rows, as "
                     f"{word!r}")
    return found


def _indices(parsed: Parsed) -> list[str]:
    """Features that only count the rows."""
    found, place = [], 0
    for column in parsed.columns:
        values = parsed.numbers[:, place]
        place += len(column.inputs)
        if column.kind == "number" and len(values) > 9 and (np.diff(values) == 1).all():
            found.append(f"column {column.name!r} only counts the rows; --drop "
                         f"{quote(column.name)} leaves it out")
    return found
