"""The compiled convolution against the reference and against published hashes."""

import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tritgrad.errors import BadInput
from tritgrad.model.convolution.fast import FastConvNetwork
from tritgrad.model.convolution.network import ConvNetwork
from tritgrad.model.convolution.shape import Convolution
from tritgrad.model.fast import TrainStats
from tritgrad.model.recipe import Recipe
from tritgrad.model.rng import epoch_order

from . import cases


def trained(case):
    net, stats = FastConvNetwork(case.recipe, case.conv), TrainStats()
    for order, gains in case.epochs():
        stats += net.train(case.x[order], case.y[order], gains, wrong=1)
    return net


@pytest.mark.parametrize("stored", cases.SYNTHETIC, ids=lambda stored: f"seed {stored['seed']}")
def test_hashes(stored):
    assert trained(cases.synthetic(stored)).state_sha256() == stored["state_sha256"]


@pytest.mark.parametrize("run", cases.MNIST, ids=lambda run: f"pool {run[4]}")
def test_hashes_on_mnist(run):
    assert trained(cases.mnist(*run)).state_sha256() == run[-1]


def random_convolution(rng):
    """A convolution; every number in it is drawn from all that is allowed, images are small."""
    kernel, pool = int(rng.integers(1, 8)), int(rng.integers(1, 4))
    rows, columns = (kernel + pool - 1 + rng.integers(0, 6, 2)).tolist()
    return Convolution(rows, columns, int(rng.integers(1, 7)), kernel, pool,
                       channels=int(rng.integers(1, 5)), planes=int(rng.integers(1, 5)),
                       bits=int(rng.integers(1, 5)), counter_bits=int(rng.integers(8, 15)),
                       shift=int(rng.choice([-1, 0, 1, 2, 4, 15])),
                       gain=int(rng.choice([0, -1, -2, -4, -6, -15])))


def random_recipe(rng, conv):
    """A recipe of one to three dense layers behind it."""
    bits, depth = int(rng.integers(6, 15)), int(rng.integers(1, 4))
    hidden = rng.integers(1, 20, depth - 1).tolist()
    gains = rng.integers(-6, min(3, bits - 2), depth).tolist()
    return Recipe((conv.outputs, *hidden, int(rng.integers(2, 8))), bits,
                  int(rng.integers(1, 9)), conv.bits, tuple(gains),
                  tuple(rng.integers(0, 4, depth - 1).tolist()),
                  int(rng.choice([1, 10, 100, 2**23 - 1])), 2, int(rng.integers(0, 2**63)))


def random_images(rng, conv, n):
    """Images, some of them blank, full, or of one brightness so that all places are alike."""
    x = rng.integers(0, 1 << conv.planes, (n, conv.inputs)).astype(np.uint8)
    x[:n // 4] *= rng.integers(0, 2, x[:n // 4].shape, dtype=np.uint8)
    x[1], x[2] = 0, (1 << conv.planes) - 1
    x[3] = rng.integers(1 << conv.planes)
    return x


def assert_same(fast, slow, x):
    assert (fast.kernels == slow.kernels.counters).all() and fast.kernels.dtype == np.int16
    for found, expected in zip(fast.counters, slow.counters, strict=True):
        assert (found == expected).all()
    assert fast.prng_state == slow.prng.state
    assert fast.state_sha256() == slow.state_sha256()
    assert (fast.scores(x) == [slow.scores(row) for row in x]).all()


def compare(seed, cases):
    for number in range(cases):
        rng = np.random.default_rng([seed, number])
        conv = random_convolution(rng)
        recipe = random_recipe(rng, conv)
        print(conv, recipe)
        x, y = random_images(rng, conv, 16), rng.integers(0, recipe.layers[-1], 16)
        fast, slow = FastConvNetwork(recipe, conv), ConvNetwork(recipe, conv)
        assert_same(fast, slow, x)
        for epoch in range(recipe.epochs):
            gains, order = recipe.gains_in(epoch), epoch_order(recipe.seed, epoch, len(x))
            wrong = int(rng.integers(2))
            expected = TrainStats()
            for i in order:
                done = slow.train_sample(x[i], int(y[i]), gains, wrong)
                expected += TrainStats(1, done.correct, done.updated, done.flips)
            found = fast.train(x[order[:5]], y[order[:5]], gains, wrong)
            found += fast.train(x[order[5:]], y[order[5:]], gains, wrong)
            assert found == expected
            assert_same(fast, slow, x)


@pytest.mark.parametrize("seed", range(3))
def test_equals_reference(seed):
    compare(seed, 25)


def test_equals_reference_under_a_fresh_seed(fresh_seed):
    compare(fresh_seed, 15)


@pytest.mark.parametrize("bits", [8, 11, 14])
def test_loaded_extremes(bits):
    half, cell = 1 << (bits - 1), 1 << (bits - 2)
    edges = [-half, -half + 1, -cell - 1, -cell, -1, 0, cell - 1, cell, half - 1]
    conv = Convolution(9, 8, 3, 3, 2, channels=2, planes=4, counter_bits=bits, gain=0)
    recipe = Recipe.default((conv.outputs, 5, 3), 2, margin=2**23 - 1, gain=0, output_gain=-2)
    rng = np.random.default_rng(bits)
    kernels = rng.choice(edges, (conv.kernels, conv.taps))
    dense = [rng.choice([-128, -65, 64, 127], shape) for shape in recipe.shapes]
    fast, slow = FastConvNetwork(recipe, conv), ConvNetwork(recipe, conv)
    fast.load(kernels, dense, 99)
    slow.kernels.counters, slow.counters = kernels.copy(), [c.copy() for c in dense]
    slow.prng.state = 99
    x = random_images(rng, conv, 16)
    x[4:8] = 15
    assert_same(fast, slow, x)
    fast.train(x, np.arange(16) % 3, (0, -2))
    for i in range(16):
        slow.train_sample(x[i], i % 3, (0, -2))
    assert_same(fast, slow, x)


def test_two_threads_learn_as_one_after_the_other():
    case = cases.synthetic(cases.SYNTHETIC[0])
    with ThreadPoolExecutor(2) as pool:
        found = [net.state_sha256() for net in pool.map(trained, [case, case])]
    assert found == [case.state_sha256] * 2


def test_saved_and_loaded_goes_on_as_if_nothing_happened():
    case = cases.synthetic(cases.SYNTHETIC[1])
    whole, first, second = (FastConvNetwork(case.recipe, case.conv) for _ in range(3))
    whole.train(case.x, case.y, (0, -2))
    first.train(case.x[:20], case.y[:20], (0, -2))
    second.load(first.kernels, first.counters, first.prng_state)
    second.train(case.x[20:], case.y[20:], (0, -2))
    assert second.state_sha256() == whole.state_sha256()
    assert second.prng_state == whole.prng_state


CONV = Convolution(5, 4, 2, 3, 2, gain=0)
RECIPE = Recipe.default((CONV.outputs, 3), 2, gain=0)
X, Y = np.zeros((4, 20), np.uint8), np.array([0, 1, 2, 0])


@pytest.mark.parametrize(("change", "message"), [
    ({"x": X.astype(int)}, "images must be uint8 (rows, 20), not int64 (4, 20)"),
    ({"x": X[:, :5]}, "images must be uint8 (rows, 20), not uint8 (4, 5)"),
    ({"x": X + np.uint8(4)}, "pixels must be below 2^2, not 4"),
    ({"y": Y[:3]}, "labels must be as many as the 4 rows, not 3"),
    ({"y": Y + 1}, "labels must be from 0 to 2, not 1 to 3"),
    ({"gains": (0, 0)},
     "gains must be 1 exponents from -15 to 6, also with the 0 of wrong samples, not (0, 0)"),
    ({"gains": (6,), "wrong": 1},
     "gains must be 1 exponents from -15 to 6, also with the 1 of wrong samples, not (6,)"),
])
def test_train_refused(change, message):
    with pytest.raises(BadInput, match=f"^{re.escape(message)}$"):
        FastConvNetwork(RECIPE, CONV).train(**{"x": X, "y": Y, "gains": (0,), **change})


@pytest.mark.parametrize(("kernels", "message"), [
    (np.zeros((2, 8), int), "kernels must have the shape (2, 9), not (2, 8)"),
    (np.full((2, 9), 2048), "counters of kernels must be from -2048 to 2047, not 2048 to 2048"),
])
def test_load_refused(kernels, message):
    net = FastConvNetwork(RECIPE, CONV)
    before = net.state_sha256()
    with pytest.raises(BadInput, match=f"^{re.escape(message)}$"):
        net.load(kernels, net.counters, 1)
    assert net.state_sha256() == before
