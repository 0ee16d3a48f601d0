"""Bit order on the link: samples of DATA, and words of memory in WRITE and READ."""

import numpy as np
import numpy.typing as npt

__all__ = ["pack_samples", "pack_scales", "pack_words", "unpack_sample", "unpack_scales",
           "unpack_words"]


def pack_samples(x: npt.NDArray[np.uint8], planes: int) -> npt.NDArray[np.uint8]:
    """Samples on the wire: for each eight inputs `planes` bytes, plane 0 first, input 0 lowest.

    Parameters
    ----------
    x
        uint8 (samples, inputs), below 2^planes.

    Returns
    -------
    uint8 (samples, ceil(inputs / 8) * planes).
    """
    groups = [np.packbits((x >> p) & 1, axis=1, bitorder="little") for p in range(planes)]
    return np.ascontiguousarray(np.stack(groups, axis=2)).reshape(len(x), -1)


def unpack_sample(data: bytes, inputs: int, planes: int) -> npt.NDArray[np.int64]:
    """Inputs of a sample from its wire form: groups of `planes` bytes, eight inputs a group."""
    groups = np.frombuffer(data, np.uint8).reshape(-1, planes)
    bits = np.unpackbits(groups[:, :, None], axis=2, bitorder="little").astype(np.int64)
    values = (bits << np.arange(planes)[:, None]).sum(axis=1)
    return values.reshape(-1)[:inputs]


def pack_words(words: npt.NDArray[np.int64], bits: int, size: int) -> bytes:
    """Memory words (n, lanes) of `bits` bits a lane as bytes, `size` bytes a word."""
    planes = (words[:, :, None] >> np.arange(bits)) & 1
    packed = np.packbits(planes.reshape(len(words), -1).astype(np.uint8), axis=1,
                         bitorder="little")
    return packed[:, :size].tobytes()


def unpack_words(data: bytes, bits: int, lanes: int, size: int) -> npt.NDArray[np.int64]:
    """The inverse of `pack_words`; padding bits are ignored."""
    raw = np.frombuffer(data, np.uint8).reshape(-1, size)
    flat = np.unpackbits(raw, axis=1, bitorder="little")[:, :bits * lanes].astype(np.int64)
    return (flat.reshape(len(raw), lanes, bits) << np.arange(bits)).sum(axis=2)


def pack_scales(corr: npt.NDArray[np.int64], codes: npt.NDArray[np.uint8]) -> bytes:
    """Words of memory S as bytes: the low 48 bits of corr, then the code."""
    words = np.empty((len(corr), 7), np.uint8)
    words[:, :6] = np.ascontiguousarray(corr, "<i8").view(np.uint8).reshape(-1, 8)[:, :6]
    words[:, 6] = codes
    return words.tobytes()


def unpack_scales(data: bytes) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """The inverse of `pack_scales`."""
    words = np.frombuffer(data, np.uint8).reshape(-1, 7)
    wide = np.zeros((len(words), 8), np.uint8)
    wide[:, 2:] = words[:, :6]
    return wide.view("<i8").reshape(-1).astype(np.int64) >> 16, words[:, 6].copy()
