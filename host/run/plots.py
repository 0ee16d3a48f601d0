"""Pictures of a training run, written to files; never a window."""

import io
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..data.npz import write_whole
from ..text import visible
from .outputs import check_picture

__all__ = ["BLUE", "GREEN", "ORANGE", "confusion_matrix", "learning_curve", "plain_text",
           "save_figure", "tidy"]

BLUE, ORANGE, GREEN, GREY = "#2563a8", "#d9730d", "#3d8b40", "#8a9099"


def learning_curve(history: Mapping[str, Any], path: str | Path) -> None:
    """Accuracy by epoch, and below it how often the network was still updated.

    Parameters
    ----------
    history
        What ``tritgrad train --json`` prints: ``train_accuracy``, ``test_accuracy`` and, if there,
        ``val_accuracy`` (per cent, one value an epoch), ``updates`` (samples updated, one value an
        epoch), ``samples`` (an epoch), ``dataset``, ``layers``, ``device``.
    path
        A .png, .svg or .pdf file.
    """
    figure = Figure(figsize=(7.2, 5.4), layout="constrained")
    updates = np.asarray(history["updates"], float) / max(1, history["samples"])
    both = bool(updates.any())  # a rule that counts no updates has nothing to show below
    panes = figure.subplots(1 + both, 1, sharex=True, squeeze=False,
                            height_ratios=(2.4, 1)[:1 + both])[:, 0]
    top, bottom = panes[0], panes[-1]
    layers = "-".join(str(n) for n in history["layers"])
    figure.suptitle(f"{plain_text(history['dataset'])}, {layers}, trained on {history['device']}",
                    fontsize=12, fontweight="bold")
    series = [("train", history["train_accuracy"], BLUE),
              ("validation", history.get("val_accuracy") or [], GREEN),
              ("test", history["test_accuracy"], ORANGE)]
    series = [(name, values, colour) for name, values, colour in series if len(values)]
    for name, values, colour in series:
        epochs = np.arange(1, len(values) + 1)
        top.plot(epochs, values, "o-" if len(values) <= 40 else "-", color=colour, markersize=3.5,
                 linewidth=1.6, label=f"{name}: {values[-1]:.2f} %")
    if series:
        top.set_ylim(*_zoomed([v for _, values, _ in series for v in values]))
        top.legend(loc="lower right", title="last epoch", framealpha=0.95)
    top.set_ylabel("accuracy, %")

    if both:
        bottom.bar(np.arange(1, len(updates) + 1), updates, width=0.8, color=GREY)
        bottom.set_ylabel("updates\nper sample")
        bottom.set_ylim(0, 1.15 * updates.max())
    bottom.set_xlabel("epoch")
    bottom.set_xlim(0.4, max(len(updates), 3) + 0.6)
    bottom.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    for axes in panes:
        tidy(axes)
    figure.align_ylabels()
    save_figure(figure, Path(path))


def _zoomed(values: Sequence[float]) -> tuple[float, float]:
    """Limits that show where the values end; a bad first epoch may leave the picture."""
    low, high = min(values), max(values)
    settled = float(np.percentile(values, 10))
    low = max(low, settled - 1.5 * max(high - settled, 1.0))
    room = max(0.08 * (high - low), 0.25)
    return max(0.0, low - room), min(100.4, high + room)


def tidy(axes: Axes) -> None:
    """The look that all pictures share: faint lines across, no frame above and on the right."""
    axes.grid(axis="y", color="#dddddd", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def confusion_matrix(matrix: npt.NDArray[np.integer], class_names: Sequence[str],
                     path: str | Path) -> None:
    """Rows counted by true class (down) and predicted class (across).

    Each row is shaded by its own share, so that small classes show too. Above 40 classes the
    shades stand alone.

    Parameters
    ----------
    matrix
        Counts (classes, classes).
    class_names
        One name a class.
    path
        A .png, .svg or .pdf file.
    """
    classes = len(class_names)
    names = [plain_text(name if len(name) <= 16 else name[:15] + "…") for name in class_names]
    side = min(18.0, max(3.2, 0.48 * classes + 0.6))
    figure = Figure(figsize=(side + 1.9, side + 1.3), layout="constrained")
    axes = figure.subplots()
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    numbers = matrix.astype(int).tolist()
    widest = max(len(str(n)) for row in numbers for n in row)
    size = min(10.0, 44.0 / max(widest, 3))
    for i, row in enumerate(numbers):
        for j, count in enumerate(row):
            if count and classes <= 40:
                axes.text(j, i, str(count), ha="center", va="center", fontsize=size,
                          color="white" if share[i, j] > 0.55 else "#1a1a1a")
    long = max(len(name) for name in names) > 3
    axes.set_xticks(range(classes), names, rotation=45 if long else 0,
                    ha="right" if long else "center", rotation_mode="anchor" if long else None)
    axes.set_yticks(range(classes), names)
    axes.set_xticks(np.arange(classes - 1) + 0.5, minor=True)
    axes.set_yticks(np.arange(classes - 1) + 0.5, minor=True)
    axes.grid(which="minor", color="#e4e4e4", linewidth=0.6)
    axes.tick_params(which="both", length=0)
    axes.tick_params(labelsize=min(10.0, 50.0 * side / classes))
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    total = int(matrix.sum())
    right = 100 * int(np.trace(matrix)) / max(total, 1)
    axes.set_title(f"{right:.2f} % of {total:,} right", fontsize=11, fontweight="bold")
    save_figure(figure, Path(path))


def plain_text(text: str) -> str:
    """Text that Matplotlib neither takes for a formula nor fails to draw."""
    return visible(text).replace("$", r"\$")


def save_figure(figure: Figure, path: Path) -> None:
    """Write a picture, whole or not at all.

    Raises
    ------
    BadInput
        Its ending is none of a picture, or it cannot go there.
    OutputError
        The disk is full.
    """
    check_picture("a picture", path)
    FigureCanvasAgg(figure)
    drawn = io.BytesIO()
    with warnings.catch_warnings():
        # a class name in a script that the font lacks is drawn as boxes, one too long is cut
        warnings.filterwarnings("ignore", message="Glyph")
        warnings.filterwarnings("ignore", message="constrained_layout not applied")
        figure.savefig(drawn, dpi=130, format=path.suffix.lower()[1:])
    write_whole(path, drawn.getvalue())
