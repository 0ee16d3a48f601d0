"""A page about the decisions of a sample or of many: one file, nothing loaded from outside."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ...model.scales.rows import RowScales
from ...model.soft.explain import Explanation
from ...model.soft.kinds import KINDS
from ...model.soft.shadow import hard_pass
from ...model.soft.summary import Summary
from .kernel_pictures import Seen, by_kernel, kernel_pictures, picture
from .model_file import TrainedModel

__all__ = ["Subject", "page"]

Array = npt.NDArray[Any]

#: Neurons whose weights are shown.
INVOLVED = 6
#: Features that are listed where a sample is no image.
FEATURES = 40
#: Neurons of a layer that have a bar.
BARS = 512


@dataclass(frozen=True)
class Subject:
    """An explained sample: its number among the rows, what rows those are, inputs, explanation.

    Behind a convolution the inputs are its outputs, and `seen` has the image.
    """

    number: int
    rows: str
    x: npt.NDArray[np.uint8]
    made: Explanation
    seen: Seen | None = None


def page(model: TrainedModel, found: Subject | None, totals: Summary | None) -> str:
    """The page as HTML.

    Parameters
    ----------
    model
        The network.
    found, totals
        A sample, a summary, or both.
    """
    environment = Environment(loader=PackageLoader("tritgrad.host.run"), autoescape=True,
                              undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    sample = None if found is None else _sample(model, found)
    return environment.get_template("trace.html").render(
        model=model, layers=_layers(model), sample=sample, totals=totals)


def _layers(model: TrainedModel) -> str:
    layers, conv = "-".join(map(str, model.recipe.layers)), model.recipe.conv
    if conv is None:
        return layers
    return (f"{layers} behind {conv.kernels} kernels of {conv.kernel} x {conv.kernel}, "
            f"pool {conv.pool}")


def _sample(model: TrainedModel, found: Subject) -> dict[str, Any]:
    """What the template shows of a sample."""
    made, names = found.made, model.class_names
    d, trace = made.decisions, made.shadow.trace
    return {
        "number": found.number, "rows": found.rows, "d": d, "label": names[d.label],
        "prediction": names[d.prediction], "rival": names[d.rival],
        "temperatures": vars(made.temperatures), "metrics": trace.summary(),
        "picture": None if found.seen else _picture(found.x, model),
        "behind": found.seen and kernel_pictures(model, found.seen, d),
        "features": [] if model.image_shape else _features(model, found.x),
        "scores": _scores(model, made), "layers": [_layer(model, found, n)
                                                   for n in range(len(d.hidden))],
        "weights": [_row(model, made, n) for n in involved(model, made, INVOLVED)],
        "signs": [{"layer": n, "hard": hard, "soft": soft, "flips": len(flips), "ends": len(ends)}
                  for n, ((hard, soft), flips, ends) in enumerate(
                      zip(made.signs, d.flips, d.saturations, strict=True), 1)],
        "ledger": [{"line": line, "kind": KINDS[line.kind]} for line in made.lines],
        # The picture is made here, of numbers and of names that are escaped.
        "svg": Markup(made.as_svg())}  # noqa: S704


def involved(model: TrainedModel, made: Explanation, count: int) -> list[int]:
    """Neurons of the first layer that most decided between the label and its rival.

    By how much a neuron moves the gap: its activation times the difference of its weights, carried
    down the layers by absolute values. Of a network of one layer, the two classes.
    """
    weights, d = _dense(model, model.trits()), made.decisions
    if len(weights) == 1:
        return [d.label, d.rival][:count]
    share = np.abs(weights[-1][d.label].astype(float) - weights[-1][d.rival])
    for w, layer in zip(reversed(weights[1:-1]), reversed(d.hidden[1:]), strict=True):
        share = (share * layer.activations) @ np.abs(w)
    share = share * d.hidden[0].activations
    return [int(n) for n in np.argsort(-share, kind="stable")[:count] if share[n] > 0]


def _scores(model: TrainedModel, made: Explanation) -> list[dict[str, Any]]:
    d, soft = made.decisions, made.shadow.scores.data
    largest = max(1.0, float(np.abs(d.scores).max()), float(np.abs(soft).max()))
    kinds = {d.rival: "rival", d.label: "label"}
    return [{"name": name, "hard": int(hard), "soft": float(smooth), "kind": kinds.get(n, "other"),
             "predicted": n == d.prediction, "left": 50 + 50 * min(0.0, float(hard)) / largest,
             "width": 50 * abs(float(hard)) / largest, "at": 50 + 50 * float(smooth) / largest}
            for n, (name, hard, smooth) in enumerate(
                zip(model.class_names, d.scores, soft, strict=True))]


def _layer(model: TrainedModel, found: Subject, number: int) -> dict[str, Any]:
    """A bar a neuron, from 0 to where the activation is at its largest."""
    recipe, hidden = model.recipe, found.made.decisions.hidden[number]
    counters, scales = _dense(model, model.counters), RowScales.of(model.parts)
    z = hard_pass(recipe, counters, scales, found.x)[1][number]
    soft = found.made.shadow.hidden[number].data
    clip = float(1 << recipe.activation_bits << recipe.shifts[number])
    width = found.made.temperatures.gate * 2.0 ** recipe.shifts[number]
    near = np.minimum(np.abs(z + 0.5), np.abs(z - clip + 0.5)) <= width
    bars = [{"neuron": n, "z": int(value), "activation": int(hidden.activations[n]),
             "soft": f"{soft[n]:.2f}", "error": int(hidden.errors[n]),
             "height": 100 * min(1.25, max(-0.25, float(value) / clip)),
             "kind": "open" if hidden.gates[n] else "clipped" if value > 0 else "off",
             "near": bool(near[n])} for n, value in enumerate(z[:BARS])]
    return {"number": number + 1, "bars": bars, "clip": clip, "neurons": len(z),
            "shown": len(bars), "near": int(near.sum()), "off": int((z < 0).sum()),
            "clipped": int((z >= clip).sum())}


def _row(model: TrainedModel, made: Explanation, neuron: int) -> dict[str, Any]:
    """A neuron's weights as an image, and how many would change."""
    d, weights = made.decisions, _dense(model, model.trits())[0][neuron]
    if model.recipe.conv is None:
        shown = _by_place(weights, model)
        top = max(1, int(np.abs(shown).max()))
    else:
        shown, top = by_kernel(weights, model.recipe.conv), 1
    return {"neuron": neuron, "image": picture(shown, "RdBu_r", -top, top),
            "activation": int((d.hidden[0].activations if d.hidden else d.scores)[neuron]),
            "flips": int((d.flips[0][:, 0] == neuron).sum()),
            "positive": int((weights > 0).sum()), "negative": int((weights < 0).sum())}


def _picture(x: npt.NDArray[np.uint8], model: TrainedModel) -> str | None:
    if model.image_shape is None:
        return None
    shown = _by_place(x, model)
    top = (1 << model.recipe.planes) - 1
    return picture(shown, "gray", 0, max(top, int(shown.max())))


def _dense(model: TrainedModel, arrays: Sequence[Array]) -> Sequence[Array]:
    """Those of a model's arrays that are of its layers, not of kernels before them."""
    return arrays if model.recipe.conv is None else arrays[1:]


def _by_place(values: Array, model: TrainedModel) -> npt.NDArray[np.int64]:
    """Values of inputs as an image, summed where they are of one place, else as one row."""
    numbers = values.astype(np.int64)
    if model.image_shape is None:
        return numbers[None]
    sums = np.zeros(model.coding.features, np.int64)
    np.add.at(sums, model.coding.origins(), numbers)
    window = model.coding.window()
    rows, columns = (n // window * window for n in model.image_shape)
    return sums.reshape(model.image_shape)[:rows:window, :columns:window]


def _features(model: TrainedModel, x: npt.NDArray[np.uint8]) -> list[dict[str, Any]]:
    return [{"name": name, "value": value, "width": 100 * value / top}
            for name, value, top in model.coding.readings(x, model.columns)[:FEATURES]]
