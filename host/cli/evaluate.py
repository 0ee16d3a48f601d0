"""``tritgrad eval``: how good a model is."""

import json
from pathlib import Path

import click
from rich.console import Console

from ..run.metrics import accuracy, class_reports, confusion_matrix
from ..run.model_file import TrainedModel
from ..run.model_rows import model_rows
from ..run.options import TrainOptions, data_path
from ..run.plots import confusion_matrix as draw_confusion
from .console import table
from .inference import forward_rule, predicted
from .train import core_options, rows_options

__all__ = ["evaluate"]


@click.command("eval")
@click.argument("model_file", metavar="MODEL")
@click.option("--dataset", metavar="NAME",
              help="Evaluate on digits, mnist, fashion-mnist, or a .npz or .csv file: on the test "
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
@click.option("--json", "as_json", is_flag=True,
              help="End standard output with the results as one JSON object on one line.")
def evaluate(model_file: str, dataset: str | None, data_dir: str | None, label: str | None,
             test: str | None, test_fraction: float | None, device: str, lanes: int, banks: int,
             update_lanes: int | None, vcd: str | None, picture: str | None,
             as_json: bool) -> None:
    """Measure a model: accuracy, each class, confusion matrix."""
    model = TrainedModel.load(model_file)
    data, x, y, rows = model_rows(model, model_file, dataset, {
        "data_dir": data_path(data_dir), "label": label, "test": data_path(test),
        "test_fraction": test_fraction})
    options = TrainOptions(device=device, lanes=lanes, banks=banks, update_lanes=update_lanes,
                           counter_bits=model.recipe.counter_bits, rule=forward_rule(model),
                           scales=model.scales is not None, skip=model.recipe.skip)
    found = predicted(model, options, x, rows, Console(stderr=True), vcd)
    matrix = confusion_matrix(y, found, data.classes)
    image = Path(picture or Path(model_file).with_suffix("").as_posix() + "-confusion.png")
    draw_confusion(matrix, data.class_names, image)
    reports = class_reports(matrix, data.class_names)
    console = Console(stderr=as_json)
    console.print(f"[bold]{accuracy(y, found):.2f} %[/bold] of {len(x):,} {rows} right",
                  highlight=False)
    console.print(table(None, ("class", "rows", "found %", "right of predicted %"), (
        (r.name, f"{r.rows:,}", _per_cent(r.recall), _per_cent(r.precision)) for r in reports),
        right=(1, 2, 3)))
    console.print(table("true class down, predicted class across", ("", *data.class_names), (
        (name, *(count or "" for count in row))
        for name, row in zip(data.class_names, matrix.tolist(), strict=True)),
        right=range(1, data.classes + 1)))
    console.print(f"confusion matrix: {image}", highlight=False, soft_wrap=True)
    if as_json:
        click.echo(json.dumps({
            "model": model_file, "dataset": data.name, "device": device, "rows": len(x),
            "accuracy": accuracy(y, found), "class_names": list(data.class_names),
            "classes": [{"name": r.name, "rows": r.rows, "recall": r.recall,
                         "precision": r.precision} for r in reports],
            "confusion": matrix.tolist(), "state_sha256": model.state_sha256}, allow_nan=False))


def _per_cent(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
