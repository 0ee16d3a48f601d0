"""Boards that are not there: a pseudo-terminal with a faulty wire and a device behind it.

pyserial opens the terminal's other end like any serial port. The rate that it sets there is read
back, so a device at another rate sees, and sends, nothing but nonsense.
"""

import contextlib
import os
import random
import select
import termios
import time
import tty
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from ..firmware.frames import ESC
from ..firmware.rates import RATES, SAFE_RATE
from ..model.config import CoreConfig
from ..model.golden_device import GoldenDevice
from .memories.golden import KeptFlash, LosingRam
from .wire import Faults, FaultyWire, misread

__all__ = ["Device", "ModelBoard", "VirtualPort"]

#: Rates by what termios calls them; all others read as 0 and fit no device.
_SPEEDS = {getattr(termios, f"B{rate}"): rate
           for rate in (9_600, 19_200, 38_400, 57_600, *RATES) if hasattr(termios, f"B{rate}")}


class Device(Protocol):
    """A board as its line sees it."""

    def exchange(self, data: bytes, rate: int) -> bytes:
        """Send bytes at a rate, run a while, and return what a UART at that rate reads."""

    @property
    def busy(self) -> bool:
        """Whether it may have more to say without being sent anything."""

    @property
    def room(self) -> int:
        """Bytes that it takes now; the rest waits in the terminal."""

    def unplug(self) -> None:
        """Forget what was sent and has not left yet. The board goes on."""

    def reset(self) -> None:
        """Power it up anew."""

    def close(self) -> None:
        """Let it go."""


class ModelBoard:
    """The golden model behind a UART, byte by byte. It takes no time.

    Parameters
    ----------
    config
        The core.
    rates
        Bits a second that its UART does, the safe rate first.
    memory
        What is beside the core; by default as a `GoldenDevice` has it, which forgets nothing.

    Attributes
    ----------
    rate
        Bits a second now.
    """

    busy = False
    room = 4096
    rate: int
    _escaped: bool
    _wanted: int | None

    def __init__(self, config: CoreConfig, rates: Sequence[int] = RATES,
                 memory: LosingRam | KeptFlash | None = None):
        self.core = GoldenDevice(config)
        self.memory = memory
        if memory is not None:
            self.core.store = memory
        self.rates = rates
        self.reset()

    def exchange(self, data: bytes, rate: int) -> bytes:
        out = bytearray()
        while data:
            if rate != self.rate:
                data = self._misread(data, rate, out)
            elif self.rate == SAFE_RATE:
                answer, before = self._listen(data[0]), self.rate
                data = data[1:]
                if answer and self._wanted is not None:
                    self.rate, self._wanted = self._wanted, None
                out += answer if before == rate else b""
            else:
                return bytes(out + self.core.feed(data))
        return bytes(out)

    def _listen(self, byte: int) -> bytes:
        """Take a byte at the safe rate, which may end a request for another rate."""
        if self._escaped and byte < len(RATES) and RATES[byte] in self.rates:
            self._wanted = RATES[byte]
        self._escaped = byte == ESC
        return self.core.feed(bytes([byte]))

    def _misread(self, data: bytes, rate: int, out: bytearray) -> bytes:
        """Take bytes at a wrong rate; what is left to take after a break, at the safe rate."""
        if rate == 0:
            return b""
        read, begun = misread(data, rate, self.rate)
        answer = self.core.feed(read)
        out += misread(answer, self.rate, rate)[0]
        if begun is None:
            return b""
        self.rate, self._wanted = SAFE_RATE, None
        return data[begun:]

    def unplug(self) -> None:
        pass

    def reset(self) -> None:
        if self.memory is not None:
            self.memory.power_cycle()
        self.core.reset()
        self.rate = SAFE_RATE
        self._escaped = False
        self._wanted = None

    def close(self) -> None:
        pass


class VirtualPort:
    """A pseudo-terminal with a device on it. Runs where `serve` is called.

    Parameters
    ----------
    device
        The board.
    link
        File name for the terminal: a symbolic link that survives unplugging.
    faults, seed
        What happens to bytes on the way, each way, and where.
    reset_every, unplug_every
        After each so many bytes from the host the device is reset, or the port goes away for
        `AWAY_S` seconds; 0 for never.

    Attributes
    ----------
    resets, unplugged
        How often that has happened.
    """

    AWAY_S = 0.3

    def __init__(self, device: Device, link: Path, faults: Faults | None = None,
                 seed: int = 1, reset_every: int = 0, unplug_every: int = 0):
        self.device = device
        self.link = link
        rng = random.Random(seed)
        faults = faults or Faults()
        self.to_device, self.to_host = FaultyWire(faults, rng), FaultyWire(faults, rng)
        self.reset_every, self.unplug_every = reset_every, unplug_every
        self.resets = self.unplugged = 0
        self._taken = 0
        self._plug()

    def _plug(self) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        try:
            self._name()
        except OSError:
            os.close(self._master)
            os.close(self._slave)
            raise

    def _name(self) -> None:
        """Make the link; what is there stays, unless it is the link of a board that is gone.

        The terminal of one that was killed is gone, or is this one's now.
        """
        name = os.ttyname(self._slave)
        if (self.link.is_symlink() and (target := os.readlink(self.link)).startswith("/dev/")
                and (target == name or not self.link.exists())):
            self.link.unlink()
        self.link.symlink_to(name)

    def _unplug(self) -> None:
        self.device.unplug()
        self.to_device.clear()
        self.to_host.clear()
        with contextlib.suppress(OSError):
            if os.readlink(self.link) == os.ttyname(self._slave):
                self.link.unlink()
        os.close(self._master)
        os.close(self._slave)

    def serve(self, stop: Callable[[], bool]) -> None:
        """Carry bytes until told to stop."""
        while not stop():
            self._step()

    def close(self) -> None:
        """Take the terminal away and let the device go."""
        self._unplug()
        self.device.close()

    def _step(self) -> None:
        now = time.monotonic()
        data = self._receive(now)
        self.to_device.push(data, now)
        before, self._taken = self._taken, self._taken + len(data)
        rate = _SPEEDS.get(termios.tcgetattr(self._slave)[5], 0)
        self.to_host.push(self.device.exchange(self.to_device.pop(now), rate), now)
        self._send(self.to_host.pop(time.monotonic()))
        if _passed(self.reset_every, before, self._taken):
            self.device.reset()
            self.resets += 1
        if _passed(self.unplug_every, before, self._taken):
            self._unplug()
            time.sleep(self.AWAY_S)
            self._plug()
            self.unplugged += 1

    def _receive(self, now: float) -> bytes:
        """Bytes from the host; waits for them if there is nothing else to do."""
        due = [wire.due for wire in (self.to_device, self.to_host) if wire.due is not None]
        wait = 0.0 if self.device.busy else min([0.1, *(max(0.0, at - now) for at in due)])
        room = self.device.room
        if not select.select([self._master] if room else [], [], [], wait)[0]:
            return b""
        return os.read(self._master, room)

    def _send(self, data: bytes) -> None:
        """To the host; what nobody reads is lost, as on a line."""
        while data:
            try:
                data = data[os.write(self._master, data):]
            except BlockingIOError:
                return


def _passed(every: int, before: int, now: int) -> bool:
    """Whether a multiple of `every` lies between."""
    return every > 0 and before // every != now // every
