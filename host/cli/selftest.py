"""``tritgrad selftest``: whether a board works, and what to do if not."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from ... import __version__
from ...errors import BadInput
from ...model.config import CoreConfig
from ..device.address import board_and_port
from .console import emit, json_option
from .made import recipe_option, with_recipe

__all__ = ["selftest"]

WORDS = {"ok": "PASS", "failed": "FAIL", "skipped": "skip"}


@click.command()
@click.argument("device", metavar="BOARD@PORT")
@recipe_option("Expect the core")
@click.option("--core", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Expect the core of this report.json, not the board's released one.")
@click.option("--load", type=click.Path(path_type=Path, dir_okay=False, exists=True),
              metavar="BITSTREAM", help="Load this bitstream first.")
@click.option("--networks", type=click.IntRange(1), default=100, show_default=True, metavar="N",
              help="Compare this many random networks with the golden model.")
@click.option("--samples", type=click.IntRange(1), default=2000, show_default=True, metavar="N",
              help="Train the board's own network on this many random samples.")
@click.option("--seconds", type=click.FloatRange(0.1), default=10.0, show_default=True,
              metavar="S", help="Measure the clock for so long.")
@json_option
@click.pass_context
def selftest(context: click.Context, device: str, recipe: str | None, core: Path | None,
             load: Path | None, networks: int, samples: int, seconds: float, as_json: bool) -> None:
    """Test the board on a port from its USB bridge to training, a line a step.

    The first step that fails ends the test and says what to do. With --json the record for a bug
    report follows: versions, ids, rates and times.
    """
    from ...boards import find_board
    from ..selftest import Bench, Result, run

    parts = board_and_port(device)
    if parts is None or not parts[0]:
        raise BadInput(f"device must be BOARD@PORT, not {device!r}")
    board = with_recipe(find_board(parts[0]), recipe)
    config = board.config
    if core is not None:
        try:
            config = CoreConfig(**json.loads(core.read_text())["config"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BadInput(f"{core} is no report of a build: {error}") from None

    def tell(result: Result) -> None:
        if result.found == "a step before it failed":
            return
        click.echo(f"{WORDS[result.state]} {result.number:2} {result.name}: {result.found} "
                   f"({result.seconds:.1f} s)", err=as_json)
        if result.advice:
            click.echo(f"        {result.advice}", err=as_json)

    bench = Bench(device, board, config, load, networks, samples, seconds,
                  port=parts[1].partition(",")[0])
    results = run(bench, tell)
    passed = not any(result.state == "failed" for result in results)
    if as_json:
        emit({"version": __version__, "board": board.name, "port": bench.port, "passed": passed,
              "steps": [asdict(result) for result in results], **bench.facts})
    if not passed:
        context.exit(1)
