"""Bit order on the link: samples of DATA, dense and sparse, and words of memory."""

import numpy as np
import numpy.typing as npt

__all__ = ["pack_samples", "pack_scales", "pack_sparse", "pack_words", "unpack_sample",
           "unpack_scales", "unpack_sparse", "unpack_words"]

#: Groups that a byte of a sparse sample tells of.
MASKED = 8


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


def pack_sparse(packed: npt.NDArray[np.uint8], planes: int,
                ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """The sparse form of samples: a byte before each eight groups says which are not 0 and follow.

    Parameters
    ----------
    packed
        As `pack_samples` gives it, uint8 (samples, groups * planes).

    Returns
    -------
    All samples in a row, uint8, and where each begins and the last one ends, int64 (samples + 1,).
    """
    samples, groups = len(packed), packed.shape[1] // planes
    blocks = -(-groups // MASKED)
    padded = np.zeros((samples, blocks * MASKED, planes), np.uint8)
    padded[:, :groups] = packed.reshape(samples, groups, planes)
    there = padded.any(axis=2).reshape(samples, blocks, MASKED)
    form = np.empty((samples, blocks, 1 + MASKED * planes), np.uint8)
    form[:, :, :1] = np.packbits(there, axis=2, bitorder="little")
    form[:, :, 1:] = padded.reshape(samples, blocks, MASKED * planes)
    kept = np.ones(form.shape, bool)
    kept[:, :, 1:] = np.repeat(there, planes, axis=2)
    ends = np.cumsum(kept.sum(axis=(1, 2)), dtype=np.int64)
    return form[kept], np.concatenate([np.zeros(1, np.int64), ends])


def unpack_sparse(data: bytes, inputs: int, planes: int) -> tuple[bytes, int] | None:
    """The dense form of the sparse sample at the start of `data`, and the bytes it has there.

    Bits for groups that the sample does not have are ignored. None if it ends behind `data`.
    """
    dense, at = bytearray(), 0
    for group in range(-(-inputs // 8)):
        if group % MASKED == 0:
            mask, at = data[at:at + 1], at + 1
        if mask and mask[0] >> group % MASKED & 1:
            dense += data[at:at + planes]
            at += planes
        else:
            dense += bytes(planes)
    return (bytes(dense), at) if at <= len(data) else None


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
