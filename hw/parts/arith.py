"""Arithmetic without multipliers: scaling by constants, population counts, mod 3, comparison."""

from collections.abc import Iterable

from amaranth import *
from amaranth.hdl import ValueLike

__all__ = ["add_mod3", "canonical_mod3", "exceeds", "exceeds_each", "popcount", "select",
           "sum_mod3", "times", "tree_sum"]


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


def add_mod3(a: ValueLike, b: ValueLike) -> Value:
    """Sum mod 3 of two-bit numbers, 3 standing for 0 too: an adder whose carry comes in again."""
    total = (Value.cast(a) + b)[:3]
    return (total[:2] + total[2])[:2]


def sum_mod3(digits: ValueLike) -> Value:
    """The sum mod 3 of all two-bit digits of a value, 3 standing for 0 too."""
    digits = Value.cast(digits)
    level = [digits[n:n + 2] for n in range(0, len(digits), 2)]
    while len(level) > 1:
        paired = [add_mod3(level[n], level[n + 1]) for n in range(0, len(level) - 1, 2)]
        level = paired + level[len(paired) * 2:]
    return level[0]


def canonical_mod3(value: ValueLike) -> Value:
    """A two-bit number with 0 for 3."""
    value = Value.cast(value)
    return Cat(value[0] & ~value[1], value[1] & ~value[0])


def exceeds(value: Value, limit: int) -> Value:
    """Whether an unsigned value is above a limit, with as short a carry chain as possible."""
    bits = limit.bit_length()
    beyond = value[bits:].any()
    if limit == (1 << bits) - 1:
        return beyond
    if limit == 1 << (bits - 1) and len(value) >= bits:
        return beyond | (value[bits - 1] & value[:bits - 1].any())
    return beyond | (value[:bits] > limit)


def exceeds_each(value: Value, count: int) -> Value:
    """Whether an unsigned value is above 0, above 1, and so on: `count` bits, without carries."""
    half = len(value) // 2
    low, high = value[:half], value[half:]

    def is_so(part: Value, condition) -> Value:
        return C(sum(condition(v) << v for v in range(1 << len(part))),
                 1 << len(part)).bit_select(part, 1)

    bits = []
    for n in range(count):
        over, rest = divmod(n, 1 << half)
        bits.append(is_so(high, lambda v, k=over: v > k)
                    | is_so(high, lambda v, k=over: v == k) & is_so(low, lambda v, k=rest: v > k))
    return Cat(bits)
