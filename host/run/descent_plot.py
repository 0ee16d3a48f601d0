"""The picture of a descent: the loss by step, and with two parameters the way on the map."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from .plots import BLUE, ORANGE, plain_text, save_figure, tidy

__all__ = ["draw_descent"]

#: Points of the map in each direction.
GRID = 81

Floats = npt.NDArray[np.float64]


def draw_descent(title: str, names: Sequence[str], loss: Callable[[Floats], float],
                 points: Floats, losses: Sequence[float], path: str | Path) -> None:
    """Draw the losses of all steps, the start included, and their points if there are two numbers.

    Parameters
    ----------
    title
        The loss as text.
    names
        Of the parameters.
    loss
        From parameters to a number, for the map.
    points
        (steps + 1, parameters).
    losses
        (steps + 1,); what is infinite is left out.
    path
        A .png, .svg or .pdf file.
    """
    two = len(names) == 2
    figure = Figure(figsize=(10.4 if two else 6.4, 4.4), layout="constrained")
    figure.suptitle(plain_text(title if len(title) <= 90 else title[:87] + "..."), fontsize=12,
                    fontweight="bold")
    curve = figure.add_subplot(1, 2 if two else 1, 1)
    values = np.where(np.isfinite(losses), losses, np.nan)
    steps = np.arange(len(values))
    curve.plot(steps, values, "o-" if len(values) <= 60 else "-", color=BLUE, markersize=3.5,
               linewidth=1.4, label="at the step")
    known = np.where(np.isfinite(values), values, np.inf)
    best = np.minimum.accumulate(known)
    curve.plot(steps, np.where(np.isfinite(best), best, np.nan), "--", color=ORANGE,
               linewidth=1.4, label="best so far")
    curve.set_xlabel("step")
    curve.set_ylabel("loss")
    curve.xaxis.set_major_locator(MaxNLocator(integer=True))
    if np.isfinite(losses).any():
        curve.legend(loc="upper right", framealpha=0.95)
    else:
        curve.text(0.5, 0.5, "infinite at every step", transform=curve.transAxes, ha="center")
    tidy(curve)
    if two:
        _draw_map(figure.add_subplot(1, 2, 2), names, loss, points, int(np.argmin(known)))
    save_figure(figure, Path(path))


def _draw_map(axes: Axes, names: Sequence[str], loss: Callable[[Floats], float], points: Floats,
              best: int) -> None:
    low, high = points.min(axis=0), points.max(axis=0)
    room = np.maximum(0.15 * (high - low), 1.0)
    across, up = (np.linspace(a, b, GRID)
                  for a, b in zip(low - room, high + room, strict=True))
    heights = np.array([[loss(np.array([x, y])) for x in across] for y in up])
    heights = np.where(np.isfinite(heights), heights, np.nan)
    if np.isfinite(heights).any() and np.nanmin(heights) < np.nanmax(heights):
        filled = axes.contourf(across, up, heights, levels=24, cmap="Blues_r")
        axes.figure.colorbar(filled, ax=axes, label="loss")
    axes.plot(*points.T, "o-", color=ORANGE, markersize=4, linewidth=1.4)
    axes.plot(*points[best], "*", color="white", markeredgecolor="black", markersize=14,
              label="best")
    axes.set_xlabel(plain_text(names[0]))
    axes.set_ylabel(plain_text(names[1]))
    axes.legend(loc="upper right", framealpha=0.95)
