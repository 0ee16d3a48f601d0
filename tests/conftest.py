"""What all tests share."""

import os
import random
import signal

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes depends on the machine and on what else runs there.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture(scope="session", autouse=True)
def interruptible():
    """Programs that tests start end at Ctrl-C, even if it is ignored where the tests run."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def fresh_seed() -> int:
    """A seed that differs from run to run, 1 to 2^31 - 1; shown if the test fails.

    The environment variable TRITGRAD_SEED sets it, so that a failure can be repeated.
    """
    text = os.environ.get("TRITGRAD_SEED")
    if text is not None and not (text.isdecimal() and 1 <= int(text) < 1 << 31):
        raise pytest.UsageError(f"TRITGRAD_SEED must be an integer from 1 to {(1 << 31) - 1}, "
                                f"not {text!r}")
    seed = random.randrange(1, 1 << 31) if text is None else int(text)
    print(f"seed {seed} (TRITGRAD_SEED={seed} repeats it)")
    return seed
