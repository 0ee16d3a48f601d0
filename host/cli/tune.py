"""``tritgrad tune``: thresholds learned on the soft shadow, measured on hard rows."""

from dataclasses import replace
from pathlib import Path

import click
import numpy as np

from ...errors import BadInput
from ...model.soft.shadow import Temperatures
from ...model.soft.thresholds import learn_thresholds
from ..run.metrics import accuracy
from ..run.moved import find_data
from ..run.options import TrainOptions, data_path
from ..run.outputs import check_outputs
from .console import counting, emit, json_option, say, screen, table, warn
from .data_options import show_data
from .inference import opened, predicted
from .train_options import core_options

__all__ = ["tune"]


@click.command()
@click.argument("model_file", metavar="MODEL")
@click.option("--out", metavar="FILE",
              help="Write the network with the new thresholds.  [default: MODEL-tuned.npz]")
@click.option("--confidence", type=float, default=0.9, show_default=True, metavar="P",
              help="Choose the margin so that a sample is learned below this probability of its "
                   "label.")
@click.option("--steps", type=int, default=100, show_default=True, metavar="N",
              help="Descend this often, for the shifts and again for the margin.")
@click.option("--temperature", "temperatures", multiple=True, metavar="[NAME=]T",
              help="Scale the widths of all soft thresholds by T, or set that of gate or score.")
@click.option("--data-dir", metavar="DIR",
              help="Read the IDX files of the MNIST family from this folder.")
@click.option("--device", default="model", show_default=True, metavar="DEVICE",
              help="Measure on the compiled RTL (sim), on the golden model (model), or on a board: "
                   "BOARD@PORT or @PORT.")
@core_options
@json_option
def tune(model_file: str, out: str | None, confidence: float, steps: int,
         temperatures: tuple[str, ...], data_dir: str | None, device: str, lanes: int, banks: int,
         update_lanes: int | None, vcd: str | None, as_json: bool) -> None:
    """Learn a model's activation shifts and margin, and measure what that does.

    They are learned on the rows that the model was trained on, by gradients through the soft
    version of its decisions, and rounded to what the layer table holds. The accuracy before and
    after is that of the rows which training held back (train --val-fraction).
    """
    model_file, model = opened(model_file)
    file = Path(out or Path(model_file).with_suffix("").as_posix() + "-tuned.npz")
    check_outputs({"--out": file, "--vcd": vcd}, {"MODEL": model_file})
    if model.rule != "margin":
        raise BadInput(f"{model_file} was trained by rule {model.rule}; only networks trained by "
                       "rule margin have thresholds to learn")
    if "scales" in model.parts:
        raise BadInput(f"{model_file} has row scales, which tune would leave out")
    if model.recipe.conv is not None:
        raise BadInput(f"{model_file} has a convolution, which tune would leave out")
    if model.recipe.skip is not None:
        raise BadInput(f"{model_file} has skip connections, which tune would leave out")
    widths, stored = Temperatures.parse(temperatures), model.extras.get("options")
    if not stored:
        raise BadInput(f"{model_file} does not say what it was trained on")
    found, moved = find_data(stored, Path(model_file))
    trained = TrainOptions.from_json(found)
    for told in moved if data_dir is None else ():
        warn(told)
    if data_dir is not None:
        trained = replace(trained, data_dir=data_path(data_dir))
    data = trained.load_data()
    show_data(data.summary)
    if data.x_val is None or data.y_val is None or not len(data.x_val):
        raise BadInput(f"{model_file} was trained without validation rows; train with "
                       "--val-fraction")
    console = screen(stderr=True)
    descents = steps * (2 if model.recipe.shifts else 1)
    with counting(console, "learning thresholds", descents) as show:
        learned = learn_thresholds(model.recipe, model.counters, data.x_train.astype(np.int64),
                                   data.y_train, widths, confidence, steps, show)
    tuned = replace(model, recipe=learned.recipe)
    options = TrainOptions(device=device, lanes=lanes, banks=banks, update_lanes=update_lanes,
                           counter_bits=model.recipe.counter_bits)
    before, after = (accuracy(data.y_val, predicted(
        [network], options, data.x_val, "validation rows", console, vcd)[0])
        for network in (model, tuned))
    tuned.save(file)
    old, new = model.recipe, learned.recipe
    shown = screen(stderr=as_json)
    shown.print(table(f"{len(data.x_val):,} validation rows on {device}", (
        "", "before", "after"), (
        ("shifts", _list(old.shifts), _list(new.shifts)),
        ("as learned", "", ", ".join(f"{value:.2f}" for value in learned.exponents)),
        ("margin", str(old.margin), str(new.margin)),
        ("loss of training rows", f"{learned.before:.4f}", f"{learned.after:.4f}"),
        ("accuracy", f"{before:.2f} %", f"{after:.2f} %")), right=(1, 2)))
    say(shown, str(file))
    if as_json:
        emit({
            "data": data.summary.as_json(),
            "model": str(file), "device": device, "rows": len(data.x_val),
            "shifts": [list(old.shifts), list(new.shifts)],
            "exponents": list(learned.exponents), "margin": [old.margin, new.margin],
            "loss": [learned.before, learned.after], "accuracy": [before, after],
            "losses": list(learned.losses)})


def _list(values: tuple[int, ...]) -> str:
    return ", ".join(map(str, values)) or "-"
