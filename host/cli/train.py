"""``tritgrad train``."""

import json
from contextlib import ExitStack
from dataclasses import fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource
from rich.console import Console

from ...errors import BadInput, DeviceError, OutputError, TritgradError
from ...rules import rule_named
from ...rules.record import OWN
from ..data.npz import write_whole
from ..data.row_options import READING
from ..data.summary import entry
from ..run.checkpoint import Checkpoint, check_data
from ..run.ensemble import MEMBER
from ..run.lock import hold
from ..run.metrics import accuracy
from ..run.model_file import TrainedModel
from ..run.opening import with_data_found
from ..run.option_list import TRAIN
from ..run.options import AUTO, TrainOptions, data_path
from ..run.outputs import check_outputs
from ..run.program_file import read_program
from ..run.recipes import RECIPES
from ..run.report import as_model, draw_curve, report, write_files
from ..run.running import begun, planned
from ..run.second_look import BASELINES, baselines, behind, idle_warning
from ..run.training import (
    CHECKPOINT,
    Outcome,
    Stopped,
    Trainer,
    open_learner,
    resume,
)
from ..run.watchers import HISTORY, Curve, History, Watchers, tracker
from .console import (
    RunProgress,
    draw,
    emit,
    json_option,
    say,
    screen,
    stop_on_interrupt,
    table,
    warn,
    working,
)
from .data_options import reading_values, show_data, show_warning
from .going_on import option_of, taken_over
from .inference import heed_core, predicted
from .made import values_of
from .train_options import train_options

__all__ = ["train"]

#: The picture of a run.
CURVE = "curve.png"
#: Files that a run writes.
REPORT = "ensemble.json"
RUN_FILES = (CHECKPOINT, "model.npz", "best.npz", "history.json", HISTORY, CURVE, REPORT)


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
    if not _is_default(context, "rule") and given["program"] is not None:
        raise BadInput(f"--program {given['program']} is a rule; leave --rule away")
    rule = rule_named(given["rule"])
    model_only = rule is not None and not rule.device or given["conv"] is not None
    if model_only and _is_default(context, "device"):
        given["device"] = "model"
    options = _options(given)
    if options.from_model is not None and resumed is None:
        options = taken_over(context, options)
    if recipe_name is not None:
        options = replace(options, **{name: value for name, value in RECIPES[recipe_name].items()
                                      if _is_default(context, name)})
    if ensemble is not None:
        for option, value in ("--resume", resumed), ("--vcd", vcd):
            if value is not None:
                raise BadInput(f"{option} {value} is for one network; --ensemble trains {ensemble}")
        _train_ensemble(options, ensemble, out, progress, as_json, baseline, watch)
        return
    with ExitStack() as held:
        if resumed is not None:
            trainer = _continue(context, Path(resumed), options, out, vcd, progress, held)
        else:
            trainer = _begin(options, out, vcd, progress, held)
        outcome = _run(trainer, progress, watch)
        told = _finish(outcome, trainer, as_json, baseline)
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
    folder = Path(out) if out is not None else _new_folder(options.dataset)
    if any(folder.glob(f"{MEMBER}*")):
        raise BadInput(f"{folder} holds another ensemble; choose another folder")
    models: list[TrainedModel] = []
    reports: list[dict[str, Any]] = []
    with ExitStack() as held:
        _take(folder, held, out is None)
        for seed in range(options.seed, options.seed + size):
            member = str(folder / f"{MEMBER}{seed}")
            trainer = _begin(replace(options, seed=seed), member, None,
                             RunProgress(progress.console), held)
            outcome = _run(trainer, RunProgress(progress.console), watch)
            reports.append(_finish(outcome, trainer, as_json, baseline and not models))
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
                  lambda history, path: draw(path, lambda path: _draw(history, path)))
    try:
        trainer.watcher = Watchers(progress, History(folder / HISTORY, done), curve,
                                   *(tracker(name, folder, trainer.options) for name in names))
    except TritgradError:
        trainer.learner.close()
        raise
    return curve


def _draw(history: dict[str, Any], path: Path) -> None:
    from ..run.plots import learning_curve  # loads slowly, may fail

    learning_curve(history, path)


def _finish(outcome: Outcome, trainer: Trainer, as_json: bool,
            baseline: bool) -> dict[str, Any]:
    """Write and show the results, and return them as JSON.

    Pictures come last, and what cannot be written costs no more.
    """
    folder = trainer.folder
    assert folder is not None  # each run of the command has one
    files, failure = write_files(outcome, folder)
    console = screen(stderr=as_json)
    _show(outcome, files, console)
    others = _compared(outcome, baseline, console)
    curve = folder / CURVE
    if failure is None and draw(curve, lambda path: draw_curve(outcome, path)):
        say(console, f"learning curve: {curve}")
    told = report(outcome) | ({"baselines": others} if others else {})
    if failure is not None:
        if as_json:
            emit(told)
        raise OutputError(f"{failure}; {trainer.how_to_go_on}")
    return told


def _compared(outcome: Outcome, baseline: bool, console: Console) -> dict[str, float]:
    """Warn of idle neurons; with --baseline what other classifiers get."""
    if (outcome.options.rule == "margin" and outcome.state.counters
            and outcome.recipe.conv is None):
        idle = idle_warning(outcome.recipe, outcome.state.counters, outcome.data)
        if idle is not None:
            show_warning(idle)
    if not baseline:
        return {}
    with working(screen(stderr=True), "training other classifiers"):
        found = baselines(outcome.data, outcome.recipe.seed)
    for name, right in found.items():
        say(console, f"{BASELINES[name]}: {right:.2f} % of the test rows")
    worse = behind(outcome.position.epochs[-1].test_accuracy, found)
    if worse is not None:
        show_warning(worse)
    return found


def _is_default(context: click.Context, option: str) -> bool:
    return context.get_parameter_source(option) is ParameterSource.DEFAULT


def _options(given: dict[str, Any]) -> TrainOptions:
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
    folder = _new_folder(plan.data.name) if out is None else Path(out)
    _take(folder, held, out is None)
    if plan.choice is not None and plan.choice.open:
        for line in entry("coding", f"{plan.choice.encode}: {plan.choice.why}"):
            say(progress.console, line)
    return begun(plan, folder, progress, vcd, heed_core)


def _take(folder: Path, held: ExitStack, made: bool = False) -> None:
    """Have a folder for a new run, which must hold no other; `made` for it."""
    held.enter_context(hold(folder, made))
    there = [name for name in RUN_FILES if (folder / name).exists()]
    if there:
        raise BadInput(f"{folder} holds another run ({', '.join(there)}); choose another folder "
                       f"or continue it with --resume {folder}")


def _new_folder(dataset: str) -> Path:
    """A folder that is there now and was not before, whoever else makes one at the same time."""
    stem = f"{Path(dataset).stem}-{datetime.now():%Y%m%d-%H%M%S}"
    folder, number = Path("runs") / stem, 1
    while True:
        try:
            folder.mkdir(parents=True)
            return folder
        except FileExistsError:
            number += 1
            folder = Path("runs") / f"{stem}-{number}"
        except OSError as error:
            raise BadInput(f"cannot create {folder}: {error.strerror}") from None


def _continue(context: click.Context, given: Path, options: TrainOptions, out: str | None,
              vcd: str | None, progress: RunProgress, held: ExitStack) -> Trainer:
    path = given if given.is_file() else given / CHECKPOINT
    folder = path.parent if out is None else Path(out)
    if out is not None:
        _take(folder, held)
    elif path.name != CHECKPOINT and (folder / CHECKPOINT).exists():
        raise BadInput(f"--resume {path} would go on in {folder}, which holds another run; give "
                       "--out DIR for a new folder")
    elif path.is_file():
        held.enter_context(hold(folder))
    checkpoint, moved = with_data_found(Checkpoint.load(path), path)
    names = {field.name for field in fields(TrainOptions)
             if field.name in context.params and not _is_default(context, field.name)}
    if options.encode == AUTO:  # stored is what was chosen
        names.discard("encode")
    for name in sorted(names - {*TrainOptions.FREE, "epochs"}):
        wanted, has = getattr(options, name), getattr(checkpoint.options, name)
        if wanted != has:
            option = option_of(name)
            raise BadInput(f"{option} {_plain(wanted)} contradicts the run in {path.parent}, "
                           f"which has {option} {_plain(has)}")
    if "program" in names and options.program_text != checkpoint.options.program_text:
        raise BadInput(f"--program {options.program} is another rule than that of the run in "
                       f"{path.parent}")
    free = {name: getattr(options, name) for name in names & set(TrainOptions.FREE)}
    for told in moved:
        if told.split()[0].removeprefix("--").replace("-", "_") not in free:
            warn(told)
    checkpoint = replace(checkpoint, options=replace(checkpoint.options, **free))
    data = checkpoint.options.load_data()
    recipe = checkpoint.options.recipe(data)
    if "epochs" in names and options.epochs is not None:
        planned = checkpoint.options.planned(recipe)
        more = _more_epochs(checkpoint, planned, options.epochs, path.parent)
        checkpoint = replace(checkpoint, options=replace(checkpoint.options, more_epochs=more))
    show_data(data.summary)
    learner = open_learner(checkpoint.options, recipe, progress, vcd, data.pixels)
    if out is not None:
        check_data(checkpoint, data, path.parent)
        checkpoint.save(folder / CHECKPOINT)
    return resume(checkpoint, data, folder, learner, progress)


def _more_epochs(checkpoint: Checkpoint, planned: int, wanted: int, folder: Path) -> int:
    """Epochs after those that a run was planned with; they are learned with its last gains."""
    has = planned + checkpoint.options.more_epochs
    if wanted < has:
        raise BadInput(f"--epochs {wanted} contradicts the run in {folder}, which has --epochs "
                       f"{has}; it may only be more")
    if wanted > has and checkpoint.options.prune is not None:
        raise BadInput(f"--epochs {wanted}: the run in {folder} prunes by a plan of {has} epochs; "
                       "it cannot be made longer")
    return wanted - planned


def _plain(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(str(item) for item in value)
    return "at its default" if value is None else str(value)


def _show(outcome: Outcome, files: dict[str, Path], console: Console) -> None:
    result = report(outcome)
    last = outcome.position.epochs[-1]
    layers = "-".join(str(n) for n in result["layers"])
    network = f"{layers}, {result['counter_bits']}-bit counters, {result['planes']}-bit inputs"
    rows: list[tuple[str, object]] = [("network", network)]
    if (conv := outcome.recipe.conv) is not None:
        rows.append(("convolution", (f"{conv.kernels} kernels of {conv.channels} x {conv.kernel} x "
                     f"{conv.kernel}, pool {conv.pool}, {conv.counter_bits}-bit counters, "
                     f"{conv.planes}-bit pixels")))
    rows.append(("train accuracy", f"{last.train_accuracy:.2f} %"))
    if last.val_accuracy is not None and outcome.position.best_epoch is not None:
        best = outcome.position.epochs[outcome.position.best_epoch - 1]
        text = f"{last.val_accuracy:.2f} %, best {best.val_accuracy:.2f} % in epoch "
        rows.append(("validation accuracy", f"{text}{outcome.position.best_epoch}"))
    if last.test_accuracy is not None:
        rows.append(("test accuracy", f"{last.test_accuracy:.2f} %"))
    if last.test_balanced is not None:
        rows.append(("balanced", f"{last.test_balanced:.2f} %, the mean over the classes"))
    rows.append(("updates, flips", f"{result['updates']:,}, {result['flips']:,}"))
    if result["scales"] is not None:
        low, high = result["scales"]["exact"]
        distance = result["scales"]["distance"]
        rows.append(("scales", f"{low:.6f} to {high:.6f}, applied within {distance:.6f}"))
    if result["gf3"] is not None:
        rows.append(("row sums mod 3", f"{result['rows_scrubbed']:,} compared, all as kept"))
    if (pruned := result["prune"]) is not None:
        text = f"{pruned['inside']:,} of {pruned['granules']:,} granules, "
        rows.append(("support", f"{text}{pruned['births']:,} births, {pruned['deaths']:,} deaths"))
        rows.append(("trits that are 0", f"{pruned['zero_trits']:.1%}"))
    if result["cycles"] is not None:
        mean = result["cycles"] / sum(e.samples for e in outcome.position.epochs)
        latest = result["cycles_per_sample"][-1]
        rows.append(("cycles a sample", f"{latest:,.1f} in the last epoch, {mean:,.1f} in all"))
    if result["forward_cycles_per_sample"] is not None:
        dense, took = result["dense_cycles"], result["forward_cycles_per_sample"]
        rows.append(("forward pass", f"{took:,.1f} cycles, of these {dense:,.1f} for dense data at "
                     "the least" if took >= dense else
                     f"{took:,.1f} cycles, as zeros are skipped; dense data take {dense:,.1f}"))
    if result["samples_per_second"]:
        speed = f"{result['samples_per_second']:,.0f} samples/s"
        seconds = result["seconds"]
        rows.append(("speed", f"{speed}, {seconds:,.{2 if seconds < 10 else 1}f} s in all"))
    for warning in result["data"]["warnings"][len(outcome.data.summary.warnings):]:
        rows.append(("warning", warning))
    console.print(table(f"{result['dataset']} on {result['device']}", ("", ""), rows))
    for what, value in (("state_sha256", result["state_sha256"]), *files.items()):
        say(console, f"{what}: {value}")
