"""A coding: steps that make a network's inputs from a row of a data set's own numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from ....errors import BadInput
from ....model.moves import move_images
from ..scaling import Scaling
from .choice import Repeat, Select
from .images import Channels, Deskew, Edges, TopBits
from .numbers import Planes, Signed, Thermometer
from .step import Step

__all__ = ["Coding"]

Bytes = npt.NDArray[np.uint8]

#: Rows coded at once, so that a large set is not held in all its forms.
BLOCK = 4096

NUMBERS = (Planes, Signed, Thermometer)
KINDS: dict[str, type[Step]] = {step.kind: step for step in (
    *NUMBERS, Deskew, TopBits, Edges, Channels, Repeat, Select)}


@dataclass(frozen=True, eq=False)
class Coding:
    """From the data set's own numbers to inputs.

    Attributes
    ----------
    steps
        The first one takes the numbers, each other one what the step before it made.
    text
        As it is written on the command line, see `tritgrad.host.data.codings.spec`.
    """

    steps: tuple[Step, ...]
    text: str

    def __post_init__(self) -> None:
        if not self.steps or not isinstance(self.steps[0], NUMBERS) \
                or any(isinstance(step, NUMBERS) for step in self.steps[1:]):
            raise BadInput("a coding must take numbers in its first step and in no other")

    @classmethod
    def plain(cls, scaling: Scaling, planes: int) -> "Coding":
        """One input a feature: its range in so many bits."""
        return cls((Planes(scaling, planes),), f"planes:{planes}")

    @property
    def features(self) -> int:
        """Numbers of a row."""
        first = self.steps[0]
        assert isinstance(first, NUMBERS)
        return first.features

    @property
    def inputs(self) -> int:
        """Inputs of the network."""
        return self.steps[-1].outputs

    @property
    def planes(self) -> int:
        """Bits of an input."""
        return self.steps[-1].planes

    @property
    def keeps_pixels(self) -> bool:
        """Whether input i is made of number i alone."""
        return all(isinstance(step, Planes | Deskew | TopBits) for step in self.steps)

    @property
    def moves_inputs(self) -> bool:
        """Whether what is made of a shifted picture is what is made of it, shifted."""
        return isinstance(self.steps[0], Planes) and all(
            isinstance(step, TopBits) for step in self.steps[self._of_pictures:])

    def apply(self, values: npt.NDArray[Any]) -> Bytes:
        """Inputs uint8 (rows, inputs) of finite numbers (rows, features)."""
        return self._run(values, 0, len(self.steps))

    def refitted(self, values: npt.NDArray[Any]) -> "Coding":
        """The same steps with range, means or levels of other rows (rows, features)."""
        first, *others = self.steps
        again: Step
        if isinstance(first, Planes):
            again = Planes(Scaling.fit(values), first.planes)
        elif isinstance(first, Signed):
            again = Signed.fit(values, first.planes)
        else:
            assert isinstance(first, Thermometer)
            again = Thermometer.fit(values, first.levels.shape[1])
        return Coding((again, *others), self.text)

    def pictures(self, values: npt.NDArray[Any]) -> Bytes:
        """Images (rows, pixels) as they are before anything but `code` is done to them.

        Raises
        ------
        BadInput
            The coding is of features, not of images.
        """
        if not isinstance(self.steps[0], Planes):
            raise BadInput(f"the coding {self.text} makes no images that could be moved")
        return self._run(values, 0, self._of_pictures)

    def code(self, pictures: Bytes) -> Bytes:
        """Inputs (rows, inputs) of images that `pictures` made, moved or not."""
        return self._run(pictures, self._of_pictures, len(self.steps))

    def moved(self, pictures: Bytes, shape: tuple[int, int],
              amounts: npt.NDArray[np.int64]) -> Bytes:
        """Inputs (rows, inputs) of images that `pictures` made, each moved by its row of amounts.

        Parameters
        ----------
        shape
            Rows and columns of an image.
        amounts
            As `tritgrad.model.moves.Moves.draws` gives them.
        """
        images = move_images(pictures.reshape(-1, *shape), amounts)
        return self.code(images.reshape(len(images), -1))

    def origins(self) -> npt.NDArray[np.intp]:
        """The number of a row that each input is made of; of a window its upper left pixel."""
        found = self.steps[-1].origins()
        for step in reversed(self.steps[:-1]):
            found = step.origins()[found]
        return found

    def labels(self, columns: Sequence[str] | None) -> list[str]:
        """What each input says, from the names of the features."""
        names = list(columns or [f"input {n}" for n in range(self.features)])
        for step in self.steps:
            names = step.labels(names)
        return names

    def readings(self, x: Bytes, columns: Sequence[str] | None) -> list[tuple[str, int, int]]:
        """An input row (inputs,) as the features that it was made of: name, code, largest code.

        Of a thermometer how many levels a feature is above. Codes that were not selected are 0.
        """
        first, *others = self.steps
        place = np.arange(self.inputs)
        for step in reversed(others):
            place = step.origins()[place]
        codes = np.zeros(first.outputs, np.int64)
        codes[place] = x
        names = list(columns or [f"input {n}" for n in range(self.features)])
        if isinstance(first, Thermometer):
            levels = first.levels.shape[1]
            sums = codes.reshape(-1, levels).sum(axis=1).tolist()
            return [(name, n, levels) for name, n in zip(names, sums, strict=True)]
        top = (1 << first.planes) - 1
        return [(name, code, top) for name, code in zip(first.labels(names), codes.tolist(),
                                                        strict=True)]

    def window(self) -> int:
        """Rows and columns of pixels that an input is made of."""
        return next((step.pool for step in self.steps if isinstance(step, Edges)), 1)

    def stored(self) -> tuple[list[dict[str, Any]], dict[str, npt.NDArray[Any]]]:
        """JSON and arrays of a model file, for `restored`."""
        meta: list[dict[str, Any]] = []
        arrays: dict[str, npt.NDArray[Any]] = {}
        for n, step in enumerate(self.steps, 1):
            numbers: dict[str, Any] = {"kind": step.kind}
            for field in fields(step):  # type: ignore[arg-type]
                value = getattr(step, field.name)
                if isinstance(value, Scaling):
                    arrays |= {f"coding_{n}_minimum": value.minimum,
                               f"coding_{n}_maximum": value.maximum}
                elif isinstance(value, np.ndarray):
                    arrays[f"coding_{n}_{field.name}"] = value
                else:
                    numbers[field.name] = value
            meta.append(numbers)
        return meta, arrays

    @classmethod
    def restored(cls, text: str, meta: Sequence[Mapping[str, Any]],
                 arrays: Mapping[str, npt.NDArray[Any]]) -> "Coding":
        """The inverse of `stored`.

        Raises
        ------
        BadInput, KeyError, TypeError, ValueError
            It is damaged.
        """
        steps: list[Step] = []
        for n, numbers in enumerate(meta, 1):
            kind = KINDS[numbers["kind"]]
            values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value
                                      for name, value in numbers.items() if name != "kind"}
            for field in fields(kind):  # type: ignore[arg-type]
                if field.name == "scaling":
                    values["scaling"] = Scaling(arrays[f"coding_{n}_minimum"],
                                                arrays[f"coding_{n}_maximum"])
                elif field.name not in values and f"coding_{n}_{field.name}" in arrays:
                    values[field.name] = arrays[f"coding_{n}_{field.name}"]
            steps.append(kind(**values))
        return cls(tuple(steps), text)

    @property
    def _of_pictures(self) -> int:
        """How many steps make images of images."""
        return next((n for n, step in enumerate(self.steps)
                     if not isinstance(step, Planes | Deskew)), len(self.steps))

    def _run(self, x: npt.NDArray[Any], first: int, stop: int) -> Bytes:
        if x.ndim != 2 or (first == 0 and x.shape[1] != self.features):
            raise BadInput(f"the data must have {self.features} features a row, "
                           f"not the shape {x.shape}")
        steps = self.steps[first:stop]
        out = np.empty((len(x), steps[-1].outputs if steps else x.shape[1]), np.uint8)
        for start in range(0, len(x), BLOCK):
            block = x[start:start + BLOCK]
            for step in steps:
                block = step.apply(block)
            out[start:start + BLOCK] = block
        return out
