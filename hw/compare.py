"""Comparison with a constant."""

from amaranth import *

__all__ = ["exceeds"]


def exceeds(value: Value, limit: int) -> Value:
    """Whether an unsigned value is above a limit of at least 1. Powers of two need no carry chain.
    """
    top = limit.bit_length() - 1
    if limit != 1 << top:
        return value > limit
    if top >= len(value):
        return Const(0)
    return value[top + 1:].any() | (value[top] & value[:top].any())
