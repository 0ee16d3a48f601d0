"""``tritgrad eval``: how good a model is."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt
from rich.console import Console

from ...units.registry import options_of
from ..data.summary import one_class_warning
from ..run.metrics import (
    ClassReport,
    accuracy,
    balanced_accuracy,
    class_reports,
    confusion_matrix,
)
from ..run.model_rows import model_rows
from ..run.options import TrainOptions, data_path
from ..run.outputs import check_outputs, check_picture
from .console import draw, emit, fits, json_option, say, screen, table
from .data_options import rows_options, show_data, show_warning
from .inference import opened_all, predicted
from .train_options import core_options

__all__ = ["evaluate"]

#: Classes above which only the worst half of so many are shown, and most kinds of mistakes.
MOST_CLASSES, MOST_PAIRS = 40, 20


@click.command("eval")
@click.argument("model_file", metavar="MODEL")
@click.option("--dataset", metavar="NAME",
              help="Evaluate on a data set by name, or a .npz, .csv or .tsv file: on the test "
                   "rows if the model was trained on the same data, else on all rows of a file.  "
                   "[default: what the model was trained on]")
@rows_options
@click.option("--device", default="model", show_default=True, metavar="DEVICE",
              help="Infer on the compiled RTL (sim), on the golden model (model), or on a board: "
                   "BOARD@PORT or @PORT.")
@core_options
@click.option("--picture", metavar="FILE",
              help="Draw the confusion matrix into this .png, .svg or .pdf file.  "
                   "[default: MODEL-confusion.png]")
@json_option
@click.pass_context
def evaluate(context: click.Context, model_file: str, dataset: str | None, device: str,
             lanes: int, banks: int, update_lanes: int | None, vcd: str | None,
             picture: str | None, as_json: bool, **given: Any) -> None:
    """Measure a model, or the vote of an ensemble: accuracy, each class, confusion matrix."""
    model_file, models = opened_all(model_file)
    model = models[0]
    image = Path(picture or Path(model_file).with_suffix("").as_posix() + "-confusion.png")
    check_picture("--picture", picture)
    check_outputs({"--picture": picture, "--vcd": vcd},
                  {"MODEL": model_file, "--dataset": dataset, "--test": given["test"]})
    given |= {"data_dir": data_path(given["data_dir"]), "test": data_path(given["test"])}
    data, x, y, rows = model_rows(model, model_file, dataset, given)
    show_data(data.summary)
    options = TrainOptions(device=device, lanes=lanes, banks=banks, update_lanes=update_lanes,
                           counter_bits=model.recipe.counter_bits, rule=model.forward_rule,
                           **options_of(model.recipe, model.parts))
    found, _ = predicted(models, options, x, rows, screen(stderr=True), vcd)
    alike = one_class_warning([data.class_names[k] for k in found], data.classes)
    matrix = confusion_matrix(y, found, data.classes)
    reports = class_reports(matrix, data.class_names)
    console = screen(stderr=as_json)
    say(console, (f"{accuracy(y, found):.2f} %", "bold"), f" of {len(x):,} {rows} right")
    say(console, f"{balanced_accuracy(y, found):.2f} % as the mean over the classes")
    if alike is not None:
        show_warning(alike)
    _show_classes(reports, console)
    _show_confusion(matrix, data.class_names, console)

    def plot(path: Path) -> None:
        from ..run.plots import confusion_matrix as draw_confusion  # loads slowly, may fail

        draw_confusion(matrix, data.class_names, path)

    drawn = draw(image, plot)
    if drawn:
        say(console, f"confusion matrix: {image}")
    if as_json:
        emit({"model": model_file, "dataset": data.name, "device": device, "rows": len(x),
              "accuracy": accuracy(y, found), "balanced_accuracy": balanced_accuracy(y, found),
              "data": data.summary.as_json() | {
                  "warnings": [*data.summary.warnings, *([alike] if alike else [])]},
              "class_names": list(data.class_names),
              "classes": [{"name": r.name, "rows": r.rows, "recall": r.recall,
                           "precision": r.precision} for r in reports],
              "confusion": matrix.tolist(), "state_sha256": model.state_sha256,
              "ensemble": [m.state_sha256 for m in models] if len(models) > 1 else None})
    if picture is not None and not drawn:
        context.exit(1)


def _show_classes(reports: Sequence[ClassReport], console: Console) -> None:
    """All classes, or of many those that are found worst."""
    shown, title = list(reports), None
    if len(reports) > MOST_CLASSES:
        seen = [r for r in reports if r.recall is not None]
        shown = sorted(seen, key=lambda r: r.recall or 0.0)[:MOST_CLASSES // 2]
        title = f"the {len(shown)} of {len(reports)} classes that are found worst"
    console.print(table(title, ("class", "rows", "found %", "right of predicted %"), (
        (r.name, f"{r.rows:,}", _per_cent(r.recall), _per_cent(r.precision)) for r in shown),
        right=(1, 2, 3)))


def _show_confusion(matrix: npt.NDArray[np.integer], names: Sequence[str],
                    console: Console) -> None:
    """The matrix, or where the terminal is too narrow for it, its largest entries of all."""
    whole = table("true class down, predicted class across", ("", *names), (
        (name, *(count or "" for count in row))
        for name, row in zip(names, matrix.tolist(), strict=True)), right=range(1, len(names) + 1))
    if fits(console, whole):
        console.print(whole)
        return
    wrong = np.where(np.eye(len(names), dtype=bool), 0, matrix)
    pairs = [divmod(int(at), len(names)) for at in np.argsort(-wrong, axis=None, kind="stable")
             if wrong.flat[at]]
    if pairs:
        title = (f"the {MOST_PAIRS} most frequent of {len(pairs):,} kinds of mistakes; --json has "
                 "all" if len(pairs) > MOST_PAIRS else "mistakes")
        console.print(table(title, ("true class", "predicted", "rows", "of the class %"), (
            (names[a], names[b], f"{matrix[a, b]:,}",
             f"{100 * matrix[a, b] / matrix[a].sum():.2f}") for a, b in pairs[:MOST_PAIRS]),
            right=(2, 3)))


def _per_cent(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
