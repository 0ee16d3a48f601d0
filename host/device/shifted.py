"""Rows that a core shifts itself, on their way from the memory beside it."""

import struct
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ...firmware.frames import SHIFTED, Flags
from ...model.images import StoredImages, images_of, offset_byte
from .driver import Driver

__all__ = ["shiftable", "shifted_entries"]

Numbers = npt.NDArray[np.integer]


def shiftable(driver: Driver, shape: tuple[int, int] | None, shift: int,
              ) -> tuple[StoredImages | None, str]:
    """How a core shifts the images of its store by up to `shift` pixels.

    Parameters
    ----------
    driver
        The device, which has a store, with the network.
    shape
        Rows and columns of an image.

    Returns
    -------
    None and why not in a line, if it does not.
    """
    config, name, over = driver.config, driver.name, "shifted rows go over the line"
    if not config.store_shift:
        return None, f"the core of {name} does not shift what is stored: {over}"
    if shift > config.store_shift:
        return None, (f"the core of {name} shifts what is stored by up to {config.store_shift} "
                      f"pixels, not {shift}: {over}")
    if driver.front is not None:
        return images_of(config, driver.front, True), ""
    if shape is None or driver.order is None:
        return None, ("the core takes what it shifts tile by tile, this network needs its inputs "
                      f"row by row: {over}")
    (rows, columns), planes = shape, driver.layers[0].planes
    if rows > config.store_rows or columns > config.store_columns or planes > config.store_planes:
        return None, (f"the core of {name} shifts images of up to {config.store_rows} x "
                      f"{config.store_columns} pixels of {config.store_planes} bits, not {rows} x "
                      f"{columns} of {planes}: {over}")
    return StoredImages(rows, columns, config.lanes, True), ""


def shifted_entries(records: Numbers, offsets: Numbers, room: int, most: int,
                    ) -> Iterator[tuple[bytes, int]]:
    """Payloads of PLAY for records in this order, each shifted, and how many each plays.

    Parameters
    ----------
    records
        Their numbers.
    offsets
        (records, 2): pixels down and right.
    room
        Bytes of a payload, at most.
    most
        Records of a payload.
    """
    flags, code = (Flags.WIDE, 3) if max(records) >> 16 else (Flags(0), 2)
    step = max(1, min(most, (room - 7) // (code + 1)))
    numbers = np.asarray(records, "<u4").view(np.uint8).reshape(-1, 4)[:, :code]
    data = np.column_stack([numbers, offset_byte(offsets[:, 0], offsets[:, 1])])
    for start in range(0, len(data), step):
        named = data[start:start + step]
        yield (bytes(3) + struct.pack("<BBH", 1, int(flags) | SHIFTED, len(named))
               + named.tobytes(), len(named))
