"""Many samples' decisions by layer, and a diagnosis of faults that show in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from ..margin import MarginNetwork
from .explain import Explanation, explain
from .shadow import Temperatures

__all__ = ["LayerSummary", "Summary", "summarise"]

#: A margin is too large if of the samples predicted right more than this part are still learned.
MOST_LEARNED = 0.8
#: A gain is too high if a sample flips more than this part of the trits that it touches.
MOST_FLIPS = 0.1
#: Samples that must tell, before a fault is named.
LEAST = 5


@dataclass(frozen=True)
class LayerSummary:
    """Means over all samples in which there was something; None where there never was.

    Attributes
    ----------
    layer
        From 1.
    straight_through, soft
        Agreement of the direction of the integer update with the two gradients.
    near_trits, near_gates, near_errors
        Part of the decisions within one temperature of flipping.
    off, full
        Part of the activations at 0 and at the top by clipping.
    dead, stuck
        Neurons at 0, at the top, on all samples.
    flips, saturations
        Part of the counters that a learned sample moves.
    """

    layer: int
    straight_through: float | None
    soft: float | None
    near_trits: float | None
    near_gates: float | None
    near_errors: float | None
    off: float | None
    full: float | None
    dead: tuple[int, ...]
    stuck: tuple[int, ...]
    flips: float | None
    saturations: float | None


@dataclass(frozen=True)
class Summary:
    """Of so many samples.

    Attributes
    ----------
    correct, learned, learned_of_correct
        Parts of the samples; the last of those predicted right.
    path_agreement, near_margin
        Means of the trace's decisions; samples within one temperature of the margin.
    faults
        A line each.
    """

    samples: int
    correct: float
    learned: float
    learned_of_correct: float | None
    path_agreement: float
    near_margin: float
    layers: tuple[LayerSummary, ...]
    faults: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """In JSON types."""
        return asdict(self)


def summarise(network: MarginNetwork, x: npt.NDArray[np.integer], y: npt.NDArray[np.integer],
              gains: Sequence[int], temperatures: Temperatures,
              class_names: Sequence[str], progress: Callable[[int], None] = lambda done: None,
              ) -> Summary:
    """Explain samples (rows, inputs), each from the network as it is, and put them together.

    Raises
    ------
    BadInput
        There are none, or they do not fit the network.
    """
    if not len(x):
        raise BadInput("a summary needs at least 1 sample, not 0")
    made = []
    for sample, label in zip(x, y, strict=True):
        # What a sample's own trace holds is not kept: it is large.
        made.append(_Digest(explain(network, sample, int(label), gains, temperatures,
                                    class_names), sample))
        progress(len(made))
    right = [d for d in made if d.correct]
    layers = tuple(_layer(n, made) for n in range(network.recipe.depth))
    learned_of_correct = _mean(d.learned for d in right)
    summary = Summary(
        len(made), _sure(d.correct for d in made), _sure(d.learned for d in made),
        learned_of_correct, _sure(d.agreement for d in made),
        _sure(d.near_margin for d in made), layers, ())
    return Summary(**{**vars(summary), "faults": tuple(_faults(network, summary, made, gains))})


class _Digest:
    """The few numbers of a sample that a summary needs."""

    def __init__(self, made: Explanation, x: npt.NDArray[np.integer]):
        hard = made.decisions
        self.correct, self.learned = hard.prediction == hard.label, bool(hard.learned)
        self.gap = hard.gap
        self.agreement = made.shadow.trace.summary()["path_agreement"]
        self.signs = made.signs
        self.near = {(line.kind, line.layer): line.near for line in made.lines}
        self.near_margin = self.near["margin", None]
        self.activations = [h.activations for h in hard.hidden]
        self.full = [~h.gates & (h.activations > 0) for h in hard.hidden]
        self.off = [~h.gates & (h.activations == 0) for h in hard.hidden]
        sources = [x, *self.activations]
        rows = [*(int(np.count_nonzero(h.errors)) for h in hard.hidden), 2]
        touched = [count * int(np.count_nonzero(source))
                   for count, source in zip(rows, sources, strict=True)]
        self.flips, self.saturations = ([
            len(p) / t if self.learned and t else None for p, t in zip(places, touched, strict=True)
        ] for places in (hard.flips, hard.saturations))


def _mean(values: Any) -> float | None:
    found = [value for value in values if value is not None]
    return float(np.mean(found)) if found else None


def _sure(values: Any) -> float:
    made = _mean(values)
    assert made is not None
    return made


def _layer(n: int, made: list[_Digest]) -> LayerSummary:
    def near(*kinds: str) -> float | None:
        return _mean(d.near.get((kind, n + 1)) for d in made for kind in kinds)

    hidden = n < len(made[0].off)
    off = np.stack([d.activations[n] == 0 for d in made]) if hidden else None
    full = np.stack([d.full[n] for d in made]) if hidden else None
    return LayerSummary(
        n + 1, _mean(d.signs[n][0] for d in made), _mean(d.signs[n][1] for d in made),
        near("trit"), near("gate low", "gate high"), near("error"),
        _mean(d.off[n].mean() for d in made) if hidden else None,
        None if full is None else float(full.mean()),
        () if off is None else tuple(np.flatnonzero(off.all(axis=0)).tolist()),
        () if full is None else tuple(np.flatnonzero(full.all(axis=0)).tolist()),
        _mean(d.flips[n] for d in made), _mean(d.saturations[n] for d in made))


def _faults(network: MarginNetwork, summary: Summary, made: list[_Digest],
            gains: Sequence[int]) -> list[str]:
    """What is wrong, and what it shows in."""
    faults = []
    if len(made) >= LEAST:
        for layer in summary.layers:
            for name, what, neurons in (("dead units", "0", layer.dead),
                                        ("stuck units", "the top", layer.stuck)):
                if neurons:
                    shown = ", ".join(map(str, neurons[:8])) + (", ..." if neurons[8:] else "")
                    faults.append(
                        f"{name}: layer {layer.layer}, {len(neurons)} of "
                        f"{network.recipe.layers[layer.layer]} neurons are at {what} on all "
                        f"{len(made)} samples ({shown})")
    right = [d for d in made if d.correct]
    part = summary.learned_of_correct
    if len(right) >= LEAST and part is not None and part > MOST_LEARNED:
        faults.append(
            f"margin too large: {100 * part:.0f} % of the samples predicted right are still "
            f"learned; M is {network.recipe.margin}, their median gap "
            f"{np.median([d.gap for d in right]):.0f}")
    if sum(d.learned for d in made) >= LEAST:
        for layer in summary.layers:
            if layer.flips is not None and layer.flips > MOST_FLIPS:
                faults.append(
                    f"gain too high: layer {layer.layer}, a sample flips "
                    f"{100 * layer.flips:.0f} % of the trits that it touches; its gain exponent is "
                    f"{gains[layer.layer - 1]}")
    return faults
