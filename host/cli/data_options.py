"""Options of all commands that read data, and the block that says what was read."""

from collections.abc import Mapping
from typing import Any

import click

from ...errors import BadInput
from ..data.row_options import READING, SOURCES
from ..data.summary import Summary, entry
from .console import say, screen
from .made import made, stack, values_of

__all__ = ["data_options", "feature_options", "reading_values", "rows_options", "show_data",
           "show_warning"]

#: How a text file of features is read.
feature_options = stack(*(made(o) for o in READING
                          if o.name in ("header", "delimiter", "decimal", "missing")))

data_options = stack(*(made(o) for o in (*SOURCES, *READING)
                       if o.name in ("data_dir", "label", "test")), feature_options)

#: For what is done with rows of the data that a model was trained on.
rows_options = stack(
    data_options,
    click.option("--test-fraction", type=float, metavar="F",
                 help="Say again which part of the rows was held back for the test. Another part "
                      "than in training is refused.  [default: as in training]"),
)


def reading_values(given: Mapping[str, Any]) -> dict[str, Any]:
    """Values of `Reading` from options as they were given; those that are not there are left."""
    window = given.get("window")
    values = values_of([o for o in READING if o.name != "window"], given)
    if "window" in given:
        values["window"] = window
    if window is not None:
        try:
            numbers = tuple(int(part) for part in window.split(","))
        except ValueError:
            raise BadInput(f"--window must be N or N,STRIDE, integers above 0, "
                           f"not {window!r}") from None
        values["window"] = numbers * 2 if len(numbers) == 1 and numbers[0] > 0 else numbers
    return values


def show_data(summary: Summary) -> None:
    """Print the block to standard error."""
    for line in summary.lines():
        say(screen(stderr=True), (line, "yellow" if line.startswith("warning") else ""))


def show_warning(text: str) -> None:
    """Print a warning in the block's form to standard error."""
    for line in entry("warning", text):
        say(screen(stderr=True), (line, "yellow"))
