"""Regenerated directions: a restatement in scalars, and statistics over many keys."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tritgrad.errors import BadInput
from tritgrad.model.discrete.direction import (
    CHUNK,
    direction,
    directions,
    fold,
    place_words,
    step_keys,
)
from tritgrad.model.rng import splitmix64

KEYS = 20_000
#: Standard deviations that 10,000 normal numbers exceed once in 2,500 times.
FAR = 5.5


def rotated(word, by):
    by %= 32
    return (word >> by | word << 32 - by) & 0xFFFFFFFF


def word(key, layer, axis, index):
    x, y = 2 * layer + axis, index
    for i in range(8):
        x = (x >> 7 | x << 9) & 0xFFFF
        x = (x + y & 0xFFFF) ^ (key >> 16 * (i % 4) & 0xFFFF) ^ i
        y = ((y << 2 | y >> 14) & 0xFFFF) ^ x
    return x << 16 | y


def trit(key, layer, row, i, sparsity):
    """One trit of a direction, from nothing but its place."""
    a, b = word(key, layer, 0, row), word(key, layer, 1, i // 16)
    bits = []
    for plane in range(sparsity + 1):
        r, c = rotated(a, 11 * plane), rotated(b, 5 * plane)
        products = rotated(r, 30) & rotated(c, 15) ^ rotated(r, 20) & rotated(c, 27)
        bits.append((r ^ c ^ products) >> i % 16 & 1)
    return (1 - 2 * bits[0]) * all(bits[1:])


def test_pinned_words_and_trits():
    keys = step_keys(1069, 0, 2)
    assert [hex(k) for k in keys.tolist()] == [hex(splitmix64(1069, 2**48 + n)) for n in (0, 1)]
    words = place_words(keys, 3, 1, 3)
    assert [[int(w) for w in step] for step in words] == [
        [word(int(key), 3, 1, n) for n in range(3)] for key in keys]
    found = direction(np.array([0x0123456789ABCDEF], np.uint64), 1, 2, 20, 1)[0]
    assert found.tolist() == PINNED


#: For implementations elsewhere: key 0x0123456789ABCDEF, layer 1, rows 0 and 1, inputs 0 to 19.
PINNED = [
    [-1, 0, 1, 1, 0, 0, -1, 1, 1, -1, -1, 0, 0, 0, 1, 1, 0, 1, -1, 0],
    [1, 0, 0, 0, 1, 1, 0, 1, -1, 0, -1, 1, 0, 1, 1, 1, 0, 1, 0, -1],
]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**64 - 1), st.integers(1, 32767), st.integers(1, 5), st.integers(1, 50),
       st.integers(1, 6))
def test_direction_equals_its_trits_one_by_one(key, layer, outputs, inputs, sparsity):
    found = direction(np.array([key], np.uint64), layer, outputs, inputs, sparsity)[0]
    assert found.dtype == np.int8
    assert found.tolist() == [[trit(key, layer, row, i, sparsity) for i in range(inputs)]
                              for row in range(outputs)]


@pytest.mark.parametrize("tile", [(1, 8), (4, 16), (3, 36), (7, 18), (16, 32)])
def test_direction_depends_on_no_order_and_no_lanes(tile):
    """Tiles of R rows and L inputs, visited backwards, give the same trits as the whole layer."""
    keys = step_keys(5, 17, 1)
    whole = direction(keys, 2, 20, 100, 3)[0]
    banks, lanes = tile
    seen = np.full_like(whole, 9)
    for first_row in reversed(range(0, 20, banks)):
        for first in reversed(range(0, 100, lanes)):
            rows = slice(first_row, min(20, first_row + banks))
            inputs = slice(first, min(100, first + lanes))
            row_words = place_words(keys, 2, 0, 20)[0, rows, None]
            chunk_words = place_words(keys, 2, 1, 7)[0, None]
            chunk_of = np.arange(inputs.start, inputs.stop)
            planes = [fold(row_words, chunk_words[:, chunk_of // CHUNK], p)
                      >> (chunk_of % CHUNK).astype(np.uint32) & 1 for p in range(4)]
            seen[rows, inputs] = ((1 - 2 * planes[0].astype(int))
                                  * (planes[1] & planes[2] & planes[3]))
    assert (seen == whole).all()


def test_a_smaller_layer_is_the_corner_of_a_larger_one():
    keys = step_keys(2, 0, 3)
    assert (direction(keys, 1, 9, 70, 2)[:, :4, :33] == direction(keys, 1, 4, 33, 2)).all()


def samples(sparsity, seed):
    """Trits of three rows of three chunks and of another layer, float32 (keys, places)."""
    found = directions(step_keys(seed, 0, KEYS), [(3, 40), (2, 16)], sparsity)
    return np.concatenate([d.reshape(KEYS, -1) for d in found], axis=1).astype(np.float32)


@pytest.mark.parametrize("sparsity", [1, 2, 4])
@pytest.mark.parametrize("seed", [1, 2])
def test_trits_are_balanced_and_as_rare_as_asked(sparsity, seed):
    trits, p = samples(sparsity, seed), 2.0 ** -sparsity
    assert abs(trits.mean(axis=0)).max() < FAR * np.sqrt(p / KEYS)
    rare = abs(trits).mean(axis=0) - p
    assert abs(rare).max() < FAR * np.sqrt(p * (1 - p) / KEYS)


@pytest.mark.parametrize("sparsity", [1, 2, 4])
@pytest.mark.parametrize("seed", [1, 2])
def test_no_two_places_are_correlated(sparsity, seed):
    """Lanes, rows, chunks and layers, in sign, in mask, and one with the other."""
    trits, p = samples(sparsity, seed), 2.0 ** -sparsity
    masks = abs(trits) - p
    for a, b, spread in ((trits, trits, p), (masks, masks, p * (1 - p)),
                         (trits, masks, p * np.sqrt(1 - p))):
        correlation = a.T @ b / KEYS / spread
        np.fill_diagonal(correlation, 0)
        far = abs(correlation) * np.sqrt(KEYS)
        # sparse trits meet seldom, and seldom events are no longer normal
        assert far.max() < FAR + (2 if sparsity == 4 else 0)
        assert np.sqrt((far**2).mean()) == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("sparsity", [1, 4])
def test_steps_and_seeds_are_uncorrelated(sparsity):
    trits, p = samples(sparsity, 1), 2.0 ** -sparsity
    other = samples(sparsity, 2)
    for shifted in (np.roll(trits, 1, axis=0), np.roll(trits, 2, axis=0), other):
        agreement = (trits * shifted).sum(axis=0) / np.sqrt(KEYS) / p
        assert abs(agreement).max() < FAR
    # each key's direction as a whole against the next key's
    overlap = (trits[:-1] * trits[1:]).sum(axis=1) / p / np.sqrt(trits.shape[1])
    assert overlap.std() == pytest.approx(1, abs=0.1)


def test_signs_of_four_corners_agree_in_few_lanes_only():
    """Rows r, s and chunks c, d: the product of their four signs, 1 for a hash of XORs alone.

    Both of a fold's two products stand still for one pair of rows in four.
    """
    draw = np.random.default_rng(1)
    row, chunk = (draw.integers(0, 2**32, (2, KEYS), dtype=np.uint32) for _ in range(2))
    corners = [fold(r, c, 0) for r in row for c in chunk]
    together = np.bitwise_xor.reduce(corners)[:, None] >> np.arange(16, dtype=np.uint32) & 1
    assert (1 - 2 * together.mean(axis=0)) == pytest.approx(0.25, abs=FAR / np.sqrt(KEYS))


def test_neighbouring_rows_have_unrelated_words():
    keys = step_keys(3, 0, 50_000)
    words = place_words(keys, 1, 0, 4)
    for other in (1, 2, 3):
        flips = (words[:, :1] ^ words[:, other:other + 1]) >> np.arange(32, dtype=np.uint32) & 1
        assert abs(flips.mean(axis=0) - 0.5).max() < FAR * 0.5 / np.sqrt(50_000)


@pytest.mark.parametrize(("arguments", "message"), [
    ((1, 2, 3, 0), "sparsity must be an integer from 1 to 6, not 0"),
    ((1, 2, 3, 7), "sparsity must be an integer from 1 to 6, not 7"),
    ((0, 2, 3, 1), "layer must be an integer from 1 to 32767, not 0"),
    ((1, 0, 3, 1), "outputs must be from 1 to 65536 and inputs from 1 to 1048576, not 0 and 3"),
    ((1, 2, 2**20 + 1, 1), ("outputs must be from 1 to 65536 and inputs from 1 to 1048576, "
                            "not 2 and 1048577")),
])
def test_bad_places_are_refused(arguments, message):
    with pytest.raises(BadInput) as error:
        direction(step_keys(1, 0, 1), *arguments)
    assert str(error.value) == message
