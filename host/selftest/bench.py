"""What the steps of a selftest work on, and how they end."""

from dataclasses import dataclass, field
from pathlib import Path

from ...boards.board import Board
from ...errors import TritgradError
from ...model.config import CoreConfig
from ..device.driver import Driver
from ..device.serial_port import SerialTransport
from ..device.session import Session

__all__ = ["Bench", "Failed", "Skipped"]


class Failed(TritgradError):
    """A step has found something wrong: what, and what to do about it."""

    def __init__(self, what: str, advice: str):
        super().__init__(what)
        self.advice = advice


class Skipped(TritgradError):
    """A step has nothing to look at: why."""


@dataclass
class Bench:
    """What the steps work on, and what they find for those behind them.

    Parameters
    ----------
    device
        ``BOARD@PORT``.
    board
        What should be on the port.
    core
        The core that should be in it.
    bitstream
        To load first, if any.
    networks, samples
        Random networks to compare, and samples of the board's own network.
    seconds
        For which the clock is measured.
    """

    device: str
    board: Board
    core: CoreConfig
    bitstream: Path | None = None
    networks: int = 100
    samples: int = 2000
    seconds: float = 10.0
    port: str = ""
    transport: SerialTransport | None = None
    driver: Driver | None = None
    facts: dict[str, object] = field(default_factory=dict)

    @property
    def line(self) -> SerialTransport:
        """The port, once it is open."""
        assert self.transport is not None
        return self.transport

    @property
    def open(self) -> Driver:
        """The driver, once HELLO is answered."""
        assert self.driver is not None
        return self.driver

    @property
    def session(self) -> Session:
        return self.open.session
