"""Several runs side by side: what differs, and what they came to."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import BadInput
from .checkpoint import Checkpoint, Epoch
from .training import CHECKPOINT

__all__ = ["Run", "differing", "draw_runs", "read_run"]

#: Options that say nothing of what is learned.
PLACES = ("data_dir", "from_sha256", "more_epochs")


@dataclass(frozen=True, eq=False)
class Run:
    """A run, also one that has not ended.

    Attributes
    ----------
    name
        As it was given.
    layers
        Inputs, hidden sizes, classes.
    options
        As JSON.
    epochs
        Those that are over.
    """

    name: str
    layers: tuple[int, ...]
    options: dict[str, Any]
    epochs: Sequence[Epoch]
    seconds: float

    def best(self) -> tuple[int, float] | None:
        """The epoch whose test accuracy is best, from 1, and that; None without test rows."""
        found = [(e.test_accuracy, -n) for n, e in enumerate(self.epochs, 1)
                 if e.test_accuracy is not None]
        return (-max(found)[1], max(found)[0]) if found else None

    def as_json(self) -> dict[str, Any]:
        """Its figures in JSON types."""
        best, last = self.best(), self.epochs[-1] if self.epochs else Epoch()
        return {"run": self.name, "layers": list(self.layers), "epochs": len(self.epochs),
                "test_accuracy": last.test_accuracy, "val_accuracy": last.val_accuracy,
                "best_test_accuracy": best[1] if best else None,
                "best_epoch": best[0] if best else None,
                "updates": sum(e.updates for e in self.epochs),
                "flips": sum(e.flips for e in self.epochs),
                "cycles_per_sample": last.cycles_per_sample,
                "seconds": round(self.seconds, 3), "options": self.options}


def read_run(given: str) -> Run:
    """The run in a folder, or of a checkpoint file. Raises `BadInput` if there is none."""
    path = Path(given)
    file = path / CHECKPOINT if path.is_dir() else path
    if not file.is_file():
        raise BadInput(f"{given} holds no run: there is no {file}")
    kept = Checkpoint.load(file)
    counters = kept.state.counters
    layers = (counters[0].shape[1], *(len(layer) for layer in counters))
    return Run(given, layers, kept.options.as_json(), kept.position.epochs[:kept.position.finished],
               kept.position.seconds)


def differing(runs: Sequence[Run]) -> list[str]:
    """Names of the options that are not the same in all runs."""
    return [name for name in runs[0].options if name not in PLACES
            and any(run.options.get(name) != runs[0].options[name] for run in runs)]


def draw_runs(runs: Sequence[Run], path: Path) -> None:
    """Test accuracy by epoch, a line for each run; training accuracy where no run has a test."""
    from matplotlib.figure import Figure  # loads slowly
    from matplotlib.ticker import MaxNLocator

    from .plots import plain_text, save_figure, tidy

    figure = Figure(figsize=(7.2, 4.4), layout="constrained")
    axes = figure.subplots()
    tested = any(run.best() for run in runs)
    for run in runs:
        values = [e.test_accuracy if tested else e.train_accuracy for e in run.epochs]
        places = [n for n, value in enumerate(values, 1) if value is not None]
        axes.plot(places, [value for value in values if value is not None], ".-", linewidth=1.4,
                  markersize=5, label=plain_text(run.name))
    axes.set_xlabel("epoch")
    axes.set_ylabel(f"{'test' if tested else 'training'} accuracy, %")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(framealpha=0.95)
    tidy(axes)
    save_figure(figure, path)
