"""Rates of the serial line, and what the docs say of them."""

import random
import re
from pathlib import Path

import pytest

from tritgrad.firmware.frames import ESC, FLAG, Frame, FrameDecoder, Status, stuff
from tritgrad.firmware.rates import (
    BREAK_BITS,
    CODES,
    MAX_ERROR,
    RATES,
    SAFE_RATE,
    TOLERANCE,
    Divider,
    rate_request,
    supported_rates,
)

PAGE = Path(__file__).parents[2] / "docs" / "serial.md"


def test_the_docs_list_the_rates_of_each_clock():
    rows = re.findall(r"^\| (\d+) \| ([\d, ]+) \|$", PAGE.read_text(), re.MULTILINE)
    assert len(rows) >= 4
    for clock, rates in rows:
        assert tuple(map(int, rates.split(", "))) == supported_rates(float(clock) * 1e6)


@pytest.mark.parametrize("rate", RATES)
def test_a_request_is_no_frame_and_in_no_frame(rate):
    request = rate_request(rate)
    assert [*FrameDecoder().feed(bytes([FLAG]) + request)] == [Status.LENGTH]
    assert request[0] == ESC
    assert request[1] < CODES
    rng = random.Random(rate)
    for _ in range(200):
        body = bytes(rng.choice([ESC, FLAG, request[1], rng.randrange(256)]) for _ in range(40))
        assert request[:2] not in stuff(body)
        assert request[:2] not in Frame(3, 4, body).encode()


def test_requests_differ():
    assert len({rate_request(rate) for rate in RATES}) == len(RATES) <= CODES


def test_a_zero_byte_at_the_safe_rate_is_a_break_at_every_other():
    """Even if the host's clock is fast and the board's slow, both by the whole tolerance."""
    for rate in RATES[1:]:
        bits = 9 * rate / SAFE_RATE * (1 - TOLERANCE) / (1 + TOLERANCE)
        assert bits > BREAK_BITS
    assert 9 * (1 + TOLERANCE) / (1 - TOLERANCE) < BREAK_BITS - 1


@pytest.mark.parametrize("clock_hz", [1e6, 12e6, 24e6, 50e6, 100e6])
def test_higher_clocks_do_all_that_lower_ones_do(clock_hz):
    assert set(supported_rates(clock_hz)) <= set(supported_rates(1.5 * clock_hz))


def test_no_clock_is_too_slow_to_say_so():
    assert supported_rates(100_000) == ()


@pytest.mark.parametrize("clock_hz", [
    12e6, 16e6, 20e6, 24e6, 25e6, 25.125e6, 27e6, 40e6, 48e6, 65e6, 100e6])
def test_a_divider_steps_by_the_nearest_with_the_fewest_bits_that_keep_the_error(clock_hz):
    divider = Divider(clock_hz, supported_rates(clock_hz))
    assert divider.rates == tuple(r for r in RATES if clock_hz / r > 4.7)
    unit = clock_hz / 2**divider.bits  # the rate of a step of 1
    for rate, step in zip(divider.rates, divider.steps, strict=True):
        assert abs(step * unit - rate) <= unit / 2
        assert abs(step * unit / rate - 1) <= MAX_ERROR
    assert any(abs(max(1, round(rate / unit / 2)) * 2 * unit / rate - 1) > MAX_ERROR
               for rate in divider.rates)
