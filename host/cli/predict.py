"""``tritgrad predict``: the class of each row of a file."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import click
import numpy as np

from ..data.features import read_features
from ..data.npz import write_whole
from ..data.reading import Reading
from ..data.summary import one_class_warning
from ..run.layouts import model_layout, model_limits
from ..run.options import TrainOptions
from ..run.outputs import check_outputs
from .console import emit, json_option, screen
from .data_options import feature_options, show_data, show_warning
from .inference import opened_all, predicted

__all__ = ["predict"]


@click.command()
@click.argument("model_file", metavar="MODEL")
@click.argument("data_file", metavar="FILE")
@feature_options
@click.option("--format", "form", type=click.Choice(("csv", "json")), default="csv",
              show_default=True, help="Write this format.")
@click.option("-o", "--output", metavar="FILE",
              help="Write to this file.  [default: standard output]")
@json_option
def predict(model_file: str, data_file: str, form: str, output: str | None,
            as_json: bool, **given: Any) -> None:
    """Predict the class of each row of a CSV, NPZ, NPY or IDX file.

    For each row: the class, and the margin by which its score leads over the next one. With --json
    they are in the object, as rows, and nothing else is written unless -o names a file. MODEL may
    be the folder of an ensemble, whose networks' scores are added.
    """
    check_outputs({"-o": output}, {"MODEL": model_file, "FILE": data_file})
    model_file, models = opened_all(model_file)
    model = models[0]
    read = read_features(Path(data_file), inputs=model.coding.features, layout=model_layout(model),
                         reading=Reading(**given), limits=model_limits(model))
    show_data(read.summary)
    x = model.coding.apply(read.values)
    options = TrainOptions(device="model", rule=model.forward_rule)
    predictions, scores = predicted(models, options, x, "rows", screen(stderr=True))
    best = np.sort(scores, axis=1)[:, -2:]
    rows = [(model.class_names[k], int(margin)) for k, margin
            in zip(predictions, best[:, 1] - best[:, 0], strict=True)]
    alike = one_class_warning([name for name, _ in rows], len(model.class_names))
    if alike is not None:
        show_warning(alike)
    objects = [{"class": name, "margin": margin} for name, margin in rows]
    text = _as_csv(rows) if form == "csv" else json.dumps(objects) + "\n"
    if output is not None:
        write_whole(Path(output), text.encode("utf-8", "backslashreplace"))
    elif not as_json:
        click.echo(text, nl=False, color=True)  # a class may hold what click takes for a colour
    if as_json:
        emit({"model": model_file, "file": data_file, "output": output,
              "state_sha256": model.state_sha256, "rows": objects,
              "data": read.summary.as_json() | {
                  "warnings": [*read.summary.warnings, *([alike] if alike else [])]}})


def _as_csv(rows: list[tuple[str, int]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(("class", "margin"))
    writer.writerows(rows)
    return buffer.getvalue()
