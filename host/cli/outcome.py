"""What a run has come to: files, a table, other classifiers beside it."""

from pathlib import Path
from typing import Any

from rich.console import Console

from ...errors import OutputError
from ...units.registry import run_parts
from ..run.report import draw_curve, report, write_files
from ..run.second_look import BASELINES, baselines, behind, idle_warning
from ..run.training import Outcome, Trainer
from .console import draw, emit, say, screen, table, working
from .data_options import show_warning
from .run_folder import CURVE

__all__ = ["draw_history", "finish"]


def draw_history(history: dict[str, Any], path: Path) -> None:
    """Draw the learning curve of a run's history."""
    from ..run.plots import learning_curve  # loads slowly, may fail

    learning_curve(history, path)


def finish(outcome: Outcome, trainer: Trainer, as_json: bool, baseline: bool) -> dict[str, Any]:
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
    for part in run_parts():
        rows += part.rows(result)
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
