"""Options for the optional units of a core, the same for ``verilog`` and ``build``."""

from collections.abc import Callable
from typing import Any

import click

__all__ = ["UNITS", "unit_option", "unit_options"]

#: Fields of `CoreConfig` that build a unit in, with what it does. `resident` is a number, the
#: others are flags.
UNITS = {
    "trace": "Build in the trace unit, which tells the host what each sample decided.",
    "row_sums": "Keep the sum mod 3 of each row's trits beside T, and build in SCRUB, which "
                "compares the two.",
    "conserve": "Let updates leave the sum of each row's trits as it is mod 3; needs --row-sums.",
    "resident": "Keep a mini-batch of N samples on the chip, one less than a power of two, for "
                "train --rule spsa and fd; 0 is without.",
    "support": "Keep a bit of each granule of banks x lanes trits, skip those without it in the "
               "forward pass, and build in PURGE.",
    "scales": "Give rows scales, learned in memory S by train --scales.",
    "skip": "Let hidden layers with as many neurons as inputs add those, shifted.",
}


def unit_option(field: str) -> Callable[[Any], Any]:
    """The option of a field of `UNITS`."""
    name = "--" + field.replace("_", "-")
    if field == "resident":
        return click.option(name, type=int, default=0, show_default=True, metavar="N",
                            help=UNITS[field])
    return click.option(name, is_flag=True, help=UNITS[field])


def unit_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Options for all of `UNITS`."""
    for field in reversed(UNITS):
        function = unit_option(field)(function)
    return function
