"""What ``tritgrad train --from MODEL`` takes over from the model, and what it refuses."""

from dataclasses import replace

import click

from ...errors import BadInput
from ...units.registry import options_of
from ..run.option_list import BY_NAME, TRAIN
from ..run.options import TrainOptions, data_path
from .inference import opened
from .made import is_default

__all__ = ["option_of", "taken_over"]

#: Options of the network, which are the model's own.
NETWORK = ("recipe_name", *(option.name for option in TRAIN if option.network))


def option_of(name: str) -> str:
    """The option that a parameter is given by."""
    return "--recipe" if name == "recipe_name" else BY_NAME[name].flags


def taken_over(context: click.Context, options: TrainOptions) -> TrainOptions:
    """The options of a run that goes on from a model.

    Raises
    ------
    BadInput
        No data are named, or an option of the network is given.
    """
    for name in NETWORK:
        if not is_default(context, name):
            raise BadInput(f"{option_of(name)} goes without --from {options.from_model}: the "
                           f"network is the model's")
    if is_default(context, "dataset"):
        raise BadInput(f"--from {options.from_model} goes on with new rows: name them with "
                       f"--dataset")
    file, model = opened(options.from_model or "")
    recipe = model.recipe
    if recipe.conv is not None and options.gf3 is not None:
        raise BadInput(f"--gf3 {options.gf3} goes without a convolution, and {file} has one; leave "
                       f"it away")
    if recipe.conserve != (options.gf3 == "conserve") and options.gf3 is not None:
        raise BadInput(f"--gf3 {options.gf3} contradicts {file}, which was trained with"
                       f"{'' if recipe.conserve else 'out'} --gf3 conserve")
    return replace(
        options, from_model=data_path(file), from_sha256=model.state_sha256,
        encode=model.coding.text, planes=None, hidden=recipe.layers[1:-1],
        counter_bits=recipe.counter_bits, act_shift=recipe.shifts or None,
        **options_of(recipe, model.parts))
