"""``tritgrad compare``: several runs side by side."""

import click

from ..run.compare import Run, differing, draw_runs, read_run
from ..run.outputs import check_outputs, check_picture
from .console import draw, emit, json_option, say, screen, table

__all__ = ["compare"]


@click.command()
@click.argument("runs", metavar="RUN...", nargs=-1, required=True)
@click.option("--picture", metavar="FILE", help="Draw the runs' accuracies by epoch.")
@json_option
def compare(runs: tuple[str, ...], picture: str | None, as_json: bool) -> None:
    """Show runs side by side: what differs, and what they came to. RUN is a run's folder.

    Runs that have not ended are shown as far as they are.
    """
    check_outputs({"--picture": picture})
    check_picture("--picture", picture)
    found = [read_run(given) for given in runs]
    names = differing(found)
    console = screen(stderr=as_json)
    rows = [_row(run, names) for run in found]
    console.print(table(None, ("run", "network", "epochs", "test %", "best %", "updates",
                               "cycles/row", "differs in"), rows, right=(2, 3, 4, 5, 6)))
    if picture is not None and draw(picture, lambda path: draw_runs(found, path)):
        say(console, f"picture: {picture}")
    if as_json:
        emit({"runs": [run.as_json() for run in found], "differing": names})


def _row(run: Run, names: list[str]) -> tuple[object, ...]:
    figures, best = run.as_json(), run.best()
    cycles = figures["cycles_per_sample"]
    return (run.name, "-".join(map(str, run.layers)), len(run.epochs),
            _per_cent(figures["test_accuracy"]),
            f"{best[1]:.2f} ({best[0]})" if best else "-", f"{figures['updates']:,}",
            f"{cycles:,.1f}" if cycles else "-",
            tuple(f"{name} {_plain(run.options[name])}" for name in names) or "-")


def _per_cent(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _plain(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
