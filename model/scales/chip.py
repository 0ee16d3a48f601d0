"""Group scales without a multiplier: the normative form of a core.

A serial divider refreshes the factor N / D every 2^r steps and rounds it to the nearest sum of
two powers of two, so that a product is two shifts and an addition. A factor is kept as a code of
two nibbles: the low one is the upper exponent XOR `FRACTION_BITS`, the high one the lower exponent
plus 1, or 0 where there is none. So code 0 is the factor 1.
"""

from fractions import Fraction

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from .groups import GroupScales

__all__ = ["CORR_BITS", "FRACTION_BITS", "ChipScales", "apply_codes", "divide", "encode_factor",
           "factor", "nearest_two_powers", "refreshed", "size_exponent"]

#: Fraction bits of a factor.
FRACTION_BITS = 8
#: Bits of corr in a core: enough for 2^31 steps of the longest row.
CORR_BITS = 48
#: Code of the factor 0: its upper exponent is none that counts.
_NOTHING = 15 ^ FRACTION_BITS


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


def encode_factor(value: int) -> int:
    """The code of a factor of `FRACTION_BITS` fraction bits: 0 to 2, at most two ones."""
    if not 0 <= value <= 2 << FRACTION_BITS or value.bit_count() > 2:
        raise BadInput(f"a factor must be at most two powers of two, together 0 to "
                       f"{2 << FRACTION_BITS}, not {value!r}")
    if value == 0:
        return _NOTHING
    upper = value.bit_length() - 1
    return (upper ^ FRACTION_BITS) | (value - (1 << upper)).bit_length() << 4


def factor(code: int) -> int:
    """The inverse of `encode_factor`; of codes that it does not make, what `apply_codes` does."""
    upper, lower = (code & 15) ^ FRACTION_BITS, code >> 4
    value = 1 << upper if upper <= FRACTION_BITS + 1 else 0
    return value + (1 << lower - 1 if 1 <= lower <= FRACTION_BITS + 1 != upper else 0)


def apply_codes(z: npt.NDArray[np.int64], codes: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Pre-activations (rows,) times their factors: two shifts, each rounding down, and a sum.

    The lower power counts only where the upper one is not 2, so that the result is at most 2 z.
    """
    top = FRACTION_BITS + 1
    upper, lower = (codes & 15).astype(np.int64) ^ FRACTION_BITS, (codes >> 4).astype(np.int64)
    first = np.where(upper <= top, 2 * z >> np.clip(top - upper, 0, top), 0)
    counts = (lower >= 1) & (lower <= top) & (upper != top)
    return first + np.where(counts, 2 * z >> np.clip(top + 1 - lower, 0, top), 0)


def size_exponent(inputs: int) -> int:
    """log2 of the size of a row's group: the least power of two that `inputs` do not exceed."""
    return (inputs - 1).bit_length()


def refreshed(corr: int, step: int, exponent: int) -> int:
    """The code of (D + corr) / D with D = step * 2^exponent; of 1 before the first step.

    A quotient beyond 0 or 2, which steps that learn once do not make, is 0 or 2.
    """
    d = (step << exponent) % (1 << CORR_BITS)
    if d == 0:
        return encode_factor(1 << FRACTION_BITS)
    return encode_factor(nearest_two_powers(divide(min(max(d + corr, 0), 2 * d), d)))


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
