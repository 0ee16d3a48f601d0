"""Records of samples in a memory beside the FPGA.

In a serial flash a record is a label, then a sample as DATA has it, dense or sparse
(`firmware.wire`); records follow each other without a gap, and one is named by its first byte.

In a RAM of 16-bit words all records of a data set have the same size, and one is named by its
number. The first word is the label, then come the words of L inputs that the core works on, each
plane of one a *plane word* of L bits: all planes of the first word, all of the second, and so on.
With L = 16 k + r, as many plane words as have room in one 16-bit word with r bits each share such a
word for their r highest bits, the first one lowest; it goes before their k other words each, the
lowest bits first. With r = 0 there is none.

A core that shifts images takes records as images if the table says how many columns they have: in
the `skip` of the first layer, or of a convolution in front of it. A record then has L inputs for
each row of the image, the first ones being its pixels and the others ignored, and so have the
samples of FILL. What is played is shifted, with zeros coming in, and taken by a first layer tile by
tile: with H the least divisor of L whose square is at least L, tiles of H rows of L / H pixels go
row by row over the image, as do the pixels inside of each; at the edges tiles have fewer.
"""

import enum
from typing import Any

import numpy as np
import numpy.typing as npt

from .frames import Type
from .wire import pack_samples, pack_sparse

__all__ = ["Kind", "known", "pack_flash_records", "pack_ram_records", "ram_record_words",
           "unpack_ram_records"]


class Kind(enum.IntEnum):
    """What a core has for samples beside it."""

    NONE = 0   #: nothing
    RAM = 1    #: words of 16 bits
    FLASH = 2  #: a serial flash of bytes


#: Requests that not each core knows.
_STORED = {
    Kind.NONE: frozenset[Type](), Kind.RAM: frozenset({Type.PLAY, Type.FILL, Type.CHECK}),
    Kind.FLASH: frozenset({Type.PLAY, Type.CHECK, Type.SPI}),
}


def known(config: Any) -> frozenset[Type]:
    """The requests that a core, a ``CoreConfig``, knows."""
    unknown = frozenset[Type]().union(*_STORED.values()) - _STORED[Kind(config.store)]
    return frozenset(Type) - unknown - (frozenset() if config.seeder else {Type.SEED})


def _shape(lanes: int, inputs: int, planes: int) -> tuple[int, int, int, int]:
    """Plane words of a sample, 16-bit words of one alone, bits left over, and how many share."""
    own, rest = divmod(lanes, 16)
    return -(-inputs // lanes) * planes, own, rest, 16 // rest if rest else 0


def ram_record_words(lanes: int, inputs: int, planes: int) -> int:
    """16-bit words of a record."""
    count, own, rest, sharing = _shape(lanes, inputs, planes)
    return 1 + count * own + (-(-count // sharing) if rest else 0)


def _places(lanes: int, inputs: int, planes: int) -> npt.NDArray[np.intp]:
    """The bit of a record, counted from its first word's lowest, of each bit of each plane word."""
    count, own, rest, sharing = _shape(lanes, inputs, planes)
    bits = np.arange(lanes)
    places = np.empty((count, lanes), np.intp)
    word = 1
    for n in range(count):
        if rest and n % sharing == 0:
            shared, word = word, word + 1
        low = bits < 16 * own
        places[n, low] = 16 * word + bits[low]
        if rest:
            places[n, ~low] = 16 * shared + rest * (n % sharing) + np.arange(rest)
        word += own
    return places


def pack_ram_records(x: npt.NDArray[np.uint8], y: npt.NDArray[np.integer], lanes: int,
                     planes: int) -> npt.NDArray[np.uint16]:
    """Samples as records of a RAM.

    Parameters
    ----------
    x
        uint8 (samples, inputs), below 2^planes, in the order of the core.
    y
        (samples,), below 256.
    lanes, planes
        L of the core, and the bits of an input.

    Returns
    -------
    uint16 (samples, `ram_record_words`).
    """
    samples, inputs = x.shape
    places = _places(lanes, inputs, planes)
    padded = np.zeros((samples, len(places) // planes * lanes), np.uint8)
    padded[:, :inputs] = x
    words = padded.reshape(samples, -1, 1, lanes) >> np.arange(planes, dtype=np.uint8)[:, None] & 1
    bits = np.zeros((samples, 16 * ram_record_words(lanes, inputs, planes)), np.uint8)
    bits[:, places.reshape(-1)] = words.reshape(samples, -1)
    bits[:, :8] = np.unpackbits(y.astype(np.uint8)[:, None], axis=1, bitorder="little")
    return np.packbits(bits, axis=1, bitorder="little").view("<u2")


def pack_flash_records(x: npt.NDArray[np.uint8], y: npt.NDArray[np.integer], planes: int,
                       sparse: bool) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Samples as records of a flash.

    Parameters
    ----------
    x, y, planes
        As of `pack_ram_records`.
    sparse
        Which of the two forms they have.

    Returns
    -------
    All records in a row, uint8, and where each begins and the last one ends, int64 (samples + 1,).
    """
    packed = pack_samples(x, planes)
    if sparse:
        bodies, ends = pack_sparse(packed, planes)
    else:
        bodies, ends = packed.reshape(-1), np.arange(len(x) + 1) * packed.shape[1]
    starts = ends + np.arange(len(x) + 1)
    records = np.empty(int(starts[-1]), np.uint8)
    label = np.zeros(len(records), bool)
    label[starts[:-1]] = True
    records[label], records[~label] = y, bodies
    return records, starts


def unpack_ram_records(words: npt.NDArray[np.uint16], inputs: int, lanes: int, planes: int,
                       ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """The inverse of `pack_ram_records`: samples and labels; bits that hold nothing are ignored."""
    raw = np.ascontiguousarray(words, "<u2").view(np.uint8)
    bits = np.unpackbits(raw, axis=1, bitorder="little")
    found = bits[:, _places(lanes, inputs, planes).reshape(-1)]
    values = (found.reshape(len(words), -1, planes, lanes)
              << np.arange(planes, dtype=np.uint8)[:, None]).sum(axis=2, dtype=np.uint8)
    return values.reshape(len(words), -1)[:, :inputs], raw[:, 0].copy()
