"""``tritgrad export``: a model for other programs."""

from collections.abc import Callable

import click

from ...errors import BadInput
from ..interchange.export import write_onnx, write_qonnx
from ..run.export import write_c_header, write_npz
from ..run.outputs import check_outputs
from .console import emit, json_option
from .inference import opened

__all__ = ["export"]


@click.command()
@click.argument("model_file", metavar="MODEL")
@click.option("--c-header", metavar="FILE", help="Write the network as one C99 header.")
@click.option("--npz", metavar="FILE",
              help="Write trits, shifts, scaling and class names as NumPy arrays.")
@click.option("--onnx", metavar="FILE",
              help="Write the network with its coding in ONNX's standard operators.")
@click.option("--qonnx", metavar="FILE",
              help="Write the network with its coding in ONNX with QONNX's Quant nodes.")
@click.option("--prefix", default="tritgrad", show_default=True, metavar="NAME",
              help="Start every name in the C header with this.")
@json_option
def export(model_file: str, c_header: str | None, npz: str | None, onnx: str | None,
           qonnx: str | None, prefix: str, as_json: bool) -> None:
    """Write a model for other programs."""
    wanted = {"c_header": c_header, "npz": npz, "onnx": onnx, "qonnx": qonnx}
    if all(file is None for file in wanted.values()):
        raise BadInput("nothing to export; give --c-header FILE, --npz FILE, --onnx FILE or "
                       "--qonnx FILE")
    check_outputs({"--" + name.replace("_", "-"): file for name, file in wanted.items()},
                  {"MODEL": model_file})
    model_file, model = opened(model_file)
    if model.rule == "sign":
        raise BadInput(f"{model_file} was trained by rule sign, whose activations are signs; "
                       "export writes networks with clipped activations")
    writers: dict[str, Callable[[str], None]] = {
        "c_header": lambda file: write_c_header(model, file, prefix),
        "npz": lambda file: write_npz(model, file), "onnx": lambda file: write_onnx(model, file),
        "qonnx": lambda file: write_qonnx(model, file)}
    for name, file in wanted.items():
        if file is not None:
            writers[name](file)
            click.echo(file, err=as_json)
    if as_json:
        emit({"model": model_file, **wanted, "state_sha256": model.state_sha256})
