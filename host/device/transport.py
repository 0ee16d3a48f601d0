"""Byte pipes to a device. Nothing above them knows whether it is a model, compiled RTL or a board.

A new kind of device is a new class with the five members of `Transport`.
"""

import random
from collections.abc import Callable
from typing import Protocol

from ...model.config import CoreConfig
from ...model.golden_device import GoldenDevice

__all__ = ["SLOWEST_CLOCK_HZ", "FaultyTransport", "GoldenTransport", "SimTransport", "Transport"]

#: The slowest core that timeouts allow for.
SLOWEST_CLOCK_HZ = 10_000_000


class Transport(Protocol):
    """A full-duplex byte pipe that may lose or damage bytes, but never reorders them.

    Attributes
    ----------
    name
        For messages: which device this is.
    byte_time_s
        Seconds a byte takes on the wire; 0 where it takes none. Timeouts allow for it.
    """

    name: str
    byte_time_s: float

    def write(self, data: bytes) -> None:
        """Send bytes; may return before they have left."""

    def read(self, timeout_s: float) -> bytes:
        """What has arrived; empty if nothing has within `timeout_s` seconds."""

    def close(self) -> None:
        """Let the device go."""


class GoldenTransport:
    """The golden model behind the link protocol, in this process. It never waits.

    Parameters
    ----------
    config
        The core that the model stands in for.
    """

    byte_time_s = 0.0

    def __init__(self, config: CoreConfig):
        self.name = "golden model"
        self.device = GoldenDevice(config)
        self._ready = bytearray()

    def write(self, data: bytes) -> None:
        self._ready += self.device.feed(data)

    def read(self, timeout_s: float) -> bytes:
        data = bytes(self._ready)
        self._ready.clear()
        return data

    def close(self) -> None:
        self._ready.clear()


class SimTransport:
    """The compiled RTL in this process. Its clock runs only while somebody reads.

    Timeouts count the device's time: a second is `SLOWEST_CLOCK_HZ` cycles.

    Parameters
    ----------
    config
        The core to compile, or to take from the cache.
    vcd
        File for the waveform, if any.
    progress
        Is told what is being done while the core compiles.
    """

    #: Cycles between two looks for output.
    BURST = 20_000

    byte_time_s = 1 / SLOWEST_CLOCK_HZ

    def __init__(self, config: CoreConfig, vcd: str | None = None,
                 progress: Callable[[str], None] | None = None):
        from ...sim.device import open_sim  # needs a compiler; nothing else here does

        self.name = "compiled RTL"
        self.core = open_sim(config, vcd, progress)
        self._queue = bytearray()

    def write(self, data: bytes) -> None:
        self._queue += data

    def read(self, timeout_s: float) -> bytes:
        left = max(1, int(timeout_s * SLOWEST_CLOCK_HZ))
        while left > 0:
            before = self.core.cycles
            consumed, output = self.core.run(bytes(self._queue), max_cycles=min(left, self.BURST))
            del self._queue[:consumed]
            if output:
                return bytes(output)
            if not consumed:
                left -= max(1, self.core.cycles - before)
        return b""

    def close(self) -> None:
        self.core.close()


class FaultyTransport:
    """A bad cable around another transport, for tests: drops, flips, repeats and cuts off bytes.

    Parameters
    ----------
    inner
        The transport to damage.
    rate
        Faults a byte, each way; 0 to 1.
    rng
        Decides where and what.
    """

    def __init__(self, inner: Transport, rate: float, rng: random.Random):
        self.inner = inner
        self.rate = rate
        self.rng = rng
        self.name = f"{inner.name} on a bad cable"
        self.byte_time_s = inner.byte_time_s

    def write(self, data: bytes) -> None:
        self.inner.write(self._damage(data))

    def read(self, timeout_s: float) -> bytes:
        data = self.inner.read(timeout_s)
        damaged = self._damage(data)
        return damaged if damaged or not data else self.read(timeout_s)

    def close(self) -> None:
        self.inner.close()

    def _damage(self, data: bytes) -> bytes:
        out = bytearray()
        for position, byte in enumerate(data):
            if self.rng.random() >= self.rate:
                out.append(byte)
                continue
            fault = self.rng.choice(("drop", "flip", "repeat", "again", "truncate"))
            if fault == "flip":
                out.append(byte ^ 1 << self.rng.randrange(8))
            elif fault == "repeat":
                out += bytes([byte, byte])
            elif fault == "again":  # a whole stretch twice, perhaps frames
                out += bytes([byte]) + out[-self.rng.randrange(1, 400):] + bytes([byte])
            elif fault == "truncate":
                skipped = position + self.rng.randrange(1, 400)
                return bytes(out) + self._damage(data[skipped:])
        return bytes(out)
