"""How a data set is read and split: the options of every command that reads one."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from ...errors import BadInput
from ...option import with_options
from .columns import Column
from .header import CHOICES
from .row_options import MISSING_RULES, READING, SPLITS
from .text_rows import DECIMALS, parse_delimiter

__all__ = ["Layout", "Reading"]


@dataclass(frozen=True)
@with_options(READING)
class Reading:
    """The options; None stands for the default.

    A label's or a column's number is from 1, or from the end with a minus. `window` is (rows,
    stride). With `balance` training rows of a class are shown as many times as the largest class
    has rows for one of its own, rounded, at most 100 times.

    Parameters
    ----------
    """

    #: Options of text files alone.
    TEXT_ONLY = ("label", "header", "delimiter", "decimal", "drop")

    def __post_init__(self) -> None:
        parse_delimiter(self.delimiter)
        for name, choices in (("header", CHOICES), ("decimal", ("auto", *DECIMALS)),
                              ("missing", MISSING_RULES)):
            value = getattr(self, name)
            if value is not None and value not in choices:
                raise BadInput(f"--{name} must be {', '.join(choices[:-1])} or {choices[-1]}, "
                               f"not {value!r}")
        if self.split is not None and self.split not in SPLITS[:3] and not (
                self.split.startswith("group:") and self.split[6:]):
            raise BadInput(f"--split must be {', '.join(SPLITS[:-1])} or {SPLITS[-1]}, "
                           f"not {self.split!r}")
        if isinstance(self.split_seed, bool) or not 0 <= self.split_seed < 2**64:
            raise BadInput(f"--split-seed must be an integer from 0 to 2^64 - 1, "
                           f"not {self.split_seed!r}")
        if self.split_seed and self.split_rule == "ordered":
            raise BadInput(f"--split-seed {self.split_seed} is of random splits; with --split "
                           f"ordered{'' if self.split else ', as --window has it,'} the last rows "
                           f"are split off")
        if self.classes is not None:
            if len(self.classes) < 2 or "" in self.classes:
                raise BadInput(f"--classes must be at least two names separated by commas, "
                               f"not {','.join(self.classes)!r}")
            if len(set(self.classes)) < len(self.classes):
                twice = next(c for i, c in enumerate(self.classes) if c in self.classes[:i])
                raise BadInput(f"--classes names {twice!r} twice")
        if self.window is not None and not (len(self.window) == 2 and min(self.window) >= 1):
            raise BadInput(f"--window must be N or N,STRIDE, integers above 0, "
                           f"not {','.join(map(str, self.window))!r}")

    @property
    def group(self) -> str | None:
        """The column whose equal values are not split."""
        return self.split[6:] if self.split and self.split.startswith("group:") else None

    @property
    def split_rule(self) -> str:
        """How rows are split."""
        return self.split or ("ordered" if self.window else "random")


@dataclass(frozen=True)
class Layout:
    """What a text file was like when a model was trained on it, so that others are read alike.

    Attributes
    ----------
    columns
        The features in the order of the inputs.
    label, group
        Names of the columns of labels and of groups, if there are such.
    order
        All columns that were read, as in the file.
    header
        Whether it had a header.
    missing
        What was done with rows that lack a value.
    fill
        What stands in for a missing value, for each input; None if nothing does.
    window
        (rows, stride) of a window that is one sample.
    """

    columns: tuple[Column, ...]
    label: str | None
    order: tuple[str, ...]
    header: bool = True
    group: str | None = None
    missing: str = "refuse"
    fill: tuple[float, ...] | None = field(default=None)
    window: tuple[int, int] | None = None

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs of one row."""
        return tuple(name for column in self.columns for name in column.inputs)

    def as_json(self) -> dict[str, Any]:
        """The record in JSON types."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Layout":
        """The inverse of `as_json`."""
        values = {f.name: stored[f.name] for f in fields(cls) if f.name in stored}
        values = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        values["columns"] = tuple(Column(c["name"], c["kind"], tuple(c["values"]))
                                  for c in stored["columns"])
        return cls(**values)
