"""Patterns through every word of every memory that the link reaches."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...firmware.frames import Space, Type
from ...model.config import CoreConfig
from ...units.registry import windows
from .session import Session
from .transport import GoldenTransport

__all__ = ["Bank", "Fault", "banks", "march", "transfer"]

#: Seed of the random pattern.
SEED = 1


@dataclass(frozen=True)
class Bank:
    """A memory, or one bank of memory T: words, and bytes of each on the link."""

    space: Space
    number: int
    depth: int
    size: int

    def __str__(self) -> str:
        return f"T, bank {self.number}" if self.space is Space.T else self.space.name


@dataclass(frozen=True)
class Fault:
    """The first wrong word of a bank: `bits` are those that differ in any word, and how many do."""

    bank: Bank
    pattern: str
    address: int
    bits: tuple[int, ...]
    words: int

    def __str__(self) -> str:
        bits = ", ".join(map(str, self.bits[:4])) + (" ..." if len(self.bits) > 4 else "")
        return (f"memory {self.bank}: {self.words} of {self.bank.depth} words differ, the first at "
                f"address {self.address}, bit {bits} ({self.pattern})")


def banks(config: CoreConfig) -> Iterator[Bank]:
    """All that READ and WRITE reach in a core."""
    for number in range(config.banks):
        yield Bank(Space.T, number, config.trit_depth, config.trit_word_bytes)
    if config.trainable:
        yield Bank(Space.R, 0, config.residual_depth, config.residual_word_bytes)
    for space, window in windows(config).items():
        yield Bank(space, 0, window.depth(config), window.word_bytes(config))


def transfer(session: Session, bank: Bank, data: bytes | None = None) -> bytes:
    """Write all words of a bank, or read them."""
    done, asked = 0, []
    while done < bank.depth:
        # A request has six bytes before the words; an answer has twelve.
        count = min(bank.depth - done, max(1, (session.budget - 12) // bank.size))
        head = struct.pack("<BBHH", bank.space, bank.number, done, count)
        part = b"" if data is None else data[done * bank.size:(done + count) * bank.size]
        asked.append(session.post(Type.READ if data is None else Type.WRITE, head + part))
        done += count
    session.flush()
    return b"".join(pending.answer or b"" for pending in asked)


def march(session: Session, bank: Bank) -> Fault | None:
    """The first fault of a bank: addresses, their complement and random words, each read twice.

    What should be read is what the golden model reads after the same writes: of a word some bits
    may not exist, or not in every combination.
    """
    golden = Session(GoldenTransport(session.config))
    for name, data in _patterns(bank):
        transfer(session, bank, data)
        transfer(golden, bank, data)
        wanted = _words(transfer(golden, bank), bank)
        for _ in range(2):
            got = _words(transfer(session, bank), bank)
            if got.shape != wanted.shape:
                return Fault(bank, name, 0, (), bank.depth)
            wrong = got ^ wanted
            if wrong.any():
                rows = np.flatnonzero(wrong.any(axis=1))
                bits = np.flatnonzero(np.unpackbits(wrong, axis=1, bitorder="little").any(axis=0))
                return Fault(bank, name, int(rows[0]), tuple(map(int, bits)), len(rows))
    return None


def _words(data: bytes, bank: Bank) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    return np.frombuffer(data, np.uint8)[:len(data) // bank.size * bank.size].reshape(-1, bank.size)


def _patterns(bank: Bank) -> Iterator[tuple[str, bytes]]:
    """Another bank of T has another number in each word, so that two of them never look alike."""
    numbers = (np.arange(bank.depth, dtype="<u4") + (bank.number << 16)).view(np.uint8)
    address = np.tile(numbers.reshape(-1, 4), (1, -(-bank.size // 4)))[:, :bank.size]
    address = address ^ np.arange(bank.size, dtype=np.uint8)
    yield "address", address.tobytes()
    yield "complement", (~address).tobytes()
    rng = np.random.default_rng(SEED)
    yield "random", rng.integers(0, 256, address.shape, np.uint8).tobytes()
