"""Comparison with a constant."""

from amaranth import *

__all__ = ["exceeds"]


def exceeds(value: Value, limit: int) -> Value:
    """Whether an unsigned value is above a limit, with as short a carry chain as possible."""
    bits = limit.bit_length()
    beyond = value[bits:].any()
    if limit == (1 << bits) - 1:
        return beyond
    if limit == 1 << (bits - 1) and len(value) >= bits:
        return beyond | (value[bits - 1] & value[:bits - 1].any())
    return beyond | (value[:bits] > limit)
