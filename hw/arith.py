"""Arithmetic without multipliers: constant scaling by shifted sums, population counts."""

from collections.abc import Iterable

from amaranth import *
from amaranth.hdl import ValueLike

__all__ = ["popcount", "select", "times", "tree_sum"]


def times(value: ValueLike, factor: int) -> Value:
    """`value` (unsigned) times a constant, as a sum of shifted copies: no ``$mul`` cell."""
    value = Value.cast(value)
    terms = [value << n for n in range(factor.bit_length()) if factor >> n & 1]
    return tree_sum(terms) if terms else Const(0)


def select(value: ValueLike, index: ValueLike, width: int) -> Value:
    """The slice of `width` bits at a multiple of it.

    `Value.word_select` and views of arrays multiply the index by the width. A slice behind the end
    reads as the last one.
    """
    value = Value.cast(value)
    return Array(value[n:n + width] for n in range(0, len(value), width))[index]


def tree_sum(terms: Iterable[Value]) -> Value:
    """Balanced sum; as wide as needed."""
    level = list(terms)
    while len(level) > 1:
        paired = [level[n] + level[n + 1] for n in range(0, len(level) - 1, 2)]
        level = paired + level[len(paired) * 2:]
    return level[0]


def popcount(bits: ValueLike) -> Value:
    """Number of set bits."""
    return tree_sum(list(Value.cast(bits)))
