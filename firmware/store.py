"""A store of samples beside the core: what kinds there are, and records as they lie in it.

A record is a sample with its label. It begins at any address that the host chose for it, counted in
units of the memory: bytes of a flash, words of 16 bits of a RAM.

FLASH   The label, then the sample's bytes as in DATA, dense or sparse.
RAM     A word with the label, its high byte 0. The rest are the sample's words of L inputs, plane
        by plane: with L = 16 k + r, up to 16 / r of them (all planes counted) have a word that
        holds their r highest lanes, the first one's lowest; then k words for each, lowest lanes
        first. Lanes that the sample does not have are 0.

Where consecutive records are played or filled, each begins at the first address behind the one
before that is a multiple of 2^shift away from the first record's.
"""

import enum

import numpy as np
import numpy.typing as npt

__all__ = ["StoreKind", "ram_records", "record_stride", "record_words"]


class StoreKind(enum.IntEnum):
    """What a core's samples can be played from."""

    NONE = 0
    FLASH = 1
    RAM = 2


def record_words(inputs: int, planes: int, lanes: int) -> int:
    """Words of a record in a RAM."""
    full, rest = divmod(lanes, 16)
    slices = -(-inputs // lanes) * planes
    return 1 + slices * full + (-(-slices // (16 // rest)) if rest else 0)


def record_stride(units: int, shift: int) -> int:
    """From a record of so many units to the next one's first."""
    return -(-units >> shift) << shift


def ram_records(x: npt.NDArray[np.uint8], labels: npt.NDArray[np.integer], planes: int,
                lanes: int) -> npt.NDArray[np.uint16]:
    """Records as they lie in a RAM.

    Parameters
    ----------
    x
        uint8 (samples, inputs), below 2^planes.
    labels
        (samples,), below 256.

    Returns
    -------
    uint16 (samples, `record_words`).
    """
    count, inputs = x.shape
    full, rest = divmod(lanes, 16)
    padded = np.zeros((count, -(-inputs // lanes) * lanes), np.uint8)
    padded[:, :inputs] = x
    bits = (padded.reshape(count, -1, 1, lanes) >> np.arange(planes)[:, None]) & 1
    bits = bits.reshape(count, -1, lanes)
    group = 16 // rest if rest else bits.shape[1]
    parts = [np.asarray(labels, "<u2").reshape(-1, 1)]
    for first in range(0, bits.shape[1], group):
        slices = bits[:, first:first + group]
        if rest:
            high = np.zeros((count, 16), np.uint8)
            high[:, :slices.shape[1] * rest] = slices[:, :, 16 * full:].reshape(count, -1)
            parts.append(_words(high))
        parts.append(_words(slices[:, :, :16 * full].reshape(count, -1)))
    return np.concatenate(parts, axis=1)


def _words(bits: npt.NDArray[np.integer]) -> npt.NDArray[np.uint16]:
    """Bits (samples, 16 n) as words (samples, n), the first one lowest."""
    packed = np.packbits(bits, axis=1, bitorder="little")
    return np.ascontiguousarray(packed).view("<u2")
