"""The layer table of a recipe, and whether a core has the convolution in front of it."""

from collections.abc import Sequence

from ...errors import BadInput
from ...model.config import CoreConfig
from ...model.front import front_fields
from ...model.layout import Layer
from ...model.recipe import Recipe
from ...units.registry import COLUMNS

__all__ = ["check_front", "layer_table"]


def layer_table(recipe: Recipe, gains: Sequence[int],
                config: CoreConfig | None = None) -> list[Layer]:
    """The layer table of a recipe with the gain exponents in force.

    Behind a convolution it begins with the row of that one, for the core that must be given.
    """
    shifts = [*recipe.shifts, 0]
    planes = [recipe.planes, *[recipe.activation_bits] * (recipe.depth - 1)]
    more = {column.name: column.of(recipe) for column in COLUMNS}
    layers = [Layer(inputs, outputs, planes[n], shifts[n], gains[n],
                    **{name: values[n] for name, values in more.items()})
              for n, (outputs, inputs) in enumerate(recipe.shapes)]
    if recipe.conv is None or config is None:
        return layers
    return [Layer(**front_fields(config, recipe.conv)), *layers]


def check_front(config: CoreConfig, recipe: Recipe, name: str) -> None:
    """Refuse a recipe whose convolution a core of this name has not, or which has none for it.

    Raises
    ------
    BadInput
        One line: the core, and what it lacks.
    """
    conv = recipe.conv
    if (conv is not None) != bool(config.conv_kernels):
        has, wants = ("without", "has one") if conv is not None else ("with", "has none")
        raise BadInput(f"{name} was built {has} a convolution, the network {wants}: tritgrad "
                       "boards lists builds with one")
    if conv is None:
        return
    for field, wanted in (("channels", conv.channels), ("kernel", conv.kernel),
                          ("pool", conv.pool), ("bits", conv.bits),
                          ("counter_bits", conv.counter_bits)):
        has = getattr(config, f"conv_{field}")
        if has != wanted:
            raise BadInput(f"{name} has a convolution with {field.replace('_', ' ')} {has}, the "
                           f"network's is with {wanted}")
    most = config.conv_rows, config.conv_columns
    if conv.rows > most[0] or conv.columns > most[1]:
        raise BadInput(f"{name} has a convolution over up to {most[0]} x {most[1]} pixels, the "
                       f"network's is over {conv.rows} x {conv.columns}")
    if conv.planes > config.conv_planes:
        raise BadInput(f"{name} has a convolution over pixels of up to {config.conv_planes} bits, "
                       f"the network's have {conv.planes}")
    if conv.kernels > config.conv_kernels or conv.kernels % config.conv_at_once:
        raise BadInput(f"{name} has a convolution of up to {config.conv_kernels} kernels, "
                       f"{config.conv_at_once} at once, the network's is of {conv.kernels}")
