"""Settings of the PLLs, worked out from the data sheets' limits; frequencies in Hz."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import ceil, floor

from ..errors import ConfigError

__all__ = ["ECP5_LIMITS", "GW1N_LIMITS", "GW2A_LIMITS", "ICE40_LIMITS", "Limits", "PllSetting",
           "ecp5_pll", "gowin_pll", "ice40_pll"]

#: How far from the wanted frequency a setting may be.
TOLERANCE = Fraction(1, 100)


@dataclass(frozen=True)
class Limits:
    """Ranges of a PLL, Hz, both ends included.

    Parameters
    ----------
    source
        Where they are from.
    input, detector, oscillator, output
        Of the reference, the phase detector, the VCO and the output.
    """

    source: str
    input: tuple[int, int]
    detector: tuple[int, int]
    oscillator: tuple[int, int]
    output: tuple[int, int]


ICE40_LIMITS = Limits(
    "Lattice FPGA-DS-02008, sysCLOCK PLL timing", (10_000_000, 133_000_000),
    (10_000_000, 133_000_000), (533_000_000, 1_066_000_000), (16_000_000, 275_000_000))
ECP5_LIMITS = Limits(
    "Lattice FPGA-DS-02012, sysCLOCK PLL timing", (8_000_000, 400_000_000),
    (10_000_000, 400_000_000), (400_000_000, 800_000_000), (3_125_000, 400_000_000))
GW1N_LIMITS = Limits(
    "Gowin DS117, GW1NR-9 C6/I5", (3_000_000, 400_000_000),
    (3_000_000, 400_000_000), (400_000_000, 1_200_000_000), (3_125_000, 600_000_000))
GW2A_LIMITS = Limits(
    "Gowin DS226, GW2A-18 C8/I7", (3_000_000, 500_000_000),
    (3_000_000, 500_000_000), (500_000_000, 1_250_000_000), (3_906_250, 625_000_000))


@dataclass(frozen=True)
class PllSetting:
    """What to set a PLL's parameters to, and what comes of it.

    Parameters
    ----------
    primitive
        Name of the cell.
    parameters
        Its dividers.
    input_hz, detector_hz, oscillator_hz, output_hz
        Exact frequencies of the reference, the phase detector, the VCO and the output.
    """

    primitive: str
    parameters: dict[str, int]
    input_hz: int
    detector_hz: Fraction
    oscillator_hz: Fraction
    output_hz: Fraction


@cache
def ice40_pll(input_hz: int, output_hz: int, limits: Limits = ICE40_LIMITS) -> PllSetting:
    """Dividers of SB_PLL40 with simple feedback, nearest to a frequency.

    The filter range follows the phase detector's frequency (Lattice FPGA-TN-02052).

    Raises
    ------
    ConfigError
        No setting within the limits comes within 1 %.
    """
    def settings() -> Iterator[PllSetting]:
        for reference in range(1, 17):
            detector = Fraction(input_hz, reference)
            for feedback in _multiples(detector, limits, 128):
                for power in range(1, 7):
                    yield PllSetting(
                        "SB_PLL40", {"DIVR": reference - 1, "DIVF": feedback - 1, "DIVQ": power,
                                     "FILTER_RANGE": _filter_range(detector)},
                        input_hz, detector, detector * feedback, detector * feedback / 2**power)
    return _nearest("SB_PLL40", settings(), input_hz, output_hz, limits)


def _filter_range(detector: Fraction) -> int:
    megahertz = detector / 1_000_000
    return 1 + sum(megahertz >= bound for bound in (17, 26, 44, 66, 101))


@cache
def ecp5_pll(input_hz: int, output_hz: int, limits: Limits = ECP5_LIMITS) -> PllSetting:
    """Dividers of EHXPLLL with CLKOP fed back and CLKOS as the output, nearest to a frequency.

    An output of its own makes the frequency independent of the feedback's dividers.

    Raises
    ------
    ConfigError
        No setting within the limits comes within 1 %.
    """
    def settings() -> Iterator[PllSetting]:
        for reference in range(1, 129):
            detector = Fraction(input_hz, reference)
            for multiple in _multiples(detector, limits, 128):
                oscillator = detector * multiple
                divider = max(1, min(128, round(oscillator / output_hz)))
                yield PllSetting(
                    "EHXPLLL", {"CLKI_DIV": reference, "CLKFB_DIV": 1, "CLKOP_DIV": multiple,
                                "CLKOS_DIV": divider},
                    input_hz, detector, oscillator, oscillator / divider)
    return _nearest("EHXPLLL", settings(), input_hz, output_hz, limits)


@cache
def gowin_pll(input_hz: int, output_hz: int, limits: Limits) -> PllSetting:
    """Dividers of rPLL, nearest to a frequency.

    Raises
    ------
    ConfigError
        No setting within the limits comes within 1 %.
    """
    def settings() -> Iterator[PllSetting]:
        for reference in range(1, 65):
            detector = Fraction(input_hz, reference)
            for divider in (2, 4, 8, 16, 32, 48, 64, 80, 96, 112, 128):
                for feedback in _multiples(detector * divider, limits, 64, detector):
                    output = detector * feedback
                    yield PllSetting(
                        "rPLL", {"IDIV_SEL": reference - 1, "FBDIV_SEL": feedback - 1,
                                 "ODIV_SEL": divider},
                        input_hz, detector, output * divider, output)
    return _nearest("rPLL", settings(), input_hz, output_hz, limits)


def _multiples(step: Fraction, limits: Limits, most: int,
               detector: Fraction | None = None) -> range:
    """Factors up to `most` that take `step` into the VCO's range; none if the detector's is left.

    The detector runs at `step`, unless it is given.
    """
    if not _within(step if detector is None else detector, limits.detector):
        return range(0)
    low, high = limits.oscillator
    return range(max(1, ceil(low / step)), min(most, floor(high / step)) + 1)


def _nearest(primitive: str, settings: Iterable[PllSetting], input_hz: int, output_hz: int,
             limits: Limits) -> PllSetting:
    """The nearest setting; of equals the one with the fastest phase detector, then oscillator."""
    allowed = [setting for setting in settings
               if _within(setting.input_hz, limits.input)
               and _within(setting.detector_hz, limits.detector)
               and _within(setting.oscillator_hz, limits.oscillator)
               and _within(setting.output_hz, limits.output)]
    if not allowed:
        raise ConfigError(f"frequency: {primitive} can make nothing of {input_hz / 1e6:g} MHz, "
                          f"its input must be from {limits.input[0] / 1e6:g} to "
                          f"{limits.input[1] / 1e6:g} MHz")
    best = min(allowed, key=lambda setting: (abs(setting.output_hz - output_hz),
                                             -setting.detector_hz, -setting.oscillator_hz))
    if abs(best.output_hz - output_hz) > TOLERANCE * output_hz:
        raise ConfigError(f"frequency must be one that {primitive} can make of "
                          f"{input_hz / 1e6:g} MHz, not {output_hz / 1e6:g} MHz; the nearest is "
                          f"{float(best.output_hz) / 1e6:g} MHz")
    return best


def _within(value: Fraction | int, limits: tuple[int, int]) -> bool:
    return limits[0] <= value <= limits[1]
