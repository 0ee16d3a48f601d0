"""The soft shadow of a sample: the float version of the network, a temperature a threshold.

Every node carries the core's integers as its hard value, so that one trace has both programs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from .. import arithmetic
from ..recipe import Recipe
from ..scales.rows import RowScales
from . import recording
from .branch import soft_if
from .context import TraceContext, trace
from .decisions import SampleDecisions
from .search import soft_select
from .tensor import Tensor

__all__ = ["NEAREST", "Shadow", "Temperatures", "build_shadow", "hard_pass", "soft_trits"]

#: Weights of a layer whose trits a trace has one by one: the nearest to a threshold.
NEAREST = 24

Array = npt.NDArray[np.float64]
Counters = Sequence[npt.NDArray[np.integer]]


@dataclass(frozen=True)
class Temperatures:
    """Widths of the soft thresholds: a sigmoid of (distance / temperature). All above 0.

    Attributes
    ----------
    trit
        In cells of a counter, 2^(b - 2) steps.
    gate
        In steps of an activation, 2^S of the pre-activation.
    error
        In votes.
    score
        In margins M; of argmax, rival and margin.
    """

    trit: float = 0.125
    gate: float = 1.0
    error: float = 1.0
    score: float = 0.25

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 < value < math.inf:
                raise BadInput(f"temperature {name} must be a finite number above 0, not {value!r}")

    @classmethod
    def parse(cls, texts: Sequence[str]) -> Temperatures:
        """From ``NUMBER``, a factor on all, and ``NAME=NUMBER``, one of them."""
        made = cls()
        for text in texts:
            name, equals, number = text.rpartition("=")
            try:
                value = float(number)
            except ValueError:
                raise BadInput(f"temperature must be NUMBER or NAME=NUMBER, not {text!r}") from None
            if not 0 < value < math.inf:
                raise BadInput(f"temperature must be a finite number above 0, not {text!r}")
            if not equals:
                made = cls(**{key: value * old for key, old in vars(made).items()})
            elif name in vars(made):
                made = replace(made, **{name: value})
            else:
                raise BadInput(f"temperature must be of {', '.join(vars(made))}, not {name!r}")
        return made


@dataclass
class Shadow:
    """Both programs on one sample.

    Attributes
    ----------
    trace
        With an event a layer and kind of decision.
    events
        (kind, layer from 1 or None) of each event, by its number.
    counters
        Per layer in cells; `loss.backward()` puts the soft gradient there.
    hidden
        Activations of each hidden layer.
    scores
        Of the classes.
    gap, loss
        Score of the label less the rival's; the hinge M - gap where the sample is learned, else 0.
    nearest
        Per layer the (row, input) of each weight in the trit event, int64 (n, 2).
    """

    trace: TraceContext
    events: dict[int, tuple[str, int | None]] = field(default_factory=dict)
    counters: list[Tensor] = field(default_factory=list)
    hidden: list[Tensor] = field(default_factory=list)
    scores: Tensor = field(default_factory=lambda: Tensor(0.0))
    gap: Tensor = field(default_factory=lambda: Tensor(0.0))
    loss: Tensor = field(default_factory=lambda: Tensor(0.0))
    nearest: list[npt.NDArray[np.int64]] = field(default_factory=list)


def hard_pass(recipe: Recipe, counters: Counters, scales: RowScales | None,
              x: npt.NDArray[np.integer],
              ) -> tuple[list[arithmetic.IntArray], list[arithmetic.IntArray]]:
    """Trits and pre-activations of each layer, the last ones the scores, as the core has them."""
    trits = [arithmetic.trits(layer, recipe.counter_bits) for layer in counters]
    z, h = [], np.asarray(x, np.int64)
    for n, weights in enumerate(trits):
        z.append(arithmetic.forward(weights, h))
        if scales is not None:
            z[-1] = scales.apply(n, z[-1])
        if n < len(recipe.shifts):
            h = arithmetic.activate(z[-1], recipe.shifts[n], recipe.activation_bits)[0]
    return trits, z


def soft_trits(cells: Tensor, trits: arithmetic.IntArray, cell: int, temperature: float) -> Tensor:
    """Trits as differences of two sigmoids of the counters, with the hard ones beside them."""
    half = 0.5 / cell  # a threshold lies between two integers
    up = ((cells - (1 - half)) * (1 / temperature)).sigmoid()
    down = ((cells + (1 + half)) * (-1 / temperature)).sigmoid()
    return (up - down).with_hard(Tensor(trits))


def build_shadow(recipe: Recipe, counters: Counters, scales: RowScales | None,
                 x: npt.NDArray[np.integer], decisions: SampleDecisions,
                 temperatures: Temperatures, class_names: Sequence[str]) -> Shadow:
    """Run the float version on a sample.

    Parameters
    ----------
    counters, scales
        As they were before the sample was learned.
    x
        (inputs,).
    decisions
        What the core decided.

    Raises
    ------
    BadInput
        The decisions are not those of this network on this sample.
    """
    with trace(relaxation="a temperature a threshold") as context:
        shadow = Shadow(context)
        trits, z = hard_pass(recipe, counters, scales, x)
        weights: list[Tensor] = []
        inputs = Tensor(x)
        for n, layer in enumerate(counters):
            cell = 1 << (recipe.counter_bits - 2)
            cells = Tensor(layer / cell, requires_grad=True, name=f"counters {n + 1}")
            shadow.counters.append(cells)
            weights.append(soft_trits(cells, trits[n], cell, temperatures.trit))
            _nearest_trits(shadow, n, cell, inputs.hard_data() != 0, temperatures.trit)
            made = weights[n] @ inputs
            if scales is not None:
                made = made * np.array([float(f) for f in scales.applied()[n]])
            made.with_hard(Tensor(z[n]))
            if n < len(recipe.shifts):
                inputs = _activate(shadow, n, made, recipe, temperatures.gate)
                shadow.hidden.append(inputs)
            else:
                shadow.scores = made
        _check(shadow, decisions)
        _classes(shadow, recipe, decisions, temperatures.score, class_names)
        with recording.off_hard_path(not decisions.learned):
            _errors(shadow, recipe, trits, decisions, temperatures.error)
    return shadow


def _record(shadow: Shadow, kind: str, layer: int | None) -> None:
    """Name the last event."""
    shadow.events[shadow.trace.ledger[-1].id] = (kind, layer)


def _nearest_trits(shadow: Shadow, n: int, cell: int, active: npt.NDArray[np.bool_],
                   temperature: float) -> None:
    cells = shadow.counters[n]
    side = np.where(cells.data < 0, -1.0, 1.0)
    threshold = 1 - side * 0.5 / cell
    distance = np.abs(side * cells.data - threshold)
    distance[:, ~active] = np.inf
    count = min(NEAREST, int(active.sum()) * len(distance))
    flat = np.argsort(distance, axis=None, kind="stable")[:count]
    rows, columns = np.unravel_index(flat, distance.shape)
    shadow.nearest.append(np.stack([rows, columns], axis=1).astype(np.int64))
    if count:
        place = (rows, columns)
        soft_if(cells[place] * side[place] - threshold[place], side[place], 0.0, 1 / temperature)
        _record(shadow, "trit", n + 1)


def _activate(shadow: Shadow, n: int, z: Tensor, recipe: Recipe, temperature: float) -> Tensor:
    scale, top = 2.0 ** -recipe.shifts[n], (1 << recipe.activation_bits) - 1
    hard = z.hard_data()
    value = z * scale - (0.5 - scale / 2)  # rounding down loses so much in the mean
    value.with_hard(Tensor(hard.astype(np.int64) >> recipe.shifts[n]))
    middle = (z + 0.5) * scale
    above = soft_if(middle, value, 0.0, 1 / temperature)
    _record(shadow, "gate low", n + 1)
    out = soft_if(top + 1 - middle, above, float(top), 1 / temperature)
    _record(shadow, "gate high", n + 1)
    return out


def _classes(shadow: Shadow, recipe: Recipe, decisions: SampleDecisions, score: float,
             names: Sequence[str]) -> None:
    scores, tau = shadow.scores, score * recipe.margin
    every = [scores[k] for k in range(recipe.layers[-1])]
    soft_select(every, every, tau, names)
    _record(shadow, "argmax", None)
    others = [k for k in range(len(every)) if k != decisions.label]
    rival = soft_select([every[k] for k in others], [every[k] for k in others], tau,
                        [names[k] for k in others])
    _record(shadow, "rival", None)
    shadow.gap = every[decisions.label] - rival
    missing = recipe.margin - shadow.gap
    shadow.loss = soft_if(missing - 0.5, missing, 0.0, 1 / tau)
    _record(shadow, "margin", None)


def _errors(shadow: Shadow, recipe: Recipe, trits: Sequence[arithmetic.IntArray],
            decisions: SampleDecisions, temperature: float) -> None:
    """The error trits: the sign of the votes, decided with the errors that the core has."""
    if not decisions.learned:
        return
    above = np.zeros(recipe.layers[-1], np.int64)
    above[decisions.label], above[decisions.rival] = 1, -1
    for n in range(len(recipe.shifts), 0, -1):
        votes = Tensor(above @ trits[n], name=f"votes {n}")
        hidden = decisions.hidden[n - 1]
        sign = soft_if(votes, 1.0, soft_if(-votes, -1.0, 0.0, 1 / temperature), 1 / temperature)
        shadow.events[shadow.trace.ledger[-2].id] = ("error", n)
        _record(shadow, "error", n)
        _same(f"hidden[{n - 1}].errors", sign.hard_data() * hidden.gates, hidden.errors)
        above = hidden.errors


def _check(shadow: Shadow, decisions: SampleDecisions) -> None:
    """Refuse decisions of another network."""
    for n, (made, hidden) in enumerate(zip(shadow.hidden, decisions.hidden, strict=False)):
        _same(f"hidden[{n}].activations", made.hard_data(), hidden.activations)
    _same("scores", shadow.scores.hard_data(), decisions.scores)


def _same(name: str, made: npt.ArrayLike, told: npt.ArrayLike) -> None:
    if not np.array_equal(np.asarray(made), np.asarray(told)):
        raise BadInput(f"{name} of the decisions must be those of the network on this sample, "
                       f"not {np.asarray(told).tolist()!r:.60}")
