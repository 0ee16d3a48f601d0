"""Rates of the serial line: one list for the gateware, the host and the docs.

A UART divides its clock by adding a step to a phase in each cycle; each overflow is a bit. A rate
is supported if, whatever the other side's clock does within `TOLERANCE`, the last sample of a byte
still falls into its bit.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from ..errors import ConfigError
from .frames import ESC, FLAG

__all__ = ["BREAK_BITS", "CODES", "MAX_ERROR", "MAX_FRAMING_ERRORS", "RATES", "SAFE_RATE",
           "TOLERANCE", "Divider", "rate_request", "supported_rates"]

#: Bits a second. A request names a rate by its place in this list.
RATES = (115_200, 230_400, 460_800, 921_600, 1_000_000, 1_500_000, 2_000_000, 3_000_000, 4_000_000)
#: The rate after power-up and after a break.
SAFE_RATE = RATES[0]
#: What a request for a rate may hold behind `ESC`: bytes that never follow it in a frame.
CODES = 16
#: Low bits in a row, start bit included, that are a break. A byte has at most 9; the least of a
#: byte 0x00 at the safe rate is 18 at the next rate.
BREAK_BITS = 13
#: Bytes in a row without a stop bit after which a receiver gives up its rate.
MAX_FRAMING_ERRORS = 8
#: By what fraction the other side's rate may be wrong.
TOLERANCE = 0.02
#: By what fraction the average rate of a divider may be wrong.
MAX_ERROR = 0.005
#: How far from its middle, in bits, a bit may be sampled.
EYE = 0.45
#: From the start bit's edge to the middle of the stop bit, bits.
_SPAN = 9.5


def supported_rates(clock_hz: float) -> tuple[int, ...]:
    """The rates of `RATES` that a UART with this clock can receive, ascending.

    An edge is seen, and a bit sampled, up to a cycle early or late; at 2 % and `MAX_ERROR` that
    leaves 4.7 cycles a bit, at least.
    """
    return tuple(rate for rate in RATES
                 if _SPAN * (TOLERANCE + MAX_ERROR) + rate / clock_hz <= EYE)


def rate_request(rate: int) -> bytes:
    """The bytes that ask a device at the safe rate for another one, a frame's end behind them."""
    return bytes([ESC, RATES.index(rate), FLAG])


@dataclass(frozen=True)
class Divider:
    """Phase steps for a clock and the rates wanted.

    Parameters
    ----------
    clock_hz
        Clock of the UART.
    rates
        Bits a second, ascending, the safe rate first.

    Raises
    ------
    ConfigError
        Names the rate that the clock cannot make, or what the list lacks.
    """

    clock_hz: float
    rates: tuple[int, ...]

    def __post_init__(self) -> None:
        possible = supported_rates(self.clock_hz)
        for rate in self.rates:
            if rate not in possible:
                raise ConfigError(f"rates must be some of {_listed(possible)} at "
                                  f"{self.clock_hz:,.0f} Hz, not {rate!r}")
        if not self.rates or self.rates[0] != SAFE_RATE or [*self.rates] != sorted({*self.rates}):
            raise ConfigError(f"rates must begin with {SAFE_RATE} and ascend, not {self.rates!r}")

    @property
    def bits(self) -> int:
        """The fewest bits of a phase whose steps keep `MAX_ERROR` at all rates."""
        return next(bits for bits in range(1, 64) if all(
            abs(self._step(rate, bits) * self.clock_hz / 2**bits / rate - 1) <= MAX_ERROR
            for rate in self.rates))

    @property
    def steps(self) -> tuple[int, ...]:
        """What to add to the phase in each cycle, a rate each; 2^bits is a bit of the line."""
        return tuple(self._step(rate, self.bits) for rate in self.rates)

    def _step(self, rate: int, bits: int) -> int:
        return max(1, math.floor(rate * 2**bits / self.clock_hz + 0.5))


def _listed(rates: Iterable[int]) -> str:
    return ", ".join(str(rate) for rate in rates) or "none"
