"""Records of a RAM: what goes in comes out, and the layout word by word."""

import numpy as np
import pytest

from tritgrad.firmware.store import pack_ram_records, ram_record_words, unpack_ram_records


def test_any_sample_comes_back(fresh_seed):
    rng = np.random.default_rng(fresh_seed)
    for _ in range(30):
        lanes, planes = int(rng.integers(1, 70)), int(rng.integers(1, 9))
        inputs, samples = int(rng.integers(1, 150)), int(rng.integers(1, 5))
        x = rng.integers(0, 1 << planes, (samples, inputs), dtype=np.uint8)
        y = rng.integers(0, 256, samples)
        words = pack_ram_records(x, y, lanes, planes)
        assert words.shape == (samples, ram_record_words(lanes, inputs, planes))
        found, labels = unpack_ram_records(words, inputs, lanes, planes)
        assert (found == x).all() and (labels == y).all()


def test_the_high_bits_of_four_words_of_36_share_one():
    x = np.zeros((1, 5 * 36), np.uint8)
    x[0, [0, 35, 36 + 16, 3 * 36 + 32, 4 * 36 + 33]] = 1
    words = pack_ram_records(x, np.array([7]), 36, 1)[0]
    assert words.tolist() == [7, 0x1008, 1, 0, 0, 1, 0, 0, 0, 0, 0x0002, 0, 0]


def test_planes_of_a_word_follow_each_other():
    x = np.array([[1, 2, 3, 0, 0, 0, 0, 0, 2]], np.uint8)
    words = pack_ram_records(x, np.array([1]), 8, 2)[0]
    assert words.tolist() == [1, 0b00000110_00000101, 0b00000001_00000000]


@pytest.mark.parametrize(("lanes", "inputs", "planes", "words"), [
    (36, 784, 1, 51), (36, 784, 2, 100), (36, 784, 4, 199), (18, 784, 1, 51), (16, 784, 1, 50),
    (8, 784, 1, 50), (40, 90, 2, 16)])
def test_sizes(lanes, inputs, planes, words):
    assert ram_record_words(lanes, inputs, planes) == words
