"""A sample's decisions by kind and layer: how close, how soft, and what their gradients mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import arithmetic
from ..margin import MarginNetwork
from ..recipe import Recipe
from .decisions import SampleDecisions, decide
from .events import Branch, Search
from .kinds import KINDS
from .shadow import Shadow, Temperatures, build_shadow, hard_pass

__all__ = ["Explanation", "Line", "explain", "sign_agreement", "straight_through"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Line:
    """All decisions of a kind in a layer.

    Attributes
    ----------
    kind, layer
        Key of `KINDS`; from 1, None for the classes.
    count
        Decisions; of flips, saturations and reloads those that happened.
    near
        Part of them within one temperature of the other side.
    agreement, gap, entropy
        Means of `Fidelity`, over the decisions that are events of the trace.
    events
        Their numbers in the trace.
    """

    kind: str
    layer: int | None
    count: int
    near: float | None = None
    agreement: float | None = None
    gap: float | None = None
    entropy: float | None = None
    events: tuple[int, ...] = ()

    @property
    def place(self) -> str:
        """The layer in words."""
        return "classes" if self.layer is None else f"layer {self.layer}"


@dataclass(frozen=True)
class Explanation:
    """One sample, both ways.

    Attributes
    ----------
    decisions
        The hard program's.
    shadow
        The soft program, with its gradients worked out.
    lines
        The ledger.
    signs
        Per layer, see `sign_agreement`.
    """

    decisions: SampleDecisions
    shadow: Shadow
    temperatures: Temperatures
    lines: list[Line]
    signs: list[tuple[float | None, float | None]]

    def as_svg(self) -> str:
        """The trace's picture, each box with its kind of decision and layer."""
        return self.shadow.trace.as_svg({
            number: f"{line.kind}, {line.place}" for line in self.lines for number in line.events})

    def to_dict(self) -> dict[str, Any]:
        """All of it in JSON types, as ``explanation.schema.json`` describes."""
        made, shadow = self.decisions, self.shadow
        return {
            "temperatures": vars(self.temperatures),
            "hard": {
                "label": int(made.label), "prediction": made.prediction,
                "runner_up": made.runner_up, "lead": made.lead, "rival": made.rival,
                "gap": made.gap, "margin": made.margin, "learned": bool(made.learned),
                "scores": made.scores.tolist(),
                "hidden": [{"activations": h.activations.tolist(), "gates": h.gates.tolist(),
                            "errors": h.errors.tolist()} for h in made.hidden],
                "flips": [places.tolist() for places in made.flips],
                "saturations": [places.tolist() for places in made.saturations]},
            "soft": {
                "prediction": int(np.argmax(shadow.scores.data)),
                "scores": shadow.scores.data.tolist(), "gap": shadow.gap.item(),
                "loss": shadow.loss.item(),
                "hidden": [h.data.tolist() for h in shadow.hidden]},
            "summary": shadow.trace.summary(),
            "signs": [{"layer": n, "straight_through": hard, "soft": soft}
                      for n, (hard, soft) in enumerate(self.signs, 1)],
            "ledger": [{**asdict(line), "events": [*line.events], **asdict(KINDS[line.kind])}
                       for line in self.lines],
            "trace": shadow.trace.to_dict()}


def explain(network: MarginNetwork, x: npt.NDArray[np.integer], y: int, gains: Sequence[int],
            temperatures: Temperatures, class_names: Sequence[str],
            decisions: SampleDecisions | None = None) -> Explanation:
    """Explain a sample; the network stays as it is.

    Parameters
    ----------
    x, y, gains
        As of `MarginNetwork.train_sample`.
    decisions
        Those that a chip told of this sample; by default the golden model's.

    Raises
    ------
    BadInput
        The sample does not fit the network, or the decisions are of another one.
    """
    recipe, counters = network.recipe, [c.copy() for c in network.counters]
    if recipe.wrong and int(np.argmax(network.scores(x))) != y:
        gains = [gain + recipe.wrong for gain in gains]
    scales = None if network.scales is None else network.scales.copy()
    if decisions is None:
        prng = network.prng.state
        decisions = decide(network, x, y, gains)
        network.counters, network.prng.state = [c.copy() for c in counters], prng
        network.scales = None if scales is None else scales.copy()
    shadow = build_shadow(recipe, counters, scales, x, decisions, temperatures, class_names)
    shadow.loss.backward()
    lines = _lines(recipe, counters, x, gains, decisions, shadow, temperatures)
    wanted = straight_through(network, x, decisions)
    return Explanation(decisions, shadow, temperatures, lines,
                       sign_agreement(x, decisions, wanted, shadow))


def straight_through(network: MarginNetwork, x: npt.NDArray[np.integer],
                     decisions: SampleDecisions) -> list[Array]:
    """Float errors (outputs,) of each layer: the loss's negative gradient for pre-activations.

    Of the hinge M - gap, through the hard weights; every gate is the identity where nothing is
    clipped and 0 elsewhere, and no sign is taken (Bengio, Leonard, Courville, "Estimating or
    propagating gradients through stochastic neurons", 2013).
    """
    recipe = network.recipe
    trits, _ = hard_pass(recipe, network.counters, network.scales, x)
    error = np.zeros(recipe.layers[-1])
    if decisions.learned:
        error[decisions.label], error[decisions.rival] = 1, -1
    errors = [error]
    for n in range(len(recipe.shifts) - 1, -1, -1):
        scaled = errors[0] if network.scales is None else errors[0] * np.array(
            [float(f) for f in network.scales.applied()[n + 1]])
        errors.insert(0, (scaled @ trits[n + 1]) * decisions.hidden[n].gates
                      * 2.0 ** -recipe.shifts[n])
    return errors


def sign_agreement(x: npt.NDArray[np.integer], decisions: SampleDecisions,
                   wanted: Sequence[Array], shadow: Shadow,
                   ) -> list[tuple[float | None, float | None]]:
    """Per layer the part of the counters that move whose direction is that of a gradient.

    First of the straight-through gradient, then of the soft shadow's; None if none moves.
    """
    sources = [np.asarray(x), *(h.activations for h in decisions.hidden)]
    errors = [*(h.errors for h in decisions.hidden), np.zeros_like(decisions.scores)]
    if decisions.learned:
        errors[-1][decisions.label], errors[-1][decisions.rival] = 1, -1
    found: list[tuple[float | None, float | None]] = []
    for source, error, float_error, cells in zip(sources, errors, wanted, shadow.counters,
                                                 strict=True):
        rows, columns = np.flatnonzero(error), np.flatnonzero(source)
        if not len(rows) or not len(columns):
            found.append((None, None))
            continue
        soft = np.sign(-cells.grad[np.ix_(rows, columns)])
        found.append((float((np.sign(float_error[rows]) == error[rows]).mean()),
                      float((soft == error[rows][:, None]).mean())))
    return found


def _lines(recipe: Recipe, counters: Sequence[npt.NDArray[np.integer]],
           x: npt.NDArray[np.integer], gains: Sequence[int], decisions: SampleDecisions,
           shadow: Shadow, temperatures: Temperatures) -> list[Line]:
    every: list[Branch | Search] = [*shadow.trace.branches, *shadow.trace.searches]
    events = {event.id: event for event in every}
    groups: dict[tuple[str, int | None], list[Branch | Search]] = {}
    for number, place in shadow.events.items():
        groups.setdefault(place, []).append(events[number])
    lines = []
    for layer in range(1, recipe.depth + 1):
        source = np.asarray(x) if layer == 1 else decisions.hidden[layer - 2].activations
        lines += [_trit_line(recipe, counters[layer - 1], source, groups.get(("trit", layer), []),
                             layer, temperatures.trit)]
        if layer < recipe.depth:
            outputs = recipe.layers[layer]
            lines.append(Line("rounding", layer, outputs))
            lines += [_line(kind, layer, groups[kind, layer]) for kind in ("gate low", "gate high")]
    lines += [_line(kind, None, groups[kind, None]) for kind in ("argmax", "rival", "margin")]
    for layer in range(1, recipe.depth + 1):
        if ("error", layer) in groups:
            lines.append(_line("error", layer, groups["error", layer]))
        flips = len(decisions.flips[layer - 1])
        if gains[layer - 1] < 0 and decisions.learned:
            source = np.asarray(x) if layer == 1 else decisions.hidden[layer - 2].activations
            rows = 2 if layer == recipe.depth else int(np.count_nonzero(
                decisions.hidden[layer - 1].errors))
            lines.append(Line("dither", layer, rows * int(np.count_nonzero(source))))
        lines += [Line("flip", layer, flips),
                  Line("saturation", layer, len(decisions.saturations[layer - 1])),
                  Line("reload", layer, flips)]
    return lines


def _trit_line(recipe: Recipe, counters: npt.NDArray[np.integer], source: arithmetic.IntArray,
               events: list[Branch | Search], layer: int, temperature: float) -> Line:
    """Of all weights of inputs that are not 0; means of the nearest, which are the event."""
    cell = 1 << (recipe.counter_bits - 2)
    cells = counters[:, source != 0] / cell
    half = 0.5 / cell
    distance = np.minimum(np.abs(cells - (1 - half)), np.abs(cells + (1 + half)))
    near = float((distance <= temperature).mean()) if distance.size else None
    made = _line("trit", layer, events) if events else Line("trit", layer, 0)
    return Line("trit", layer, distance.size, near, made.agreement, made.gap, made.entropy,
                made.events)


def _line(kind: str, layer: int | None, events: list[Branch | Search]) -> Line:
    near: list[npt.NDArray[np.bool_]] = []
    agreement: list[Array] = []
    gap: list[Array] = []
    entropy: list[Array] = []
    for event in events:
        assert event.fidelity is not None
        near.append(np.ravel(_distance(event)) <= 1)
        for values, name in ((agreement, "path_agreement"), (gap, "output_gap"),
                             (entropy, "gate_entropy")):
            values.append(np.ravel(np.asarray(getattr(event.fidelity, name), np.float64)))

    def mean(values: Sequence[npt.NDArray[Any]]) -> float:
        return float(np.concatenate(values).mean())

    count = sum(map(len, near)) // (len(events) if kind == "error" else 1)
    return Line(kind, layer, count, mean(near), mean(agreement), mean(gap), mean(entropy),
                tuple(event.id for event in events))


def _distance(event: Branch | Search) -> npt.NDArray[np.float64]:
    """Of the hard program to the other side, in temperatures."""
    if isinstance(event, Branch):
        return np.abs(np.asarray(event.condition.score) * event.condition.temperature)
    if len(event.scores) < 2:
        return np.array([np.inf])
    best, second = np.sort(event.scores)[[-1, -2]]
    assert event.relaxation.temperature is not None
    return np.array([(best - second) / event.relaxation.temperature])
