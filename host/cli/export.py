"""``tritgrad export``: a model for other programs."""

import click

from ...errors import BadInput
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
@click.option("--prefix", default="tritgrad", show_default=True, metavar="NAME",
              help="Start every name in the C header with this.")
@json_option
def export(model_file: str, c_header: str | None, npz: str | None, prefix: str,
           as_json: bool) -> None:
    """Write a model for other programs."""
    if c_header is None and npz is None:
        raise BadInput("nothing to export; give --c-header FILE, --npz FILE, or both")
    check_outputs({"--c-header": c_header, "--npz": npz}, {"MODEL": model_file})
    model_file, model = opened(model_file)
    if model.rule == "sign":
        raise BadInput(f"{model_file} was trained by rule sign, whose activations are signs; "
                       "export writes networks with clipped activations")
    if "scales" in model.parts:
        raise BadInput(f"{model_file} was trained with scales; export writes networks without")
    if model.recipe.skip is not None:
        raise BadInput(f"{model_file} has skip connections; export writes networks without")
    if c_header is not None:
        write_c_header(model, c_header, prefix)
        click.echo(c_header, err=as_json)
    if npz is not None:
        write_npz(model, npz)
        click.echo(npz, err=as_json)
    if as_json:
        emit({"model": model_file, "c_header": c_header, "npz": npz,
              "state_sha256": model.state_sha256})
