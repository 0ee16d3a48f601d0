"""A trained network as one .npz file that proves on load that it is whole."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ... import __version__
from ...errors import BadInput
from ...model.arithmetic import trits
from ...model.recipe import Recipe
from ...model.state import NetworkState, Part
from ..data.codings.coding import Coding
from ..data.codings.numbers import Planes
from ..data.npz import read_arrays, write_arrays
from ..data.scaling import Scaling
from .kept import Kept

__all__ = ["FORMAT", "TrainedModel"]

Counters = npt.NDArray[np.int16]

#: Raised whenever a reader of the old format would misread the new one. Models whose inputs are one
#: a feature are written in format 1, which all readers know.
FORMAT = 2


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """Everything that is needed to use a network, to show it and to train it on.

    Attributes
    ----------
    recipe
        What it was trained with: sizes, formats, shifts, gains, margin.
    rule
        Name of the learning rule.
    counters
        For each layer int16 (outputs, inputs), in [-2^(b-1), 2^(b-1) - 1]; before them, if there is
        a convolution, those of its kernels (kernels, taps).
    class_names
        One for each output.
    coding
        From the data set's own numbers to inputs.
    dataset
        Name of the data set.
    image_shape
        (rows, columns) if a row is an image.
    columns
        Names of the features, if they have names.
    extras
        Whatever else the trainer wants to keep, of JSON types.
    version
        Of the package that trained it.
    parts
        What units keep of it beside the counters, see `tritgrad.model.state`.
    kept
        Rows that it has learned, if it keeps any.
    """

    recipe: Recipe
    rule: str
    counters: tuple[Counters, ...]
    class_names: tuple[str, ...]
    coding: Coding
    dataset: str
    image_shape: tuple[int, int] | None = None
    columns: tuple[str, ...] | None = None
    extras: Mapping[str, Any] = field(default_factory=dict)
    version: str = field(default=__version__)
    parts: Mapping[str, Part] = field(default_factory=dict)
    kept: Kept | None = None

    def __post_init__(self) -> None:
        _check(self)

    @property
    def pixels(self) -> tuple[int, int] | None:
        """Rows and columns, if each input is a pixel."""
        return self.image_shape if self.coding.keeps_pixels else None

    @property
    def state_sha256(self) -> str:
        """The hash by which two trainings are compared."""
        return self.state.sha256

    @property
    def state(self) -> NetworkState:
        """The network as learners take it; its PRNG's state is not kept."""
        return NetworkState(self.counters, parts=self.parts)

    @property
    def forward_rule(self) -> str:
        """The rule whose forward pass is this one's: the chip has one, whatever trained it."""
        return "sign" if self.rule == "sign" else "margin"

    def extras_after(self, rows: int, file: str) -> dict[str, Any]:
        """The extras of a network that has learned so many rows of a file after this one.

        They get it into their history; what was measured of this one is no longer so.
        """
        gone = ("test_accuracy", "val_accuracy", "epoch")
        return {name: value for name, value in self.extras.items() if name not in gone} | {
            "learned": [*self.extras.get("learned", ()),
                        {"from": self.state_sha256, "rows": rows, "file": file}]}

    def trits(self) -> list[npt.NDArray[np.int8]]:
        """For each array of counters the weights -1, 0, +1."""
        return [trits(layer, bits).astype(np.int8)
                for layer, (_, bits) in zip(self.counters, self.recipe.stored, strict=True)]

    def save(self, path: str | Path) -> None:
        """Write the file, whole or not at all."""
        meta = {name: getattr(self, name) for name in FIELDS}
        first, *others = self.coding.steps
        plain = isinstance(first, Planes) and not others and first.planes == self.recipe.sample[1]
        meta |= {"recipe": asdict(self.recipe), "format": 1 if plain else FORMAT,
                 "state_sha256": self.state_sha256}
        coded: dict[str, npt.NDArray[Any]] = {}
        if isinstance(first, Planes) and plain:
            coded = {"scaling_minimum": first.scaling.minimum,
                     "scaling_maximum": first.scaling.maximum}
        else:
            steps, coded = self.coding.stored()
            meta["coding"] = {"text": self.coding.text, "steps": steps}
        try:
            text = json.dumps(meta, sort_keys=True, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise BadInput(f"a model keeps JSON types only: {error}") from None
        arrays: dict[str, npt.NDArray[Any]] = {
            "tritgrad_model": np.frombuffer(text.encode(), np.uint8), **coded}
        arrays |= self.kept.arrays() if self.kept else {}
        write_arrays(Path(path), arrays | self.state.arrays())

    @classmethod
    def load(cls, path: str | Path) -> "TrainedModel":
        """Read a file that `save` wrote.

        Raises
        ------
        BadInput
            It is missing, damaged, no model, or of another format.
        """
        arrays = read_arrays(Path(path))
        if "tritgrad_model" not in arrays:
            raise BadInput(f"{path} is no tritgrad model")
        try:
            meta = json.loads(arrays["tritgrad_model"].tobytes().decode())
            if meta["format"] not in (1, FORMAT):
                raise BadInput(f"{path} is a model file of format {meta['format']!r} (tritgrad "
                               f"{meta.get('version')}); this version reads formats 1 and "
                               f"{FORMAT}")
            values = {name: _tuple(meta[name]) for name in FIELDS}
            recipe = Recipe(**meta["recipe"])
            state = NetworkState.from_arrays(arrays, len(recipe.stored))
            model = cls(recipe=recipe, counters=state.int16,
                        coding=_coding(meta, recipe, arrays), parts=state.parts,
                        kept=Kept.from_arrays(arrays), **values)
        except BadInput as error:
            raise error if str(path) in str(error) else BadInput(f"{path}: {error}") from None
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadInput(f"{path} is a damaged tritgrad model "
                           f"({type(error).__name__}: {error})") from None
        if model.state_sha256 != meta["state_sha256"]:
            raise BadInput(f"{path} is damaged: its counters hash to {model.state_sha256}, "
                           f"not to {meta['state_sha256']}")
        return model


#: Fields that travel as JSON as they are.
FIELDS = ("rule", "class_names", "dataset", "image_shape", "columns", "extras", "version")


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _coding(meta: Mapping[str, Any], recipe: Recipe,
            arrays: Mapping[str, npt.NDArray[Any]]) -> Coding:
    if meta["format"] == 1:
        return Coding.plain(Scaling(arrays["scaling_minimum"], arrays["scaling_maximum"]),
                            recipe.sample[1])
    return Coding.restored(meta["coding"]["text"], meta["coding"]["steps"], arrays)


def _check(model: TrainedModel) -> None:
    """Refuse fields that do not fit the recipe."""
    def need(fits: bool, what: str, value: object, rule: str) -> None:
        if not fits:
            raise BadInput(f"a model's {what} must be {rule}, not {value!r}")

    (inputs, planes), classes = model.recipe.sample, model.recipe.layers[-1]
    need(len(model.class_names) == classes, "class_names", model.class_names, f"{classes} names")
    coding, features = model.coding, model.coding.features
    need(coding.inputs == inputs, "coding", coding.inputs, f"for {inputs} inputs")
    need(coding.planes == planes, "coding", coding.planes, f"of {planes} planes")
    need(model.columns is None or len(model.columns) == features, "columns", model.columns,
         f"{features} names")
    shape = model.image_shape
    need(shape is None or (len(shape) == 2 and shape[0] * shape[1] == features), "image_shape",
         shape, f"two sizes whose product is {features}")
    model.state.check_parts(model.recipe)
    if model.kept is not None:
        shape, labels = model.kept.values.shape, model.kept.labels
        need(shape[1] == features and bool(((labels >= 0) & (labels < classes)).all()),
             "kept rows", shape, f"of {features} features and labels below {classes}")
    stored = model.recipe.stored
    need(len(model.counters) == len(stored), "counters", len(model.counters),
         f"{len(stored)} arrays")
    kernels = len(stored) - model.recipe.depth
    for i, (layer, (expected, bits)) in enumerate(zip(model.counters, stored, strict=True)):
        half = 1 << (bits - 1)
        what = f"counters of layer {i + 1 - kernels}" if i >= kernels else "counters of kernels"
        need(layer.dtype == np.int16 and layer.shape == expected, what,
             (str(layer.dtype), layer.shape), f"int16 of the shape {expected}")
        need(bool((layer >= -half).all() and (layer < half).all()), what,
             (int(layer.min()), int(layer.max())), f"in {-half} to {half - 1}")
