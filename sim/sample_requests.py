"""The attacker's requests that carry samples, or name those of a store."""

import random
import struct
from collections.abc import Callable

import numpy as np

from ..firmware.frames import SHIFTED, Frame, Type
from ..firmware.wire import pack_sparse
from ..model.config import ceil_div
from ..model.golden_device import GoldenDevice
from ..model.images import offset_byte

__all__ = ["SampleRequests"]


class SampleRequests:
    """Payloads of DATA, PLAY, FILL, CHECK and SPI, right ones, and what is done to them.

    Parameters
    ----------
    golden
        Decides what would be right.
    rng
        Decides the rest.

    Attributes
    ----------
    bad
        What puts one field of a payload at or past its limit.
    """

    def __init__(self, golden: GoldenDevice, rng: random.Random):
        self.golden, self.rng = golden, rng
        self.bad: dict[Type, Callable[[bytearray], None]] = {
            Type.DATA: self._bad_data, Type.FILL: lambda payload: self._bad_data(payload, 3),
            Type.PLAY: self._bad_play, Type.SPI: self._bad_transaction}

    @staticmethod
    def lasts(frame: Frame) -> bool:
        """Whether it goes through so much of the store that a simulation takes long."""
        payload = frame.payload
        return (frame.type == Type.CHECK and len(payload) == 6 and any(payload[4:])
                or frame.type == Type.PLAY and len(payload) > 7 and payload[3] > 9)

    def fill(self) -> bytes:
        """Of a right FILL."""
        return self._number() + self._samples(record=True)

    def data(self) -> bytes:
        """Of a right DATA."""
        return self._samples()

    def _samples(self, record: bool = False) -> bytes:
        layers, rng = self.golden.machine.layers, self.rng
        if not layers:
            return rng.randbytes(rng.randint(0, 20))
        first = self.golden.record_row if record else self.golden.machine.sample_row
        planes = first.planes
        size, sparse = planes * ceil_div(first.inputs, 8), rng.random() < 0.5
        longest = 1 + size + (ceil_div(first.inputs, 64) if sparse else 0)
        count = rng.randint(1, min(5, (self.golden.config.max_payload - 5) // longest))
        labels = [rng.randrange(layers[-1].outputs) for _ in range(count)]
        samples = rng.randbytes(size * count)
        if sparse:
            dense = np.frombuffer(samples, np.uint8).reshape(count, size)
            share = rng.choice([0.0, 0.3, 1.0])
            kept = np.array([[rng.random() < share for _ in range(size)]], np.uint8)
            samples = pack_sparse(dense * kept, planes)[0].tobytes()
        return bytes([sparse, count, *labels]) + samples

    def _number(self) -> bytes:
        """A record or byte of the store: mostly a low one, so that some are met again."""
        return self.rng.choice([*range(8), self.rng.randrange(1 << 24)]).to_bytes(3, "little")

    def play(self) -> bytes:
        """Of a right PLAY."""
        rng = self.rng
        wide, sparse = rng.randrange(2), rng.randrange(self.golden.config.store)
        shifted = self._images and rng.random() < 0.7
        size, count = 2 + wide, rng.randint(1, 4)
        entries = b"".join(rng.randrange(rng.choice([6, 1 << 8 * size])).to_bytes(size, "little")
                           + (self._offset() if shifted else b"") for _ in range(count))
        flags = 2 * wide + sparse + (SHIFTED if shifted else 0)
        return self._number() + bytes([rng.randint(1, 3), flags, count, 0]) + entries

    @property
    def _images(self) -> bool:
        return bool(self.golden.machine.layers) and self.golden.images is not None

    def _offset(self, more: int = 0) -> bytes:
        """Of images that a core can shift so far, or by `more` too far."""
        most = self.golden.config.store_shift
        dy, dx = (np.array([self.rng.randint(-most, most) + n]) for n in (more, 0))
        return offset_byte(dy, dx).tobytes()

    def check(self) -> bytes:
        """Of a right CHECK."""
        return self._number() + self.rng.randint(0, 9).to_bytes(3, "little")

    def spi(self) -> bytes:
        """Of a right SPI."""
        rng = self.rng
        place = rng.choice([0, 0, 200, rng.randrange(1 << 24)]).to_bytes(3, "big")
        receive = rng.choice([1, 5, self.golden.config.max_payload - 6])
        data, receive = rng.choice([
            (b"\x9f", receive), (b"\x05", receive), (b"\x03" + place, receive), (b"\x06", 0),
            (b"\x06", 0), (b"\x06", 0), (b"\x20" + place, 0), (b"\xd8" + place, 0),
            *[(b"\x02" + place + bytes(rng.choices(range(4), k=rng.randint(1, 40))), 0)] * 4])
        return struct.pack("<H", receive) + data

    def _bad_data(self, payload: bytearray, at: int = 0) -> None:
        rng, layers = self.rng, self.golden.machine.layers
        if not layers:
            return
        which = rng.random()
        if which < 0.2:
            payload[at] = rng.choice([1 - payload[at], payload[at] | 1 << rng.randrange(1, 8)])
        elif which < 0.4:
            payload[at + 1] = rng.choice([0, 255, payload[at + 1] + rng.choice([-1, 1])])
        elif which < 0.6:
            payload[rng.randrange(at, len(payload))] ^= 1 << rng.randrange(8)
        else:
            payload[at + 2 + rng.randrange(payload[at + 1])] = rng.choice(
                [layers[-1].outputs, 128, 255])

    def _bad_play(self, payload: bytearray) -> None:
        if payload[4] & SHIFTED and self._images and self.rng.random() < 0.4:
            payload[-1:] = self._offset(self.rng.choice([1, 2, -1]))
            return
        place, value = self.rng.choice([(3, 0), (4, 255), (4, 4), (4, 1), (5, 0), (5, 9), (6, 1)])
        payload[place] = value

    def _bad_transaction(self, payload: bytearray) -> None:
        struct.pack_into("<H", payload, 0, self.rng.choice(
            [self.golden.config.max_payload - 5, 0x100, 0xFFFF]))
