"""``tritgrad eval``, ``predict`` and ``export``: what is done with a trained model."""

import csv
import io
import json
from pathlib import Path

import click
import numpy as np
from rich.console import Console

from ..model.errors import BadInput
from .commands_train import core_options, rows_options
from .console import RunProgress, table
from .export import write_c_header, write_npz
from .inference import predicted
from .metrics import accuracy, class_reports, confusion_matrix
from .modelfile import TrainedModel
from .modelrows import model_rows
from .npz import write_whole
from .options import TrainOptions, data_path
from .plots import confusion_matrix as draw_confusion
from .tables import read_features
from .training import open_learner

__all__ = ["evaluate", "export", "predict"]


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
                           counter_bits=model.recipe.counter_bits, rule=_forward_rule(model),
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


def _forward_rule(model: TrainedModel) -> str:
    """The rule whose forward pass is the model's: the chip has one, whatever trained it."""
    return "sign" if model.rule == "sign" else "margin"


def _per_cent(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


@click.command()
@click.argument("model_file", metavar="MODEL")
@click.argument("data_file", metavar="FILE")
@click.option("--format", "form", type=click.Choice(("csv", "json")), default="csv",
              show_default=True, help="Write this format.")
@click.option("-o", "--output", metavar="FILE",
              help="Write to this file.  [default: standard output]")
def predict(model_file: str, data_file: str, form: str, output: str | None) -> None:
    """Predict the class of each row of a CSV, NPZ or IDX file.

    For each row: the class, and the margin by which its score leads over the next one.
    """
    model = TrainedModel.load(model_file)
    values = read_features(Path(data_file), model.columns, model.recipe.layers[0])
    x = model.scaling.apply(values, model.recipe.planes)
    options = TrainOptions(device="model", rule=_forward_rule(model))
    learner = open_learner(options, model.recipe, RunProgress(Console(stderr=True)))
    learner.load(model.counters, 1, model.scales)
    predictions, scores, _ = learner.infer(x)
    best = np.sort(scores, axis=1)[:, -2:]
    rows = [(model.class_names[k], int(margin)) for k, margin
            in zip(predictions, best[:, 1] - best[:, 0], strict=True)]
    text = _as_csv(rows) if form == "csv" else json.dumps(
        [{"class": name, "margin": margin} for name, margin in rows]) + "\n"
    if output is None:
        click.echo(text, nl=False)
    else:
        write_whole(Path(output), text.encode())


def _as_csv(rows: list[tuple[str, int]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(("class", "margin"))
    writer.writerows(rows)
    return buffer.getvalue()


@click.command()
@click.argument("model_file", metavar="MODEL")
@click.option("--c-header", metavar="FILE", help="Write the network as one C99 header.")
@click.option("--npz", metavar="FILE",
              help="Write trits, shifts, scaling and class names as NumPy arrays.")
@click.option("--prefix", default="tritgrad", show_default=True, metavar="NAME",
              help="Start every name in the C header with this.")
def export(model_file: str, c_header: str | None, npz: str | None, prefix: str) -> None:
    """Write a model for other programs."""
    if c_header is None and npz is None:
        raise BadInput("nothing to export; give --c-header FILE, --npz FILE, or both")
    model = TrainedModel.load(model_file)
    if model.rule == "sign":
        raise BadInput(f"{model_file} was trained by rule sign, whose activations are signs; "
                       "export writes networks with clipped activations")
    if model.scales is not None:
        raise BadInput(f"{model_file} was trained with scales; export writes networks without")
    if model.recipe.skip is not None:
        raise BadInput(f"{model_file} has skip connections; export writes networks without")
    if c_header is not None:
        write_c_header(model, c_header, prefix)
        click.echo(c_header)
    if npz is not None:
        write_npz(model, npz)
        click.echo(npz)
