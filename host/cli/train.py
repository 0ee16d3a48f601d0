"""``tritgrad train``."""

import json
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from ...errors import BadInput, DeviceError, OutputError, TritgradError
from ...rules import rule_named
from ...rules.record import OWN
from ..data.npz import write_whole
from ..data.row_options import READING
from ..data.summary import entry
from ..run.ensemble import MEMBER
from ..run.metrics import accuracy
from ..run.model_file import TrainedModel
from ..run.option_list import TRAIN
from ..run.options import AUTO, TrainOptions, data_path
from ..run.outputs import check_outputs
from ..run.program_file import read_program
from ..run.recipes import RECIPES
from ..run.report import as_model
from ..run.running import begun, planned
from ..run.training import Outcome, Stopped, Trainer
from ..run.watchers import HISTORY, Curve, History, Watchers, tracker
from .console import RunProgress, draw, emit, json_option, say, screen, stop_on_interrupt
from .data_options import reading_values, show_data
from .going_on import taken_over
from .inference import heed_core, predicted
from .made import is_default, values_of
from .outcome import draw_history, finish
from .resuming import continued
from .run_folder import CURVE, REPORT, new_folder, take
from .train_options import train_options

__all__ = ["run_options", "train"]

@click.command()
@train_options
@json_option
@click.pass_context
def train(context: click.Context, resumed: str | None, out: str | None, vcd: str | None,
          as_json: bool, recipe_name: str | None, baseline: bool, ensemble: int | None,
          watch: tuple[str, ...], **given: Any) -> None:
    """Train a network and save it, its history and its learning curve.

    Ctrl-C writes a checkpoint and stops; --resume continues, also after a crash, and ends as if
    nothing had happened.
    """
    check_outputs({"--vcd": vcd}, {"--dataset": given["dataset"], "--test": given["test"],
                                   "--from": given["from_model"]})
    progress = RunProgress(screen(stderr=True))
    if not is_default(context, "rule") and given["program"] is not None:
        raise BadInput(f"--program {given['program']} is a rule; leave --rule away")
    rule = rule_named(given["rule"])
    model_only = rule is not None and not rule.device or given["conv"] is not None
    if model_only and is_default(context, "device"):
        given["device"] = "model"
    options = run_options(given)
    if options.from_model is not None and resumed is None:
        options = taken_over(context, options)
    if recipe_name is not None:
        options = replace(options, **{name: value for name, value in RECIPES[recipe_name].items()
                                      if is_default(context, name)})
    if ensemble is not None:
        for option, value in ("--resume", resumed), ("--vcd", vcd):
            if value is not None:
                raise BadInput(f"{option} {value} is for one network; --ensemble trains {ensemble}")
        _train_ensemble(options, ensemble, out, progress, as_json, baseline, watch)
        return
    with ExitStack() as held:
        if resumed is not None:
            trainer = continued(context, Path(resumed), options, out, vcd, progress, held)
        else:
            trainer = _begin(options, out, vcd, progress, held)
        outcome = _run(trainer, progress, watch)
        told = finish(outcome, trainer, as_json, baseline)
    if as_json:
        emit(told)


def _run(trainer: Trainer, progress: RunProgress, watch: tuple[str, ...]) -> Outcome:
    """A run to its end, its device closed."""
    curve = _watched(trainer, progress, watch)
    try:
        with stop_on_interrupt(progress.console) as stop, progress:
            trainer.stop = stop
            return trainer.run()
    except Stopped:
        curve.draw()
        raise
    except (DeviceError, OutputError) as error:
        kind = DeviceError if isinstance(error, DeviceError) else OutputError
        raise kind(f"{error}; {trainer.how_to_go_on}") from error
    finally:
        trainer.learner.close()


def _train_ensemble(options: TrainOptions, size: int, out: str | None, progress: RunProgress,
                    as_json: bool, baseline: bool, watch: tuple[str, ...]) -> None:
    """Train networks of several seeds one after the other, and let them vote on the test rows."""
    folder = Path(out) if out is not None else new_folder(options.dataset)
    if any(folder.glob(f"{MEMBER}*")):
        raise BadInput(f"{folder} holds another ensemble; choose another folder")
    models: list[TrainedModel] = []
    reports: list[dict[str, Any]] = []
    with ExitStack() as held:
        take(folder, held, out is None)
        for seed in range(options.seed, options.seed + size):
            member = str(folder / f"{MEMBER}{seed}")
            trainer = _begin(replace(options, seed=seed), member, None,
                             RunProgress(progress.console), held)
            outcome = _run(trainer, RunProgress(progress.console), watch)
            reports.append(finish(outcome, trainer, as_json, baseline and not models))
            models.append(as_model(outcome))
            # all read rows alike: what the first one chose
            options = replace(outcome.options, seed=options.seed)
        data = outcome.data
        console = screen(stderr=as_json)
        found, _ = predicted(models, TrainOptions(device="model", rule=models[0].forward_rule),
                             data.x_test, "test rows", screen(stderr=True))
        vote = accuracy(data.y_test, found) if len(found) else None
        alone = [r["test_accuracy"][-1] for r in reports]
        if vote is not None:
            say(console, f"test accuracy of the {size} networks: "
                         f"{', '.join(f'{value:.2f}' for value in alone)} %; of their vote ",
                (f"{vote:.2f} %", "bold"))
        result = {"ensemble": size, "dataset": data.name, "test_accuracy": vote,
                  "alone": alone, "members": [Path(f"{MEMBER}{r['seed']}").name for r in reports],
                  "state_sha256": [r["state_sha256"] for r in reports]}
        write_whole(folder / REPORT, (json.dumps(result, indent=1) + "\n").encode())
        say(console, f"ensemble: {folder}")
    if as_json:
        emit(result)


def _watched(trainer: Trainer, progress: RunProgress, names: tuple[str, ...]) -> Curve:
    """Have a run's history and curve written while it goes on, and what else is asked for."""
    folder, checkpoint = trainer.folder, trainer.checkpoint
    assert folder is not None  # each run of the command has one
    done = checkpoint.position.epochs[:checkpoint.position.finished]
    curve = Curve(trainer, folder / CURVE,
                  lambda history, path: draw(path, lambda path: draw_history(history, path)))
    try:
        trainer.watcher = Watchers(progress, History(folder / HISTORY, done), curve,
                                   *(tracker(name, folder, trainer.options) for name in names))
    except TritgradError:
        trainer.learner.close()
        raise
    return curve


def run_options(given: dict[str, Any]) -> TrainOptions:
    """The options of a run from those of the command line."""
    for name in ("dataset", "data_dir", "test"):
        given[name] = data_path(given[name])
    if given["from_model"] is not None:
        given["from_model"] = data_path(_model_in(given["from_model"]))
    if given["replay"] is not None and not given["replay"].isdecimal():
        given["replay"] = data_path(given["replay"])
    given |= reading_values(given)
    given |= values_of([option for option in TRAIN if option not in READING], given)
    if given["program"] is not None:
        given |= {"rule": OWN, "program_text": read_program(given["program"])}
    if given["encode"] is None and given["planes"] is None:
        given["encode"] = AUTO
    return TrainOptions(**given)


def _model_in(given: str) -> str:
    """A model's file; of a run's folder the one of its end."""
    return str(Path(given, "model.npz")) if Path(given).is_dir() else given


def _begin(options: TrainOptions, out: str | None, vcd: str | None, progress: RunProgress,
           held: ExitStack) -> Trainer:
    plan = planned(options, options.load_data(), progress)
    show_data(plan.data.summary)
    folder = new_folder(plan.data.name) if out is None else Path(out)
    take(folder, held, out is None)
    if plan.choice is not None and plan.choice.open:
        for line in entry("coding", f"{plan.choice.encode}: {plan.choice.why}"):
            say(progress.console, line)
    return begun(plan, folder, progress, vcd, heed_core)
