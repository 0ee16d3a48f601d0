"""Random directions of trits that are never stored: a hash of seed, step, layer, row and chunk.

The same trit comes back for the same place in every pass, in whatever order and however many at
a time the places are visited. A chunk is 16 consecutive inputs of a row, whatever the lanes of a
core.

The hash is made for LUTs: no multiplier, and little that is repeated in each bank. A row and a
chunk each become a word of 32 bits; the row's word is needed once a row, the chunk's word is the
same in all banks. Only the fold of the two, two LUT4 a bit, is a bank's own. The words are eight
rounds of the block cipher Speck32, an addition of 16 bits each (Beaulieu et al., "The SIMON and
SPECK families of lightweight block ciphers", 2013); with six, neighbouring rows are correlated.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from ..rng import check_seed, splitmix64
from .splitmix import GOLDEN, MASK, Trits

__all__ = ["CHUNK", "MAX_SPARSITY", "ROUNDS", "direction", "directions", "fold",
           "generator_state", "place_words", "step_keys", "step_of"]

#: Inputs of a chunk.
CHUNK = 16
#: Largest sparsity: one trit in 64 is not zero.
MAX_SPARSITY = 6
#: Index of the SplitMix64 output that is the key of step 0; above any counter's and any epoch's.
KEYS = 1 << 48
ROUNDS = 8

Words = npt.NDArray[np.uint32]
Keys = npt.NDArray[np.uint64]


def step_keys(seed: int, first: int, n: int) -> Keys:
    """The 64-bit keys of the directions of `n` steps from step `first` (from 0), uint64 (n,)."""
    return splitmix64(check_seed(seed), KEYS + first + np.arange(n))


def generator_state(seed: int, step: int) -> int:
    """State of a generator whose next output is the key of a step: what a core's PRNG holds."""
    return (check_seed(seed) + (KEYS + step) * GOLDEN) & MASK


def step_of(seed: int, state: int) -> int:
    """The step whose key is the next output of a generator: the inverse of `generator_state`."""
    return ((state - check_seed(seed)) * pow(GOLDEN, -1, 1 << 64) - KEYS) & MASK


def place_words(keys: Keys, layer: int, axis: int, n: int) -> Words:
    """The words of the rows or chunks 0 to n - 1 of a layer.

    Speck32's rounds on the block ``(2 * layer + axis) << 16 | index``. Round i (from 0) takes bits
    15:0, 31:16, 47:32, 63:48 of the key in turn, XORed with i, in place of the key schedule.

    Parameters
    ----------
    keys
        (steps,), see `step_keys`.
    layer
        From 1, at most 32,767.
    axis
        0 for rows, 1 for chunks.
    n
        At most 65,536.

    Returns
    -------
    array of uint32
        (steps, n).
    """
    half = np.uint32(0xFFFF)
    x = np.full((len(keys), n), 2 * layer + axis, np.uint32)
    y = np.broadcast_to(np.arange(n, dtype=np.uint32), x.shape)
    for i in range(ROUNDS):
        piece = (keys >> np.uint64(16 * (i % 4))).astype(np.uint32) & half
        x = ((x >> np.uint32(7) | x << np.uint32(9)) + y & half) ^ (piece ^ np.uint32(i))[:, None]
        y = ((y << np.uint32(2) | y >> np.uint32(14)) & half) ^ x
    return x << np.uint32(16) | y


def fold(row: Words, chunk: Words, plane: int) -> Words:
    """One bit for each input of a chunk, from the words of its row and its chunk.

    With rotations to the right: r ^ c ^ (r>>>30 & c>>>15) ^ (r>>>20 & c>>>27), where r is the
    row's word rotated by 11 * plane and c the chunk's by 5 * plane. With random words
    any two bits of any places are independent; of the rotations that grant it, these left the least
    correlation between signs and masks of up to six planes. Without the products two rows would
    be equal or opposite in all chunks, lane by lane; with them, in one lane of four.

    Parameters
    ----------
    row, chunk
        Words, of shapes that broadcast.
    plane
        Which of the bits of an input, from 0.

    Returns
    -------
    array
        Bits 15:0 belong to the chunk's inputs, the lowest to the first.
    """
    r, c = _rotated(row, 11 * plane), _rotated(chunk, 5 * plane)
    products = (_rotated(r, 30) & _rotated(c, 15)) ^ (_rotated(r, 20) & _rotated(c, 27))
    return (r ^ c ^ products) & np.uint32(0xFFFF)


def direction(keys: Keys, layer: int, outputs: int, inputs: int, sparsity: int) -> Trits:
    """The directions of one layer's weights, one for each key.

    Parameters
    ----------
    keys
        (steps,), see `step_keys`.
    layer
        From 1, at most 32,767.
    outputs, inputs
        Sizes of the layer: at most 65,536 rows and as many chunks.
    sparsity
        k, 1 to 6: a trit is not 0 with probability 2^-k, and then +1 or -1 alike.

    Returns
    -------
    array of int8
        (steps, outputs, inputs). Bit i of `fold`'s plane 0 is the sign of input i of a chunk (set
        is -1); the trit is not 0 where planes 1 to k all have bit i set.

    Raises
    ------
    BadInput
        Something is outside these ranges.
    """
    if not 1 <= sparsity <= MAX_SPARSITY:
        raise BadInput(f"sparsity must be an integer from 1 to {MAX_SPARSITY}, not {sparsity!r}")
    if not 1 <= layer < 1 << 15:
        raise BadInput(f"layer must be an integer from 1 to 32767, not {layer!r}")
    chunks = -(-inputs // CHUNK)
    if not (1 <= outputs <= 1 << 16 and 1 <= chunks <= 1 << 16):
        raise BadInput(f"outputs must be from 1 to 65536 and inputs from 1 to {CHUNK << 16}, "
                       f"not {outputs!r} and {inputs!r}")
    row = place_words(keys, layer, 0, outputs)[:, :, None]
    chunk = place_words(keys, layer, 1, chunks)[:, None, :]
    masks = fold(row, chunk, 1)
    for plane in range(2, sparsity + 1):
        masks &= fold(row, chunk, plane)
    trits = (1 - 2 * _bits(fold(row, chunk, 0))) * _bits(masks)
    return trits.reshape(len(keys), outputs, chunks * CHUNK)[:, :, :inputs]


def directions(keys: Keys, shapes: Sequence[tuple[int, int]], sparsity: int) -> list[Trits]:
    """`direction` for all layers, whose (outputs, inputs) are `shapes`."""
    return [direction(keys, layer, outputs, inputs, sparsity)
            for layer, (outputs, inputs) in enumerate(shapes, 1)]


def _rotated(words: Words, by: int) -> Words:
    by %= 32
    if by == 0:
        return words
    return words >> np.uint32(by) | words << np.uint32(32 - by)


def _bits(words: Words) -> Trits:
    """The low bits of words (...), as 0 and 1 (..., 16)."""
    return (words[..., None] >> np.arange(CHUNK, dtype=np.uint32) & np.uint32(1)).astype(np.int8)
