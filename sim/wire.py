"""A serial line in software: faults of its bytes, and what a UART at another rate reads."""

import random
from collections import deque
from dataclasses import dataclass, fields

from ..errors import BadInput
from ..firmware.rates import BREAK_BITS

__all__ = ["Faults", "FaultyWire", "misread"]


@dataclass(frozen=True)
class Faults:
    """How often a byte suffers what; chances from 0 to 1, each way.

    Parameters
    ----------
    drop, flip, repeat
        It is lost; one of its bits is inverted; it comes twice.
    delay
        It and all behind it come up to `DELAY_S` seconds late.

    Raises
    ------
    BadInput
        Names the fault whose chance is none.
    """

    DELAY_S = 0.02

    drop: float = 0.0
    flip: float = 0.0
    repeat: float = 0.0
    delay: float = 0.0

    def __post_init__(self) -> None:
        for field in fields(self):
            chance = getattr(self, field.name)
            if not 0 <= chance <= 1:
                raise BadInput(f"{field.name} must be a chance from 0 to 1, not {chance!r}")


class FaultyWire:
    """One direction of a line. Bytes may be damaged and late; they never overtake each other.

    Parameters
    ----------
    faults
        How often what happens.
    rng
        Decides where.

    Attributes
    ----------
    damaged
        Bytes that were dropped, flipped or repeated so far.
    """

    def __init__(self, faults: Faults, rng: random.Random):
        self.faults = faults
        self.rng = rng
        self.damaged = 0
        self._late: deque[tuple[float, bytes]] = deque()
        self._sound = not any(getattr(faults, field.name) for field in fields(faults))

    def push(self, data: bytes, now: float) -> None:
        """Bytes enter at a time, seconds."""
        if not data:
            return
        due = self._late[-1][0] if self._late else now
        if self._sound:
            self._late.append((due, data))
            return
        faults, draw = self.faults, self.rng.random
        for byte in data:
            if draw() < faults.delay:
                due = max(due, now) + draw() * faults.DELAY_S
            out = bytes([byte])
            if draw() < faults.drop:
                out = b""
            elif draw() < faults.flip:
                out = bytes([byte ^ 1 << self.rng.randrange(8)])
            elif draw() < faults.repeat:
                out = bytes([byte, byte])
            self.damaged += out != bytes([byte])
            self._late.append((due, out))

    def pop(self, now: float) -> bytes:
        """Bytes that have arrived by now."""
        out = bytearray()
        while self._late and self._late[0][0] <= now:
            out += self._late.popleft()[1]
        return bytes(out)

    def clear(self) -> None:
        """Lose what is under way."""
        self._late.clear()

    @property
    def due(self) -> float | None:
        """When the next bytes arrive; None if there are none under way."""
        return self._late[0][0] if self._late else None


def misread(data: bytes, sent_rate: float, read_rate: float) -> tuple[bytes, int | None]:
    """What a receiver at one rate makes of bytes that were sent without gaps at another.

    As `hw.link.uart.UartReceiver` samples, with exact clocks: bytes without a stop bit are dropped.

    Returns
    -------
    The bytes read, and how many of those sent had begun when a break was seen, None if none was;
    reading ends there.
    """
    out = bytearray()
    end = 10 * len(data)
    step = sent_rate / read_rate  # a bit of the receiver, in bits of the sender

    def level(time: float) -> bool:
        place = int(time)
        if place >= end:
            return True
        bit = place % 10
        return bit == 9 or (bit > 0 and bool(data[place // 10] >> (bit - 1) & 1))

    edge = 0
    while edge < end:
        if level(edge):
            edge += 1
            continue
        sample, low, bits = edge + step / 2, 0, 0
        for place in range(10 * 1024):
            high = level(sample)
            low = 0 if high else low + 1
            if low == BREAK_BITS:
                return bytes(out), min(len(data), int(sample) // 10 + 1)
            if 1 <= place <= 8:
                bits |= high << (place - 1)
            if place in (0, 9) and high:
                if place == 9:
                    out.append(bits)
                break
            if place > 9 and high:
                break
            sample += step
        # The next edge is looked for from here on, between two bits of the sender.
        edge = int(sample) + 1
    return bytes(out), None
