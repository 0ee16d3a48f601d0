"""What a run has to say for itself: the object of ``--json``, and the files it leaves."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import TritgradError
from ...model.recipe import Recipe
from ...model.state import parts_of
from ...rules import SETTINGS
from ...units.registry import run_parts
from ..data.npz import write_whole
from .checkpoint import Epoch
from .kept import Kept
from .model_file import TrainedModel
from .training import Outcome

__all__ = ["as_model", "dense_cycles", "draw_curve", "report", "write_files"]


def dense_cycles(recipe: Recipe, total_lanes: int) -> float:
    """The roofline of a dense forward pass, cycles a sample: no padding, no zeros skipped."""
    planes = [recipe.planes, *[recipe.activation_bits] * (recipe.depth - 1)]
    return sum(p * inputs * outputs
               for p, (outputs, inputs) in zip(planes, recipe.shapes, strict=True)) / total_lanes


def report(outcome: Outcome) -> dict[str, Any]:
    """The JSON object of a run.

    ``samples`` are the training rows, ``epochs`` how often each was seen, ``data`` is the block
    about what was read. ``train_accuracy``, ``test_accuracy``, ``test_balanced`` (the mean over
    the classes), ``val_accuracy`` (per cent), ``cycles_per_sample``, ``updates_by_epoch`` and
    ``flips_by_epoch`` have one value an epoch; ``updates``, ``flips`` and ``cycles`` are totals of
    all training. ``seconds`` are those of the whole run without compiling and loading,
    ``samples_per_second`` counts training alone. ``roofline_fraction`` is `dense_cycles` over the
    cycles that a forward pass took (``forward_cycles_per_sample``), above 1 where zeros were
    skipped. The cycle figures are null unless the device counted cycles in all epochs; ``lanes``
    (of a bank) and ``total_lanes`` are then only what was set. ``margin``, ``gains`` and ``shifts``
    are null under rule sign; options of a rule are null but under it; fd has sparsity 0.
    ``program`` is the file of a rule of the user's own, else null.
    ``encode`` is the coding of the inputs, ``floor`` the least gain exponent of the first
    layer, null under rule sign. ``from`` is the state of the model that the run went on from,
    ``replayed`` the old rows that were learned beside the ``samples``. What units say follows
    (`units.run_part.RunPart.report`).
    """
    options, data, recipe = outcome.options, outcome.data, outcome.recipe
    position = outcome.position
    epochs = position.epochs
    counted = all(e.counted and e.cycles for e in epochs)  # a golden device counts none
    samples = sum(e.samples for e in epochs)
    passes = samples * options.method(recipe).passes
    forward = sum(e.forward_cycles for e in epochs)
    total_lanes = options.lanes * options.banks
    result: dict[str, Any] = {
        "dataset": data.name,
        "device": options.device,
        "layers": list(recipe.layers),
        "counter_bits": recipe.counter_bits,
        "planes": recipe.planes,
        "rule": options.rule,
        "epochs": options.planned(recipe) + options.more_epochs,
        "seed": recipe.seed,
        "samples": len(data.x_train) - data.replayed,
        "train_accuracy": [e.train_accuracy for e in epochs],
        "test_accuracy": [e.test_accuracy for e in epochs],
        "test_balanced": [e.test_balanced for e in epochs],
        "data": _data(outcome),
        "updates": sum(e.updates for e in epochs),
        "flips": sum(e.flips for e in epochs),
        "cycles": sum(e.cycles for e in epochs) if counted else None,
        "cycles_per_sample": [e.cycles / e.samples for e in epochs] if counted else None,
        "lanes": options.lanes,
        "total_lanes": total_lanes,
        "roofline_fraction": (passes * dense_cycles(recipe, total_lanes) / forward
                              if counted and forward else None),
        "forward_cycles_per_sample": forward / passes if counted and forward else None,
        "dense_cycles": dense_cycles(recipe, total_lanes) if counted else None,
        "seconds": round(position.seconds, 3),
        "samples_per_second": (round(samples / position.train_seconds, 1)
                               if position.train_seconds else None),
        "state_sha256": outcome.state_sha256,
        "updates_by_epoch": [e.updates for e in epochs],
        "flips_by_epoch": [e.flips for e in epochs],
        "test_samples": len(data.x_test),
        **_learned_by(outcome),
    }
    for part in run_parts():
        result |= part.report(outcome)
    if data.x_val is not None and outcome.best is not None:
        result |= {
            "val_samples": len(data.x_val),
            "val_accuracy": [e.val_accuracy for e in epochs],
            "best_epoch": position.best_epoch,
            "best_state_sha256": outcome.best.sha256,
        }
    return result


def _learned_by(outcome: Outcome) -> dict[str, Any]:
    """With which numbers a run learned."""
    options, data, recipe = outcome.options, outcome.data, outcome.recipe
    method = options.method(recipe)
    numbers, by_margin = method.report(), method.rule.device
    return {
        "encode": data.coding.text,
        "shift_augment": options.shift_augment,
        "augment": options.augment,
        "clean_epochs": options.clean_epochs,
        "floor": recipe.floors[0] if by_margin else None,
        "program": options.program,
        **{name: numbers.get(name) for name in SETTINGS},
        "margin": recipe.margin if by_margin else None,
        "gains": list(options.gains_in(recipe, 0)) if by_margin else None,
        "shifts": list(recipe.shifts) if by_margin else None,
        "conv": asdict(recipe.conv) if recipe.conv else None,
        "wrong": recipe.wrong,
        "from": options.from_sha256,
        "replayed": data.replayed,
        "order": options.order,
    }


def _data(outcome: Outcome) -> dict[str, Any]:
    """What was read, and a warning if the test rows are all predicted alike."""
    summary, last = outcome.data.summary, outcome.position.epochs[-1]
    found = summary.as_json()
    if last.test_classes == 1 and len(outcome.data.x_test) > 9:
        found["warnings"].append("all test rows are predicted as the same class")
    return found


def as_model(outcome: Outcome, best: bool = False) -> TrainedModel:
    """The network of the last epoch, or of the best one."""
    data, position = outcome.data, outcome.position
    recipe = replace(outcome.recipe, prune=None)  # of no use to a network that learns no more
    epoch = position.best_epoch if best and position.best_epoch else position.finished
    inside = not best and len(position.epochs) > position.finished  # its accuracy is not known
    accuracy = position.epochs[epoch - 1] if epoch and not inside else Epoch()
    state = outcome.best if best and outcome.best is not None else outcome.state
    return TrainedModel(
        recipe=recipe, rule=outcome.options.rule, counters=state.int16,
        class_names=data.class_names, coding=data.coding, dataset=data.name,
        image_shape=data.image_shape, columns=data.columns,
        extras={"options": outcome.options.as_json(), "data": outcome.fingerprint,
                "layout": data.layout.as_json() if data.layout else None,
                "limits": data.limits.as_json(), "epoch": epoch,
                "test_accuracy": accuracy.test_accuracy,
                "val_accuracy": accuracy.val_accuracy, **_learned(outcome)},
        parts={name: part for name, part in state.parts.items() if name in parts_of(recipe)},
        kept=_kept(outcome))


def _kept(outcome: Outcome) -> Kept | None:
    """Rows that the run's model keeps: of the new ones, and of those that its origin kept."""
    options, data = outcome.options, outcome.data
    size = int(options.replay) if options.replay and options.replay.isdecimal() else None
    chosen = data.rows.chosen[:len(data.x_train) - data.replayed]
    rows, first = np.unique(chosen, return_index=True)  # --balance repeats some
    values, labels = data.rows.train[rows], data.y_train[first]
    if options.origin is not None:
        return options.origin.kept(size, options.seed, values, labels)
    return None if size is None else Kept.of(size, options.seed, values, labels)


def _learned(outcome: Outcome) -> dict[str, Any]:
    """What the model has learned since it was new, as ``tritgrad learn`` says it too."""
    origin = outcome.options.origin
    if origin is None:
        return {}
    return {"learned": [*origin.model.extras.get("learned", ()),
                        {"from": origin.model.state_sha256, "file": outcome.data.name,
                         "rows": len(outcome.data.x_train) - outcome.data.replayed}]}


def write_files(outcome: Outcome, folder: Path) -> tuple[dict[str, Path], TritgradError | None]:
    """Write models and history into a folder: what each file that is written is, what failed.

    A file that cannot be written costs no other; the first failure is returned, not raised.
    """
    text = json.dumps(report(outcome), indent=1) + "\n"
    wanted: list[tuple[str, str, Callable[[Path], None]]] = [
        ("model", "model.npz", as_model(outcome).save)]
    if outcome.best is not None:
        wanted.append(("best epoch's model", "best.npz", as_model(outcome, best=True).save))
    wanted.append(("history", "history.json", lambda path: write_whole(path, text.encode())))
    files, failure = {}, outcome.unsaved
    for what, name, write in wanted:
        try:
            write(folder / name)
        except TritgradError as error:
            failure = failure or error
        else:
            files[what] = folder / name
    return files, failure


def draw_curve(outcome: Outcome, path: Path) -> None:
    """Draw the learning curve."""
    from .plots import learning_curve  # loads slowly, may fail

    result = report(outcome)
    learning_curve(result | {"updates": result["updates_by_epoch"]}, path)
