"""What a sweep came to: a table, a CSV file, a picture of what accuracy costs."""

import csv
import io
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from matplotlib.figure import Figure

from ..data.npz import write_whole
from ..run.plots import BLUE, GREEN, ORANGE, plain_text, save_figure, tidy
from .grid import Point

__all__ = ["COSTS", "Setting", "as_csv", "pareto", "pareto_front", "settings_csv", "summed_up"]

#: What a setting costs: name, and what its axis is called.
COSTS = (("cycles", "cycles a sample"), ("luts", "LUT cells"), ("state_bits", "bits of counters"))


@dataclass(frozen=True)
class Setting:
    """The runs of one setting, seeds together.

    Attributes
    ----------
    accuracies
        Test accuracy of each run that has ended, per cent, after its last epoch.
    cycles, luts, state_bits
        Mean cycles a training sample, cells of the board, bits of all counters; None where it is
        not known.
    vote
        Test accuracy of the networks together, per cent; None if they were not asked.
    """

    name: str
    accuracies: tuple[float, ...]
    cycles: float | None
    luts: float | None
    state_bits: float | None
    vote: float | None = None

    @property
    def mean(self) -> float:
        """Mean accuracy."""
        return statistics.fmean(self.accuracies)

    @property
    def spread(self) -> float | None:
        """Standard deviation of the accuracies; None of one run."""
        return statistics.stdev(self.accuracies) if len(self.accuracies) > 1 else None

    def as_one(self) -> "Setting | None":
        """The networks that vote, as a setting: one core has one after the other."""
        if self.vote is None:
            return None
        networks = len(self.accuracies)
        cycles, bits = (None if cost is None else networks * cost
                        for cost in (self.cycles, self.state_bits))
        return replace(self, name=f"{self.name}, vote of {networks}", accuracies=(self.vote,),
                       cycles=cycles, state_bits=bits, vote=None)


def _cycles(result: dict[str, Any]) -> float | None:
    each = result["cycles_per_sample"]
    return statistics.fmean(each) if each else None


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known and len(known) == len(values) else None


def summed_up(runs: Sequence[Point], results: Sequence[dict[str, Any] | None],
              votes: Mapping[str, float] = MappingProxyType({})) -> list[Setting]:
    """Settings in the order of their first runs; those without a run that has ended are left.

    `votes` are the accuracies of settings whose networks were asked together.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for point, result in zip(runs, results, strict=True):
        if result is not None and result["test_accuracy"][-1] is not None:
            found.setdefault(point.setting, []).append(result)
    return [Setting(name, tuple(r["test_accuracy"][-1] for r in group),
                    _mean([_cycles(r) for r in group]), _mean([r["luts"] for r in group]),
                    _mean([r["state_bits"] for r in group]), votes.get(name))
            for name, group in found.items()]


def as_csv(runs: Sequence[Point], results: Sequence[dict[str, Any] | None], path: Path) -> None:
    """A row a run that has ended, in the order of the runs."""
    names = [name for name, _ in runs[0].values]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*names, "seed", "device", "test_accuracy", "train_accuracy",
                     "cycles_per_sample", "luts", "state_bits", "updates", "flips", "seconds",
                     "state_sha256"])
    for point, r in zip(runs, results, strict=True):
        if r is not None:
            writer.writerow([*(value for _, value in point.values), point.options.seed,
                             r["device"], r["test_accuracy"][-1], r["train_accuracy"][-1],
                             _cycles(r), r["luts"], r["state_bits"], r["updates"], r["flips"],
                             r["seconds"], r["state_sha256"]])
    write_whole(path, text.getvalue().encode())


def settings_csv(settings: Sequence[Setting], path: Path) -> None:
    """A row a setting: seeds together, and their vote if they were asked."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["setting", "runs", "mean", "deviation", "least", "most", "vote",
                     *(cost for cost, _ in COSTS)])
    for s in settings:
        writer.writerow([s.name, len(s.accuracies), s.mean, s.spread, min(s.accuracies),
                         max(s.accuracies), s.vote, *(getattr(s, cost) for cost, _ in COSTS)])
    write_whole(path, text.getvalue().encode())


def pareto_front(settings: Sequence[Setting], cost: str) -> list[Setting]:
    """Settings that no other beats in accuracy at the same cost or less, cheapest first."""
    known = [s for s in settings if getattr(s, cost) is not None]
    front: list[Setting] = []
    for setting in sorted(known, key=lambda s: (getattr(s, cost), -s.mean)):
        if not front or setting.mean > front[-1].mean:
            front.append(setting)
    return front


def pareto(settings: Sequence[Setting], title: str, path: Path) -> None:
    """Accuracy against each cost that is known, the front as a line; bars are a deviation.

    Networks that vote are points of their own, at the cost of all of them on one core.
    """
    costs = [(cost, label) for cost, label in COSTS
             if any(getattr(s, cost) is not None for s in settings)]
    voting = [one for s in settings if (one := s.as_one()) is not None]
    figure = Figure(figsize=(1.2 + 4.2 * len(costs), 4.2), layout="constrained")
    figure.suptitle(plain_text(title), fontsize=12, fontweight="bold")
    panes = figure.subplots(1, len(costs), sharey=True, squeeze=False)[0]
    for axes, (cost, label) in zip(panes, costs, strict=True):
        for group, colour, mark, what in ((settings, BLUE, "o", "mean of the seeds"),
                                          (voting, GREEN, "D", "vote of the seeds")):
            known = [s for s in group if getattr(s, cost) is not None]
            axes.errorbar([getattr(s, cost) for s in known], [s.mean for s in known],
                          yerr=[s.spread or 0.0 for s in known], fmt=mark, color=colour,
                          markersize=4, linewidth=1, capsize=2, label=what)
        front = pareto_front([*settings, *voting], cost)
        axes.plot([getattr(s, cost) for s in front], [s.mean for s in front], "-", color=ORANGE,
                  linewidth=1.4, zorder=0)
        middle = sum(axes.get_xlim()) / 2
        for s in front:
            at, side = getattr(s, cost), 1 if getattr(s, cost) < middle else -1
            axes.annotate(plain_text(s.name), (at, s.mean), fontsize=7, xytext=(4 * side, 4),
                          textcoords="offset points", ha="left" if side > 0 else "right")
        axes.set_xlabel(label)
        tidy(axes)
    if voting:
        panes[0].legend(loc="lower right", fontsize=8)
    panes[0].set_ylabel("test accuracy, %")
    save_figure(figure, path)
