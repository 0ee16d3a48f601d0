"""Words of a device's memories, read and written in pieces that fit a frame."""

import struct

from ...errors import DeviceError
from ...firmware.frames import Space, Type
from .session import Session

__all__ = ["read", "write"]


def write(session: Session, space: Space, data: bytes, size: int, first: int = 0,
          bank: int = 0) -> None:
    """Write words of `size` bytes, from one on."""
    words, done = len(data) // size, 0
    while done < words:
        count = min(words - done, max(1, (session.budget - 6) // size))
        head = struct.pack("<BBHH", space, bank, first + done, count)
        session.post(Type.WRITE, head + data[done * size:(done + count) * size])
        done += count


def read(session: Session, space: Space, words: int, size: int, first: int = 0,
         bank: int = 0) -> bytes:
    """Read so many words of `size` bytes, from one on.

    Raises
    ------
    DeviceError
        The device answers with another number of words.
    """
    asked, done = [], 0
    while done < words:
        count = min(words - done, max(1, (session.budget - 12) // size))
        asked.append((count * size, session.post(
            Type.READ, struct.pack("<BBHH", space, bank, first + done, count))))
        done += count
    session.flush()
    answers = [pending.answer or b"" for _, pending in asked]
    if [len(answer) for answer in answers] != [length for length, _ in asked]:
        raise DeviceError(f"{session.name} answers READ with the wrong number of words")
    return b"".join(answers)
