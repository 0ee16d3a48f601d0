"""What `tritgrad trace` shows of a convolution: the reference's numbers, and pictures of them."""

import re
from base64 import b64decode
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from matplotlib.image import imread

from tritgrad.host.data.codings.spec import fit
from tritgrad.host.run.kernel_pictures import by_kernel, kernel_pictures, see
from tritgrad.model import arithmetic
from tritgrad.model.convolution.shape import Convolution
from tritgrad.model.margin import MarginNetwork
from tritgrad.model.recipe import Recipe
from tritgrad.model.soft.explain import explain
from tritgrad.model.soft.shadow import Temperatures

from ..command import call
from .test_conv import random_model, reference


def pixels(data_url):
    """Red, green and blue of a picture's pixels, from 0 to 1: (rows, columns, 3)."""
    return imread(BytesIO(b64decode(data_url.partition(",")[2])), format="png")[..., :3]


def random_network(rng, hidden):
    """A model of random counters behind 3 kernels, which never draws, and an image of its own."""
    conv = Convolution(7, 9, 3, 3, 2, channels=2, planes=2, bits=2, shift=1)
    coding = fit("planes:2", np.arange(2 * 126.0).reshape(2, 126), np.arange(2))
    model = random_model(conv, coding, image_shape=None)
    layers = (conv.outputs, *hidden, 3)
    recipe = Recipe.default(layers, conv.bits, conv=conv, wrong=1, gain=0, output_gain=0)
    counters = [rng.integers(-1 << (bits - 1), 1 << (bits - 1), shape, np.int16)
                for shape, bits in recipe.stored]
    return (replace(model, recipe=recipe, counters=tuple(counters)),
            rng.integers(0, 4, 126).astype(np.uint8))


@pytest.mark.parametrize("hidden", [(7,), (6, 5), ()])
def test_what_is_explained_is_what_the_reference_does(fresh_seed, hidden):
    rng = np.random.default_rng(fresh_seed)
    model, image = random_network(rng, hidden)
    net, label, conv = reference(model), int(rng.integers(3)), model.recipe.conv
    dense = MarginNetwork(model.recipe)
    dense.counters = [np.array(layer, np.int64) for layer in model.counters[1:]]
    [seen] = see(model, image[None])
    gains = (0,) * (len(hidden) + 1)
    made = explain(dense, seen.features.h, label, gains, Temperatures(), model.class_names)

    features = net.kernels.forward(image)
    _, gates, scores = net.forward_pass(features.h)
    scan = arithmetic.scan_scores(scores, label)
    assert (made.decisions.gap, made.decisions.prediction) == (scan.gap, scan.prediction)
    below = np.zeros(conv.outputs, np.int64)
    if scan.gap < model.recipe.margin:
        errors = net.errors(scan.rival, label, gates)
        below = arithmetic.backward(net.weights()[0], errors[0], features.gates)
    shown = kernel_pictures(model, seen, made.decisions)["kernels"]
    assert [(k["up"], k["down"]) for k in shown] == [
        (int((of > 0).sum()), int((of < 0).sum())) for of in below.reshape(-1, conv.kernels).T]

    before = net.weights()
    net.train_sample(image, label, gains, wrong=1)
    for old, new, flips in zip(before, net.weights(), made.decisions.flips, strict=True):
        moved = np.sign(new - old)
        places = np.nonzero(moved)
        assert np.array_equal(flips, np.stack([*places, moved[places]], axis=1))


def test_pictures_show_trits_and_what_the_kernels_found():
    model, image = random_network(np.random.default_rng(5), (7,))
    [seen] = see(model, image[None])
    dense = MarginNetwork(model.recipe)
    made = explain(dense, seen.features.h, 0, (0, 0), Temperatures(), model.class_names)
    shown, conv = kernel_pictures(model, seen, made.decisions), model.recipe.conv
    for channel, picture in zip(image.reshape(2, 7, 9), shown["channels"], strict=True):
        assert np.array_equal(np.rint(pixels(picture)[..., 0] * 3), channel)
    found = seen.features.h.reshape(conv.windows[1], conv.windows[0], conv.kernels)
    for f, (kernel, trits) in enumerate(zip(shown["kernels"], model.trits()[0], strict=True)):
        assert np.array_equal(np.rint(pixels(kernel["map"])[..., 0] * 3), found[:, :, f].T)
        assert kernel["off"] == (found[:, :, f] == 0).sum()
        for tile, picture in zip(trits.reshape(2, 3, 3), kernel["channels"], strict=True):
            red = pixels(picture)[..., 0] - pixels(picture)[..., 2]
            assert np.array_equal(np.sign(np.where(np.abs(red) > 0.2, red, 0)), tile)


def test_a_field_a_kernel():
    conv = Convolution(6, 6, 3, 3, 2)  # 2 x 2 windows
    grid = by_kernel(np.arange(12), conv)
    nan = np.nan
    # outputs go by column of windows, row, kernel
    assert np.array_equal(grid, [[0, 6, nan, 1, 7], [3, 9, nan, 4, 10], [nan] * 5,
                                 [2, 8, nan, nan, nan], [5, 11, nan, nan, nan]], equal_nan=True)


@pytest.mark.usefixtures("folder")
def test_the_page_has_a_section_of_kernels():
    call("train", "--device", "model", "--conv", "5x3x3", "--pool", "2", "--hidden", "6",
         "--encode", "channels:6:2", "--epochs", "1", "--limit", "60", "--out", "run")
    call("trace", "run", "--sample", "1", "--summary", "3", "--html", "page.html")
    with open("page.html") as file:
        page = file.read()
    kernels = re.search(r'<section id="kernels">(.*?)</section>', page, re.S)[1]
    # two channels of the image; of each kernel two fields of trits and what it found
    assert kernels.count("<img") == 2 + 5 * 3
    assert "45-6-10 behind 5 kernels of 3 x 3, pool 2" in page
