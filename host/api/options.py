"""Parameters of the estimator: those options of a run that arrays leave open, under their names."""

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...errors import BadInput
from ...rules.record import OWN as OWN_RULE
from ..data.row_options import READING, SOURCES
from ..run.option_list import BY_NAME, GOING_ON
from ..run.options import AUTO, TrainOptions
from ..run.program_file import read_program

__all__ = ["NAMES", "OWN", "init_from_options", "train_options"]

#: Options that say where rows come from, and how runs on disk go on.
OF_FILES = {option.name for option in (*SOURCES, *READING, *GOING_ON)} - {
    "balance", "val_fraction"}
#: Options that scikit-learn has names for.
RENAMED = {"hidden": "hidden_layer_sizes", "seed": "random_state",
           "val_fraction": "validation_fraction"}
#: Parameters that the command line has no need of, with their defaults.
OWN: dict[str, Any] = {"image_shape": None, "watcher": None}
#: What an option's default is here where it is another one.
DEFAULTS = {"device": "model"}

#: The option behind each parameter.
NAMES = {RENAMED.get(name, name): name for name in BY_NAME if name not in OF_FILES}


def init_from_options(owner: type) -> type:
    """Give a class an ``__init__`` that keeps every parameter of `NAMES` and `OWN` as it is."""
    default = {name: DEFAULTS.get(name, option.default) for name, option in BY_NAME.items()}
    values = {name: default[option] for name, option in sorted(
        NAMES.items(), key=lambda pair: pair[1] not in ("hidden", "epochs", "planes"))} | OWN
    signature = inspect.Signature([
        inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD),
        *(inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD if not place
                            else inspect.Parameter.KEYWORD_ONLY, default=value)
          for place, (name, value) in enumerate(values.items()))])

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        bound = signature.bind(self, *args, **kwargs)
        bound.apply_defaults()
        for name in values:
            setattr(self, name, bound.arguments[name])

    __init__.__signature__ = signature  # type: ignore[attr-defined]
    __init__.__qualname__ = f"{owner.__qualname__}.__init__"
    owner.__init__ = __init__  # type: ignore[misc]
    return owner


def train_options(given: Mapping[str, Any], seed: int) -> TrainOptions:
    """The options of a run from parameters as a user gave them: lists and NumPy's numbers too.

    Raises
    ------
    BadInput
        As `TrainOptions`, and for a number that is none.
    """
    values: dict[str, Any] = {}
    for name, option in ((name, BY_NAME[field]) for name, field in NAMES.items()):
        value = seed if option.name == "seed" else _plain(given[name])
        if option.many and isinstance(value, option.kind):
            value = (value,)
        if option.choices == () and (fault := option.fault(value, name)) is not None:
            raise BadInput(fault)
        values[option.name] = value
    if values["program"] is not None and values["program_text"] is None:
        values |= {"rule": OWN_RULE, "program_text": read_program(values["program"])}
    if values["encode"] is None and values["planes"] is None:
        values["encode"] = AUTO
    return TrainOptions(**values)


def _plain(value: Any) -> Any:
    """Lists and NumPy's numbers and arrays as Python's own, which cannot change."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return tuple(map(_plain, value))
    return value.item() if isinstance(value, np.generic) else value
