"""Moves of images against hashes of an independent implementation, and against plain shifts."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from tritgrad.errors import BadInput
from tritgrad.model.moves import Moves, move_images
from tritgrad.model.rng import shift_image, shift_offsets, splitmix64

VECTORS = json.loads((Path(__file__).parents[1] / "host/data/codings/vectors.json").read_text())


def vector(start):
    return next(value for key, value in VECTORS.items() if key.startswith(start))


def sha(array, kind):
    return hashlib.sha256(np.ascontiguousarray(array, kind).tobytes()).hexdigest()[:16]


def test_moved_images_are_those_of_the_vectors():
    numbers = splitmix64(1, np.arange(64 * 784))
    top, below = numbers >> np.uint64(56), (numbers >> np.uint64(48)) & np.uint64(255)
    images = np.where(below < 128, 0, top).astype(np.uint8).reshape(64, 28, 28)
    amounts = np.array([(i % 5 - 2, i % 3 - 1, i % 3 - 1, i % 5 - 2, i % 7 - 3, i % 5 - 2,
                         i % 4 - 1, i % 2) for i in range(64)])
    assert sha(move_images(images, amounts), "u1") == vector("synthetic i, i < 64")


def test_draws_are_those_of_the_vectors():
    moves = Moves.parse("rotate=1,shear=2,vstretch=2,hstretch=2,flip")
    drawn = moves.draws(7, 0, 100)[:, 2:]
    assert sha(drawn, "i1") == vector("moves of seed 7")
    assert drawn[:2].tolist() == vector("the first two rows")


def test_shifts_alone_are_plain_shifts():
    rng = np.random.default_rng(1)
    images = rng.integers(0, 16, (50, 3, 4)).astype(np.uint8)
    amounts = Moves(shift=3).draws(5, 2, 50)
    assert (shift_offsets(5, 2, 50, 3) == amounts[:, :2].T).all() and not amounts[:, 2:].any()
    for image, (dy, dx, *_), new in zip(images, amounts, move_images(images, amounts),
                                        strict=True):
        assert (shift_image(image, dy, dx) == new).all()


def test_no_range_changes_another_moves_numbers():
    some, more = Moves(1, shear=2), Moves(1, 3, 2, vshear=1, flip=1)
    kept = [0, 1, 3]
    assert (some.draws(9, 4, 40)[:, kept] == more.draws(9, 4, 40)[:, kept]).all()


@pytest.mark.parametrize("text, message", [
    ("twist=1", "^augment must be of rotate, shear, .*, flip, not 'twist'$"),
    ("shear=x", "^augment: shear must be an integer, not 'x'$"),
    ("shear=64", "^augment: shear must be an integer from 0 to 63, not 64$"),
    ("flip=2", "^augment: flip must be an integer from 0 to 1, not 2$"),
    ("shear=1,shear=2", "^augment: shear is given twice, in 'shear=1,shear=2'$"),
])
def test_bad_ranges(text, message):
    with pytest.raises(BadInput, match=message):
        Moves.parse(text)
