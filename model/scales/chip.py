"""Group scales without a multiplier: the normative form of a core.

A serial divider refreshes the factor N / D every 2^r samples and rounds it to the nearest sum of
two powers of two, so that a product is two shifts and an addition.
"""

from fractions import Fraction

import numpy as np

from ..errors import BadInput
from .groups import GroupScales

__all__ = ["FRACTION_BITS", "ChipScales", "divide", "nearest_two_powers"]

#: Fraction bits of a factor.
FRACTION_BITS = 8


def divide(numerator: int, denominator: int, fraction_bits: int = FRACTION_BITS) -> int:
    """floor(numerator * 2^fraction_bits / denominator), one bit a cycle by restoring division.

    The numerator is from 0 to twice the denominator, so the quotient has fraction_bits + 2 bits.
    """
    if denominator < 1 or not 0 <= numerator <= 2 * denominator:
        raise BadInput(f"a factor must be from 0 to 2, not {numerator!r} / {denominator!r}")
    rest, quotient, trial = numerator, 0, denominator << 1
    for _ in range(fraction_bits + 2):
        bit = rest >= trial
        rest = (rest - trial if bit else rest) << 1
        quotient = quotient << 1 | bit
    return quotient


def nearest_two_powers(value: int) -> int:
    """The sum of two powers of two nearest to `value`, the lower among equals; 0 and 1 stay.

    A number of at most two ones is itself. Otherwise the top one stays and the rest goes to the
    nearest power of two, its next one below the second or the one above.
    """
    if value < 0:
        raise BadInput(f"value must be at least 0, not {value!r}")
    if value.bit_count() <= 2:
        return value
    top = 1 << value.bit_length() - 1
    rest = value - top
    low = 1 << rest.bit_length() - 1
    return top + (low if rest - low <= 2 * low - rest else 2 * low)


class ChipScales:
    """Factors of `GroupScales` as a core applies them.

    Attributes
    ----------
    factors
        Per group an integer of FRACTION_BITS fraction bits with at most two ones.
    """

    def __init__(self, exact: GroupScales, refresh: int):
        if not 0 <= refresh <= 31:
            raise BadInput(f"refresh must be from 0 to 31, not {refresh!r}")
        self.exact, self.refresh = exact, refresh
        self.factors = np.full(len(exact.corr), 1 << FRACTION_BITS, np.int64)

    def update(self, gradient: np.ndarray) -> None:
        """Learn one gradient; every 2^refresh of them the factors are divided anew."""
        self.exact.update(gradient)
        if self.exact.step % (1 << self.refresh) == 0:
            self.factors[:] = [nearest_two_powers(divide(n, self.exact.denominator))
                               for n in self.exact.numerators()]

    def scales(self) -> list[Fraction]:
        """The scale of each group as applied."""
        return [Fraction(2) ** int(e) * Fraction(int(f), 1 << FRACTION_BITS)
                for e, f in zip(self.exact.exponents, self.factors, strict=True)]

    def distance(self) -> Fraction:
        """The largest distance of an applied scale from the exact one."""
        return max((abs(a - b) for a, b in zip(self.scales(), self.exact.scales(), strict=True)),
                   default=Fraction(0))
