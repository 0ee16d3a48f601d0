"""Options of all commands that read data, and the block that says what was read."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from ...errors import BadInput
from ..data.reading import MISSING_RULES, Reading
from ..data.summary import Summary, entry
from .console import say, screen

__all__ = ["data_options", "feature_options", "reading_values", "rows_options", "show_data",
           "show_warning", "split_options", "stack"]

Function = TypeVar("Function", bound=Callable[..., Any])


def stack(*options: Callable[[Any], Any]) -> Callable[[Function], Function]:
    """Some options as one decorator, in the order of the help."""
    def apply(function: Function) -> Function:
        for option in reversed(options):
            function = option(function)
        return function
    return apply


#: How a text file of features is read.
feature_options = stack(
    click.option("--header", metavar="yes|no|auto",
                 help="Say whether the first row of a CSV file names the columns.  "
                      "[default: auto]"),
    click.option("--delimiter", metavar="CHAR",
                 help="Take this character between cells, or comma, semicolon, tab, pipe or "
                      "space.  [default: found out]"),
    click.option("--decimal", metavar=".|,",
                 help="Take this decimal mark.  [default: found out]"),
    click.option("--missing", type=click.Choice(MISSING_RULES),
                 help="Refuse rows that lack a value, drop them, or put in the mean of the "
                      "training rows.  [default: refuse, or as in training]"),
)

data_options = stack(
    click.option("--data-dir", metavar="DIR",
                 help="Read the IDX files of the MNIST family from this folder."),
    click.option("--label", metavar="NAME",
                 help="Take this column of a CSV file as the label, by name or number.  [default: "
                      "the one called label, class, target or y, else the last one]"),
    click.option("--test", metavar="FILE", help="Take the test rows from this CSV or NPZ file."),
    feature_options,
)

#: How rows are chosen and split, for training.
split_options = stack(
    click.option("--drop", metavar="COL[,COL...]",
                 help="Leave these columns of a CSV file out; more than one --drop adds up."
                 , multiple=True),
    click.option("--classes", metavar="A,B,...",
                 help="Name all classes, in the order of the outputs; also those that only later "
                      "rows will have.  [default: those of the training rows, sorted]"),
    click.option("--accept-labels", is_flag=True,
                 help="Take labels that look like measured numbers, ids or dates."),
    click.option("--split", metavar="HOW",
                 help="Split off test and validation rows at random, stratified (at random in "
                      "each class), ordered (the last rows), or group:COL (whole groups of equal "
                      "values in a column).  [default: random; with --window ordered]"),
    click.option("--split-seed", type=int, default=0, show_default=True, metavar="N",
                 help="Choose the rows split off at random by this number."),
    click.option("--window", metavar="N[,STRIDE]",
                 help="Make one sample of each N rows in succession, one every STRIDE rows.  "
                      "[default: no; STRIDE N]"),
    click.option("--balance", is_flag=True,
                 help="Repeat the training rows of rare classes up to the largest class."),
)

#: For what is done with rows of the data that a model was trained on.
rows_options = stack(
    data_options,
    click.option("--test-fraction", type=float, metavar="F",
                 help="Say again which part of the rows was held back for the test. Another part "
                      "than in training is refused.  [default: as in training]"),
)


def reading_values(given: Mapping[str, Any]) -> dict[str, Any]:
    """Values of `Reading` from options as they were given; those that are not there are left."""
    values = {name: given[name] for name in Reading.__dataclass_fields__ if name in given}
    if "drop" in values:
        values["drop"] = tuple(name.strip() for text in values["drop"] for name in text.split(","))
    if values.get("classes") is not None:
        values["classes"] = tuple(name.strip() for name in values["classes"].split(","))
    if values.get("window") is not None:
        try:
            numbers = tuple(int(part) for part in values["window"].split(","))
        except ValueError:
            raise BadInput(f"--window must be N or N,STRIDE, integers above 0, "
                           f"not {values['window']!r}") from None
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
