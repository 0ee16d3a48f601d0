"""What all tests share."""

import signal

import pytest


@pytest.fixture(scope="session", autouse=True)
def interruptible():
    """Programs that tests start end at Ctrl-C, even if it is ignored where the tests run."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
