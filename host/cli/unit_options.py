"""Options for the optional units of a core, made from their records."""

from collections.abc import Callable
from typing import Any

import click

from ...units.record import Option
from ...units.registry import OPTIONS

__all__ = ["ADDED", "unit_option", "unit_options"]

#: Options that build something in which a core does not have by default.
ADDED = {field: option for field, option in OPTIONS.items() if not option.default}


def unit_option(option: Option) -> Callable[[Any], Any]:
    """The command line's option for one of `tritgrad.units.registry.OPTIONS`."""
    name = "--" + option.field.replace("_", "-")
    if not option.flag:
        return click.option(name, type=int, default=option.default, show_default=True,
                            metavar="N", help=option.help)
    if option.default:
        return click.option(f"{name}/--{option.off}", default=True, show_default=True,
                            help=option.help)
    return click.option(name, is_flag=True, help=option.help)


def unit_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Options for all that a unit adds to a core."""
    for option in reversed(ADDED.values()):
        function = unit_option(option)(function)
    return function
