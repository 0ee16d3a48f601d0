"""Memory images of networks, and the checks of a layer table."""

import random

import numpy as np
import pytest

from tritgrad.model.config import CoreConfig, ceil_div
from tritgrad.model.layout import (
    Layer,
    TableError,
    check_table,
    pack_counters,
    place,
    unpack_counters,
)

CONFIG = CoreConfig(lanes=6, banks=3, update_lanes=3, max_inputs=50, max_neurons=20,
                    max_classes=10, trit_depth=40, residual_depth=200, hidden_depth=5)
GOOD = [Layer(20, 9, 4, 3, 0), Layer(9, 4, 4, 0, -3)]


@pytest.mark.parametrize("seed", range(20))
def test_counters_survive_the_memories(seed):
    rng = random.Random(seed)
    lanes = rng.randint(1, 12)
    config = CoreConfig(lanes=lanes, banks=rng.randint(1, 5),
                        update_lanes=rng.choice([n for n in range(1, lanes + 1) if lanes % n == 0]),
                        counter_bits=rng.randint(6, 14))
    sizes = [rng.randint(1, 40) for _ in range(rng.randint(2, 4))]
    layers = [Layer(f, n, 1, 0, 0) for f, n in zip(sizes, sizes[1:], strict=False)]
    half = 1 << (config.counter_bits - 1)
    counters = [np.array([[rng.randrange(-half, half) for _ in range(layer.inputs)]
                          for _ in range(layer.outputs)]) for layer in layers]
    codes, residuals = pack_counters(config, layers, counters)
    for a, b in zip(unpack_counters(config, layers, codes, residuals), counters, strict=True):
        assert np.array_equal(a, b)


def test_row_j_lives_where_the_text_says():
    counters = [np.zeros((9, 20), int), np.zeros((4, 9), int)]
    counters[1][2, 7] = -128
    codes, _ = pack_counters(CONFIG, GOOD, counters)
    second = place(CONFIG, GOOD)[1]
    words = ceil_div(9, 6)
    assert codes[2 % 3, second.trit_base + 2 // 3 * words + 7 // 6, 7 % 6] == 0b10
    assert np.count_nonzero(codes) == 1


def test_a_good_table_passes():
    check_table(CONFIG, GOOD)


@pytest.mark.parametrize("layers, message", [
    ([], r"^a table has 1 to 4 layers, not 0$"),
    ([Layer(51, 4, 4, 0, 0)], r"^layer 1: inputs must be from 1 to 50, not 51$"),
    ([Layer(20, 4, 9, 0, 0)], r"^layer 1: planes must be from 1 to 8, not 9$"),
    ([Layer(20, 1, 4, 0, 0)], r"^layer 1: outputs must be from 2 to 10, not 1$"),
    ([Layer(20, 11, 4, 0, 0)], r"^layer 1: outputs must be from 2 to 10, not 11$"),
    ([Layer(20, 4, 4, 32, 0)], r"^layer 1: shift must be from 0 to 31, not 32$"),
    ([Layer(20, 4, 4, 0, 7)], r"^layer 1: gain must be from -15 to 6, not 7$"),
    ([GOOD[0], Layer(8, 4, 4, 0, 0)], r"^layer 2: inputs must be from 9 to 9, not 8$"),
    ([GOOD[0], Layer(9, 4, 3, 0, 0)], r"^layer 2: planes must be from 4 to 4, not 3$"),
    ([Layer(50, 20, 4, 0, 0), Layer(20, 4, 4, 0, 0)],
     r"^the layers need 71 words of T memory, the core has 40$"),
    ([Layer(20, 20, 4, 0, 0), Layer(20, 8, 4, 0, 0)],
     r"^the layers need 224 words of R memory, the core has 200$"),
])
def test_a_bad_table_names_what_is_wrong(layers, message):
    with pytest.raises(TableError, match=message):
        check_table(CONFIG, layers)


@pytest.mark.parametrize("layers, message", [
    ([*GOOD[:1], Layer(9, 21, 4, 0, 0), Layer(21, 4, 4, 0, 0)],
     r"^layer 2: outputs must be from 1 to 20, not 21$"),
    ([Layer(0, 4, 4, 0, 0)], r"^layer 1: inputs must be from 1 to 50, not 0$"),
    ([Layer(6, 4, 0, 0, 0)], r"^layer 1: planes must be from 1 to 8, not 0$"),
    ([Layer(6, 4, 4, -1, 0)], r"^layer 1: shift must be from 0 to 31, not -1$"),
    ([Layer(6, 4, 4, 0, -16)], r"^layer 1: gain must be from -15 to 6, not -16$"),
    ([Layer(6, 6, 4, 0, 0)] * 5, r"^a table has 1 to 4 layers, not 5$"),
    ([Layer(1, 19, 4, 0, 0), Layer(19, 13, 4, 0, 0), Layer(13, 2, 4, 0, 0)],
     r"^the layers need 7 words of hidden memory, the core has 5$"),
])
def test_limits_of_a_table(layers, message):
    with pytest.raises(TableError, match=message):
        check_table(CONFIG, layers)


@pytest.mark.parametrize("seed", range(20))
def test_no_two_layers_share_a_word(seed):
    rng = random.Random(seed)
    lanes = rng.randint(1, 12)
    config = CoreConfig(lanes=lanes, banks=rng.randint(1, 5),
                        update_lanes=rng.choice([n for n in range(1, lanes + 1) if lanes % n == 0]))
    sizes = [rng.randint(1, 40) for _ in range(rng.randint(2, 5))]
    layers = [Layer(f, n, 1, 0, 0) for f, n in zip(sizes, sizes[1:], strict=False)]
    trits, residuals, hidden = [], [], []
    for layer, placed in zip(layers, place(config, layers), strict=True):
        words = ceil_div(layer.inputs, lanes)
        for row in range(layer.outputs):
            trits += [(row % config.banks, placed.trit_base + row // config.banks * words + w)
                      for w in range(words)]
            residuals += [placed.residual_base + row * words * config.steps + w
                          for w in range(words * config.steps)]
        hidden += [placed.output_base + w for w in range(ceil_div(layer.outputs, lanes))]
    for words_ in trits, residuals, hidden:
        assert len(set(words_)) == len(words_)
    placed = place(config, layers)
    assert [p.input_base for p in placed[1:]] == [p.output_base for p in placed[:-1]]
