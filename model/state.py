"""The state of a network in training: counters, PRNG, and what units keep beside them.

A unit whose state is more than counters names a class of such a `Part` in its record
(`tritgrad.units.record.Unit.state`). Nobody else needs to know what is in it: learners, checkpoints
and model files carry parts by the names of their units.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from ..errors import BadInput
from ..units import UNITS
from .convolution.kernels import initial_kernels
from .rng import initial_counters, initial_prng

if TYPE_CHECKING:
    from .recipe import Recipe

__all__ = ["NetworkState", "Part", "initial_state", "kinds", "parts_of", "state_sha256"]

Arrays = dict[str, npt.NDArray[Any]]


class Part(Protocol):
    """State of a unit beside the counters."""

    @classmethod
    def belongs(cls, recipe: "Recipe") -> bool:
        """Whether a network trained by a recipe has it."""

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], depth: int,
                    prefix: str = "") -> "Part | None":
        """The inverse of `arrays`, for so many layers; None if there is nothing."""

    def arrays(self, prefix: str = "") -> Arrays:
        """It as named arrays, to be kept in a file."""

    def copy(self) -> "Part":
        """One that nobody else changes."""

    def check(self, outputs: Sequence[int]) -> None:
        """Raise `BadInput` unless it fits layers with so many rows."""

    def bytes(self) -> bytes:
        """What of it enters the hash of a state; nothing of what follows from the counters."""


def initial_state(recipe: "Recipe") -> "NetworkState":
    """The state that a recipe's seed says; parts are left to whoever has them."""
    kernels = [] if recipe.conv is None else [initial_kernels(recipe.conv, recipe.seed)]
    used = sum(layer.size for layer in kernels)
    layers = initial_counters(recipe.layers, recipe.counter_bits, recipe.seed, used)
    return NetworkState([*kernels, *layers], initial_prng(recipe.layers, recipe.seed, used).state)


@cache
def kinds() -> dict[str, type[Part]]:
    """The class of each unit's part, by the unit's name, in the order of the units."""
    found = {}
    for unit in UNITS:
        if unit.state:
            module, _, name = unit.state.partition(":")
            found[unit.name] = getattr(import_module(f"tritgrad.{module}"), name)
    return found


def parts_of(recipe: "Recipe") -> tuple[str, ...]:
    """Names of the parts that a network of a recipe has."""
    return tuple(name for name, kind in kinds().items() if kind.belongs(recipe))


def state_sha256(counters: Sequence[npt.NDArray[np.integer]], *parts: Part | None) -> str:
    """SHA-256 of all counters, layer by layer, row-major, each as little-endian int16.

    Behind them, if there are any, the bytes of their parts (`Part.bytes`), in the order of units.
    """
    digest = sha256()
    for layer in counters:
        digest.update(np.ascontiguousarray(layer, "<i2").tobytes())
    for part in parts:
        digest.update(b"" if part is None else part.bytes())
    return digest.hexdigest()


@dataclass(eq=False)
class NetworkState:
    """All that training changes.

    Parameters
    ----------
    counters
        Per layer (outputs, inputs); before them, if there are some, those of kernels.
    prng
        State of the core's random generator.
    parts
        What units keep, by their names.
    """

    counters: Sequence[npt.NDArray[np.integer]]
    prng: int = 1
    parts: Mapping[str, Part] = field(default_factory=dict)

    @property
    def int16(self) -> tuple[npt.NDArray[np.int16], ...]:
        """The counters as files keep them; arrays of another type stay what they are."""
        return tuple(self.counters)  # type: ignore[arg-type]

    @property
    def sha256(self) -> str:
        """The hash by which two networks are compared; the PRNG is not in it."""
        return state_sha256(self.counters, *map(self.parts.get, kinds()))

    def check_parts(self, recipe: "Recipe") -> None:
        """Raise `BadInput` unless the parts are those of a recipe, in its sizes."""
        for name in kinds():
            if (name in self.parts) != (name in parts_of(recipe)):
                raise BadInput(f"{name} must be there just if the recipe has them, "
                               f"not {self.parts.get(name)!r}")
        for part in self.parts.values():
            part.check(recipe.layers[1:])

    def arrays(self, label: str = "") -> Arrays:
        """Counters as ``counters_1`` and so on, and the parts; with a label ``LABEL_1`` and so on.

        The PRNG's state is left to whoever keeps them.
        """
        named: Arrays = {f"{label or 'counters'}_{n}": layer.astype("<i2")
                         for n, layer in enumerate(self.counters, 1)}
        for name, part in self.parts.items():
            named |= part.arrays(f"{label}_{name}_" if label else f"{name}_")
        return named

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], depth: int, label: str = "",
                    prng: int = 1) -> "NetworkState":
        """The inverse of `arrays` for so many layers. Raises `KeyError` if a layer is missing."""
        counters = [arrays[f"{label or 'counters'}_{n}"] for n in range(1, depth + 1)]
        found = {name: kind.from_arrays(arrays, depth, f"{label}_{name}_" if label else f"{name}_")
                 for name, kind in kinds().items()}
        return cls(counters, prng, {name: part for name, part in found.items() if part is not None})
