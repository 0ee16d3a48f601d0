"""``tritgrad optimize``: descent on trits for a loss that is typed in."""

import json
import math
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt
from rich.console import Console

from ...errors import BadInput
from ...model.discrete.gradients import DiscreteBackprop, SimultaneousPerturbation
from ..run.outputs import check_outputs, check_picture
from ..run.training import Stopped
from .console import counting, draw, emit, json_option, say, screen, table
from .expression import FUNCTIONS, LossExpression

__all__ = ["optimize"]

METHODS = ("finite-difference", "spsa")
#: Steps in a row without a trit that end a run: a random direction may well be flat once.
PATIENCE = {"finite-difference": 1, "spsa": 20}

Floats = npt.NDArray[np.float64]


class _Course:
    """Where a descent went."""

    def __init__(self, loss: LossExpression, start: Floats):
        self.loss = loss
        self.evaluations = 0
        self.points, self.losses = [start], [loss(start)]

    def __call__(self, values: Floats) -> float:
        self.evaluations += 1
        return self.loss(values)

    def note(self, point: Floats, value: float) -> None:
        self.points.append(point)
        self.losses.append(value)

    def best(self) -> int:
        return int(np.argmin(self.losses))


@click.command(epilog=f"A loss may call {', '.join(FUNCTIONS)}; hash depends on the whole part of "
                      "its argument only. What overflows counts as infinite.")
@click.option("--loss", "text", required=True, metavar="EXPR",
              help='Minimise this, such as "x**2 + y**2".')
@click.option("--init", required=True, metavar="JSON",
              help='Start here: "[5, 5]" in the alphabetical order of the names, or '
                   '\'{"x": 5, "y": 5}\'.')
@click.option("--steps", type=click.IntRange(0, 1_000_000), default=100, show_default=True,
              metavar="N", help="Take this many steps at most.")
@click.option("--method", type=click.Choice(METHODS), default=METHODS[0], show_default=True,
              help="Probe each parameter on both sides, or all at once along a random direction.")
@click.option("--epsilon", type=float, default=1.0, show_default=True, metavar="E",
              help="Probe the loss this far away.")
@click.option("--threshold", type=float, default=0.01, show_default=True, metavar="D",
              help="Take smaller differences of the loss for none.")
@click.option("--lr", type=float, default=1.0, show_default=True, metavar="R",
              help="Move by this, times the confidence.")
@click.option("--seed", type=int, default=1069, show_default=True, metavar="N",
              help="Derive the directions of spsa from this number, 0 to 2^64 - 1.")
@click.option("--patience", type=click.IntRange(1), metavar="N",
              help="Stop after this many steps in a row that move nothing.  "
                   "[default: 1, with spsa 20]")
@click.option("--plot", metavar="FILE",
              help="Draw the losses, and two parameters on a map, into this .png, .svg or .pdf.")
@json_option
@click.pass_context
def optimize(context: click.Context, text: str, init: str, steps: int, method: str, epsilon: float,
             threshold: float, lr: float, seed: int, patience: int | None, plot: str | None,
             as_json: bool) -> None:
    """Minimise a function without derivatives, by trits.

    In each step each parameter moves up, down or not at all, by at most the learning rate. The
    function may have jumps, conditions and hashes.
    """
    check_picture("--plot", plot)
    check_outputs({"--plot": plot})
    loss = LossExpression(text)
    start = _start(init, loss.names)
    if not math.isfinite(lr):
        raise BadInput(f"--lr must be a finite number, not {lr!r}")
    if method == "spsa":
        rule: DiscreteBackprop = SimultaneousPerturbation(len(start), epsilon, threshold, seed)
    else:
        rule = DiscreteBackprop(len(start), epsilon, threshold)
    patience = patience or PATIENCE[method]
    course = _Course(loss, start)
    console = screen(stderr=True)
    try:
        with counting(console, "steps", steps) as show:
            def watch(number: int, point: Floats, value: float) -> None:
                course.note(point, value)
                show(number + 1)
            rule.optimize(start, course, steps, lr, patience, watch)
    except KeyboardInterrupt:
        at = course.best()
        raise Stopped(f"interrupted after {len(course.losses) - 1} steps; best loss "
                      f"{course.losses[at]:.6g} at {_named(loss.names, course.points[at])}") \
            from None
    result = _report(course, method, steps)
    shown = screen(stderr=as_json)
    _show(result, shown)

    def picture(path: Path) -> None:
        from ..run.descent_plot import draw_descent  # loads slowly, may fail

        draw_descent(text, loss.names, loss, np.array(course.points), course.losses, path)

    drawn = plot is None or draw(plot, picture)
    if plot is not None and drawn:
        say(shown, f"picture: {plot}")
    if as_json:
        emit(result)
    if not drawn:
        context.exit(1)


def _start(text: str, names: list[str]) -> Floats:
    """The starting point that `text` gives for the names."""
    if not names:
        raise BadInput("a loss must name at least one variable")
    wanted = f"a number for each of {', '.join(names)}"
    try:
        given: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise BadInput(f"--init must be JSON, {wanted}, not {_short(text)}") from None
    if isinstance(given, dict):
        if set(given) != set(names):
            raise BadInput(f"--init must have {wanted}, not for {', '.join(given) or 'none'}")
        given = [given[name] for name in names]
    if not isinstance(given, list) or len(given) != len(names) or not all(map(_is_number, given)):
        raise BadInput(f"--init must have {wanted}, not {_short(text)}")
    return np.array(given, np.float64)


def _is_number(value: object) -> bool:
    try:
        return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]
    except OverflowError:
        return False


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _named(names: list[str], point: Floats) -> str:
    return ", ".join(f"{name} = {value:.6g}" for name, value in zip(names, point, strict=True))


def _report(course: _Course, method: str, steps: int) -> dict[str, Any]:
    """The JSON object; a loss that is infinite is null."""
    at = course.best()
    losses = [value if math.isfinite(value) else None for value in course.losses]
    taken = len(losses) - 1
    return {"loss": course.loss.text, "method": method, "variables": course.loss.names,
            "init": course.points[0].tolist(), "best": course.points[at].tolist(),
            "best_loss": losses[at], "best_step": at, "steps": taken,
            "stopped_early": taken < steps, "evaluations": course.evaluations, "losses": losses}


def _show(result: dict[str, Any], console: Console) -> None:
    names = result["variables"]
    early = "nothing moved any more" if result["stopped_early"] else "all of them"
    rows: list[tuple[str, object]] = [
        ("start", _named(names, np.array(result["init"]))),
        ("best", _named(names, np.array(result["best"]))),
        ("loss there", "infinite" if result["best_loss"] is None
         else f"{result['best_loss']:.6g}"),
        ("steps", f"{result['steps']:,}, {early}; the best after {result['best_step']:,}"),
        ("losses evaluated", f"{result['evaluations']:,}"),
    ]
    console.print(table(f"{result['loss']} by {result['method']}", ("", ""), rows))
