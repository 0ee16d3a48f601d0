"""``tritgrad import``: a network of another program, to be used and trained on."""

import shlex
from pathlib import Path
from typing import Any

import click

from ...errors import BadInput
from ..interchange.bring import brought
from ..interchange.ternarise import RESIDUALS
from ..run.options import TrainOptions, data_path
from ..run.outputs import check_outputs
from .console import emit, json_option, say, screen, working
from .data_options import data_options, reading_values, show_data

__all__ = ["import_"]


@click.command("import")
@click.argument("onnx_file", metavar="MODEL.onnx")
@click.option("--dataset", required=True, metavar="NAME",
              help="Take coding, classes and test rows from this data set, which the network is "
                   "for; as of train.")
@data_options
@click.option("--test-fraction", type=float, default=0.2, show_default=True, metavar="F",
              help="Split off this part of the rows for the test, where the data have no test set.")
@click.option("--encode", metavar="NAME[,NAME...]",
              help="Code the inputs so, as of train; a layer that takes the features is spread "
                   "over their codes.  [default: planes]")
@click.option("--counter-bits", type=int, default=8, show_default=True, metavar="B",
              help="Set the bits of a weight's counter, 6 to 14.")
@click.option("--residuals", type=click.Choice(RESIDUALS), default="scaled", show_default=True,
              help="Put each counter into the middle of its trit's cell, or where the size of the "
                   "float weight says.")
@click.option("--divide", type=float, default=1.0, show_default=True, metavar="D",
              help="Divide the numbers by this before the ONNX network reads them, to measure it: "
                   "255 for pixels from 0 to 1.")
@click.option("-o", "--output", default="model.npz", show_default=True, metavar="FILE",
              help="Write the model here.")
@json_option
def import_(onnx_file: str, residuals: str, divide: float, output: str, as_json: bool,
            **given: Any) -> None:
    """Make a model of an ONNX or QONNX network, which then learns on.

    Weights of 2 bits, narrow, are taken as they are; others become trits. What that cost is said.
    """
    check_outputs({"--output": output}, {"MODEL.onnx": onnx_file, "--dataset": given["dataset"]})
    if divide == 0:
        raise BadInput("--divide must not be 0")
    for name in ("dataset", "data_dir", "test"):
        given[name] = data_path(given[name])
    given |= reading_values(given)
    options = TrainOptions(**given, device="model")
    data = options.load_data()
    show_data(data.summary)
    with working(screen(stderr=True), "making trits"):
        found = brought(onnx_file, options, data, residuals, divide)
    found.model.save(output)
    console = screen(stderr=as_json)
    say(console, f"network: {'-'.join(map(str, found.model.recipe.layers))}")
    for note in found.notes:
        say(console, note)
    if found.original is not None and found.accuracy is not None:
        say(console, f"test accuracy: {found.original:.2f} % by {Path(onnx_file).name}, "
                     f"{found.accuracy:.2f} % as trits")
    say(console, f"model: {output}")
    say(console, f"learn on with: tritgrad train --from {shlex.quote(output)} --dataset "
                 f"{shlex.quote(given['dataset'])}")
    if as_json:
        emit({"onnx": onnx_file, "model": output, "layers": list(found.model.recipe.layers),
              "shifts": list(found.model.recipe.shifts), "residuals": residuals,
              "notes": found.notes, "original_accuracy": found.original,
              "accuracy": found.accuracy, "state_sha256": found.model.state_sha256})
