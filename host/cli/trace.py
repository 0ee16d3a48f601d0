"""``tritgrad trace``: why a network decided as it did."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt
from rich.console import Console

from ...errors import BadInput
from ...model.margin import MarginNetwork
from ...model.scales.rows import RowScales
from ...model.soft.decisions import SampleDecisions
from ...model.soft.explain import Explanation, Line, explain
from ...model.soft.kinds import KINDS
from ...model.soft.shadow import Temperatures
from ...model.soft.summary import Summary, summarise
from ...units.registry import options_of
from ..data.npz import write_whole
from ..device.driver import layer_table
from ..device.records import trace_samples
from ..run.kernel_pictures import Seen, see
from ..run.model_file import TrainedModel
from ..run.model_rows import model_rows
from ..run.options import TrainOptions, data_path
from ..run.outputs import check_outputs
from ..run.trace_page import Subject, page
from ..run.tracer import open_tracer
from .console import RunProgress, counting, emit, json_option, say, screen, table
from .data_options import rows_options, show_data
from .inference import heed_core, opened
from .train_options import core_options

__all__ = ["trace"]


@click.command()
@click.argument("model_file", metavar="MODEL")
@click.option("--dataset", metavar="NAME",
              help="Take the sample from a data set by name, or a .npz, .csv or .tsv file: from "
                   "the test rows if the model was trained on the same data.  "
                   "[default: what the model was trained on]")
@rows_options
@click.option("--sample", type=int, metavar="N",
              help="Explain this row, counted from 0.  [default: 0, without --summary]")
@click.option("--summary", type=int, metavar="N",
              help="Sum up the first N rows, layer by layer, and name what is wrong.")
@click.option("--temperature", "temperatures", multiple=True, metavar="[NAME=]T",
              help="Scale the widths of all soft thresholds by T, or set that of one kind: trit, "
                   "gate, error or score.")
@click.option("--device", default="model", show_default=True, metavar="DEVICE",
              help="Take the sample's decisions from the golden model (model), or as the compiled "
                   "RTL (sim) or a board (BOARD@PORT or @PORT) tells them; its core needs the "
                   "trace unit.")
@core_options
@click.option("--svg", metavar="FILE", help="Draw the trace's events into this file.")
@click.option("--html", metavar="FILE", help="Write all of it as one page.")
@json_option
def trace(model_file: str, dataset: str | None, sample: int | None, summary: int | None,
          temperatures: tuple[str, ...], device: str, lanes: int, banks: int,
          update_lanes: int | None, vcd: str | None, svg: str | None, html: str | None,
          as_json: bool, **given: Any) -> None:
    """Explain hard decisions: what was decided, how close, and what the smooth version says.

    Each kind of decision has a line that says what its surrogate gradient means, and where it is
    biased.
    """
    check_outputs({"--svg": svg, "--html": html, "--vcd": vcd},
                  {"MODEL": model_file, "--dataset": dataset, "--test": given["test"]})
    model_file, model = opened(model_file)
    network, widths = _network(model, model_file), Temperatures.parse(temperatures)
    options = TrainOptions(device=device, lanes=lanes, banks=banks, update_lanes=update_lanes,
                           counter_bits=model.recipe.counter_bits,
                           **options_of(model.recipe, model.parts))
    if device == "model" and vcd is not None:
        raise BadInput(f"a waveform ({vcd}) needs device sim, not {device}")
    if device != "model" and model.recipe.conv is not None:
        raise BadInput(f"{model_file} has a convolution; a core that has one tells no traces: give "
                       f"--device model, not {device}")
    if device != "model" and summary is not None:
        raise BadInput(f"--device {device} tells of one sample; give --sample, not --summary")
    gains = model.recipe.gains_in(model.recipe.epochs - 1)
    given |= {"data_dir": data_path(given["data_dir"]), "test": data_path(given["test"])}
    data, x, y, rows = model_rows(model, model_file, dataset, given)
    show_data(data.summary)
    found = totals = None
    if sample is not None or summary is None:
        number = sample or 0
        if not 0 <= number < len(x):
            raise BadInput(f"--sample must be from 0 to {len(x) - 1} ({rows}), not {number}")
        one, seen = _behind(model, x[number:number + 1])
        told = None if device == "model" else _told(options, network, one, y[number:number + 1],
                                                    gains, vcd)
        found = Subject(number, rows, one[0], explain(
            network, one[0].astype(np.int64), int(y[number]), gains, widths, model.class_names,
            told), seen[0] if seen else None)
    elif svg is not None:
        raise BadInput("--svg draws one sample; give --sample too")
    if summary is not None:
        if not 1 <= summary <= len(x):
            raise BadInput(f"--summary must be from 1 to {len(x)} ({rows}), not {summary}")
        with counting(screen(stderr=True), rows, summary) as show:
            totals = summarise(network, _behind(model, x[:summary])[0].astype(np.int64),
                               y[:summary], gains, widths, model.class_names, show)
    console = screen(stderr=as_json)
    if found is not None:
        _show(found, model, console)
    if totals is not None:
        _show_summary(totals, console)
    if svg is not None and found is not None:
        write_whole(Path(svg), found.made.as_svg().encode("utf-8", "backslashreplace"))
    if html is not None:
        write_whole(Path(html), page(model, found, totals).encode("utf-8", "backslashreplace"))
    for file in (svg, html):
        if file is not None:
            say(console, file)
    if as_json:
        emit(_as_dict(model, found, totals) | {"data": data.summary.as_json()})


def _network(model: TrainedModel, model_file: str) -> MarginNetwork:
    if model.rule != "margin":
        raise BadInput(f"{model_file} was trained by rule {model.rule}; only networks trained by "
                       "rule margin can be explained")
    if model.recipe.skip is not None:
        raise BadInput(f"{model_file} has skip connections, which trace would leave out")
    network = MarginNetwork(model.recipe)
    layers = model.counters if model.recipe.conv is None else model.counters[1:]
    network.counters = [np.array(layer, np.int64) for layer in layers]
    network.scales = RowScales.of(model.parts)
    return network


def _behind(model: TrainedModel,
            x: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint8], list[Seen]]:
    """Inputs of the layers for samples (rows, inputs), and what a convolution saw, if there is one.
    """
    if model.recipe.conv is None:
        return x, []
    seen = see(model, x)
    return np.array([image.features.h for image in seen], np.uint8), seen


def _told(options: TrainOptions, network: MarginNetwork, x: npt.NDArray[np.uint8],
          y: npt.NDArray[np.int64], gains: Sequence[int], vcd: str | None) -> SampleDecisions:
    """What the device says that it decides about a sample."""
    recipe = network.recipe
    driver = open_tracer(options, recipe, RunProgress(screen(stderr=True)), vcd)
    try:
        heed_core(options.device, driver.config)
        driver.load(layer_table(recipe, gains), network.counters, network.prng.state,
                    parts={"scales": network.scales})
        return trace_samples(driver, x, y, recipe.margin,
                             scale_refresh=recipe.scale_refresh)[0][0]
    finally:
        driver.close()


def _as_dict(model: TrainedModel, found: Subject | None, totals: Summary | None) -> dict[str, Any]:
    return {
        "dataset": model.dataset, "network": list(model.recipe.layers),
        "class_names": list(model.class_names), "state_sha256": model.state_sha256,
        "sample": None if found is None else {
            "number": found.number, "rows": found.rows, "inputs": found.x.tolist(),
            "explanation": found.made.to_dict()},
        "summary": None if totals is None else totals.to_dict()}


def _show(found: Subject, model: TrainedModel, console: Console) -> None:
    names, d = model.class_names, found.made.decisions
    right = "right" if d.prediction == d.label else f"wrong, it is {names[d.label]}"
    say(console, (f"sample {found.number}", "bold"), f" of the {found.rows}: "
        f"{names[d.prediction]}, {right}; runner-up {names[d.runner_up]}")
    learns = "learned" if d.learned else "not learned"
    say(console, f"the label leads by {d.gap} of a margin of {d.margin}: {learns}")
    console.print(table(None, ("where", "decision", "how many", "near", "agree", "gap", "entropy"),
                        (_line(line) for line in found.made.lines), right=(2, 3, 4, 5, 6)))
    _show_signs(found.made, console)


def _line(line: Line) -> tuple[str, ...]:
    return (line.place, line.kind, f"{line.count:,}", _per_cent(line.near),
            _per_cent(line.agreement), "-" if line.gap is None else f"{line.gap:.3g}",
            "-" if line.entropy is None else f"{line.entropy:.3f}")


def _show_signs(made: Explanation, console: Console) -> None:
    for number, (hard, soft) in enumerate(made.signs, 1):
        if hard is not None:
            say(console, f"layer {number}: {_per_cent(hard)} of the update's signs agree with the "
                f"straight-through gradient, {_per_cent(soft)} with the soft one", fold=True)
    kinds = dict.fromkeys(line.kind for line in made.lines if line.count)
    for kind in kinds:
        say(console, (kind, "bold"), f": {KINDS[kind].biased}", fold=True)


def _show_summary(totals: Summary, console: Console) -> None:
    console.print(table(
        f"{totals.samples:,} samples: {totals.correct:.1%} right, {totals.learned:.1%} learned, "
        f"{totals.path_agreement:.1%} of decisions as on the soft path",
        ("layer", "signs agree", "with soft", "near trit", "near gate", "near error", "at 0",
         "at top", "flips", "at an end"),
        ((str(layer.layer), *(_per_cent(value) for value in (
            layer.straight_through, layer.soft, layer.near_trits, layer.near_gates,
            layer.near_errors, layer.off, layer.full, layer.flips, layer.saturations)))
         for layer in totals.layers), right=range(1, 10)))
    for fault in totals.faults:
        say(console, ("found", "bold"), f" {fault}")
    if not totals.faults:
        say(console, "found nothing wrong")


def _per_cent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"
