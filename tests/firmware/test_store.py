"""Records of a RAM, against their description, bit by bit."""

import random

import numpy as np

from tritgrad.firmware.store import ram_records, record_stride, record_words


def described(sample, label, planes, lanes):
    """A record's words, from the text of the module."""
    full, rest = divmod(lanes, 16)
    lane = [sample[at:at + lanes] + [0] * (lanes - len(sample[at:at + lanes]))
            for at in range(0, len(sample), lanes)]
    slices = [[value >> p & 1 for value in word] for word in lane for p in range(planes)]
    words, group = [label], 16 // rest if rest else len(slices)
    for first in range(0, len(slices), group):
        some = slices[first:first + group]
        if rest:
            words.append(sum(bit << n for n, bit in enumerate(
                bit for each in some for bit in each[16 * full:])))
        words += [sum(bit << n for n, bit in enumerate(each[16 * k:16 * k + 16]))
                  for each in some for k in range(full)]
    return words


def test_records_as_described(fresh_seed):
    rng = random.Random(fresh_seed)
    for _ in range(40):
        lanes, planes, inputs = rng.randint(1, 50), rng.randint(1, 4), rng.randint(1, 90)
        samples = [[rng.randrange(1 << planes) for _ in range(inputs)] for _ in range(3)]
        labels = [rng.randrange(256) for _ in range(3)]
        records = ram_records(np.array(samples, np.uint8), np.array(labels), planes, lanes)
        assert records.tolist() == [described(sample, label, planes, lanes) for sample, label
                                    in zip(samples, labels, strict=True)]
        assert records.shape[1] == record_words(inputs, planes, lanes)


def test_sizes():
    assert record_words(784, 1, 36) == 51 and record_words(784, 2, 36) == 100
    assert [record_stride(51, shift) for shift in (0, 1, 3, 6)] == [51, 52, 56, 64]
