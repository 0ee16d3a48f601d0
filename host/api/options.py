"""Parameters of the estimator: those options of a run that arrays leave open, under their names."""

import inspect
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from ...errors import BadInput
from ..data.reading import Reading
from ..run.options import AUTO, TrainOptions

__all__ = ["NAMES", "OWN", "init_from_options", "train_options"]

#: Options that say where rows come from, and how runs on disk go on.
OF_FILES = {*Reading.__dataclass_fields__, "dataset", "data_dir", "test_fraction", "limit",
            "more_epochs", "from_model", "from_sha256", "replay"} - {"balance"}
#: Options that scikit-learn has names for.
RENAMED = {"hidden": "hidden_layer_sizes", "seed": "random_state",
           "val_fraction": "validation_fraction"}
#: Parameters that the command line has no need of, with their defaults.
OWN: dict[str, Any] = {"image_shape": None, "watcher": None}
#: What an option's default is here where it is another one.
DEFAULTS = {"device": "model"}

#: Options of one integer, and of several.
ONE = tuple(field.name for field in fields(TrainOptions) if type(field.default) is int)
MANY = ("hidden", "act_shift", "prune")

#: The option behind each parameter.
NAMES = {RENAMED.get(field.name, field.name): field.name for field in fields(TrainOptions)
         if field.name not in OF_FILES}


def init_from_options(owner: type) -> type:
    """Give a class an ``__init__`` that keeps every parameter of `NAMES` and `OWN` as it is."""
    default = {field.name: DEFAULTS.get(field.name, field.default)
               for field in fields(TrainOptions)}
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
    values = {option: _plain(given[name]) for name, option in NAMES.items()}
    values["seed"] = seed
    if values["encode"] is None and values["planes"] is None:
        values["encode"] = AUTO
    for option in (option for option in ONE if option in values):
        _integers(option, values[option])
    values |= {option: _integers(option, values[option]) for option in MANY}
    return TrainOptions(**values)


def _integers(option: str, value: Any) -> tuple[int, ...] | None:
    """Integers of an option as a tuple, one by itself too."""
    if value is None and option not in ("hidden", *ONE):
        return None
    found: tuple[Any, ...] = value if isinstance(value, tuple) else (value,)
    if not all(isinstance(v, int) and not isinstance(v, bool) for v in found):
        what = "integers" if option in MANY else "an integer"
        raise BadInput(f"{RENAMED.get(option, option)} must be {what}, not {value!r}")
    return found


def _plain(value: Any) -> Any:
    """Lists and NumPy's numbers and arrays as Python's own, which cannot change."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return tuple(map(_plain, value))
    return value.item() if isinstance(value, np.generic) else value
