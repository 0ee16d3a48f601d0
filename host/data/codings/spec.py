"""Codings as text, and fitted to training rows.

``NAME[:NUMBER...][,NAME...]``: one of planes[:BITS], signed[:BITS], thermometer[:LEVELS] or
edges[:T+T+...[:DIRECTIONS[:POOL]]] or channels[:T+T+...[:DIRECTIONS]]; deskew[:THRESHOLD] before
planes, edges or channels; then repeat:TIMES and select:INPUTS.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ....errors import BadInput
from ..scaling import Scaling
from .choice import Repeat, Select
from .coding import Coding
from .images import Channels, Deskew, Edges, TopBits
from .numbers import Planes, Signed, Thermometer
from .step import Step

__all__ = ["check_encode", "fit"]

#: Name, place in the order of the steps, least and most numbers, default numbers.
WORDS = {
    "deskew": (0, 0, 1), "planes": (1, 0, 1), "signed": (1, 0, 1), "thermometer": (1, 0, 1),
    "edges": (1, 0, 3), "channels": (1, 0, 2), "repeat": (2, 1, 1), "select": (3, 1, 1),
}
ORDER = ("deskew", "planes, signed, thermometer, edges or channels", "repeat", "select")
#: What is made of images alone.
OF_IMAGES = ("edges", "channels", "deskew")


@dataclass(frozen=True)
class _Word:
    name: str
    numbers: tuple[tuple[int, ...], ...]

    def number(self, place: int, default: int) -> int:
        """The number at a place, or the default."""
        if place >= len(self.numbers):
            return default
        if len(self.numbers[place]) != 1:
            raise BadInput(f"encode: {self.name} takes one number there, not "
                           f"{'+'.join(map(str, self.numbers[place]))!r}")
        return self.numbers[place][0]


def check_encode(text: str) -> str:
    """The text if it says a coding. Raises `BadInput`."""
    _parse(text)
    return text


def _parse(text: str) -> list[_Word]:
    words = []
    for part in text.split(","):
        name, *rest = part.strip().split(":")
        if name not in WORDS:
            raise BadInput(f"encode must be auto or of {', '.join(WORDS)}, not {name!r}")
        _, least, most = WORDS[name]
        try:
            numbers = tuple(tuple(int(n) for n in part.split("+")) for part in rest)
        except ValueError:
            raise BadInput(f"encode: the numbers of {part.strip()!r} must be integers") from None
        if not least <= len(numbers) <= most:
            raise BadInput(f"encode: {name} takes {least if least == most else f'up to {most}'} "
                           f"numbers, not {part.strip()!r}")
        if name in ("planes", "signed") and numbers and not 1 <= numbers[0][0] <= 8:
            raise BadInput(f"encode: {name} must have from 1 to 8 bits, not {numbers[0][0]!r}")
        words.append(_Word(name, numbers))
    places = [WORDS[word.name][0] for word in words]
    if places != sorted(set(places)):
        raise BadInput(f"encode must be in the order {'; '.join(ORDER)}, one of each at most, "
                       f"not {text!r}")
    if 1 not in places:
        raise BadInput(f"encode needs one of {ORDER[1]}, not just {text!r}")
    base = words[places.index(1)].name
    if 0 in places and base in ("signed", "thermometer"):
        raise BadInput(f"encode: deskew is for images, {base} for features; not both")
    return words


def fit(text: str, values: npt.NDArray[Any], chosen: npt.NDArray[np.intp], *,
        scaling: Scaling | None = None, image_shape: tuple[int, int] | None = None,
        planes: int = 4) -> Coding:
    """A coding fitted to training rows.

    Parameters
    ----------
    text
        What `check_encode` takes.
    values
        All training rows (rows, features), for ranges, means and levels.
    chosen
        The rows of `values` that are learned, for `Select`.
    scaling
        The range of the features; by default that of `values`.
    image_shape
        Rows and columns, if a row is an image.
    planes
        Bits of an input by ``planes`` where the text does not say.
    """
    words = {word.name: word for word in _parse(text)}
    first = _numbers(words, values, scaling, planes)
    steps: list[Step] = [first]
    if any(name in words for name in OF_IMAGES):
        steps += _of_images(words, image_shape, planes)
    if (word := words.get("repeat")) is not None:
        steps.append(Repeat(steps[-1].outputs, steps[-1].planes, word.number(0, 1)))
    if (word := words.get("select")) is not None:
        coded = Coding(tuple(steps), text).apply(values[chosen])
        steps.append(Select.fit(coded, word.number(0, 1), steps[-1].planes))
    return Coding(tuple(steps), text)


def _numbers(words: dict[str, _Word], values: npt.NDArray[Any], scaling: Scaling | None,
             planes: int) -> Step:
    if (word := words.get("signed")) is not None:
        return Signed.fit(values, word.number(0, 4))
    if (word := words.get("thermometer")) is not None:
        levels = word.number(0, 16)
        if not 1 <= levels <= 255:
            raise BadInput(f"encode: thermometer must have from 1 to 255 levels, not {levels!r}")
        return Thermometer.fit(values, levels)
    whole = any(name in words for name in OF_IMAGES)
    bits = 8 if whole else words["planes"].number(0, planes)
    return Planes(scaling or Scaling.fit(values), bits)


def _of_images(words: dict[str, _Word], shape: tuple[int, int] | None,
               planes: int) -> Sequence[Step]:
    if shape is None:
        name = next(name for name in OF_IMAGES if name in words)
        raise BadInput(f"encode: {name} is for images; the data have plain features")
    steps: list[Step] = []
    if (word := words.get("deskew")) is not None:
        steps.append(Deskew(shape, word.number(0, 128)))
    if (word := words.get("edges")) is not None:
        thresholds = word.numbers[0] if word.numbers else (128,)
        steps.append(Edges(shape, thresholds, word.number(1, 8), word.number(2, 2)))
    elif (word := words.get("channels")) is not None:
        thresholds = word.numbers[0] if word.numbers else (6, 16, 36)
        steps.append(Channels(shape, thresholds, word.number(1, 4)))
    else:
        steps.append(TopBits(shape[0] * shape[1], words["planes"].number(0, planes)))
    return steps
