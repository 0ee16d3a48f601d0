"""What was read: the short block that each command prints first, and its JSON object."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["CLIPPED", "Summary", "clip_warning", "entry", "one_class_warning"]

#: Part of the inputs outside the training range above which something is likely wrong.
CLIPPED = 0.05
WIDTH = 79
SHOWN = 12


@dataclass(frozen=True)
class Summary:
    """What was read from a data set, and how.

    Attributes
    ----------
    name
        Of the data set or file.
    rows, dropped
        Rows that are used and rows left out for a missing value, of all files.
    features
        Inputs of a row, before any coding.
    label, label_reason
        Name of the column or array of labels, and why it is that one; None without labels.
    classes
        Rows of each class, in the order of the outputs.
    parts
        Rows of each part: training, test, validation.
    split
        How the parts came about.
    outside
        Part of the inputs of the test rows, or of other `judged` ones, outside the range of the
        training rows; None without such rows.
    judged
        Which rows those are.
    notes, warnings
        What is worth knowing, and what is likely wrong.
    """

    name: str
    rows: int
    features: int
    dropped: int = 0
    label: str | None = None
    label_reason: str = ""
    classes: Mapping[str, int] = field(default_factory=dict)
    parts: Mapping[str, int] = field(default_factory=dict)
    split: str = ""
    outside: float | None = None
    judged: str = "the test rows"
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """The block, in lines of at most 79 characters where words allow it."""
        text = f"{self.name}: {_count(self.rows, 'row')} used"
        text += f", {self.dropped:,} dropped" if self.dropped else ""
        text += f"; {_count(self.features, 'feature')}"
        found = entry("data", text)
        if self.label is not None:
            found += entry("label", f"{self.label!r}, {self.label_reason}")
        if self.classes:
            counts = [f"{' '.join(name.split())} {rows:,}" for name, rows in self.classes.items()]
            if len(counts) > SHOWN:
                counts = [*counts[:SHOWN - 1], "..."]
            found += entry("classes", f"{len(self.classes)}: {', '.join(counts)}")
        if self.parts:
            parts = ", ".join(f"{rows:,} {part}" for part, rows in self.parts.items())
            found += entry("rows", f"{parts}{f' ({self.split})' if self.split else ''}")
        if self.outside is not None:
            found += entry("range", f"{_share(self.outside)} of the inputs of {self.judged} lie "
                                     f"outside the range of the training rows")
        for note in self.notes:
            found += entry("note", note)
        for warning in self.warnings:
            found += entry("warning", warning)
        return found

    def as_json(self) -> dict[str, Any]:
        """The same as an object of JSON types."""
        return {"name": self.name, "rows": self.rows, "dropped": self.dropped,
                "features": self.features, "label": self.label,
                "label_reason": self.label_reason or None, "classes": dict(self.classes),
                "parts": dict(self.parts), "split": self.split or None, "outside": self.outside,
                "notes": list(self.notes), "warnings": list(self.warnings)}


def clip_warning(outside: float) -> str:
    """A warning of inputs outside the training range."""
    return (f"{100 * outside:.0f} % of the inputs lie outside the range of the training rows and "
            f"are clipped to it: are they in the same unit?")


def one_class_warning(predicted: Sequence[str], classes: int) -> str | None:
    """A warning where the predictions of several rows are one class of several."""
    if len(predicted) > 9 and classes > 1 and len(set(predicted)) == 1:
        return (f"all {len(predicted):,} rows are predicted as {predicted[0]!r}: are the numbers "
                f"on the scale of the training rows, and the features the same?")
    return None


def entry(name: str, text: str) -> list[str]:
    """Lines of one entry of the block."""
    return textwrap.wrap(" ".join(text.split()), WIDTH, initial_indent=f"{name:8} ",
                         subsequent_indent=" " * 9, break_long_words=False,
                         break_on_hyphens=False)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _share(part: float) -> str:
    return f"{100 * part:.1f} %" if part >= 0.0005 or not part else "under 0.1 %"
