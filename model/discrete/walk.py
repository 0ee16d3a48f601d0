"""A walk over all weights of a network, one at a time: layer by layer, row by row, input by input.

A place is a number of 64 bits: the layer, from 1, in bits 63:32, the row in 31:16 and the input in
15:0, so that it depends neither on lanes nor on banks. A core keeps it in its PRNG.
"""

from collections.abc import Sequence

__all__ = ["FIRST", "following", "number_of", "place", "state_of"]

#: The first weight of the first layer.
FIRST = 1 << 32

#: (outputs, inputs) of each layer.
Shapes = Sequence[tuple[int, int]]


def place(state: int) -> tuple[int, int, int]:
    """Layer (from 1), row and input of a place. Nothing says that there is such a weight."""
    return state >> 32, state >> 16 & 0xFFFF, state & 0xFFFF


def following(state: int, shapes: Shapes) -> int:
    """The place after a place.

    After the last input or any beyond it comes the next row, after the last row or any beyond it
    the next layer, and after the last layer, as from a layer that there is not, the first weight.
    """
    layer, row, column = place(state)
    if not 1 <= layer <= len(shapes):
        return FIRST
    outputs, inputs = shapes[layer - 1]
    if column + 1 < inputs:
        return state + 1
    if row + 1 < outputs:
        return layer << 32 | row + 1 << 16
    return layer + 1 << 32 if layer < len(shapes) else FIRST


def state_of(number: int, shapes: Shapes) -> int:
    """The place of the weight of this number, from 0, as a core keeps it."""
    for layer, (outputs, inputs) in enumerate(shapes, 1):
        if number < outputs * inputs:
            row, column = divmod(number, inputs)
            return layer << 32 | row << 16 | column
        number -= outputs * inputs
    raise IndexError(number)


def number_of(state: int, shapes: Shapes) -> int:
    """The inverse of `state_of`, of a place where there is a weight."""
    layer, row, column = place(state)
    before = sum(outputs * inputs for outputs, inputs in shapes[:layer - 1])
    return before + row * shapes[layer - 1][1] + column
