"""Data sets as the networks see them: split, scaled to bit planes, labels numbered.

The order of the steps, each over the rows that the one before left:

1. rows that lack a value are dropped, if so told, and windows made;
2. training and test rows: the data set's own, those of a test file, or `splits.split`;
3. classes: the sorted distinct labels of the training rows, or those told;
4. missing values are filled in, if so told, and coding: ranges, means and quantiles fitted to all
   training rows;
5. validation rows: `splits.split` again, over the training rows numbered from 0 in file order;
6. the limit: the first N of the remaining training rows; rows of rare classes repeated;
7. coding: inputs selected by these rows.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from .codings.coding import Coding
from .codings.spec import fit
from .dataset import Dataset, Indices, Labels, Rows
from .features import scale_warnings
from .label_checks import check_labels, check_scale, number_labels
from .reading import Layout, Reading
from .scaling import Scaling, check_planes
from .sources import Source, read_source
from .splits import split, windows
from .summary import Summary
from .tables import Table

__all__ = ["Dataset", "Rows", "balanced", "load"]

#: Most that a training row is repeated.
REPEATS = 100


@dataclass(frozen=True, eq=False)
class _Wanted:
    """What `load` is asked for, beside where the rows come from."""

    test: str | Path | None
    test_fraction: float
    planes: int
    limit: int | None
    val_fraction: float | None
    encode: str | None
    coding: Coding | None
    class_names: Sequence[str] | None
    reading: Reading
    layout: Layout | None
    limits: Scaling | None
    whole: bool


def load(name: str, *, data_dir: str | Path | None = None, label: str | None = None,
         test: str | Path | None = None, test_fraction: float = 0.2, planes: int | None = None,
         limit: int | None = None, val_fraction: float | None = None,
         encode: str | None = None, coding: Coding | None = None,
         class_names: Sequence[str] | None = None,
         reading: Reading | None = None, layout: Layout | None = None,
         limits: Scaling | None = None, whole: bool = False) -> Dataset:
    """Load a data set by name or file; the rules of files are in ``docs/data.md``.

    Parameters
    ----------
    name
        ``digits``, one of `idx_names.IMAGE_SETS`, or a .npz, .csv or .tsv file.
    data_dir
        Folder of the IDX files, for `idx_names.IMAGE_SETS` only.
    label
        Label column, for a text file only; in place of that of `reading`.
    test
        File with the test rows, for a file only.
    test_fraction
        Part of the rows that becomes the test set, where there is no test set already.
    planes
        Bits of an input, 1 to 8, if it is one a feature; by default 1 for
        `idx_names.IMAGE_SETS`, 4 for everything else.
    limit
        Training rows kept, the first ones; by default all.
    val_fraction
        Part of the training rows that is held back for validation; None or 0 for none.
    encode
        The coding, see `tritgrad.host.data.codings.spec`; by default ``planes``.
    coding, class_names, layout, limits
        Those of a trained model, in place of what the data would give; labels that the model
        does not know are refused. `limits` are the range that inputs are reported against.
    reading
        How files are read and rows split.
    whole
        Whether all rows are looked at: no test rows are needed, and none is left out.

    Raises
    ------
    BadInput
        One line that names the option, file or cell, its value and the rule.
    """
    if limit is not None and (isinstance(limit, bool) or limit < 1):
        raise BadInput(f"limit must be at least 1, not {limit!r}")
    reading = _completed(reading or Reading(), label, layout)
    source = read_source(name, data_dir, reading, test, layout)
    return _made(source, _Wanted(
        test, test_fraction, check_planes(source.planes if planes is None else planes), limit,
        val_fraction, encode, coding, class_names, reading, layout, limits, whole))


def _made(source: Source, w: _Wanted) -> Dataset:
    """The data set of what was read."""
    reading, whole = w.reading, w.whole
    tables = [source.train, *([source.test] if source.test else [])]
    notes = [note for table in tables for note in table.notes]
    warnings = [warning for table in tables for warning in table.warnings]
    if source.test is not None:
        check_scale(source.train, source.test)
    if w.class_names is None and source.class_names is None:
        warnings += check_labels(source.train, reading)
    tables, made = _windowed(tables, reading)
    train, notes = tables[0], notes + made

    rows, held = np.arange(len(train.values)), None
    if source.test is None:
        rows, held = _split(train, rows, w.test_fraction, "test_fraction", "test", reading, whole)
        test_values, test_labels = train.values[held], train.labels[held]
    else:
        test_values, test_labels = tables[1].values, tables[1].labels
    values = train.values[rows]
    names, y_train, y_test, spelled = number_labels(
        train.source, train.labels[rows], tables[-1].source, test_labels,
        w.class_names or reading.classes, source.class_names, model=w.class_names is not None)
    fill = _fill(train, values, w.layout)
    if fill is not None:
        values, test_values = (np.where(np.isnan(v), fill, v) for v in (values, test_values))
    chosen, back, y_val = np.arange(len(rows)), None, None
    if w.val_fraction:
        chosen, back = _split(train, rows, w.val_fraction, "val_fraction", "validation", reading,
                              False)
        y_val = y_train[back]
    chosen = chosen[:w.limit]
    if reading.balance:
        chosen = balanced(chosen, y_train[chosen])
        notes.append("training rows of rare classes are repeated, as --balance says")
    numbers = Rows(
        values, test_values, chosen, back, source.scaling,
        train.groups[rows] if reading.group and train.groups is not None else None,
        train.starts[rows] if reading.window and train.starts is not None else None,
        reading.window[0] if reading.window else 1)
    rows, y_train = rows[chosen], y_train[chosen]
    coding = w.coding or fit(w.encode or "planes", values, chosen, scaling=source.scaling,
                             image_shape=train.image_shape, planes=w.planes)

    limits = w.limits or source.scaling or Scaling.fit(values)
    judged = np.concatenate([values, test_values]) if whole else test_values
    if w.class_names is None:
        warnings += _lonely(names, y_train, reading)
    parts = {"training": len(rows), "test": len(test_values)} | (
        {} if back is None else {"validation": len(back)})
    summary = Summary(
        source.name, len(values) + len(test_values), values.shape[1],
        sum(table.dropped for table in tables), train.label_column, train.label_reason,
        _counts(names, [y_train, y_test] if y_val is None else [y_train, y_val, y_test]),
        {} if whole else parts, "" if whole else _origin(source, w.test, reading, w.test_fraction),
        limits.outside(judged), "these rows" if whole else "the test rows",
        tuple(dict.fromkeys([*notes, *spelled])),
        tuple(dict.fromkeys(warnings + scale_warnings(judged, limits,
                                                      None if whole else len(values)))))
    return Dataset(
        name=source.name, x_train=coding.apply(values[chosen]), y_train=y_train,
        x_test=coding.apply(test_values), y_test=y_test,
        x_val=None if back is None else coding.apply(values[back]), y_val=y_val,
        class_names=names, coding=coding, image_shape=train.image_shape, columns=train.columns,
        train_rows=rows, rows=numbers,
        test_rows=held, summary=summary, limits=limits,
        layout=None if train.layout is None else replace(
            train.layout, fill=None if fill is None else tuple(fill.tolist()),
            window=reading.window or train.layout.window))


def _completed(reading: Reading, label: str | None, layout: Layout | None) -> Reading:
    """With a label's name, and with the windows of the training."""
    if label is not None:
        reading = replace(reading, label=label)
    if layout is not None and reading.window is None:
        reading = replace(reading, window=layout.window)
    return reading


def _windowed(tables: list[Table], reading: Reading) -> tuple[list[Table], list[str]]:
    if reading.window is None:
        return tables, []
    rows, stride = reading.window
    if stride < rows and reading.split_rule in ("random", "stratified"):
        raise BadInput(f"windows of {rows} rows every {stride} overlap, and --split "
                       f"{reading.split_rule} would put parts of one into training and test; give "
                       f"--split ordered or group:COL, or a stride of {rows}")
    made, notes = [], []
    for table in tables:
        if table.image_shape is not None:
            raise BadInput(f"--window is for rows of features; {table.source} has images")
        found, first, changed = windows(table, rows, stride)
        made.append(replace(found, starts=first))
        notes.append(f"{len(first):,} windows of {rows} rows, one every {stride}" +
                     (f"; {changed:,} in which the label changes left out" if changed else ""))
    return made, notes


def _split(table: Table, rows: Indices, fraction: float, option: str, part: str,
           reading: Reading, whole: bool) -> tuple[Indices, Indices]:
    """Positions in `rows` that stay and those of the held-back part, both rising."""
    if not 0 < fraction < 1:
        raise BadInput(f"{option} must be above 0 and below 1, not {fraction!r}")
    groups = table.groups[rows] if reading.group and table.groups is not None else None
    kept, held = split(len(rows), fraction, reading.split_rule, reading.split_seed,
                       table.labels[rows], groups)
    ordered = reading.split_rule == "ordered" and len(held) > 0
    if ordered and not whole and reading.window and table.starts is not None:
        # windows of the training part end before those of the test part begin
        first = table.starts[rows][held[0]]
        kept = kept[table.starts[rows][kept] + reading.window[0] <= first]
    if not len(held) and not whole:
        raise BadInput(f"{option} {fraction!r} of {len(rows)} rows leaves no {part} row")
    return kept, held


def _fill(table: Table, values: npt.NDArray[Any],
          layout: Layout | None) -> npt.NDArray[np.float64] | None:
    """What stands in for missing values of each input; None if nothing does."""
    if table.layout is None or table.layout.missing != "mean":
        return None
    if layout is not None:
        if layout.fill is None:
            raise BadInput(f"{table.source}: --missing mean needs a model that was trained with it")
        return np.array(layout.fill)
    empty = np.isnan(values).all(axis=0)
    if empty.any():
        name = (table.columns or ())[int(np.argmax(empty))]
        raise BadInput(f"{table.source}: no training row has a value in column {name!r}; leave it "
                       f"away with --drop")
    found: npt.NDArray[np.float64] = np.nanmean(values, axis=0)
    return found


def balanced(rows: Indices, labels: Labels) -> Indices:
    """The rows, those of rare classes repeated up to the largest class, `REPEATS` times at most."""
    counts = np.bincount(labels)
    times = np.clip((counts.max() + counts // 2) // np.maximum(counts, 1), 1, REPEATS)
    return np.repeat(rows, times[labels])


def _lonely(names: Sequence[str], y_train: Labels, reading: Reading) -> list[str]:
    """A warning of classes that no training row has."""
    counts = np.bincount(y_train, minlength=len(names))
    none = [name for name, count in zip(names, counts, strict=True) if not count]
    if not none or reading.classes:
        return []
    return [f"no training row is of the class {', '.join(none[:5])}"]


def _counts(names: Sequence[str], numbers: Sequence[Labels]) -> dict[str, int]:
    counted: Counter[int] = Counter()
    for part in numbers:
        counted.update(part.tolist())
    return {name: counted[i] for i, name in enumerate(names)}


def _origin(source: Source, test: str | Path | None, reading: Reading, fraction: float) -> str:
    if test is not None:
        return f"test rows of {Path(test).name}"
    if source.test is not None:
        return "its own test rows"
    rule = reading.split_rule
    how = {"random": f"at random, seed {reading.split_seed}",
           "stratified": f"at random in each class, seed {reading.split_seed}",
           "ordered": "the last rows"}.get(rule, f"whole groups of {reading.group!r}")
    return f"{fraction:g} of the rows held back: {how}"
