"""``tritgrad learn``: go on with a trained model, row by row."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from ...errors import BadInput
from ...model.rng import initial_prng
from ..run.model_file import TrainedModel
from ..run.model_rows import rows_of_file
from ..run.options import TrainOptions
from ..run.outputs import check_outputs
from ..run.stream import ORDERS, Old, Point, gains_of_the_end, learn_rows, measured
from ..run.training import open_learner
from .console import RunProgress, emit, json_option, say, screen
from .data_options import feature_options, show_data
from .inference import opened
from .train_options import core_options

__all__ = ["learn"]


@click.command()
@click.argument("model_file", metavar="MODEL")
@click.argument("stream", metavar="FILE")
@click.option("--label", metavar="NAME",
              help="Take this column as the label, by name or number.  [default: as in training]")
@feature_options
@click.option("--order", type=click.Choice(ORDERS), default="file", show_default=True,
              help="Learn the rows as they come, or in a random order.")
@click.option("--epochs", type=int, default=1, show_default=True, metavar="E",
              help="Learn all rows this often.")
@click.option("--replay", metavar="FILE",
              help="Learn the rows of this file too, spread evenly among the new ones, so that "
                   "what they say is not forgotten.")
@click.option("--seed", type=int, default=1, show_default=True, metavar="N",
              help="Derive everything random from this number, 0 to 2^64 - 1.")
@click.option("--device", default="model", show_default=True, metavar="DEVICE",
              help="Learn on the compiled RTL (sim), on the golden model (model), or on a board: "
                   "BOARD@PORT or @PORT. All end bit for bit alike.")
@core_options
@click.option("-o", "--output", metavar="FILE",
              help="Write the model here.  [default: MODEL-learned.npz]")
@json_option
def learn(model_file: str, stream: str, label: str | None, order: str, epochs: int,
          replay: str | None, seed: int, device: str, lanes: int, banks: int,
          update_lanes: int | None, vcd: str | None, output: str | None, as_json: bool,
          **given: Any) -> None:
    """Predict each row of a CSV or NPZ file (- is standard input), then learn it.

    Coding, classes and the gains of the training's end are kept; a class that the first rows do not
    have must have been named by train --classes. The accuracy is that of the predictions before.
    """
    model_file, model = opened(model_file)
    target = output or Path(model_file).with_suffix("").as_posix() + "-learned.npz"
    check_outputs({"-o": target}, {"MODEL": model_file, "FILE": stream, "--replay": replay})
    if model.rule != "margin":
        raise BadInput(f"{model_file} was trained by rule {model.rule}; learn goes on with the "
                       "margin rule only")
    reading = {"label": label, **given}
    with _as_file(stream) as path:
        data, x, y = rows_of_file(model, path, reading)
    show_data(data.summary)
    old = None
    if replay is not None:
        _, old_x, old_y = rows_of_file(model, replay, reading)
        old = Old(old_x, old_y)
    options = TrainOptions(device=device, lanes=lanes, banks=banks, update_lanes=update_lanes,
                           counter_bits=model.recipe.counter_bits, scales=model.scales is not None,
                           gf3="conserve" if model.recipe.conserve else None,
                           skip=model.recipe.skip)
    console = screen(stderr=as_json)
    learner = open_learner(options, model.recipe, RunProgress(screen(stderr=True)), vcd)
    points: list[Point] = []
    try:
        learner.load(model.counters, initial_prng(model.recipe.layers, seed).state, model.scales)
        for point in learn_rows(learner, x, y, gains_of_the_end(model.recipe), epochs=epochs,
                                order=order, seed=seed, old=old):
            points.append(point)
            say(screen(stderr=True), f"epoch {point.epoch}  rows {point.rows}  predicted right "
                                     f"before {point.accuracy:.2f} %  updates {point.updates}")
        after = measured(learner, x, y)
        counters, scales = learner.state()[0], learner.scales()
    finally:
        learner.close()
    learned = _learned(model, counters, scales, stream, len(x))
    learned.save(target)
    first = [point for point in points if point.epoch == 1]
    before = 100.0 * sum(p.correct for p in first) / len(x)
    say(console, (f"{before:.2f} %", "bold"),
        f" of {len(x):,} rows predicted right before they were learned, {after:.2f} % after")
    say(console, f"state_sha256: {learned.state_sha256}")
    say(console, f"model: {target}")
    if as_json:
        emit({"model": model_file, "output": target, "device": device, "rows": len(x),
              "epochs": epochs, "order": order, "seed": seed,
              "replayed": 0 if old is None else len(old.x), "accuracy_before": before,
              "accuracy_after": after,
              "curve": [{"epoch": p.epoch, "rows": p.rows, "accuracy": p.accuracy,
                         "updates": p.updates} for p in points],
              "state_sha256": learned.state_sha256, "data": data.summary.as_json()})


def _learned(model: TrainedModel, counters: Any, scales: Any, stream: str,
             rows: int) -> TrainedModel:
    """The model with its new counters; what it had measured is no longer so."""
    gone = ("test_accuracy", "val_accuracy", "epoch")
    extras = {name: value for name, value in model.extras.items() if name not in gone}
    history = [*model.extras.get("learned", ()), {"from": model.state_sha256, "rows": rows,
                                                  "file": Path(stream).name}]
    return replace(model, counters=tuple(counters), scales=scales,
                   extras=extras | {"learned": history})


@contextmanager
def _as_file(stream: str) -> Iterator[str]:
    """The file, or what standard input has until it ends as one."""
    if stream != "-":
        yield stream
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "stdin.csv")
        with path.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        yield str(path)
