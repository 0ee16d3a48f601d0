"""Options of the command line, made from the one form of an option."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from ...boards.board import Board
from ...errors import BadInput
from ...model.convolution.nets import NETS
from ...option import Option
from ...units.registry import OPTIONS
from ..run.options import parse_integers

__all__ = ["ADDED", "is_default", "made", "psram_option", "recipe_option", "shifter_of",
           "shifter_option", "stack", "unit_options", "values_of", "with_psram", "with_recipe"]

Function = TypeVar("Function", bound=Callable[..., Any])


def stack(*options: Callable[[Any], Any]) -> Callable[[Function], Function]:
    """Some options as one decorator, in the order of the help."""
    def apply(function: Function) -> Function:
        for option in reversed(options):
            function = option(function)
        return function
    return apply


def made(option: Option, **changes: Any) -> Callable[[Any], Any]:
    """The command line's option, its settings changed; none for one that nobody gives."""
    if not option.help:
        return lambda function: function
    default: Any = option.default
    settings: dict[str, Any] = {"help": option.text, "show_default": default is not None}
    if option.flag:
        settings |= {"default": True} if option.off else {"is_flag": True, "show_default": False}
    elif option.repeats:
        settings |= {"multiple": True, "show_default": False, "metavar": option.metavar}
    else:
        texts = ",".join(map(str, default)) if isinstance(default, tuple) else default
        settings |= {"default": texts, "metavar": None if option.choices else option.metavar,
                     "type": click.Choice(option.choices) if option.choices
                     else str if option.many else option.kind}
    name = f"{option.flags}/--{option.off}" if option.off else option.flags
    return click.option(name, option.name, **settings | changes)


def values_of(options: Iterable[Option], given: Mapping[str, Any]) -> dict[str, Any]:
    """The values of options as they were given, those of several values as tuples.

    Raises
    ------
    BadInput
        A text is not such a value: names the option.
    """
    values = {option.name: given[option.name] for option in options if option.name in given}
    for option in options:
        text = values.get(option.name)
        try:
            if option.repeats and text is not None:
                values[option.name] = tuple(one for part in text for one in option.parse(part))
            elif option.many and text is not None:
                values[option.name] = option.parse(text)
        except ValueError as error:
            raise BadInput(str(error)) from None
    return values


def is_default(context: click.Context, name: str) -> bool:
    """Whether an option was not given."""
    return context.get_parameter_source(name) is ParameterSource.DEFAULT


#: Options that build something in which a core does not have by default.
ADDED = {name: option for name, option in OPTIONS.items() if not option.default}


def recipe_option(what: str) -> Callable[[Any], Any]:
    """``--recipe NAME``: a board's core for a recipe's network behind a convolution."""
    return click.option("--recipe", type=click.Choice(list(NETS)), metavar="NAME",
                        help=f"{what} for the network of this recipe, which has a convolution in "
                             "front: tritgrad boards lists which.")


def with_recipe(board: Board, recipe: str | None) -> Board:
    """A board with the core that ``--recipe`` asks for."""
    return board if recipe is None else board.for_recipe(recipe)


psram_option = click.option(
    "--psram", is_flag=True, help="Have samples in the PSRAMs of a tang-nano-9k's FPGA in place of "
    "its flash.")


def with_psram(board: Board, psram: bool, store: bool | None) -> Board:
    """A board with the memory of ``--psram``. Raises `BadInput` beside ``--no-store``."""
    if psram and store is False:
        raise BadInput("--psram is a memory for samples; leave --no-store away")
    return board.with_psram() if psram else board


#: Of a core with a RAM for samples.
shifter_option = click.option(
    "--shifter", metavar="K[,B]", help="Let the core shift images in its RAM by up to K pixels, "
    "each of up to B bits, on their way, for train --shift-augment.  [default: none; B 1]")


def shifter_of(text: str | None) -> tuple[int, int] | None:
    """Pixels and bits of ``--shifter``. Raises `BadInput` that names it."""
    if text is None:
        return None
    numbers = parse_integers("--shifter", text)
    if not (len(numbers) in (1, 2) and 1 <= numbers[0] <= 7 and 1 <= numbers[-1] <= 8):
        raise BadInput(f"--shifter must be pixels from 1 to 7, or those and bits from 1 to 8, not "
                       f"{text}")
    return numbers[0], numbers[1] if len(numbers) == 2 else 1


#: Options for all that a unit adds to a core.
unit_options = stack(*map(made, ADDED.values()))
