"""An estimator in a model file and back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from ...model.rng import initial_prng
from ..run.model_file import TrainedModel
from .options import AUTO
from .passes import Pass

__all__ = ["of_model", "with_classes"]

#: Types of labels that are kept in a model file, by NumPy's letter.
KINDS: dict[str, Callable[[str], Any]] = {
    "i": int, "u": int, "f": float, "b": lambda text: text == "True", "U": str, "O": str}


def with_classes(model: TrainedModel, classes: npt.NDArray[Any], state: Pass,
                 history: Sequence[Mapping[str, Any]]) -> TrainedModel:
    """The model with what the estimator knows besides."""
    if classes.dtype.kind not in KINDS or classes.dtype.kind == "O" and not all(
            isinstance(name, str) for name in classes):
        raise BadInput(f"a model file keeps labels that are numbers, truth values or text, "
                       f"not {classes.dtype}")
    return replace(model, extras={**model.extras, "estimator": {
        "dtype": "str" if classes.dtype.kind in "OU" else str(classes.dtype),
        "prng": state.prng, "done": state.done, "history": [dict(epoch) for epoch in history]}})


def of_model(model: TrainedModel, names: Mapping[str, str],
             ) -> tuple[dict[str, Any], npt.NDArray[Any], Pass, list[dict[str, Any]]]:
    """Parameters, classes, where training is, and the history.

    Parameters
    ----------
    model
        Written by an estimator, or by the command.
    names
        The option behind each parameter.
    """
    options = model.extras.get("options") or {}
    params = {name: _value(options[option]) for name, option in names.items() if option in options}
    if params.get("planes") is not None:
        params["encode"] = None
    params |= {"hidden_layer_sizes": model.recipe.layers[1:-1], "random_state": model.recipe.seed,
               "image_shape": model.image_shape, "counter_bits": model.recipe.counter_bits}
    if "rule" not in params:
        params["rule"] = model.rule
    params["device"] = "model"
    params.pop("store", None)  # of the device
    own = model.extras.get("estimator") or {}
    recipe = model.recipe
    state = Pass(replace(model, extras={**model.extras, "estimator": None}),
                 own.get("prng", initial_prng(recipe.layers, recipe.seed).state),
                 own.get("done", recipe.epochs))
    return params, _classes(model.class_names, own.get("dtype")), state, own.get("history", [])


def _value(stored: Any) -> Any:
    value = tuple(stored) if isinstance(stored, list) else stored
    return None if value == AUTO else value


def _classes(names: Sequence[str], dtype: str | None) -> npt.NDArray[Any]:
    if dtype is None:
        whole = all(name == str(int(name)) for name in names if _digits(name)) and all(
            map(_digits, names))
        dtype = "int64" if whole else "str"
    if dtype == "str":
        return np.array(names)
    kind = np.dtype(dtype)
    return np.array([KINDS[kind.kind](name) for name in names], kind)


def _digits(name: str) -> bool:
    return name.isascii() and name.removeprefix("-").isdigit()
