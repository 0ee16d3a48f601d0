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
import numpy.typing as npt

from ...errors import BadInput
from ...model.state import initial_state
from ...units.registry import options_of
from ..data.scaling import Scaling
from ..run.adapting import Adapting
from ..run.going_on import gains_of_the_end, kept_rows
from ..run.kept import Kept
from ..run.layouts import model_limits
from ..run.mixing import ORDERS
from ..run.model_file import TrainedModel
from ..run.model_rows import rows_of_file
from ..run.options import TrainOptions
from ..run.outputs import check_outputs
from ..run.stream import Old, Point, learn_rows, measured
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
              help="Learn the rows as they come, in a random order, or in train's rotate.")
@click.option("--epochs", type=int, default=1, show_default=True, metavar="E",
              help="Learn all rows this often.")
@click.option("--replay", metavar="FILE|N",
              help="Learn the rows of this file too, or N rows that the model keeps, spread evenly "
                   "among the new ones, so that what they say is not forgotten; with N the new "
                   "model keeps N of all rows.")
@click.option("--adapt", type=int, metavar="N",
              help="Fit range, means or levels of the coding anew to the last N rows, after every "
                   "100 rows.  [default: never, the coding stays as it is]")
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
          replay: str | None, adapt: int | None, seed: int, device: str, lanes: int, banks: int,
          update_lanes: int | None, vcd: str | None, output: str | None, as_json: bool,
          **given: Any) -> None:
    """Predict each row of a CSV or NPZ file (- is standard input), then learn it.

    Coding, classes and the gains of the training's end are kept; a class that the first rows do not
    have must have been named by train --classes. The accuracy is that of the predictions before.
    Outside are numbers beyond the range of the training rows.
    """
    model_file, model = opened(model_file)
    target = output or Path(model_file).with_suffix("").as_posix() + "-learned.npz"
    from_file = replay is not None and not replay.isdecimal()
    check_outputs({"-o": target}, {"MODEL": model_file, "FILE": stream,
                                   "--replay": replay if from_file else None})
    if model.rule != "margin":
        raise BadInput(f"{model_file} was trained by rule {model.rule}; learn goes on with the "
                       "margin rule only")
    adapting = None if adapt is None else Adapting(model.coding, adapt, model.image_shape)
    reading = {"label": label, **given}
    with _as_file(stream) as path:
        data, values, y = rows_of_file(model, path, reading)
    show_data(data.summary)
    again = None
    if replay is not None:
        again = (rows_of_file(model, replay, reading)[1:] if from_file
                 else kept_rows(model, model_file, int(replay)))
    options = TrainOptions(device=device, lanes=lanes, banks=banks, update_lanes=update_lanes,
                           counter_bits=model.recipe.counter_bits,
                           **options_of(model.recipe, model.parts))
    learner = open_learner(options, model.recipe, RunProgress(screen(stderr=True)), vcd)
    x, old = values, None if again is None else Old(*again)
    if adapting is None:
        x, old = model.coding.apply(x), old and Old(model.coding.apply(old.x), old.y)
    try:
        fresh = initial_state(replace(model.recipe, seed=seed))
        learner.load(replace(model.state, prng=fresh.prng))
        curve = [_shown(point, values, model) for point in learn_rows(
            learner, x, y, gains_of_the_end(model.recipe), epochs=epochs, order=order, seed=seed,
            old=old, adapting=adapting)]
        now = model if adapting is None else replace(model, coding=adapting.coding)
        after = measured(learner, now.coding.apply(values), y)
        state = learner.state()
    finally:
        learner.close()
    size = int(replay) if replay and not from_file else model.kept.size if model.kept else None
    learned = _learned(
        replace(now, counters=state.int16, parts=state.parts, kept=None if size is None else
                Kept.of(size, seed, values, y, model.kept)),
        model, stream, len(y), adapting)
    learned.save(target)
    before = 100.0 * sum(p["correct"] for p in curve if p["epoch"] == 1) / len(y)
    console = screen(stderr=as_json)
    say(console, (f"{before:.2f} %", "bold"),
        f" of {len(y):,} rows predicted right before they were learned, {after:.2f} % after")
    say(console, f"state_sha256: {learned.state_sha256}")
    say(console, f"model: {target}")
    if as_json:
        emit({"model": model_file, "output": target, "device": device, "rows": len(y),
              "epochs": epochs, "order": order, "seed": seed, "adapt": adapt,
              "replayed": 0 if old is None else len(old.y), "accuracy_before": before,
              "accuracy_after": after, "curve": curve, "state_sha256": learned.state_sha256,
              "data": data.summary.as_json()})


def _shown(point: Point, values: npt.NDArray[Any], model: TrainedModel) -> dict[str, Any]:
    """Tell of a point of the curve, and how far its rows lie from those of the training."""
    limits = model_limits(model)
    outside = limits.outside(values[point.places]) if limits else None
    text = (f"epoch {point.epoch}  rows {point.rows}  predicted right before "
            f"{point.accuracy:.2f} %  updates {point.updates}")
    if outside is not None:
        text += f"  outside {100 * outside:.1f} %"
    if point.recoded is not None:
        text += f"  codes changed {100 * point.recoded:.1f} %"
    say(screen(stderr=True), text)
    return {"epoch": point.epoch, "rows": point.rows, "correct": point.correct,
            "accuracy": point.accuracy, "updates": point.updates, "outside": outside,
            "recoded": point.recoded}


def _learned(new: TrainedModel, model: TrainedModel, stream: str, rows: int,
             adapting: Adapting | None) -> TrainedModel:
    """The new model with its history; what the old one had measured is no longer so."""
    extras = model.extras_after(rows, Path(stream).name)
    if adapting is not None and adapting.coding is not model.coding:
        extras["limits"] = Scaling.fit(adapting.recent).as_json()
    return replace(new, extras=extras)


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
        try:
            yield str(path)
        except BadInput as error:
            raise BadInput(str(error).replace(str(path), "standard input")) from None
