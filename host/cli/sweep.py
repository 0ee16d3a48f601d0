"""``tritgrad sweep``: many trainings, side by side."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ...errors import BadInput, DeviceError
from ..device.address import board_and_port
from ..run.option_list import BY_NAME
from ..run.options import TrainOptions, data_path
from .console import draw, emit, json_option, say, screen, table
from .made import made

__all__ = ["sweep"]


@click.command()
@made(BY_NAME["dataset"])
@made(BY_NAME["data_dir"])
@made(BY_NAME["label"])
@click.option("--seeds", default="1-5", show_default=True, metavar="A-B[,C...]",
              help="Train each setting once with each of these seeds.")
@click.option("--grid", "grids", multiple=True, metavar="OPTION=V[,V...]",
              help="Try these values of an option of train, with all those of the other grids; "
                   "sizes of several layers are joined by x: hidden=64,128x32.")
@click.option("--epochs", type=int, metavar="E", help="Train this many epochs.  [default: 20]")
@click.option("--device", default="model", show_default=True, metavar="DEVICE[,DEVICE...]",
              help="Train on the golden model (model), the compiled RTL (sim), or on boards, "
                   "BOARD@PORT, as many at once as are given.")
@click.option("--jobs", type=click.IntRange(1), metavar="N",
              help="Train N runs at once on this machine.  [default: one a processor]")
@click.option("--scheduler", metavar="ADDRESS",
              help="Hand the runs to the Dask cluster at this address, which must see the same "
                   "folders. With boards, it has a worker for each: with the resource board=1, and "
                   "the device for a name.")
@click.option("--ensemble", is_flag=True,
              help="Let the networks of a setting's seeds vote on the test rows, too.")
@click.option("--out", default="runs/sweep", show_default=True, metavar="DIR",
              help="Put results here; runs that have ended here before are not repeated.")
@json_option
def sweep(dataset: str, data_dir: str | None, label: str | None, seeds: str,
          grids: tuple[str, ...], epochs: int | None, device: str, jobs: int | None,
          scheduler: str | None, ensemble: bool, out: str, as_json: bool) -> None:
    """Train with many seeds and options, and show what accuracy costs.

    Begun again with the same folder, it goes on where it was: with runs that have not ended, from
    their checkpoints.
    """
    try:
        from ..sweep.run import cluster, run_sweep
    except ImportError as error:
        raise BadInput(f"sweep needs {error.name}: pip install 'tritgrad[sweep]'") from None
    from ..sweep.grid import Point, parse_grid, parse_seeds, points

    devices = [name.strip() for name in device.split(",")]
    boards = [name for name in devices if board_and_port(name)]
    if boards and len(boards) < len(devices) or len(devices) > 1 and not boards:
        raise BadInput(f"--device must be model, sim, or one or more BOARD@PORT, not {device!r}")
    if len(set(devices)) < len(devices):
        raise BadInput(f"--device {device} names a board twice")
    base = TrainOptions(dataset=data_path(dataset) or dataset, data_dir=data_path(data_dir),
                        label=label, epochs=epochs, device=devices[0])
    numbers = parse_seeds(seeds)
    if ensemble and len(numbers) < 2:
        raise BadInput(f"--ensemble needs two seeds or more, not --seeds {seeds} alone")
    runs = points(base, parse_grid(grids), numbers)
    for point in {p.setting: p for p in runs}.values():
        point.options.recipe(point.options.load_data())  # refuses what no run could do
    folder, console, errors = Path(out), screen(stderr=as_json), screen(stderr=True)
    done = 0

    def tell(point: Point, result: dict[str, Any] | None, error: str | None) -> None:
        nonlocal done
        done += 1
        said = (f"test {result['test_accuracy'][-1]:.2f} %" if result is not None
                else f"failed: {error}")
        say(errors, f"{done}/{len(runs)}  {point.setting}  seed {point.options.seed}  {said}")

    with cluster(jobs or os.cpu_count() or 1, boards, scheduler) as client:
        results = run_sweep(client, runs, folder, boards, tell)
    title = f"{Path(base.dataset).name} on {f'{len(boards)} boards' if boards[1:] else devices[0]}"
    _finish(runs, results, folder, title, ensemble, console, as_json)


def _finish(runs: Any, results: Any, folder: Path, title: str, ensemble: bool, console: Any,
            as_json: bool) -> None:
    """Show and write what it came to."""
    from ..sweep.tables import as_csv, pareto, settings_csv, summed_up
    from ..sweep.vote import votes

    failed = sum(result is None for result in results)
    if failed == len(runs):
        raise DeviceError(f"all {failed} runs failed; the same command tries them again")
    settings = summed_up(runs, results, votes(runs, results, folder) if ensemble else {})
    columns: list[tuple[str, Callable[[Any], str]]] = [
        ("setting", lambda s: s.name), ("runs", lambda s: f"{len(s.accuracies)}"),
        ("mean", lambda s: f"{s.mean:.2f}"), ("dev.", lambda s: _number(s.spread, ".2f")),
        ("least", lambda s: f"{min(s.accuracies):.2f}"),
        ("most", lambda s: f"{max(s.accuracies):.2f}"),
        ("vote", lambda s: _number(s.vote, ".2f")),
        ("cycles", lambda s: _number(s.cycles, ",.0f")),
        ("LUTs", lambda s: _number(s.luts, ",.0f")),
        ("bits", lambda s: _number(s.state_bits, ",.0f"))]
    shown = [(name, text) for name, text in columns if any(text(s) for s in settings)]
    console.print(table(f"{title}, test %",
                        [name for name, _ in shown],
                        [[text(s) for _, text in shown] for s in settings],
                        right=range(1, len(shown))))
    as_csv(runs, results, folder / "sweep.csv")
    settings_csv(settings, folder / "settings.csv")
    say(console, f"runs: {folder / 'sweep.csv'}")
    say(console, f"settings: {folder / 'settings.csv'}")
    picture = folder / "pareto.png"
    if settings and draw(picture, lambda path: pareto(
            settings, f"{title}: test accuracy and its cost", path)):
        say(console, f"picture: {picture}")
    if as_json:
        emit({"settings": [vars(s) | {"accuracies": list(s.accuracies), "mean": s.mean,
                                      "deviation": s.spread} for s in settings],
              "runs": len(runs), "failed": failed})
    if failed:
        raise DeviceError(f"{failed} of {len(runs)} runs failed; the same command tries them again")


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)
