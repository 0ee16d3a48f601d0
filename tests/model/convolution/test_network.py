"""The reference of the convolution: hashes of an independent implementation, hand-made samples."""

import numpy as np
import pytest

from tritgrad.errors import BadInput
from tritgrad.model.blending.pruning import Pruning
from tritgrad.model.convolution.network import ConvNetwork
from tritgrad.model.convolution.shape import Convolution
from tritgrad.model.recipe import Recipe

from . import cases


def check(case):
    net = ConvNetwork(case.recipe, case.conv)
    for order, gains in case.epochs():
        for i in order:
            net.train_sample(case.x[i], int(case.y[i]), gains, wrong=1)
    assert net.state_sha256() == case.state_sha256


@pytest.mark.parametrize("stored", cases.SYNTHETIC, ids=lambda stored: f"seed {stored['seed']}")
def test_hashes(stored):
    check(cases.synthetic(stored))


@pytest.mark.parametrize("run", cases.MNIST, ids=lambda run: f"pool {run[4]}")
def test_hashes_on_mnist(run):
    check(cases.mnist(*run))


def test_a_recipe_for_other_outputs_is_refused():
    conv = Convolution(6, 6, 2, 3, 2)
    with pytest.raises(BadInput, match="^layers must begin with the convolution's 8 outputs of 2 "
                       "bits, not with 9 inputs of 2$"):
        ConvNetwork(Recipe.default((9, 2), 2), conv)
    with pytest.raises(BadInput, match="of 2 bits, not with 8 inputs of 1$"):
        ConvNetwork(Recipe.default((8, 2), 1), conv)


@pytest.mark.parametrize("field, value", [
    ("scale_refresh", 6), ("skip", 0), ("prune", Pruning(10, 2, 4, 4)), ("conserve", True)])
def test_a_recipe_with_other_units_is_refused(field, value):
    conv = Convolution(6, 6, 2, 3, 2)
    recipe = Recipe.default((conv.outputs, 5, 5, 2), 2, **{field: value})
    with pytest.raises(BadInput, match=f"^{field} must be left away behind a convolution, not "):
        ConvNetwork(recipe, conv)


def test_scores_are_those_of_the_layers_behind():
    conv = Convolution(6, 7, 2, 3, 2)
    net = ConvNetwork(Recipe.default((conv.outputs, 4, 3), 2), conv)
    x = np.arange(42) % 4
    h = net.kernels.forward(x).h
    assert h.shape == (8,) and h.any()
    assert (net.scores(x) == net.forward_pass(h)[2]).all()
    assert net.predict(x) == int(np.argmax(net.scores(x)))
